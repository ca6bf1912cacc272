"""The private copy of the model itself, for what no other measure reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from nnwidgets.data import Batch
from nnwidgets.measures.arguments import checked_samples
from nnwidgets.measures.measure import Measure, Reading, Source
from nnwidgets.training.worker import Snapshot


@dataclass(frozen=True)
class ModelAtStep:
    """The copy in eval mode, good until `compute` ends; `batch` has the samples asked for, None without any."""

    module: nn.Module
    batch: Batch | None
    step: int | None


@dataclass(frozen=True)
class Model(Measure):
    """`ModelAtStep`: the model of the snapshot and some samples of the dataset.

    For views that run the model themselves: `compute` should be a generator that yields every 50 ms, and the view
    `slow`, so that others go on meanwhile.

    Raises:
        TypeError: samples that are no sequence of indices.
    """

    shared = False  # slow views have copies of their own, which are filled anew at different times

    samples: Sequence[int] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", checked_samples(self.samples))

    def indices(self, source: Source) -> Sequence[int]:
        return self.samples

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        batch = source.samples.batch(self.samples) if self.samples else None
        return ModelAtStep(snapshot.shadow.module, batch, source.step_of(snapshot))
        yield
