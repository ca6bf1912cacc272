"""The inner loops of the neighbour search and of P, compiled by numba. All release the GIL.

Only `tsne_loops` imports this module.
"""

from __future__ import annotations

from nnwidgets.analysis.engine.jit import Array, any_order, in_order

__all__ = ["apart", "merge", "transpose"]


@any_order
def apart(points: Array, rows: Array, others: Array, out: Array) -> None:
    """Write to `out` (m, c) the squared distances from each of `rows` (m,) to its own `others` (m, c)."""
    for i in range(len(rows)):
        own = points[rows[i]]
        for at in range(others.shape[1]):
            other, total = points[others[i, at]], points.dtype.type(0)
            for axis in range(len(own)):
                total += (own[axis] - other[axis]) * (own[axis] - other[axis])
            out[i, at] = total


@in_order
def transpose(
    offsets: Array, columns: Array, values: Array, first: int, last: int, ends: Array, there: Array, carried: Array
) -> None:
    """Move the edges of rows `first` to `last` - 1 to their columns; `ends` (n,) is where the next one goes."""
    for i in range(first, last):
        for edge in range(offsets[i], offsets[i + 1]):
            j = columns[edge]
            at = ends[j]
            there[at], carried[at] = i, values[edge]
            ends[j] = at + 1


@in_order
def merge(
    offsets: Array,
    columns: Array,
    values: Array,
    there: Array,
    sources: Array,
    carried: Array,
    first: int,
    last: int,
    ends: Array,
    to: Array,
    sums: Array,
) -> None:
    """Add both directions of the edges of rows `first` to `last` - 1.

    Leaving edges are in compressed rows with ascending `columns`; arriving ones likewise, by `there` and `sources`. The
    result goes to `to` and `sums`, from `ends[first]` on, and to `ends` (n + 1,).
    """
    for i in range(first, last):
        at, a, b = ends[i], offsets[i], there[i]
        while a < offsets[i + 1] or b < there[i + 1]:
            leaves = b == there[i + 1] or (a < offsets[i + 1] and columns[a] <= sources[b])
            arrives = a == offsets[i + 1] or (b < there[i + 1] and sources[b] <= columns[a])
            to[at] = columns[a] if leaves else sources[b]
            sums[at] = (values[a] if leaves else 0) + (carried[b] if arrives else 0)
            at += 1
            a += leaves
            b += arrives
        ends[i + 1] = at
