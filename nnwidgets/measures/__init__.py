"""What is read from a snapshot of the model, once for all views that need it.

A measure is a frozen dataclass; `View.needs()` returns one or several, and `View.compute` gets their values.

>>> from nnwidgets import measures
>>> measures.Activations("conv1", 7) == measures.Activations("conv1", 7)
True
"""

from nnwidgets.measures.activations import Activations
from nnwidgets.measures.features import Features, FeaturesRead, Predictions, PredictionsRead
from nnwidgets.measures.gradients import Gradients, StepRead
from nnwidgets.measures.measure import Measure, Progress
from nnwidgets.measures.model import Model, ModelAtStep
from nnwidgets.measures.record import Record
from nnwidgets.measures.statistics import LayerStatistics
from nnwidgets.measures.weights import Weights

__all__ = [
    "Activations",
    "Features",
    "FeaturesRead",
    "Gradients",
    "LayerStatistics",
    "Measure",
    "Model",
    "ModelAtStep",
    "Predictions",
    "PredictionsRead",
    "Progress",
    "Record",
    "StepRead",
    "Weights",
]
