"""Analyses of models and of the values of their layers. They need torch and NumPy only, and never change the model.

>>> from nnwidgets import analysis
>>> "occlusion_map" in analysis.__all__
True
"""

from __future__ import annotations

from nnwidgets.analysis.activations import ActivationStats, StatsAccumulator, activation_stats, channels_first
from nnwidgets.analysis.capture import LayerInfo, capture, layer_names, record
from nnwidgets.analysis.embedding import Embedding, pca, tsne
from nnwidgets.analysis.filters import FilterStats, filter_smoothness, filter_stats, filter_weight
from nnwidgets.analysis.live_tsne import LiveTSNE
from nnwidgets.analysis.occluded_features import FeatureOcclusion, feature_occlusion, feature_occlusion_steps
from nnwidgets.analysis.occlusion import OcclusionMap, occlusion_map, occlusion_steps
from nnwidgets.analysis.trustworthiness import trustworthiness

__all__ = [
    "ActivationStats",
    "Embedding",
    "FeatureOcclusion",
    "FilterStats",
    "LayerInfo",
    "LiveTSNE",
    "OcclusionMap",
    "StatsAccumulator",
    "activation_stats",
    "capture",
    "channels_first",
    "feature_occlusion",
    "feature_occlusion_steps",
    "filter_smoothness",
    "filter_stats",
    "filter_weight",
    "layer_names",
    "occlusion_map",
    "occlusion_steps",
    "pca",
    "record",
    "trustworthiness",
    "tsne",
]
