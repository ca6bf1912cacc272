"""A layer's response to one sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.engine.units import Response, response
from nnwidgets.analysis.results import ActivationsResult
from nnwidgets.measures.arguments import checked_layer, checked_whole
from nnwidgets.measures.measure import Measure, Reading, Source
from nnwidgets.training.worker import Snapshot


@dataclass(frozen=True)
class Activations(Measure):
    """`ActivationsResult` of a layer and a sample, without statistics.

    Raises:
        TypeError: a layer that is no name, a sample that is no whole number.
    """

    layer: str
    sample: int

    def __post_init__(self) -> None:
        checked_layer(self.layer)
        checked_whole("sample", self.sample, least=0, what="an index into the dataset")

    def indices(self, source: Source) -> Sequence[int]:
        return (self.sample,)

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        batch = source.samples.batch([self.sample])
        info, kept = source.layer(self.layer), list[Response]()
        output = record(
            snapshot.shadow.module,
            batch.args,
            batch.kwargs,
            layers=[self.layer],
            on_activation=lambda _name, value: kept.append(response(value, info)),
            may_miss=True,
        )
        if not kept:
            raise ValueError(f"layer {self.layer!r}: not called for sample {self.sample}; choose another sample")
        layout, values, note = kept[-1]
        scores = source.batch_scores(output)
        return ActivationsResult(
            step=source.step_of(snapshot),
            layer=self.layer,
            kind=info.kind,
            sample=self.sample,
            label=source.samples.label_name(self.sample),
            layout=layout,
            values=values,
            stats=None,
            scores=scores[0] if scores is not None else None,
            note=note,
        )
        yield  # one slice: what is quick is not cut
