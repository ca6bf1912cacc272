"""Repulsion of t-SNE in two dimensions, on grids: one charge and two FFTs each, O(n + m log m).

The potential phi(y) = sum over j of 1 / (1 + |y - y_j|^2) gives both terms: its sum is the normaliser, and its gradient
-2 sum of (y - y_j) / (1 + |y - y_j|^2)^2 is the repulsion. Cubic B-splines spread the points to the nodes and
interpolate the result. The transform of the kernel is divided twice by that of the splines, so that the kernel is exact
at the nodes. After Linderman et al. 2019, Nat. Methods 16:243, who interpolate three charges or more.

An FFT wraps around, so the grid needs padding as wide as the kernel's reach: twice the grid for an infinite kernel.
Wide maps therefore use two grids, after Hardy et al. 2016, J. Chem. Phys. 144:114112: a fine one for a kernel that ends
after a few nodes, and a coarse one for the smooth rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.tsne_sums import interpolate, spread

Kernel = Callable[[Tensor, float], Tensor]
"""A part of 1 / (1 + r^2) as a function of r^2 and the node spacing."""

_FEWEST_NODES = 24  # along an axis between the outermost points; small maps get a finer grid
_TWO_GRIDS_FROM = 96  # nodes along an axis
_COARSER = 8  # times the spacing; 4 takes as long, and neither adds to the error of one grid
_REACH = 4 * _COARSER  # of the short kernel, in nodes; with 3 the coarse grid adds a twentieth to the error
_AROUND = 2  # nodes beyond the outermost points, which the splines read
_KEPT = 16  # transforms of kernels
_SIZES = tuple(sorted(odd << power for odd in (16, 18, 20, 24, 27, 30) for power in range(1, 8)))  # FFTs are fast


def _whole(square: Tensor, _spacing: float) -> Tensor:
    return 1 / (1 + square)


def _less_one(square: Tensor, _spacing: float) -> Tensor:
    """The kernel minus 1. In a small map all values are close to 1; the difference keeps their digits."""
    return -square / (1 + square)


def _smooth(square: Tensor, spacing: float) -> Tensor:
    """The kernel beyond `_REACH` fine nodes; nearer, the first terms of its series around that distance."""
    edge = 1 + (_REACH / _COARSER * spacing) ** 2
    inward = (1 - (1 + square) / edge).clamp(min=0)
    series = (1 + inward * (1 + inward * (1 + inward))) / edge
    return torch.where(inward > 0, series, 1 / (1 + square))


def _short(square: Tensor, spacing: float) -> Tensor:
    """The rest, for the fine grid. It reaches `_REACH` nodes; the others reach infinitely many."""
    return _whole(square, spacing) - _smooth(square, _COARSER * spacing)


class GridRepulsion:
    """The repulsion between points in two dimensions.

    `spacing` of the nodes is in units of the map. The gradient is off by about 4 % at 1/2, 1 % at 1/3.
    """

    def __init__(self, spacing: float, *, loops: Loops) -> None:
        self._spacing, self._loops = spacing, loops
        self._transform = lru_cache(_KEPT)(_transform)

    def __call__(self, positions: Tensor, out: Tensor) -> Tensor:
        """Write sum over j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2 to `out` (n, 2).

        Returns the sum of 1 / (1 + |y_i - y_j|^2) over all i and j, i = j included: float64, zero dimensions.
        """
        lowest = positions.amin(0)
        extent = float((positions.amax(0) - lowest).max())
        fine = self._spacing
        while 0 < extent < _FEWEST_NODES * fine:
            fine /= 2
        if fine < self._spacing:
            return self._add(positions, lowest, extent, fine, _less_one, out.zero_()) + len(positions) ** 2
        if extent < _TWO_GRIDS_FROM * fine:
            return self._add(positions, lowest, extent, fine, _whole, out.zero_())
        near = self._add(positions, lowest, extent, fine, _short, out.zero_())
        return near + self._add(positions, lowest, extent, _COARSER * fine, _smooth, out)

    def _add(
        self, positions: Tensor, lowest: Tensor, extent: float, spacing: float, kernel: Kernel, out: Tensor
    ) -> Tensor:
        """Add the repulsion of one kernel to `out`; return its sum."""
        size = math.ceil(extent / spacing) + 2 * _AROUND + 1
        needed = size + (_REACH if kernel is _short else size)
        period = next((period for period in _SIZES if period >= needed), 2 * math.ceil(needed / 2))
        places = (positions - lowest).div_(spacing).add_(_AROUND)
        nodes = positions.new_empty((size, size))
        spread(places, nodes, loops=self._loops)
        # transform no rows that are padding or will not be read
        waves = torch.fft.fft(torch.fft.rfft(nodes, period), period, dim=0)
        transform = self._transform(kernel, period, spacing, positions.dtype, positions.device)
        waves = torch.fft.ifft(waves.mul_(transform), dim=0)[:size]
        potential = torch.fft.irfft(waves, period)[:, :size].contiguous()
        slopes = torch.empty_like(out)
        total = interpolate(places, potential, slopes, loops=self._loops)
        out.add_(slopes, alpha=-0.5 / spacing)
        return total


def _transform(kernel: Kernel, period: int, spacing: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The real transform of a kernel, (period, period / 2 + 1)."""
    offset = torch.arange(period, dtype=torch.float64, device=device)
    offset = torch.minimum(offset, period - offset) * spacing
    waves: Tensor = torch.fft.rfft2(kernel(offset[:, None] ** 2 + offset**2, spacing)).real
    spline = (2 + torch.cos(2 * torch.pi * torch.arange(period, device=device) / period)) / 3
    waves /= (spline[:, None] * spline[: period // 2 + 1]) ** 2
    return waves.to(dtype)
