"""How many of the samples nearest to one a map has kept near it. Knows tensors; no model and no widget."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnwidgets.analysis.embedding import Embedding

__all__ = ["kept_near"]


def kept_near(positions: Embedding | Tensor, row: int, near: Sequence[int] | Tensor) -> int:
    """How many of the rows `near` one are among as many nearest to it on the map, 0 to `len(near)`.

    By Euclidean distance, the row itself left out; of equally near rows an arbitrary one counts.

    Args:
        positions: (n, dims) floats, the map, or the `Embedding` that holds it.
        row: from 0 to n - 1.
        near: its neighbours elsewhere, at most n - 1 different rows, not `row`; as `Embedding.neighbours[row]`.

    Raises:
        IndexError: `row` is none of the map's.
        ValueError: more neighbours than other rows.

    >>> kept_near(torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [9.0, 0.0]]), 0, [1, 3])
    1
    """
    positions = positions.positions if isinstance(positions, Embedding) else positions
    rows = near.tolist() if isinstance(near, Tensor) else near
    n = len(positions)
    if not 0 <= row < n:
        raise IndexError(f"row: expected 0 to {n - 1}, got {row}")
    if len(rows) >= n:
        raise ValueError(f"near: expected at most {n - 1} rows, as many as there are others, got {len(rows)}")
    apart = (positions - positions[row]).norm(dim=1)
    apart[row] = torch.inf
    return len({*rows} & {*apart.topk(len(rows), largest=False).indices.tolist()})
