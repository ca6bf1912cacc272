"""Private copies of models. Every analysis runs on one, so that the model being trained is only ever read.

A `Shadow` is an eager, eval-mode, hook-free copy that follows its live model when told to. Nothing in this package
writes to the live model, draws from a global random generator, or changes a setting that another thread can see.
"""

from nnwidgets.shadow._evaluation import evaluation
from nnwidgets.shadow._leaks import check_leaks
from nnwidgets.shadow._mirror import TensorCopies
from nnwidgets.shadow._placement import fitting_shadow, free_memory
from nnwidgets.shadow._random import preserved_random_states
from nnwidgets.shadow._shadow import Shadow, shadow_module
from nnwidgets.shadow._support import BeingTracedError, UninitializedModelError, UnsupportedModelError, unwrap

__all__ = [
    "BeingTracedError",
    "Shadow",
    "TensorCopies",
    "UninitializedModelError",
    "UnsupportedModelError",
    "check_leaks",
    "evaluation",
    "fitting_shadow",
    "free_memory",
    "preserved_random_states",
    "shadow_module",
    "unwrap",
]
