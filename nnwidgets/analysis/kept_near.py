"""How many of a sample's nearest neighbours a map keeps near it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnwidgets.analysis.embedding import Embedding

__all__ = ["kept_near"]


def kept_near(positions: Embedding | Tensor, row: int, near: Sequence[int] | Tensor) -> int:
    """How many of a row's neighbours `near` are also among its `len(near)` nearest on the map, 0 to `len(near)`.

    By Euclidean distance, without the row itself. Ties are broken arbitrarily.

    Args:
        positions: (n, dims) floats, the map, or an `Embedding`.
        row: from 0 to n - 1.
        near: its neighbours in another space, at most n - 1 different rows without `row`, such as
            `embedding.neighbours[row]`.

    Raises:
        IndexError: `row` is not on the map.
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
