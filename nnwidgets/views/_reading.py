"""What a layer and the model make of some samples, in the worker. Knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.embedding import features
from nnwidgets.session import Session
from nnwidgets.training.worker import Snapshot


@dataclass(frozen=True)
class Read:
    """Features (n, …) and scores (n, classes) of some samples, and what was done to the features."""

    features: torch.Tensor
    scores: torch.Tensor | None
    note: str


def read_rows(session: Session, snapshot: Snapshot, layer: str, indices: Sequence[int], start: int, rows: int) -> Read:
    """Those from `start` on, `rows` of them, in one batch."""
    batch = session.samples.batch(indices[start : start + rows])
    found: list[tuple[torch.Tensor, str | None]] = []
    output = record(
        snapshot.shadow.module,
        batch.args,
        batch.kwargs,
        layers=[layer],
        on_activation=lambda _name, value: found.append(features(value)),
    )
    return Read(found[0][0], session.batch_scores(output), found[0][1] or "")
