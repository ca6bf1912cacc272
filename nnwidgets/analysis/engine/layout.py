"""Carry a layout from one map to the next: start, place new points, align, compare."""

from __future__ import annotations

import torch
from torch import Tensor

RESTART_SPREAD = 0.01  # starting from 1 gives a higher KL and larger displacements
_MEDOID_OF = 10


def spread(positions: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    """`positions` (n, dims) centred, with standard deviation `scale`, and a little noise.

    Noise of 1e-4 separates exact duplicates. An axis without extent gets 0.1, or the layout could never leave the line.
    """
    centred = positions - positions.mean(0)
    size = centred.square().mean().sqrt()
    noise = torch.randn(centred.shape, generator=generator, dtype=torch.float32).to(centred)
    flat = centred.square().mean(0).sqrt() <= 1e-3 * size
    unit = centred / torch.where(size > 0, size, torch.ones_like(size))
    return (unit + noise * torch.where(flat, 0.1, 1e-4).to(centred)) * scale


def aligning(moving: Tensor, fixed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rotation or reflection (dims, dims) and the two centres that bring `moving` nearest to `fixed` (n, dims).

    Apply it as `(moving - centre) @ rotation + fixed_centre`. There is no scaling: the size of a t-SNE map is part of
    the result. Schönemann 1966, Psychometrika 31.
    """
    centre, fixed_centre = moving.double().mean(0), fixed.double().mean(0)
    u, _, vh = torch.linalg.svd((moving.double() - centre).T @ (fixed.double() - fixed_centre))
    return u @ vh, centre, fixed_centre


def overlap(indices: Tensor, before: Tensor) -> float:
    """Mean share of each row's neighbours (n, k) that were also its neighbours `before` (n, k), 0 to 1."""
    return float((indices[:, :, None] == before[:, None, :]).any(2).double().mean())


def place_new(positions: Tensor, known: Tensor, x: Tensor) -> Tensor:
    """`positions` (n, dims) with each row that is not `known` (n,) bool at the medoid of its nearest known rows.

    The medoid is the neighbour nearest to the other neighbours on the map. A mean could fall between two clusters.
    """
    new = (~known).nonzero().flatten()
    old = known.nonzero().flatten()
    placed = positions.clone()
    for rows in torch.split(new, 256):
        near = torch.cdist(x[rows], x[old]).topk(min(_MEDOID_OF, old.numel()), largest=False).indices
        around = positions[old[near]]
        central = torch.cdist(around, around).sum(2).argmin(1)
        placed[rows] = around[torch.arange(rows.numel(), device=rows.device), central]
    return placed
