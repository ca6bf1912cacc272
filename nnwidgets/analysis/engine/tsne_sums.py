"""The sums of t-SNE over edges, pairs and grid nodes: by compiled loops where numba is installed, else by torch.

Positions are (n, dims), contiguous. `loops`: the compiled ones, for tensors on the CPU; None for torch.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.affinities import Graph
from nnwidgets.analysis.engine.compiled import Loops


def attract(graph: Graph, positions: Tensor, rows: slice, out: Tensor, *, loops: Loops) -> None:
    """out[rows] = sum over edges of p_ij (y_i - y_j) / (1 + |y_i - y_j|^2)."""
    if loops is not None:
        csr = graph.offsets.numpy().view(np.uint64), graph.columns.numpy().view(np.uint32), graph.values.numpy()
        flat = positions.shape[1] == 2
        loop = loops.attract_2d if flat else loops.attract_3d
        points = torch.view_as_complex(positions) if flat else positions
        loop(*csr, points.numpy(), rows.start, rows.stop, out.numpy())
        return
    edges, counts = graph.edges(rows)
    columns, ends = graph.columns[edges], counts.cumsum(0, dtype=torch.int32)
    q = torch.ones((), dtype=positions.dtype, device=positions.device)
    for axis in positions.T.contiguous():  # gathering single numbers takes a third of the time of rows of two
        difference = axis.index_select(0, graph.rows[edges]).sub_(axis.index_select(0, columns))
        q = torch.addcmul(q, difference, difference)
    weights = torch.div(graph.values[edges], q, out=q)
    # One call gives both sums, of w y_j and of w.
    table = torch.cat([positions, torch.ones_like(positions[:, :1])], 1)
    sums = F.embedding_bag(columns, table, ends - counts.int(), mode="sum", per_sample_weights=weights)
    torch.sub(positions[rows] * sums[:, -1:], sums[:, :-1], out=out[rows])


def repel(columns: Tensor, rows: slice, out: Tensor, *, loops: Loops) -> Tensor:
    """out[rows] = sum over j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2; returns the sum of 1 / (1 + |y_i - y_j|^2).

    The latter is over i in `rows` and all j, i = j included; float64, zero dimensions. `columns` is (dims, n).
    Distances come from differences, as the user's TF32 or bf16 settings would round a matrix product.
    """
    if loops is not None:
        loop = loops.repel_2d if len(columns) == 2 else loops.repel_3d
        return torch.tensor(loop(columns.numpy(), rows.start, rows.stop, out.numpy()), dtype=torch.float64)
    q = torch.ones((), dtype=columns.dtype, device=columns.device)
    for column in columns:
        difference = column[rows, None] - column
        q = torch.addcmul(q, difference, difference)
    q = q.reciprocal_()
    total = q.sum(1).sum(dtype=torch.float64)
    q.square_()
    mass = q.sum(1)
    with torch.autocast(columns.device.type, enabled=False):  # a caller's autocast would round the products
        for axis, column in enumerate(columns):
            out[rows, axis] = mass * column[rows] - q.mv(column)
    return total


def spread(places: Tensor, nodes: Tensor, *, loops: Loops) -> None:
    """Write to `nodes` (m, m) the density, by cubic B-splines, of points at `places` (n, 2), in node spacings."""
    if loops is not None:
        loops.spread(places.numpy(), nodes.numpy())
        return
    at, (along_rows, along_cols), _ = _splines(places, nodes.shape[1])
    nodes.zero_().view(-1).scatter_add_(0, at, (along_rows[:, None] * along_cols).view(-1))


def interpolate(places: Tensor, nodes: Tensor, out: Tensor, *, loops: Loops) -> Tensor:
    """Write to `out` (n, 2) the gradient, per node, of the spline through `nodes`; returns the sum of its values."""
    if loops is not None:
        return torch.tensor(loops.interpolate(places.numpy(), nodes.numpy(), out.numpy()), dtype=torch.float64)
    at, (along_rows, along_cols), (by_rows, by_cols) = _splines(places, nodes.shape[1])
    around = nodes.view(-1).index_select(0, at).view(4, 4, -1)
    lines = (around * along_cols).sum(1)
    out[:, 0] = (by_rows * lines).sum(0)
    out[:, 1] = (along_rows * (around * by_cols).sum(1)).sum(0)
    return (along_rows * lines).sum(0).sum(dtype=torch.float64)


def _splines(places: Tensor, width: int) -> tuple[Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Indices (16 n,) of the nodes around the places, row by row; weights (4, n) along both axes; their derivatives.

    The places are the last axis: sums over a last axis of four numbers take three times as long.
    """
    places = places.T.contiguous()
    first = places.floor()
    t = places - first
    s = 1 - t
    weights = torch.stack([s**3, t * t * (3 * t - 6) + 4, s * s * (3 * s - 6) + 4, t**3], 1) / 6
    slopes = torch.stack([-s * s, t * (3 * t - 4), -s * (3 * s - 4), t * t], 1) / 2
    rows, cols = first.long() - 1
    around = torch.arange(4, device=places.device)
    at = (around[:, None] * width + around).view(-1, 1) + (rows * width + cols)
    return at.view(-1), (weights[0], weights[1]), (slopes[0], slopes[1])
