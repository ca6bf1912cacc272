"""Exact nearest neighbours from all pairs, and the nearest among given candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.slicing import Steps, row_blocks

ENTRIES = 1 << 19  # distances per block: 2 to 8 ms on one core
SPARE = 8  # more candidates than `count`, so that none is lost by rounding to float32; their distances are recomputed
_CANCELLED = 1e-6  # of |a|²: below this, float64 products leave fewer than ten digits, so differences are used
_GROUP = 8  # columns that share a minimum


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of each row.

    indices: (n, count) int64, nearest first, never the row itself.
    distances: (n, count) squared, in the dtype of x; exactly 0 between equal rows.
    recall: share of the true neighbours that were found, 0 to 1: 1 for all pairs, else measured on 256 rows.
    """

    indices: Tensor
    distances: Tensor
    recall: float


def all_pairs(points: Tensor, count: int, *, loops: Loops = None) -> Steps[Neighbours]:
    """The neighbours of `points` (n, features), which are of size about 1, from all distances, in float64.

    In float64 |a|² + |b|² - 2ab is precise enough, and neither TF32 flags nor autocast affect the product.
    """
    n = points.shape[0]
    y = centred(points)
    yield
    squares = y.square().sum(1)
    yield
    found = []
    for block in row_blocks(n, n, ENTRIES if points.device.type == "cpu" else 1 << 24):
        rows = torch.arange(block.start, block.stop, device=points.device)
        found.append(nearest_of_all(points, y, squares, rows, count, loops))
        yield
    indices, distances = (torch.cat(parts) for parts in zip(*found, strict=True))
    return Neighbours(indices, distances, 1.0)


def nearest_of_all(
    points: Tensor, y: Tensor, squares: Tensor, rows: Tensor, count: int, loops: Loops
) -> tuple[Tensor, Tensor]:
    """Indices and squared distances (rows, count) of the nearest of all `points`, nearest first. `y`: centred."""
    between = torch.addmm(squares, y[rows], y.T, alpha=-2.0)
    between[torch.arange(len(rows), device=rows.device), rows] = math.inf
    candidates = least(between, min(count + SPARE, len(points) - 1))
    between = between.gather(1, candidates)
    places = ascending(between)[:, :count]
    distances = between.gather(1, places).add_(squares[rows, None]).clamp_(min=0.0)
    cancelled = (distances[:, 0] <= _CANCELLED * squares[rows]).nonzero().flatten()
    indices, distances = candidates.gather(1, places), distances.to(points.dtype)
    if len(cancelled):
        indices[cancelled], distances[cancelled] = nearest_first(
            points, rows[cancelled], candidates[cancelled], count, loops
        )
    return indices, distances


def nearest_first(points: Tensor, rows: Tensor, candidates: Tensor, count: int, loops: Loops) -> tuple[Tensor, Tensor]:
    """The `count` nearest to `rows` (m,) among `candidates` (m, more), and their squared distances, by differences.

    Rows and candidates are indices into `points`.
    """
    if loops is not None and points.device.type == "cpu":
        distances = points.new_empty(candidates.shape)
        loops.apart(*(each.numpy() for each in (points, rows, candidates, distances)))
    else:
        apart = points.index_select(0, candidates.flatten()).view(*candidates.shape, -1)
        distances = apart.sub_(points[rows, None]).square_().sum(2)
    places = ascending(distances)[:, :count]
    return candidates.gather(1, places), distances.gather(1, places)


def centred(points: Tensor) -> Tensor:
    values = points.double()
    return values - values.mean(0)


def least(values: Tensor, count: int) -> Tensor:
    """Columns of the `count` smallest values of each row, in any order: (rows, count) int64.

    In wide rows, only the `count` groups of columns with the smallest minima are searched: they hold all of them. NumPy
    selects two to four times as fast as `topk` on CPUs with AVX-512, and no slower on others.
    """
    rows, columns = values.shape
    if values.device.type != "cpu":
        return values.topk(count, dim=1, largest=False, sorted=False).indices
    stride = columns // _GROUP
    if stride < 4 * count:
        return _partition(values, count)
    minima = values[:, : _GROUP * stride].unflatten(1, (_GROUP, stride)).amin(1)
    groups = _partition(minima, count)
    held = (groups[:, None] + torch.arange(0, _GROUP * stride, stride, device="cpu")[:, None]).flatten(1)
    rest = torch.arange(_GROUP * stride, columns, device="cpu").expand(rows, -1)
    held = torch.cat([held, rest], 1)
    return held.gather(1, _partition(values.gather(1, held), count))


def _partition(values: Tensor, count: int) -> Tensor:
    if count == values.shape[1]:
        return torch.arange(count, device="cpu").expand(values.shape[0], -1)
    return torch.from_numpy(np.argpartition(values.numpy(), count - 1, axis=1)[:, :count])


def ascending(values: Tensor) -> Tensor:
    """The order that sorts each row, ties in any order. NumPy takes 40 % of torch's time on CPUs with AVX-512."""
    return values.argsort(-1) if values.device.type != "cpu" else torch.from_numpy(values.numpy().argsort(-1))
