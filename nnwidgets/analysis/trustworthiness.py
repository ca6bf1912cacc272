"""How far the neighbours on a map can be trusted. No model and no widget in here."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.embedding import Embedding
from nnwidgets.analysis.engine.inputs import centred, check_neighbours, checked_seed, rows_of
from nnwidgets.analysis.engine.slicing import row_blocks

__all__ = ["trustworthiness"]

_SAMPLED_ROWS = 2000
_ENTRIES = 1 << 20


def trustworthiness(
    x: Tensor | np.ndarray, positions: Embedding | Tensor | np.ndarray, *, neighbours: int = 10, seed: int = 0
) -> float:
    """How far the nearest rows on a map are near in the space it shows: 1 if all are, about 0.5 for a random map.

    Venna & Kaski 2001, ICANN: one less the mean excess of the ranks, by distance between rows of `x` (n, features), of
    the `neighbours` nearest rows of `positions` (n, dims), or of the map of an `Embedding`. Over all rows up to 2000,
    else over 2000 drawn by `seed`, with the ranks among all. In float64 on the CPU. A layer's values (n, …) are taken
    as `tsne` takes them.

    Raises ValueError for other shapes, values that are not finite, or neighbours not from 1 to less than n / 2;
    TypeError for what is no array of real numbers.

    >>> x = torch.arange(20.0)[:, None]
    >>> trustworthiness(x, -3 * x, neighbours=5)
    1.0
    """
    generator = checked_seed(seed)
    shown = positions.positions if isinstance(positions, Embedding) else positions
    far, near = centred(rows_of(x)[0], 2, "cpu")[0], centred(shown, 2, "cpu", name="positions")[0]
    n = len(far)
    if len(near) != n:
        raise ValueError(f"positions: expected one for each of the {n} rows of x, got {len(near)}")
    check_neighbours(neighbours, n)
    rows = torch.randperm(n, generator=generator)[:_SAMPLED_ROWS]
    excess = 0
    for block in row_blocks(len(rows), n * neighbours, _ENTRIES):
        some = rows[block]
        chosen = _apart(near, some).topk(neighbours, largest=False).indices
        apart = _apart(far, some)
        ranks = (apart[:, None] < apart.gather(1, chosen)[:, :, None]).sum(2) + 1
        excess += int((ranks - neighbours).clamp(min=0).sum())
    return 1.0 - 2.0 * excess / (len(rows) * neighbours * (2 * n - 3 * neighbours - 1))


def _apart(points: Tensor, rows: Tensor) -> Tensor:
    """Distances (m, n) of some rows to all; infinite to themselves."""
    apart = torch.cdist(points[rows], points, compute_mode="donot_use_mm_for_euclid_dist")
    apart[torch.arange(len(rows)), rows] = torch.inf
    return apart
