"""Repulsion of t-SNE in two dimensions by one charge on a grid and two FFTs, O(n + m log m).

The potential phi(y) = sum over j of 1 / (1 + |y - y_j|^2) carries both: its sum is the normaliser, and its gradient
-2 sum of (y - y_j) / (1 + |y - y_j|^2)^2 the repulsion. Points are spread to nodes by cubic B-splines and the result is
read by the same; the kernel's transform is divided by the splines' own, twice, so that the kernel is met at the nodes.
After Linderman et al. 2019, Nat. Methods 16:243, who interpolate three charges or more.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import Tensor

from nnwidgets.analysis.engine.tsne_sums import Loops, interpolate, spread

__all__ = ["GridRepulsion"]

_FEWEST_NODES = 24  # along an axis between the outermost points; a shrunken map gets a finer grid
_AROUND = 2  # nodes beyond the outermost points, of which the spline reads
_KEPT = 8  # transforms of kernels
_SIZES = tuple(sorted(odd << power for odd in (8, 9, 10, 12, 15) for power in range(2, 9)))  # that FFTs are quick with


class GridRepulsion:
    """The repulsion between points in two dimensions.

    Args:
        spacing: of the nodes, in units of the map; error of the gradient about 4 % at 1/2, 1.5 % at 1/3.
        loops: compiled ones, or None.
    """

    def __init__(self, spacing: float, *, loops: Loops) -> None:
        self._spacing, self._loops = spacing, loops
        self._kernels: OrderedDict[tuple[int, float], Tensor] = OrderedDict()

    def __call__(self, positions: Tensor, out: Tensor) -> Tensor:
        """Write sum over j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2 to `out` (n, 2).

        Returns the sum of 1 / (1 + |y_i - y_j|^2) over all i and j, themselves included: float64, zero dimensions.
        """
        lowest = positions.amin(0)
        extent = float((positions.amax(0) - lowest).max())
        spacing = self._spacing
        while 0 < extent < _FEWEST_NODES * spacing:
            spacing /= 2
        needed = math.ceil(extent / spacing) + 2 * _AROUND + 1
        size = next((size for size in _SIZES if size >= needed), needed)
        places = (positions - lowest).div_(spacing).add_(_AROUND)
        nodes = positions.new_empty((size, size))
        spread(places, nodes, loops=self._loops)
        shrunken = spacing < self._spacing
        # Twice the size is room for what a transform would wrap around; rows that are empty, or not read, are left out.
        waves = torch.fft.fft(torch.fft.rfft(nodes, 2 * size), 2 * size, dim=0)
        waves = torch.fft.ifft(waves.mul_(self._kernel(size, spacing, shrunken, positions)), dim=0)[:size]
        potential = torch.fft.irfft(waves, 2 * size)[:, :size].contiguous()
        total = interpolate(places, potential, out, loops=self._loops)
        out.mul_(-0.5 / spacing)
        return total + len(positions) ** 2 if shrunken else total

    def _kernel(self, size: int, spacing: float, shrunken: bool, like: Tensor) -> Tensor:
        """Transform of the kernel on a grid of twice the size, (2 size, size + 1), real.

        Of a shrunken map all values are nearly 1; less that, they keep their digits.
        """
        key = size, spacing
        if key not in self._kernels:
            offset = torch.arange(2 * size, dtype=torch.float64, device=like.device)
            offset = torch.minimum(offset, 2 * size - offset) * spacing
            square = offset[:, None] ** 2 + offset**2
            kernel = torch.fft.rfft2((-square if shrunken else 1) / (1 + square)).real
            spline = (2 + torch.cos(torch.pi * torch.arange(2 * size, device=like.device) / size)) / 3
            kernel /= (spline[:, None] * spline[: size + 1]) ** 2
            self._kernels[key] = kernel.to(like.dtype)
            if len(self._kernels) > _KEPT:
                self._kernels.popitem(last=False)
        self._kernels.move_to_end(key)
        return self._kernels[key]
