"""What a layer and the model make of some samples, in the worker. Knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.embedding import features
from nnwidgets.session import Session
from nnwidgets.training.worker import Snapshot

START_ROWS = 32
MOST_ROWS = 1_024
SLICE_S = 0.05


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


def next_rows(rows: int, seconds: float) -> int:
    """How many rows to read at once after `rows` took so long: a slice stays below 50 ms where a single row does.

    >>> next_rows(32, 0.004), next_rows(32, 0.03), next_rows(32, 0.2)
    (64, 32, 16)
    """
    if seconds < SLICE_S / 4:
        return min(2 * rows, MOST_ROWS)
    return max(rows // 2, 1) if seconds > SLICE_S else rows
