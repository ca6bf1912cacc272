"""The t-SNE gradient from a dense matrix P. For few points, torch is faster with matrices than with edges."""

from __future__ import annotations

import torch
from torch import Tensor

from nnwidgets.analysis.engine.affinities import Graph
from nnwidgets.analysis.engine.slicing import Steps, row_blocks


class DenseForces:
    """Forces over all pairs, by blocks of rows that stay in cache.

    Distances come from differences and sums from matrix-vector products. So there is no matrix-matrix product, which
    the user's TF32 or bf16 settings would round, and no cancellation far from the origin.
    van der Maaten & Hinton 2008, JMLR 9, equation 5.
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
