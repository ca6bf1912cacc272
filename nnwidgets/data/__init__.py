"""The samples of a dataset: read them, name them, and show them as pictures."""

from nnwidgets.data.samples import Batch, NotHeldError, Samples, numeric_targets
from nnwidgets.data.source import SampleError

__all__ = ["Batch", "NotHeldError", "SampleError", "Samples", "numeric_targets"]
