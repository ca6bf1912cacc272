"""Nearest neighbours: exact by all pairs for few points, approximate for many.

Reads and writes neither process-wide flags nor a global random state.
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

# 10 000 real rows take 0.65 s by balls and 1.15 s by all pairs; 5 000 take a third of a second either way. Uniform rows
# always end in all pairs, after the time for the attempt.
EXACT_BELOW = 8000


def nearest(x: Tensor, count: int, *, seed: int = 0, loops: Loops = None) -> Steps[Neighbours]:
    """The `count` nearest other rows of `x` (n, features), float32 or float64, by Euclidean distance.

    Below `EXACT_BELOW` rows and on CUDA: all pairs, exact. Else from candidates that near rows share, with a recall of
    at least 0.98; all pairs if that would take half of them as candidates. The same `seed` gives the same result.
    `loops`: compiled ones, or None. Needs about 3 copies of x and 50 MB on the CPU besides the result. Offset and scale
    do not matter, except that distances beyond the range of the dtype become 0 or infinite.

    Raises ValueError for a shape other than (n, features), non-finite values, or unless 1 <= count <= n - 1.

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
        found.distances[block] *= unit  # twice, as unit² may overflow where the distances do not
        found.distances[block] *= unit
        yield
    return found


def _scaled(x: Tensor, count: int) -> tuple[Tensor, float]:
    """`x` divided, without rounding, by a power of two so that its largest magnitude is from 1 to 2; and that power."""
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
