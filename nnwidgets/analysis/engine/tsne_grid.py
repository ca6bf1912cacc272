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
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.tsne_sums import interpolate, spread

__all__ = ["GridRepulsion"]

_FEWEST_NODES = 24  # along an axis between the outermost points; small maps get a finer grid
_TWO_GRIDS_FROM = 96  # nodes along an axis
_COARSER = 8  # times the spacing; 4 takes as long, and neither adds to the error of one grid
_REACH = 4 * _COARSER  # of the short kernel, in nodes; with 3 the coarse grid adds a twentieth to the error
_AROUND = 2  # nodes beyond the outermost points, which the splines read
_KEPT = 16  # transforms of kernels
_SIZES = tuple(sorted(odd << power for odd in (16, 18, 20, 24, 27, 30) for power in range(1, 8)))  # FFTs are fast


class _Kernel(NamedTuple):
    """A part of 1 / (1 + r^2), as a function of r^2, and how many nodes it reaches; None: infinitely many."""

    part: str
    of: Callable[[Tensor, float], Tensor]
    reach: int | None


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
    """The rest, for the fine grid."""
    return _whole(square, spacing) - _smooth(square, _COARSER * spacing)


class GridRepulsion:
    """The repulsion between points in two dimensions.

    Args:
        spacing: of the nodes, in units of the map. The gradient is off by about 4 % at 1/2, 1 % at 1/3.
        loops: compiled ones, or None.
    """

    def __init__(self, spacing: float, *, loops: Loops) -> None:
        self._spacing, self._loops = spacing, loops
        self._kernels: OrderedDict[tuple[str, int, float], Tensor] = OrderedDict()

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
            return self._add(positions, lowest, extent, fine, _LESS_ONE, out.zero_()) + len(positions) ** 2
        if extent < _TWO_GRIDS_FROM * fine:
            return self._add(positions, lowest, extent, fine, _WHOLE, out.zero_())
        near = self._add(positions, lowest, extent, fine, _SHORT, out.zero_())
        return near + self._add(positions, lowest, extent, _COARSER * fine, _SMOOTH, out)

    def _add(
        self, positions: Tensor, lowest: Tensor, extent: float, spacing: float, kernel: _Kernel, out: Tensor
    ) -> Tensor:
        """Add the repulsion of one kernel to `out`; return its sum."""
        size = math.ceil(extent / spacing) + 2 * _AROUND + 1
        needed = size + (size if kernel.reach is None else kernel.reach)
        period = next((period for period in _SIZES if period >= needed), 2 * math.ceil(needed / 2))
        places = (positions - lowest).div_(spacing).add_(_AROUND)
        nodes = positions.new_empty((size, size))
        spread(places, nodes, loops=self._loops)
        # transform no rows that are padding or will not be read
        waves = torch.fft.fft(torch.fft.rfft(nodes, period), period, dim=0)
        waves = torch.fft.ifft(waves.mul_(self._transform(kernel, period, spacing, positions)), dim=0)[:size]
        potential = torch.fft.irfft(waves, period)[:, :size].contiguous()
        slopes = torch.empty_like(out)
        total = interpolate(places, potential, slopes, loops=self._loops)
        out.add_(slopes, alpha=-0.5 / spacing)
        return total

    def _transform(self, kernel: _Kernel, period: int, spacing: float, like: Tensor) -> Tensor:
        """The real transform of a kernel, (period, period / 2 + 1)."""
        key = kernel.part, period, spacing
        if key not in self._kernels:
            offset = torch.arange(period, dtype=torch.float64, device=like.device)
            offset = torch.minimum(offset, period - offset) * spacing
            waves = torch.fft.rfft2(kernel.of(offset[:, None] ** 2 + offset**2, spacing)).real
            spline = (2 + torch.cos(2 * torch.pi * torch.arange(period, device=like.device) / period)) / 3
            waves /= (spline[:, None] * spline[: period // 2 + 1]) ** 2
            self._kernels[key] = waves.to(like.dtype)
            if len(self._kernels) > _KEPT:
                self._kernels.popitem(last=False)
        self._kernels.move_to_end(key)
        return self._kernels[key]


_WHOLE, _LESS_ONE = _Kernel("whole", _whole, None), _Kernel("less one", _less_one, None)
_SHORT, _SMOOTH = _Kernel("short", _short, _REACH), _Kernel("smooth", _smooth, None)
