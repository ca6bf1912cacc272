"""The inner loops of neighbours and of P, compiled by numba: distances, and edges in both directions.

Imported by `tsne_loops` only. All release the GIL.
"""

from __future__ import annotations

from nnwidgets.analysis.engine.jit import Array, any_order, in_order

__all__ = ["apart", "merge", "transpose"]


@any_order
def apart(points: Array, rows: Array, others: Array, out: Array) -> None:
    """Write to `out` (m, c) the squared distances of each of `rows` (m,) to its own `others` (m, c) of `points`."""
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
    """Deal the edges of rows `first` to `last` - 1 to their columns: `ends` (n,) is where the next of each belongs."""
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
    """Sums of both directions of the edges of rows `first` to `last` - 1: those that leave, in compressed rows of
    ascending `columns`, and those that arrive, likewise by `there` and `sources`.

    Written to `to` and `sums`, from `ends[first]` on, and to `ends` (n + 1,).
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
