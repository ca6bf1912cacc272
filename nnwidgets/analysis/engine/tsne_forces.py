"""The gradient of t-SNE: attraction along the edges of P, repulsion over all pairs or on a grid."""

from __future__ import annotations

import torch
from torch import Tensor

from nnwidgets.analysis.engine.affinities import Graph
from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.slicing import Steps, row_blocks
from nnwidgets.analysis.engine.tsne_grid import GridRepulsion
from nnwidgets.analysis.engine.tsne_sums import attract, repel

# Of the grid, in units of the map. The gradient is off by 3 and 1 %; maps end with a KL 2 and 1 % above all pairs.
LIVE_SPACING, FINISHED_SPACING = 0.45, 1 / 3
_DENSE_UP_TO = 1000  # points, without compiled loops: 500 take two thirds of the time of edges and pairs
_ALL_PAIRS_UP_TO = 4000  # points: up to here exact, and as fast as a grid
_KL_OF_ALL_PAIRS_UP_TO = 20_000
_EDGES_AT_ONCE, _PAIRS_AT_ONCE = 1 << 22, 1 << 25  # about 20 ms of compiled loops
_EDGES_BY_TORCH, _PAIRS_BY_TORCH = 1 << 18, 1 << 18  # fits in cache
_PAIRS_ON_CUDA = 1 << 26


def forces_for(graph: Graph, dims: int, *, spacing: float, loops: Loops) -> DenseForces | SparseForces:
    """Return the fastest forces for this number of points. Arguments are those of `SparseForces`."""
    few = len(graph.offsets) - 1 <= _DENSE_UP_TO
    dense = few and loops is None and graph.values.device.type == "cpu"
    return DenseForces(graph) if dense else SparseForces(graph, dims, spacing=spacing, loops=loops)


class SparseForces:
    """Attraction over the edges of a graph; repulsion over all pairs, or on a grid for many points in 2-D.

    van der Maaten & Hinton 2008, JMLR 9, equation 5; van der Maaten 2014, JMLR 15, for P over neighbours.
    `graph` is P; `spacing` that of the grid's nodes, None: always all pairs; `loops`: compiled ones, or None.
    """

    def __init__(self, graph: Graph, dims: int, *, spacing: float | None, loops: Loops) -> None:
        n, device = len(graph.offsets) - 1, graph.values.device
        self._loops = loops = loops if device.type == "cpu" else None
        few = _ALL_PAIRS_UP_TO if loops or device.type == "cuda" else _DENSE_UP_TO
        gridded = spacing is not None and dims == 2 and n > few
        self._graph = graph
        self._grid = GridRepulsion(spacing, loops=loops) if gridded and spacing is not None else None
        self._by_edges = row_blocks(n, graph.degree, _EDGES_AT_ONCE if loops else _EDGES_BY_TORCH)
        at_once = _PAIRS_ON_CUDA if device.type == "cuda" else _PAIRS_AT_ONCE if loops else _PAIRS_BY_TORCH
        self._by_pairs = row_blocks(n, n, at_once)

    def gradient(self, positions: Tensor, exaggeration: float) -> Steps[Tensor]:
        """4 sum over j of (exaggeration p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2): like `positions`."""
        attraction, repulsion = torch.empty_like(positions), torch.empty_like(positions)
        for rows in self._by_edges:
            attract(self._graph, positions, rows, attraction, loops=self._loops)
            yield
        total = yield from self._repel(positions, repulsion, self._grid)
        normaliser = (total - len(positions)).to(positions.dtype)  # each point's own kernel is exactly 1
        return attraction.mul_(4.0 * exaggeration).sub_(repulsion.mul_(4.0 / normaliser))

    def kl_divergence(self, positions: Tensor) -> Steps[Tensor]:
        """Sum of p log(p / q) over this P, in nats, in float64. For many points the grid gives the normaliser of q."""
        entropy, cross, mass = torch.zeros((3,), dtype=torch.float64, device=positions.device).unbind()
        for rows in row_blocks(len(positions), self._graph.degree, _EDGES_BY_TORCH):
            edges, counts = self._graph.edges(rows)
            p = self._graph.values[edges].double()
            own = positions[rows].repeat_interleave(counts, 0)
            far = (own - positions.index_select(0, self._graph.columns[edges])).square_().sum(1)
            entropy += torch.xlogy(p, p).sum()
            cross += (p * far.double().log1p()).sum()
            mass += p.sum()
            yield
        grid = self._grid if len(positions) > _KL_OF_ALL_PAIRS_UP_TO else None
        total = yield from self._repel(positions, torch.empty_like(positions), grid)
        return entropy + cross + mass * (total - len(positions)).log()

    def _repel(self, positions: Tensor, out: Tensor, grid: GridRepulsion | None) -> Steps[Tensor]:
        if grid is not None:
            total = grid(positions, out)
            yield
            return total
        columns = positions.T.contiguous()
        total = torch.zeros((), dtype=torch.float64, device=positions.device)
        for rows in self._by_pairs:
            total = total + repel(columns, rows, out, loops=self._loops)
            yield
        return total


class DenseForces:
    """Forces over all pairs, by blocks of rows that stay in cache.

    For few points, torch is faster with matrices than with edges. Distances come from differences and sums from
    matrix-vector products. So there is no matrix-matrix product, which the user's TF32 or bf16 settings would round,
    and no cancellation far from the origin.
    """

    def __init__(self, graph: Graph) -> None:
        self._p = p = graph.dense()
        n = p.shape[0]
        self._blocks = row_blocks(n, n, 1 << 18 if p.device.type == "cpu" else 1 << 26)
        rows = max(block.stop - block.start for block in self._blocks)
        self._q, self._weights = (torch.empty((rows, n), dtype=p.dtype, device=p.device) for _ in range(2))

    def gradient(self, positions: Tensor, exaggeration: float) -> Steps[Tensor]:
        """4 Σ_j (exaggeration·p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|²): like `positions`."""
        columns = [column.contiguous() for column in positions.T]
        attraction, repulsion = torch.empty_like(positions), torch.empty_like(positions)
        total = torch.zeros((), dtype=torch.float64, device=positions.device)
        for block in self._blocks:
            q = self._kernel(columns, block)
            total += q.sum(1).sum(dtype=torch.float64)
            weights = torch.mul(self._p[block], q, out=self._weights[: q.shape[0]])
            _pull(weights, columns, block, out=attraction)
            _pull(q.mul_(q), columns, block, out=repulsion)
            yield
        normaliser = (total - positions.shape[0]).to(positions.dtype)  # each point's own kernel is exactly 1
        return attraction.mul_(4.0 * exaggeration).sub_(repulsion.mul_(4.0 / normaliser))

    def kl_divergence(self, positions: Tensor) -> Steps[Tensor]:
        """Σ p log(p / q) over this P, in nats, summed in float64."""
        columns = [column.contiguous() for column in positions.T]
        total, entropy, cross, mass = torch.zeros((4,), dtype=torch.float64, device=positions.device).unbind()
        for block in self._blocks:
            q, p = self._kernel(columns, block), self._p[block]
            total += q.sum(1).sum(dtype=torch.float64)
            entropy += torch.xlogy(p, p).sum(1).sum(dtype=torch.float64)
            cross += q.log_().mul_(p).sum(1).sum(dtype=torch.float64)
            mass += p.sum(1).sum(dtype=torch.float64)
            yield
        return entropy - cross + mass * (total - positions.shape[0]).log()

    def _kernel(self, columns: list[Tensor], block: slice) -> Tensor:
        """1 / (1 + |y_i - y_j|²) for the rows of `block` and all columns, in the shared buffer."""
        q = self._q[: block.stop - block.start]
        difference = self._weights[: block.stop - block.start]
        so_far = torch.ones((), dtype=q.dtype, device=q.device)
        for column in columns:
            torch.sub(column[block, None], column, out=difference)
            so_far = torch.addcmul(so_far, difference, difference, out=q)
        return q.reciprocal_()


def _pull(weights: Tensor, columns: list[Tensor], block: slice, *, out: Tensor) -> None:
    """out[i] = Σ_j w_ij (y_i - y_j) for the rows of `block`."""
    sums = weights.sum(1)
    with torch.autocast(weights.device.type, enabled=False):  # a caller's autocast would round the products
        for axis, column in enumerate(columns):
            out[block, axis] = sums * column[block] - weights.mv(column)
