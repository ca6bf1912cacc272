"""Values of covered images that differ from the clean ones within a window each, kept as those windows.

Knows maps, windows and how to put them together; must not know layers or models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_gather import PixelTable
from nnwidgets.analysis.engine.occlusion_spans import Origins, Span

__all__ = ["CleanMap", "Windows"]


class CleanMap:
    """One layer's values for the clean images, `(batch, channels, height, width)`, and what is derived from them."""

    def __init__(self, values: Tensor) -> None:
        self.values = values.contiguous(memory_format=torch.channels_last)
        self._table: PixelTable | None = None
        self._sums: Tensor | None = None

    @property
    def table(self) -> PixelTable:
        """The values as pixels; made when first asked for, like the sums."""
        if self._table is None:
            self._table = PixelTable(self.values)
        return self._table

    @property
    def sums(self) -> Tensor:
        """Sums over positions, `(batch, channels)` float64."""
        if self._sums is None:
            self._sums = self.values.sum((2, 3), dtype=torch.float64)
        return self._sums


@dataclass(eq=False)
class Windows:
    """`n` covered images' values of one layer: the clean value everywhere but in a window.

    Attributes:
        values: `(n, channels, h, w)`, channels last, the windows.
        rows: which rows differ; the windows begin at `rows.window`.
        cols: which columns differ, likewise.
        clean: the clean images' values.
        image: `(n,)`, which of those each is of.
    """

    values: Tensor
    rows: Span
    cols: Span
    clean: CleanMap
    image: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the whole value, `(n, channels, height, width)`."""
        return len(self.image), self.values.shape[1], self.rows.size, self.cols.size

    def crop(self, top: Origins, height: int, left: Origins, width: int, *, outside: float = 0.0) -> Tensor:
        """Return `(n, channels, height, width)`, channels last: rectangles of the covered images' values.

        Args:
            top: `(n,)`, first rows; may lie outside the map.
            height: of all rectangles.
            left: `(n,)`, first columns; may lie outside the map.
            width: of all rectangles.
            outside: what there is outside the map.
        """
        at = self.rows.window[0], self.cols.window[0]
        return self.clean.table.gather(self.values, self.image, at, (top, left), (height, width), outside=outside)

    def within(self, rows: Span, cols: Span) -> Tensor:
        """Return the values in the windows of intervals that hold the own ones."""
        (top, height), (left, width) = rows.window, cols.window
        own_top, own_left = self.rows.window[0], self.cols.window[0]
        if (height, width) == self.values.shape[2:] and (top == own_top).all() and (left == own_left).all():
            return self.values
        return self.crop(top, height, left, width)

    def whole(self) -> Tensor:
        """Return the whole value, `(n, channels, height, width)`, channels last."""
        n, _, height, width = self.shape
        zero = np.zeros(n, dtype=np.int64)
        return self.crop(zero, height, zero, width)

    def sums(self) -> Tensor:
        """Return the sums over positions, `(n, channels)` float64."""
        image = torch.as_tensor(self.image, device=self.values.device)
        clean = self.clean.sums[image]
        if not bool(clean.isfinite().all()):  # a difference to infinity says nothing
            return self.whole().sum((2, 3), dtype=torch.float64)
        at = self.rows.window[0], self.cols.window[0]
        size = self.values.shape[2], self.values.shape[3]
        before = self.clean.table.gather(None, self.image, at, at, size, outside=0.0)
        change = (self.values - before).sum((2, 3), dtype=torch.float64)
        return clean + change
