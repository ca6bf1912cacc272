"""The joint probabilities P of t-SNE, as a sparse graph, from distances."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.neighbour_pairs import ascending
from nnwidgets.analysis.engine.slicing import Steps, row_blocks

Array = NDArray[Any]

_SOLVED_ENTRIES = 1 << 15  # about 0.5 ms per step
_SORTED_EDGES = 1 << 17  # about 10 ms
_DEALT_EDGES = 1 << 20  # about 10 ms
_SOLVER_STEPS = 24  # Newton needs 5 to 8; rows that fall back to bisection need more


def conditional(distances: Tensor, perplexity: float) -> Steps[Tensor]:
    """p(j|i) over the given neighbours, each row with entropy log(perplexity): (n, k), same dtype and device.

    `distances` (n, k) are squared, nearest first. p(j|i) ∝ exp(-beta_i d_ij), with log beta_i by Newton's method, and
    by bisection where a step would leave the bracket. If the nearest m points of a row coincide, its entropy cannot
    fall below log m, and it becomes uniform over them. Needs about 2 MB on the CPU besides the result.
    van der Maaten & Hinton 2008, JMLR 9, section 2.
    """
    result = torch.empty_like(distances)
    n, k = distances.shape
    for block in row_blocks(n, k, _SOLVED_ENTRIES if distances.device.type == "cpu" else 1 << 24):
        result[block] = yield from _conditional_rows(distances[block], math.log(perplexity))
    return result


def _conditional_rows(distances: Tensor, target: float) -> Steps[Tensor]:
    d = distances - distances[:, :1]
    mean = d.mean(1, keepdim=True)
    d = d / torch.where(mean > 0, mean, torch.ones_like(mean))  # so that log beta = 0 is a good start at any scale
    log_beta = torch.zeros_like(mean)
    low, high = torch.full_like(mean, -math.inf), torch.full_like(mean, math.inf)
    converged = torch.finfo(d.dtype).eps ** 0.5  # the remaining error is about the square of the last step
    for _ in range(_SOLVER_STEPS):
        beta = log_beta.exp()
        weights = torch.exp(-beta * d)
        weights /= weights.sum(1, keepdim=True)
        weighted = weights * d
        first = weighted.sum(1, keepdim=True)
        variance = weighted.mul_(d).sum(1, keepdim=True) - first.square()
        # the nearest column has d = 0, so its -log p is the log of the normaliser
        excess = beta * first - weights[:, :1].log() - target
        low = torch.where(excess > 0, log_beta, low)
        high = torch.where(excess > 0, high, log_beta)
        newton = log_beta + (excess / (beta.square() * variance).clamp_(min=1e-12)).clamp_(-2.0, 2.0)
        inside = torch.where(excess > 0, newton < high, newton > low)
        before, log_beta = log_beta, torch.where(inside, newton, (low + high) / 2)
        yield
        if bool((log_beta - before).abs().max() <= converged):
            break
    weights = torch.exp(-log_beta.exp() * d)
    yield
    return weights / weights.sum(1, keepdim=True)


@dataclass(frozen=True)
class Graph:
    """Symmetric P in compressed sparse rows: row i is columns[offsets[i]:offsets[i + 1]], ascending, without i.

    offsets: (n + 1,) int64.   columns: (nnz,) int32.   values: (nnz,) float32, sum 1, p_ij = p_ji bit for bit.
    """

    offsets: Tensor
    columns: Tensor
    values: Tensor

    @property
    def degree(self) -> int:
        """Average number of edges per row."""
        return len(self.columns) // (len(self.offsets) - 1)

    @functools.cached_property
    def rows(self) -> Tensor:
        """The row of each edge: (nnz,) int32. Cached."""
        rows = torch.arange(len(self.offsets) - 1, dtype=torch.int32, device=self.columns.device)
        return rows.repeat_interleave(self.offsets.diff(), output_size=len(self.columns))

    def dense(self) -> Tensor:
        """P as a matrix (n, n), in the dtype of the values."""
        n = len(self.offsets) - 1
        p = torch.zeros((n, n), dtype=self.values.dtype, device=self.values.device)
        p[self.rows.long(), self.columns.long()] = self.values
        return p

    def edges(self, rows: slice) -> tuple[slice, Tensor]:
        """The slice of edges that belong to some rows, and their number per row."""
        offsets = self.offsets[rows.start : rows.stop + 1]
        return slice(int(offsets[0]), int(offsets[-1])), offsets.diff()


def graph_of(indices: Tensor, distances: Tensor, perplexity: float, *, loops: Loops) -> Steps[Graph]:
    """P from neighbours (n, k) and their squared distances."""
    conditionals = yield from conditional(distances, perplexity)
    return (yield from joint_graph(indices, conditionals, loops=loops))


def joint_graph(indices: Tensor, conditionals: Tensor, *, loops: Loops) -> Steps[Graph]:
    """P = (p(j|i) + p(i|j)) / 2n over all pairs in which one is a neighbour of the other, without a dense matrix.

    `indices` (n, k) int64 and `conditionals` (n, k) come from `nearest` and `conditional`. Peak memory besides them: 40
    bytes per edge, about 400 MB at n = 100 000 and k = 90.
    """
    if loops is not None and indices.device.type == "cpu":
        return (yield from _joint_by_loops(indices, conditionals, loops))
    return (yield from _joint_by_sorting(indices, conditionals))


def _joint_by_loops(indices: Tensor, conditionals: Tensor, loops: ModuleType) -> Steps[Graph]:
    n, k = indices.shape
    leaving = indices.flatten().int().numpy(), (conditionals / (2 * n)).float().flatten().numpy()
    leaves, arrives = np.arange(0, n * k + 1, k), np.zeros(n + 1, np.int64)
    np.bincount(leaving[0], minlength=n).cumsum(out=arrives[1:])
    yield
    arriving = yield from _dealt(leaves, leaving, arrives, loops)
    leaving = yield from _dealt(arrives, arriving, leaves, loops)  # transposed twice, the columns ascend
    ends, columns, sums = np.zeros(n + 1, np.int64), np.empty(2 * n * k, np.int32), np.empty(2 * n * k, np.float32)
    for rows in row_blocks(n, 2 * k, _DEALT_EDGES):
        loops.merge(leaves, *leaving, arrives, *arriving, rows.start, rows.stop, ends, columns, sums)
        yield
    return Graph(torch.from_numpy(ends), *(torch.from_numpy(each[: ends[-1]]) for each in (columns, sums)))


def _dealt(offsets: Array, edges: tuple[Array, Array], to: Array, loops: ModuleType) -> Steps[tuple[Array, Array]]:
    """The transpose of `edges`, columns and values in the compressed rows of `offsets`, in those of `to`, ascending."""
    n, ends = len(offsets) - 1, to[:-1].copy()
    sources, values = np.empty_like(edges[0]), np.empty_like(edges[1])
    for rows in row_blocks(n, len(sources) // n, _DEALT_EDGES):
        loops.transpose(offsets, *edges, rows.start, rows.stop, ends, sources, values)
        yield
    return sources, values


def _joint_by_sorting(indices: Tensor, conditionals: Tensor) -> Steps[Graph]:
    """Distribute the edges over blocks of target rows by small sorts; then each block sorts its own two directions."""
    n, k = indices.shape
    limit = _SORTED_EDGES if indices.device.type == "cpu" else 1 << 26
    blocks = row_blocks(n, 2 * k, limit)
    ends = torch.tensor([block.stop for block in blocks], device=indices.device)
    dealt: list[list[_Edges]] = [[] for _ in blocks]
    for part in row_blocks(n, k, limit):
        edges = _edges(indices, conditionals, part)
        order = ascending(edges.targets)
        targets = edges.targets[order]
        stops = torch.searchsorted(targets, ends).tolist()
        edges = _Edges(edges.sources[order], targets.int(), edges.values[order])
        for pieces, start, stop in zip(dealt, [0, *stops], stops, strict=False):
            pieces.append(_Edges(*(column[start:stop] for column in edges)))
        yield
    # Allocate for the largest possible result: the system provides pages only as they are written.
    columns = torch.empty(2 * n * k, dtype=torch.int32, device=indices.device)
    values = torch.empty(2 * n * k, dtype=torch.float32, device=indices.device)
    counts, end = torch.zeros(n + 1, dtype=torch.int64, device=indices.device), 0
    for block, pieces in zip(blocks, dealt, strict=True):
        arriving = _Edges(*(torch.cat(column) for column in zip(*pieces, strict=True)))
        pieces.clear()
        rows, there, sums = _merged(_edges(indices, conditionals, block), arriving, n)
        counts[block.start + 1 : block.stop + 1] = torch.bincount(
            rows - block.start, minlength=block.stop - block.start
        )
        start, end = end, end + len(sums)
        columns[start:end], values[start:end] = there, sums
        yield
    return Graph(counts.cumsum(0), columns[:end], values[:end])


class _Edges(NamedTuple):
    """Directed edges: sources (m,) int32, targets (m,) int64 or int32, values (m,) float32."""

    sources: Tensor
    targets: Tensor
    values: Tensor


def _edges(indices: Tensor, conditionals: Tensor, rows: slice) -> _Edges:
    """The edges that leave these rows, with p(j|i) / 2n."""
    n, k = indices.shape
    sources = torch.arange(rows.start, rows.stop, dtype=torch.int32, device=indices.device).repeat_interleave(k)
    return _Edges(sources, indices[rows].flatten(), (conditionals[rows] / (2 * n)).float().flatten())


def _merged(leaving: _Edges, arriving: _Edges, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and sums of the edges that leave or reach some rows, ascending."""
    keys = torch.cat([leaving.sources.long() * n + leaving.targets, arriving.targets.long() * n + arriving.sources])
    order = ascending(keys)
    keys = keys[order]
    values = torch.cat([leaving.values, arriving.values])[order]
    # an edge in both directions has two equal keys, now side by side
    again = keys[1:] == keys[:-1]
    values[:-1] += torch.where(again, values[1:], 0.0)
    first = torch.nn.functional.pad(~again, (1, 0), value=True)
    keys, values = keys[first], values[first]
    rows = keys // n
    return rows, (keys - rows * n).int(), values
