"""Nearest neighbours: all pairs of few points, balls around cluster centres for many. Knows tensors only.

No flag of the process and no global random state is read or written.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.neighbour_balls import from_balls
from nnwidgets.analysis.engine.neighbour_pairs import Neighbours, all_pairs
from nnwidgets.analysis.engine.slicing import Steps, row_blocks

__all__ = ["Neighbours", "all_pairs", "nearest"]

# 10 000 real rows take 0.65 s one way and 1.15 the other, 5 000 a third of a second both ways; uniform rows always end
# in all pairs, with the trial on top.
EXACT_BELOW = 8000


def nearest(x: Tensor, count: int, *, seed: int = 0, loops: Loops = None) -> Steps[Neighbours]:
    """The `count` nearest other rows of `x` (n, features), float32 or float64, by Euclidean distance.

    All pairs below `EXACT_BELOW` rows and on CUDA: exact. Else from candidates that near rows share, with a recall of
    at least 0.98, and all pairs again where that takes half of them. Same `seed`, same result. `loops`: compiled ones,
    or None. Memory beside the result on the CPU: about 3 copies of x and 50 MB.
    Any offset and scale will do, but distances beyond what the dtype holds become 0 or infinite.

    Raises ValueError for a shape other than (n, features), values that are not finite, or a count not from 1 to n - 1.

    >>> from nnwidgets.analysis.engine.slicing import finished
    >>> finished(nearest(torch.tensor([[0.0], [1.0], [3.0]]), 1)).distances.flatten().tolist()
    [1.0, 1.0, 4.0]
    """
    points, unit = _scaled(x, count)
    yield
    if points.device.type != "cpu" or points.shape[0] < EXACT_BELOW:
        found = yield from all_pairs(points, count, loops=loops)
    else:
        found = yield from from_balls(points, count, torch.Generator("cpu").manual_seed(seed), loops)
    for block in row_blocks(x.shape[0], count, 1 << 21):
        found.distances[block] *= unit  # twice, as its square may overflow where the distances do not
        found.distances[block] *= unit
        yield
    return found


def _scaled(x: Tensor, count: int) -> tuple[Tensor, float]:
    """`x` with the largest magnitude between 1 and 2, and the power of two taken out, which rounds nothing."""
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"x: expected (n, features), got shape {tuple(x.shape)}")
    if not 1 <= count < x.shape[0]:
        raise ValueError(f"count: expected 1 to {x.shape[0] - 1}, the other rows, got {count}")
    x = x.detach()
    size = max(abs(float(x.min())), abs(float(x.max())))
    if not math.isfinite(size):
        raise ValueError("x: expected finite values, got NaN or infinity")
    unit = 2.0 ** math.floor(math.log2(size)) if size > 0 else 1.0
    return x / unit, unit
