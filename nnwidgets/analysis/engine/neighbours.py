"""Nearest neighbours: all pairs of few points, balls around cluster centres for many. Knows tensors only.

No flag of the process and no global random state is read or written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.engine.pace import Steps, row_blocks

__all__ = ["Neighbours", "all_pairs", "nearest"]

# Seconds on one thread, 50 features, count 90; balls on clustered, real (Fashion-MNIST) and uniform rows, against all
# pairs: 5 000: 0.31, 0.33, 0.54 against 0.31; 10 000: 0.65, 0.77, 1.6 against 1.15; 20 000: 1.2, 1.3, 5.2 against 4.9;
# 70 000: 4.3, 5.4 against 50. Uniform rows end in all pairs, with the trial on top.
EXACT_BELOW = 8000
_LEAST_RECALL = 0.98
_AIMED_RECALL = 0.985  # on the sampled rows: the mean of 256 strays by about 0.002
_SAMPLED_ROWS = 256
_SAMPLED_COLUMNS = 4096
_ROUNDS = 6
_PER_CELL = 16  # rows a cell that k-means sees
_SPARE = 8  # candidates beyond `count` whose distances are computed anew: rounding to float32 then loses none
_CANCELLED = 1e-6  # of |a|²: nearer than this float64 products leave fewer than ten digits, so differences are taken
_ENTRIES = 1 << 19  # distances per block: 2 to 8 ms on one core
_GROUP = 8  # columns that share a minimum
_CELLS = 2.0  # times √n; 1 and 4 take 10 % more on MNIST, at 10 000 and 70 000


@dataclass(frozen=True)
class Neighbours:
    """Who is nearest to each row.

    indices: (n, count) int64, nearest first, never the row itself.
    distances: (n, count) squared, in the dtype of x; exactly 0 between equal rows.
    recall: share of the true `count` nearest that are in it, 0 to 1: 1 for all pairs, else measured on 256 rows.
    """

    indices: Tensor
    distances: Tensor
    recall: float


def nearest(x: Tensor, count: int, *, seed: int = 0) -> Steps[Neighbours]:
    """The `count` nearest other rows of `x` (n, features), float32 or float64, by Euclidean distance.

    All pairs below `EXACT_BELOW` rows and on CUDA: exact. Else from candidates that near rows share, with a recall of
    at least 0.98, and all pairs again where that takes half of them. Same `seed`, same result. Memory beside the
    result on the CPU: about 3 copies of x and 50 MB.
    Any offset and scale will do, but distances beyond what the dtype holds become 0 or infinite.

    Raises ValueError for a shape other than (n, features), values that are not finite, or a count not from 1 to n - 1.

    >>> from nnwidgets.analysis.engine.pace import finished
    >>> finished(nearest(torch.tensor([[0.0], [1.0], [3.0]]), 1)).distances.flatten().tolist()
    [1.0, 1.0, 4.0]
    """
    points, unit = _scaled(x, count)
    yield
    if points.device.type != "cpu" or points.shape[0] < EXACT_BELOW:
        found = yield from all_pairs(points, count)
    else:
        found = yield from _from_balls(points, count, torch.Generator("cpu").manual_seed(seed))
    for block in row_blocks(x.shape[0], count, 1 << 21):
        found.distances[block] *= unit  # twice, as its square may overflow where the distances do not
        found.distances[block] *= unit
        yield
    return found


def all_pairs(points: Tensor, count: int) -> Steps[Neighbours]:
    """The neighbours of `points` (n, features) of size about 1, from all distances, in float64.

    float64 keeps |a|² + |b|² - 2ab good enough, and the product out of reach of TF32 flags and autocast.
    """
    n = points.shape[0]
    centred = _centred(points)
    yield
    squares = centred.square().sum(1)
    yield
    found = []
    for block in row_blocks(n, n, _ENTRIES if points.device.type == "cpu" else 1 << 24):
        rows = torch.arange(block.start, block.stop, device=points.device)
        found.append(_nearest_of_all(points, centred, squares, rows, count))
        yield
    indices, distances = (torch.cat(parts) for parts in zip(*found, strict=True))
    return Neighbours(indices, distances, 1.0)


def _nearest_of_all(
    points: Tensor, centred: Tensor, squares: Tensor, rows: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Indices and squared distances (rows, count) of the nearest of all points, nearest first."""
    between = torch.addmm(squares, centred[rows], centred.T, alpha=-2.0)
    between[torch.arange(len(rows), device=rows.device), rows] = math.inf
    chosen = _least(between, min(count + _SPARE, len(points) - 1))
    least, places = between.gather(1, chosen).sort(1)
    distances = least[:, :count].add_(squares[rows, None]).clamp_(min=0.0)
    cancelled = (distances[:, 0] <= _CANCELLED * squares[rows]).nonzero().flatten()
    indices, distances = chosen.gather(1, places[:, :count]), distances.to(points.dtype)
    if len(cancelled):
        indices[cancelled], distances[cancelled] = _nearest_first(
            points, points[rows[cancelled]], chosen[cancelled], count
        )
    return indices, distances


def _nearest_first(points: Tensor, rows: Tensor, chosen: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of the `chosen` (m, more) of `points` the `count` nearest to `rows` (m, features), by differences."""
    apart = points.index_select(0, chosen.flatten()).view(*chosen.shape, -1)
    distances = apart.sub_(rows[:, None]).square_().sum(2)
    distances, places = distances.sort(1)
    return chosen.gather(1, places[:, :count]), distances[:, :count].contiguous()


def _from_balls(points: Tensor, count: int, generator: torch.Generator) -> Steps[Neighbours]:
    """The neighbours of `points` from candidates that the rows of a k-means cell share: the rows nearest to its centre
    and those of the cell.

    A ball needs half the candidates of the union of the nearest cells (an inverted file: Jégou et al. 2011, PAMI 33,
    section 4) for the same recall, and one product serves a whole cell. A sample of rows tells how many candidates.
    """
    n = points.shape[0]
    y = _centred(points)
    yield
    squares = y.square().sum(1)
    sampled = torch.randperm(n, generator=generator, device="cpu")[:_SAMPLED_ROWS]
    yield
    truth = []
    for rows in sampled.split(max(1, _ENTRIES // n)):
        truth.append(_nearest_of_all(points, y, squares, rows, count))
        yield
    true, farthest = torch.cat([indices for indices, _ in truth]), torch.cat([least[:, -1:] for _, least in truth])
    y = y if _rounds(y) else y.float()
    centres = yield from _centres(y, generator)
    cells = yield from _nearest_centre(y, centres)
    wanted = yield from _wanted(y, centres[cells[sampled]], true, generator)
    wanted = max(wanted, count + _SPARE + 1)
    sizes = torch.bincount(cells, minlength=len(centres)).tolist()
    order = cells.argsort(stable=True)
    yield
    y = y.index_select(0, order)  # near rows lie near in memory
    yield
    ordered = points.index_select(0, order)
    yield
    while wanted <= n // 2:  # beyond it all pairs take no longer
        indices, distances = yield from _search(ordered, y, centres, sizes, order, wanted, count)
        # what rounding of the differences may do is no miss
        recall = float((distances[sampled] <= farthest * (1 + 1e-6)).double().mean())
        if recall >= _LEAST_RECALL:
            return Neighbours(indices, distances, recall)
        y, centres, wanted = y.double(), centres.double(), 2 * wanted
    return (yield from all_pairs(points, count))


def _search(
    points: Tensor, y: Tensor, centres: Tensor, sizes: list[int], order: Tensor, wanted: int, count: int
) -> Steps[tuple[Tensor, Tensor]]:
    """Indices and squared distances (n, count) of the nearest among the `wanted` rows about the centre of each cell.

    `points` and `y` lie in the `order` of their cells, the results in that of x.
    """
    n = y.shape[0]
    indices, distances = torch.empty((n, count), dtype=torch.int64, device="cpu"), points.new_empty((n, count))
    squares, place, first = y.square().sum(1), torch.full((n,), -1, device="cpu"), 0
    for some in row_blocks(len(centres), n, _ENTRIES):
        balls = _least(_products(squares, centres[some], y), wanted)
        yield
        for centre, ball, size in zip(centres[some], balls, sizes[some], strict=True):
            place[ball] = torch.arange(wanted, device="cpu")
            # a row far from the centre has its equals among its own cell; a huge cell has them in the ball
            members = torch.arange(first, first + size, device="cpu")
            ball = torch.cat([ball, members[place[members] < 0][:wanted]])
            place[ball] = torch.arange(len(ball), device="cpu")
            # about the centre, so that float32 rounds what is small already
            local = y.index_select(0, ball).sub_(centre)
            local_squares = local.square().sum(1)
            for block in row_blocks(size, len(ball), _ENTRIES):
                rows = slice(first + block.start, first + block.stop)
                between = _products(local_squares, y[rows] - centre, local)
                own = place[rows]
                inside = (own >= 0).nonzero().flatten()
                between[inside, own[inside]] = math.inf
                chosen = ball[_least(between, count + _SPARE)]
                near, distances[order[rows]] = _nearest_first(points, points[rows], chosen, count)
                indices[order[rows]] = order[near]
                yield
            place[ball] = -1
            first += size
    return indices, distances


def _wanted(y: Tensor, centres: Tensor, true: Tensor, generator: torch.Generator) -> Steps[int]:
    """How many rows nearest to a cell's centre hold enough of the `true` (m, count) neighbours of m rows in `centres`.

    Ranks are told from a sample of columns.
    """
    n = y.shape[0]
    columns = torch.randperm(n, generator=generator, device="cpu")[:_SAMPLED_COLUMNS]
    ranks = []
    for block in row_blocks(len(true), len(columns), _ENTRIES // 4):
        centre = centres[block, None]
        radii = (y[true[block]] - centre).square_().sum(2)
        others = _products(y[columns].square().sum(1), centres[block], y[columns]) + centre.square().sum(2)
        ranks.append(torch.searchsorted(others.sort(1).values, radii))
        yield
    rank = torch.cat(ranks).flatten().sort().values
    return min(n, math.ceil((int(rank[math.ceil(_AIMED_RECALL * len(rank)) - 1]) + 1) / len(columns) * n))


def _centres(y: Tensor, generator: torch.Generator) -> Steps[Tensor]:
    """Centres (cells, features) of k-means on a sample of `y`."""
    count = 2 ** round(math.log2(_CELLS * math.sqrt(len(y))))
    sample = y[torch.randperm(len(y), generator=generator, device="cpu")[: count * _PER_CELL]]
    centres = sample[:count].clone()
    for _ in range(_ROUNDS):
        cells = yield from _nearest_centre(sample, centres)
        sizes = torch.bincount(cells, minlength=len(centres))[:, None]
        means = torch.zeros_like(centres).index_add_(0, cells, sample) / sizes.clamp(min=1)
        centres = torch.where(sizes > 0, means, centres)
        yield
    return centres


def _nearest_centre(y: Tensor, centres: Tensor) -> Steps[Tensor]:
    """For each row of `y` the number of its nearest centre: (n,) int64."""
    squares, cells = centres.square().sum(1), []
    for block in row_blocks(len(y), len(centres), _ENTRIES):
        cells.append(_products(squares, y[block], centres).argmin(1))
        yield
    return torch.cat(cells)


def _products(squares: Tensor, rows: Tensor, points: Tensor) -> Tensor:
    """|p|² - 2rp (m, n): the squared distances without |r|², which changes no order within a row."""
    with torch.autocast(rows.device.type, enabled=False):
        return torch.addmm(squares, rows, points.T, alpha=-2.0)


def _rounds(y: Tensor) -> bool:
    """Whether the caller's settings round float32 products, as "medium" precision does where bfloat16 is fast."""
    rows, none = y[:1024], torch.zeros(1, dtype=y.dtype, device=y.device)
    exact = _products(none, rows[:64], rows)
    error = (_products(none.float(), rows[:64].float(), rows.float()) - exact).abs().max()
    return bool(error > 1e-5 * rows.square().sum(1).max())


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


def _centred(points: Tensor) -> Tensor:
    values = points.double()
    return values - values.mean(0)


def _least(values: Tensor, count: int) -> Tensor:
    """Columns of the `count` least values of each row, in any order: (rows, count) int64.

    Of wide rows only the `count` groups of columns with the least minima are looked at, which hold them all. NumPy
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
