"""The inner loops of t-SNE, compiled by numba: distances, P in both directions, and sums. All release the GIL.

Imported only with the extra `fast`; without it, the callers do the same by torch. Positions are (n, dims) contiguous,
float32 or float64, and so are the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def any_order(function: Function) -> Function:
    """Compile loops over contiguous rows. Sums may be reordered, so that they are vectorised."""
    return cast(Function, njit(nogil=True, cache=True, error_model="numpy", fastmath=True)(function))


def in_order(function: Function) -> Function:
    """Compile loops over scattered values. Sums keep their order: vectorised gathers would be slower than loads."""
    compiled = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "arcp"})(function)
    return cast(Function, compiled)


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


@any_order
def attract_2d(
    offsets: Array, columns: Array, values: Array, positions: Array, first: int, last: int, out: Array
) -> None:
    """out[i] = sum over edges of p_ij (y_i - y_j) / (1 + |y_i - y_j|^2) for i from first to last - 1.

    `offsets` and `columns` are unsigned: testing a signed index for counting from the end takes as long as everything
    else. `positions` are complex, so that a point is one load. Scattered points are gathered first, then summed.
    """
    rows = positions.view(out.dtype).reshape(-1, 2)
    one, none = out.dtype.type(1), out.dtype.type(0)
    near = np.empty(len(positions), positions.dtype)  # no row has more edges
    flat = near.view(out.dtype)
    for i in range(first, last):
        begin = offsets[i]
        count = offsets[i + 1] - begin
        their, p = columns[begin : begin + count], values[begin : begin + count]
        for edge in range(count):
            near[edge] = positions[their[edge]]
        x, y = rows[i, 0], rows[i, 1]
        sum_x = sum_y = none
        for edge in range(count):
            dx, dy = x - flat[2 * edge], y - flat[2 * edge + 1]
            weight = p[edge] / (one + dx * dx + dy * dy)
            sum_x += weight * dx
            sum_y += weight * dy
        out[i, 0], out[i, 1] = sum_x, sum_y


@in_order
def attract_3d(
    offsets: Array, columns: Array, values: Array, positions: Array, first: int, last: int, out: Array
) -> None:
    """As `attract_2d`, with `positions` (n, 3)."""
    one, none = positions.dtype.type(1), positions.dtype.type(0)
    for i in range(first, last):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        sum_x = sum_y = sum_z = none
        for edge in range(offsets[i], offsets[i + 1]):
            j = columns[edge]
            dx, dy, dz = x - positions[j, 0], y - positions[j, 1], z - positions[j, 2]
            weight = values[edge] / (one + dx * dx + dy * dy + dz * dz)
            sum_x += weight * dx
            sum_y += weight * dy
            sum_z += weight * dz
        out[i, 0], out[i, 1], out[i, 2] = sum_x, sum_y, sum_z


@any_order
def repel_2d(columns: Array, first: int, last: int, out: Array) -> float:
    """out[i] = sum over j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2 for i from first to last - 1.

    Returns the sum of 1 / (1 + |y_i - y_j|^2) over those i and all j, i = j included. `columns` is (dims, n).
    """
    xs, ys = columns[0], columns[1]
    one, none = columns.dtype.type(1), columns.dtype.type(0)
    total = 0.0
    for i in range(first, last):
        x, y = xs[i], ys[i]
        sum_x = sum_y = mass = none
        for j in range(len(xs)):
            dx, dy = x - xs[j], y - ys[j]
            q = one / (one + dx * dx + dy * dy)
            mass += q
            sum_x += q * q * dx
            sum_y += q * q * dy
        total += mass
        out[i, 0], out[i, 1] = sum_x, sum_y
    return total


@any_order
def repel_3d(columns: Array, first: int, last: int, out: Array) -> float:
    """As `repel_2d`."""
    xs, ys, zs = columns[0], columns[1], columns[2]
    one, none = columns.dtype.type(1), columns.dtype.type(0)
    total = 0.0
    for i in range(first, last):
        x, y, z = xs[i], ys[i], zs[i]
        sum_x = sum_y = sum_z = mass = none
        for j in range(len(xs)):
            dx, dy, dz = x - xs[j], y - ys[j], z - zs[j]
            q = one / (one + dx * dx + dy * dy + dz * dz)
            mass += q
            sum_x += q * q * dx
            sum_y += q * q * dy
            sum_z += q * q * dz
        total += mass
        out[i, 0], out[i, 1], out[i, 2] = sum_x, sum_y, sum_z
    return total


@in_order
def _weights(t: Any) -> tuple[Any, Any, Any, Any]:
    """Cubic B-spline weights of the four nodes around a point, `t` after the second."""
    s = 1 - t
    return s * s * s / 6, (t * t * (3 * t - 6) + 4) / 6, (s * s * (3 * s - 6) + 4) / 6, t * t * t / 6


@in_order
def _slopes(t: Any) -> tuple[Any, Any, Any, Any]:
    """Their derivatives by `t`."""
    s = 1 - t
    return -s * s / 2, t * (3 * t - 4) / 2, -s * (3 * s - 4) / 2, t * t / 2


@in_order
def spread(places: Array, nodes: Array) -> None:
    """Write to `nodes` (m, m) the density of points at `places` (n, 2), in units of the node spacing."""
    nodes[:] = 0
    for i in range(len(places)):
        row, col = int(places[i, 0]), int(places[i, 1])
        along_rows, along_cols = _weights(places[i, 0] - row), _weights(places[i, 1] - col)
        for a in range(4):
            for b in range(4):
                nodes[row - 1 + a, col - 1 + b] += along_rows[a] * along_cols[b]


@in_order
def interpolate(places: Array, nodes: Array, slopes: Array) -> float:
    """Write the gradient, per node, of the spline through `nodes` at each place (n, 2); return the sum of values."""
    total = 0.0
    for i in range(len(places)):
        row, col = int(places[i, 0]), int(places[i, 1])
        along_rows, along_cols = _weights(places[i, 0] - row), _weights(places[i, 1] - col)
        by_rows, by_cols = _slopes(places[i, 0] - row), _slopes(places[i, 1] - col)
        value = down = right = 0.0
        for a in range(4):
            line = slope = 0.0
            for b in range(4):
                node = nodes[row - 1 + a, col - 1 + b]
                line += along_cols[b] * node
                slope += by_cols[b] * node
            value += along_rows[a] * line
            down += by_rows[a] * line
            right += along_rows[a] * slope
        total += value
        slopes[i, 0], slopes[i, 1] = down, right
    return total


def warm() -> None:
    """Compile all loops for the types that maps have, or load them from numba's cache, in the calling thread."""
    spread(np.full((1, 2), 2, np.float32), nodes := np.zeros((6, 6), np.float32))
    interpolate(np.full((1, 2), 2, np.float32), nodes, np.zeros((1, 2), np.float32))
    for sum_pairs, axes in ((repel_2d, 2), (repel_3d, 3)):
        sum_pairs(np.zeros((axes, 2), np.float32), 0, 2, np.zeros((2, axes), np.float32))
    offsets, columns, values = np.arange(3), np.array([1, 0], np.int32), np.ones(2, np.float32)
    csr = offsets.view(np.uint64), columns.view(np.uint32), values
    attract_2d(*csr, np.zeros(2, np.complex64), 0, 2, np.zeros((2, 2), np.float32))
    attract_3d(*csr, np.zeros((2, 3), np.float32), 0, 2, np.zeros((2, 3), np.float32))
    transpose(offsets, columns, values, 0, 2, np.arange(2), columns.copy(), values.copy())
    merge(
        offsets, columns, values, offsets, columns, values, 0, 2, np.zeros(3, np.int64), columns.copy(), values.copy()
    )
    apart(np.zeros((2, 2)), np.arange(2), np.ones((2, 1), np.int64), np.zeros((2, 1)))
