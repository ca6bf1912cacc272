"""Nearest neighbours: exact by all pairs for few points, approximate by balls around k-means centres for many.

Reads and writes neither process-wide flags nor a global random state.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.neighbour_pairs import (
    ENTRIES,
    SPARE,
    Neighbours,
    all_pairs,
    centred,
    least,
    nearest_first,
    nearest_of_all,
)
from nnwidgets.analysis.engine.slicing import Steps, row_blocks

# 10 000 real rows take 0.65 s by balls and 1.15 s by all pairs; 5 000 take a third of a second either way. Uniform rows
# always end in all pairs, after the time for the attempt.
EXACT_BELOW = 8000
_LEAST_RECALL = 0.98
_AIMED_RECALL = 0.985  # on the sampled rows: the mean of 256 varies by about 0.002
_SAMPLED_ROWS = 256
_SAMPLED_COLUMNS = 4096
_ROUNDS = 6
_PER_CELL = 16  # rows per cell that k-means sees
_CELLS = 1.0  # times √n; at 10 000 rows 0.5 takes as long, and 2 a third longer


def nearest(points: Tensor, count: int, *, seed: int = 0, loops: Loops = None) -> Steps[Neighbours]:
    """The `count` nearest other rows of `points` (n, features), floats of size about 1, by Euclidean distance.

    Below `EXACT_BELOW` rows and on CUDA: all pairs, exact. Else from candidates that near rows share, with a recall of
    at least 0.98; all pairs if that would take half of them as candidates. The same `seed` gives the same result.
    `loops`: compiled ones, or None. Needs about 2 copies of the points and 50 MB on the CPU besides the result.

    >>> from nnwidgets.analysis.engine.slicing import finished
    >>> finished(nearest(torch.tensor([[0.0], [1.0], [3.0]]), 1)).distances.flatten().tolist()
    [1.0, 1.0, 4.0]
    """
    points = points.detach()
    if points.device.type != "cpu" or len(points) < EXACT_BELOW:
        return (yield from all_pairs(points, count, loops=loops))
    return (yield from _from_balls(points, count, torch.Generator("cpu").manual_seed(seed), loops))


def _from_balls(points: Tensor, count: int, generator: torch.Generator, loops: Loops) -> Steps[Neighbours]:
    """Find the neighbours of `points` among candidates: the rows nearest to the centre of a k-means cell, and the cell.

    For the same recall, such a ball needs half the candidates of the union of the nearest cells (an inverted file:
    Jégou et al. 2011, PAMI 33, section 4), and one matrix product serves a whole cell. A sample of rows tells how many
    candidates are needed.
    """
    n = points.shape[0]
    y = centred(points)
    yield
    squares = y.square().sum(1)
    sampled = torch.randperm(n, generator=generator, device="cpu")[:_SAMPLED_ROWS]
    yield
    truth = []
    for rows in sampled.split(max(1, ENTRIES // n)):
        truth.append(nearest_of_all(points, y, squares, rows, count, loops))
        yield
    true, farthest = torch.cat([indices for indices, _ in truth]), torch.cat([least[:, -1:] for _, least in truth])
    y = y if _rounds(y) else y.float()
    centres = yield from _centres(y, generator)
    cells = yield from _nearest_centre(y, centres)
    wanted = yield from _wanted(y, centres[cells[sampled]], true, generator)
    wanted = max(wanted, count + SPARE + 1)
    sizes = torch.bincount(cells, minlength=len(centres)).tolist()
    order = cells.argsort(stable=True)
    yield
    y = y.index_select(0, order)  # rows of a cell are together in memory
    yield
    ordered = points.index_select(0, order)
    yield
    while wanted <= n // 2:  # beyond that, all pairs take no longer
        indices, distances = yield from _search(ordered, y, centres, sizes, order, wanted, count, loops)
        # a neighbour that is farther only by rounding counts
        recall = float((distances[sampled] <= farthest * (1 + 1e-6)).double().mean())
        if recall >= _LEAST_RECALL:
            return Neighbours(indices, distances, recall)
        y, centres, wanted = y.double(), centres.double(), 2 * wanted
    return (yield from all_pairs(points, count, loops=loops))


def _search(
    points: Tensor,
    y: Tensor,
    centres: Tensor,
    sizes: list[int],
    order: Tensor,
    wanted: int,
    count: int,
    loops: Loops,
) -> Steps[tuple[Tensor, Tensor]]:
    """Indices and squared distances (n, count) of the nearest among the `wanted` rows around the centre of each cell.

    `points` and `y` are in the `order` of their cells; the results are in the order of x.
    """
    n = y.shape[0]
    indices, distances = torch.empty((n, count), dtype=torch.int64, device="cpu"), points.new_empty((n, count))
    squares, place, first = y.square().sum(1), torch.full((n,), -1, device="cpu"), 0
    for some in row_blocks(len(centres), n, ENTRIES):
        balls = least(_products(squares, centres[some], y), wanted)
        yield
        for centre, ball, size in zip(centres[some], balls, sizes[some], strict=True):
            place[ball] = torch.arange(wanted, device="cpu")
            # rows far from the centre have their neighbours in their own cell; those of a huge cell are in the ball
            members = torch.arange(first, first + size, device="cpu")
            ball = torch.cat([ball, members[place[members] < 0][:wanted]])
            place[ball] = torch.arange(len(ball), device="cpu")
            # relative to the centre, so that float32 rounds small numbers
            local = y.index_select(0, ball).sub_(centre)
            local_squares = local.square().sum(1)
            for block in row_blocks(size, len(ball), ENTRIES):
                rows = slice(first + block.start, first + block.stop)
                between = _products(local_squares, y[rows] - centre, local)
                own = place[rows]
                inside = (own >= 0).nonzero().flatten()
                between[inside, own[inside]] = math.inf
                numbers = torch.arange(rows.start, rows.stop, device="cpu")
                candidates = ball[least(between, count + SPARE)]
                near, apart = nearest_first(points, numbers, candidates, count, loops)
                distances[order[rows]] = apart
                indices[order[rows]] = order[near]
                yield
            place[ball] = -1
            first += size
    return indices, distances


def _wanted(y: Tensor, centres: Tensor, true: Tensor, generator: torch.Generator) -> Steps[int]:
    """How many of the rows nearest to a cell's centre are needed to hold enough of the `true` (m, count) neighbours.

    `centres` has the cell centre of each of the m rows. Ranks are estimated from a sample of columns.
    """
    n = y.shape[0]
    columns = torch.randperm(n, generator=generator, device="cpu")[:_SAMPLED_COLUMNS]
    ranks = []
    for block in row_blocks(len(true), len(columns), ENTRIES // 4):
        centre = centres[block, None]
        radii = (y[true[block]] - centre).square_().sum(2)
        others = _products(y[columns].square().sum(1), centres[block], y[columns]) + centre.square().sum(2)
        others = torch.from_numpy(np.sort(others.numpy(), axis=1))  # a fifth of torch's time
        ranks.append(torch.searchsorted(others, radii))
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
    """The index of the centre nearest to each row of `y`: (n,) int64."""
    squares, cells = centres.square().sum(1), []
    for block in row_blocks(len(y), len(centres), ENTRIES):
        cells.append(_products(squares, y[block], centres).argmin(1))
        yield
    return torch.cat(cells)


def _products(squares: Tensor, rows: Tensor, points: Tensor) -> Tensor:
    """|p|² - 2rp (m, n): squared distances without |r|², which does not change the order within a row."""
    with torch.autocast(rows.device.type, enabled=False):
        return torch.addmm(squares, rows, points.T, alpha=-2.0)


def _rounds(y: Tensor) -> bool:
    """Whether the user's settings round float32 products, as "medium" precision does on hardware with bfloat16."""
    rows, none = y[:1024], torch.zeros(1, dtype=y.dtype, device=y.device)
    exact = _products(none, rows[:64], rows)
    error = (_products(none.float(), rows[:64].float(), rows.float()) - exact).abs().max()
    return bool(error > 1e-5 * rows.square().sum(1).max())
