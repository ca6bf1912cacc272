"""Principal components without global random draws, and a basis that follows a changing layer."""

from __future__ import annotations

import torch
from torch import Tensor

from nnwidgets.analysis.engine.slicing import Steps, row_blocks

_EXACT_UP_TO = 512  # eigh of this size takes about 50 ms; larger problems use subspace iteration
_FIRST_ROUNDS = 10
_ENTRIES = 1 << 20


def principal_scores(x: Tensor, dims: int) -> tuple[Tensor, float]:
    """The first `dims` principal component scores (n, dims) and their share of the variance, 0 to 1.

    `x` (n, features) is centred float64. Solves the smaller of two eigenproblems: that of the covariance, or of the
    Gram matrix when features > samples. The largest score of each component is positive.
    """
    n, features = x.shape
    wide, values, vectors = _eigen(x)
    kept = min(dims, n, features)
    scores = vectors[:, :kept] * values[:kept].sqrt() if wide else x @ vectors[:, :kept]
    largest = scores.gather(0, scores.abs().argmax(0, keepdim=True))
    scores = torch.where(largest < 0, -scores, scores)
    total = values.sum()
    share = float(values[:kept].sum() / total) if float(total) > 0 else 0.0
    return torch.nn.functional.pad(scores, (0, dims - kept)), share


def follow_basis(x: Tensor, rank: int, basis: Tensor | None, generator: torch.Generator) -> Steps[Tensor]:
    """An orthonormal basis (features, rank) of the leading principal directions of centred float64 `x`.

    One round of subspace iteration updates the last `basis`, which follows a layer in training at a fraction of the
    cost of a new eigenproblem. The first basis is exact, or takes ten rounds for large problems.
    """
    n, features = x.shape
    rounds = 1
    if basis is None or basis.shape != (features, rank):
        if min(n, features) <= _EXACT_UP_TO:
            return _exact_basis(x, rank)
        start = torch.randn((features, rank), generator=generator, dtype=x.dtype, device="cpu")
        basis, rounds = torch.linalg.qr(start.to(x.device)).Q, _FIRST_ROUNDS
    for _ in range(rounds):
        turned = torch.zeros_like(basis)
        for block in row_blocks(n, features, _ENTRIES):
            turned += x[block].T @ (x[block] @ basis)
            yield
        basis = torch.linalg.qr(turned).Q
    return basis


def _exact_basis(x: Tensor, rank: int) -> Tensor:
    wide, _, vectors = _eigen(x)
    # The columns of xᵀu are orthogonal. QR normalises them and completes the basis if the rank of x is too low.
    return torch.linalg.qr(x.T @ vectors[:, :rank]).Q if wide else vectors[:, :rank].contiguous()


def _eigen(x: Tensor) -> tuple[bool, Tensor, Tensor]:
    """Whether `x` is wide, and the eigenpairs, largest first, of its Gram matrix if so, else of its covariance."""
    wide = x.shape[1] > x.shape[0]
    values, vectors = torch.linalg.eigh(x @ x.T if wide else x.T @ x)
    return wide, values.flip(0).clamp(min=0.0), vectors.flip(1)
