"""Who is near whom: nearest neighbours and the joint probabilities P of t-SNE. Knows tensors only."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnwidgets.analysis.engine.pace import Steps, row_blocks

_ENTRIES = 1 << 18  # distances per block: 2 MB of float64, about 5 ms with the selection on one core
_SOLVER_STEPS = 24  # Newton needs 5 to 8; the rest is for rows that fall back to bisection


def nearest(x: Tensor, count: int) -> Steps[tuple[Tensor, Tensor]]:
    """Indices and squared distances of the `count` nearest other rows, nearest first: (n, count) int64, float64.

    `x` (n, features) is float64, which makes |a|² + |b|² - 2ab good enough and keeps the product out of reach of
    TF32 flags and autocast.
    """
    n = x.shape[0]
    squares = x.square().sum(1)
    indices, distances = [], []
    for block in row_blocks(n, n, _ENTRIES):
        between = torch.addmm(squares, x[block], x.T, alpha=-2.0).add_(squares[block, None]).clamp_(min=0.0)
        rows = torch.arange(block.start, block.stop, device=x.device)
        between[rows - block.start, rows] = math.inf
        found = between.topk(count, dim=1, largest=False, sorted=True)
        indices.append(found.indices)
        distances.append(found.values)
        yield
    return torch.cat(indices), torch.cat(distances)


def conditional(distances: Tensor, perplexity: float) -> Steps[Tensor]:
    """p(j|i) over the given neighbours, each row with entropy log(perplexity): (n, k), same dtype and device.

    p(j|i) ∝ exp(-beta_i d_ij); log beta_i by Newton's method, with bisection where a step would leave
    the bracket. A row
    whose nearest points all coincide cannot get below log(their number) and becomes uniform over them.
    van der Maaten & Hinton 2008, JMLR 9, section 2.
    """
    d = distances - distances[:, :1]
    mean = d.mean(1, keepdim=True)
    d = d / torch.where(mean > 0, mean, torch.ones_like(mean))  # makes log beta ≈ 0 a fair start at any scale
    target = math.log(perplexity)
    log_beta = torch.zeros_like(mean)
    low, high = torch.full_like(mean, -math.inf), torch.full_like(mean, math.inf)
    for _ in range(_SOLVER_STEPS):
        beta = log_beta.exp()
        weights = torch.exp(-beta * d)
        weights /= weights.sum(1, keepdim=True)
        first = (weights * d).sum(1, keepdim=True)
        variance = (weights * d * d).sum(1, keepdim=True) - first.square()
        # log of the normaliser is -log p at d = 0, the nearest column
        excess = beta * first - weights[:, :1].log() - target
        low = torch.where(excess > 0, log_beta, low)
        high = torch.where(excess > 0, high, log_beta)
        newton = log_beta + (excess / (beta.square() * variance).clamp_(min=1e-12)).clamp_(-2.0, 2.0)
        inside = torch.where(excess > 0, newton < high, newton > low)
        log_beta = torch.where(inside, newton, (low + high) / 2)
        yield
    weights = torch.exp(-log_beta.exp() * d)
    return weights / weights.sum(1, keepdim=True)


def joint(indices: Tensor, conditionals: Tensor, *, dtype: torch.dtype = torch.float32) -> Steps[Tensor]:
    """P (n, n) dense, symmetric, zero diagonal, sum 1: (p(j|i) + p(i|j)) / 2n."""
    n = indices.shape[0]
    directed = torch.zeros((n, n), dtype=dtype, device=indices.device)
    directed[torch.arange(n, device=indices.device)[:, None], indices] = (conditionals / (2 * n)).to(dtype)
    yield
    p = torch.empty_like(directed)
    for block in row_blocks(n, n, _ENTRIES):
        torch.add(directed[block], directed.T[block], out=p[block])
        yield
    return p
