"""The gradients of a training step, and the weights before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from nnwidgets.measures.measure import Measure, Reading, Source
from nnwidgets.training.worker import Snapshot


@dataclass(frozen=True)
class StepRead:
    """One training step, by names of parameters; tensors of the snapshot, good until `compute` ends.

    gradients: what made the step, without parameters that had none.   previous: weights before it.   weights: after it.
    The first two are None where the snapshot was not taken at the end of a watched step.
    """

    step: int | None
    gradients: Mapping[str, Tensor] | None
    previous: Mapping[str, Tensor] | None
    weights: Mapping[str, Tensor]


@dataclass(frozen=True)
class Gradients(Measure):
    """`StepRead` of the newest step.

    Gradients and previous weights are copied only while a view on screen needs them.
    """

    snapshot_extras = frozenset({"gradients", "previous"})

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        weights = {name: parameter.detach() for name, parameter in snapshot.shadow.module.named_parameters()}
        return StepRead(source.step_of(snapshot), snapshot.gradients, snapshot.previous, weights)
        yield
