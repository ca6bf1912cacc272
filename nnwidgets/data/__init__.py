"""The samples of a dataset: read them, name them, and show them as pictures."""

from nnwidgets.data.samples import Batch, NotHeldError, Samples, numeric_targets
from nnwidgets.data.source import SampleError
from nnwidgets.data.targets import Target, TargetKind

__all__ = ["Batch", "NotHeldError", "SampleError", "Samples", "Target", "TargetKind", "numeric_targets"]
