"""The results that views, figures and exports share: one frozen object per refresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from nnwidgets.analysis.activations import ActivationStats
from nnwidgets.analysis.embedding import Embedding
from nnwidgets.analysis.filters import FilterStats
from nnwidgets.analysis.occlusion import OcclusionMap

Layout = Literal["maps", "strips", "sequence"]


@dataclass(frozen=True)
class ActivationsResult:
    """A layer's response to one sample.

    step: of the weights; None if no training was watched.   sample: index into the dataset.
    values: (channels, height, width) for `layout` "maps", (channels,) for "strips", (channels, time) for "sequence";
    CPU float32.
    stats: over the probe, from the newest refresh that computed them, which may be a few steps older.
    scores: (classes,), as the inspector's task reads the outputs, or None for models without class scores.
    note: how the values were processed (depth averaged …), or "".   kind: the layer's class name.
    """

    step: int | None
    layer: str
    kind: str
    sample: int
    label: str
    layout: Layout
    values: Tensor
    stats: ActivationStats | None
    scores: Tensor | None
    note: str = ""


@dataclass(frozen=True)
class FiltersResult:
    """A layer's weights: weight (out, in, …), `stats` per filter, CPU float32."""

    step: int | None
    layer: str
    kind: str
    weight: Tensor
    stats: FilterStats


@dataclass(frozen=True)
class OcclusionResult:
    """An occlusion map of one sample, complete once `map.done`.

    layer: whose summed activity the map holds, or "".   unit: its strongest feature map, over the probe.
    target: the class shown.   seconds: computing time so far.   fill: as in `occlusion_map`.
    """

    step: int | None
    sample: int
    label: str
    map: OcclusionMap
    layer: str
    unit: int | None
    target: int
    seconds: float
    fill: float | str = 0.0

    @property
    def clean(self) -> Tensor:
        """(classes,) scores with nothing covered."""
        return self.map.clean[0]


@dataclass(frozen=True)
class EmbeddingResult:
    """A map of samples by a layer's response.

    indices: (n,) into the dataset.   labels, predicted: (n,) int64, -1 where there is none.   loss: (n,) float32,
    NaN without labels.
    targets, outputs: (n,) float32 targets of a regression, and the model's numbers for them; None elsewhere.
    total: samples in the dataset.   note: how the features were processed before, or "".
    """

    step: int | None
    layer: str
    embedding: Embedding
    indices: Tensor
    labels: Tensor
    predicted: Tensor
    confidence: Tensor
    loss: Tensor
    total: int
    note: str = ""
    targets: Tensor | None = None
    outputs: Tensor | None = None
