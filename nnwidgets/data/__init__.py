"""Samples for the views: reading, naming and showing what a dataset holds. Knows torch and NumPy, no widget."""

from nnwidgets.data.samples import Batch, NotHeldError, Samples
from nnwidgets.data.source import SampleError

__all__ = ["Batch", "NotHeldError", "SampleError", "Samples"]
