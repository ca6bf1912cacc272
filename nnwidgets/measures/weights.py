"""A layer's weights and how smooth they are."""

from __future__ import annotations

from dataclasses import dataclass

from nnwidgets.analysis.engine.layer_calls import module_of
from nnwidgets.analysis.filters import filter_stats, filter_weight
from nnwidgets.analysis.results import FiltersResult
from nnwidgets.measures.arguments import checked_layer
from nnwidgets.measures.measure import Measure, Reading, Source
from nnwidgets.training.worker import Snapshot


@dataclass(frozen=True)
class Weights(Measure):
    """`FiltersResult` of a layer.

    Raises:
        ValueError: the layer has no weights.   TypeError: a layer that is no name.
    """

    layer: str

    def __post_init__(self) -> None:
        checked_layer(self.layer)

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        weight = filter_weight(module_of(snapshot.shadow.module, self.layer))
        if weight is None:
            raise ValueError(f"layer: expected one with weights, got {self.layer}, which has none")
        weight = weight.detach().float().cpu().clone()
        return FiltersResult(
            step=source.step_of(snapshot),
            layer=self.layer,
            kind=source.layer(self.layer).kind,
            weight=weight,
            stats=filter_stats(weight),
        )
        yield  # one slice: what is quick is not cut
