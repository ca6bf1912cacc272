"""The Occlusion view, of pictures or of single values."""

from nnwidgets.views.occlusion.features import NOUNS, FeatureOcclusionView
from nnwidgets.views.occlusion.view import OcclusionView

__all__ = ["NOUNS", "FeatureOcclusionView", "OcclusionView"]
