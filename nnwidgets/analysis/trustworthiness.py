"""How far the neighbours on a map can be trusted."""

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
    """Whether the nearest rows on a map are near in the original space: 1 if all are, about 0.5 for a random map.

    Venna & Kaski 2001, ICANN: 1 minus the normalised mean excess of ranks. For each row, it takes the `neighbours`
    nearest rows on the map, `positions` (n, dims) or an `Embedding`, and their ranks by distance in `x` (n, features).
    Averages over all rows up to 2000, else over 2000 drawn by `seed`, ranked among all. In float64 on the CPU. A
    layer's activation (n, …) is flattened as `tsne` does it.

    Raises ValueError for other shapes, non-finite values, or `neighbours` outside 1 <= neighbours < n / 2; TypeError
    for anything but an array of real numbers.

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
    """Distances (m, n) from some rows to all; infinite to themselves."""
    apart = torch.cdist(points[rows], points, compute_mode="donot_use_mm_for_euclid_dist")
    apart[torch.arange(len(rows)), rows] = torch.inf
    return apart
