"""Rectangles of maps of which a window differs, gathered pixel by pixel, a pixel being a row of channels.

Knows index arithmetic; must not know what the values are.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_spans import Origins

__all__ = ["PixelTable"]


class PixelTable:
    """The pixels of clean maps, and behind them room for those of windows, so that one gather reads both.

    Args:
        clean: `(batch, channels, height, width)`, channels last.
    """

    def __init__(self, clean: Tensor) -> None:
        self._height, self._width = clean.shape[2:]
        pixels = clean.permute(0, 2, 3, 1).reshape(-1, clean.shape[1])
        self._outside = len(pixels)  # the row that stands for all that is beyond a map
        self._table = torch.cat([pixels, pixels.new_zeros(1, clean.shape[1])])
        self._beyond = 0.0

    def gather(
        self,
        windows: Tensor | None,
        image: Origins,
        at: tuple[Origins, Origins],
        origin: tuple[Origins, Origins],
        size: tuple[int, int],
        *,
        outside: float,
    ) -> Tensor:
        """Return `(n, channels, *size)`, channels last: rectangles of the maps with the windows written over them.

        Args:
            windows: `(n, channels, h, w)`, channels last; None: nothing is written over them.
            image: `(n,)`, which map each rectangle is of.
            at: tops and lefts of the windows, `(n,)` each.
            origin: tops and lefts of the rectangles; they may reach beyond the map.
            size: height and width of the rectangles.
            outside: what there is beyond the map.
        """
        table = self._with(windows, outside)
        y, x = (start[:, None] + np.arange(length) for start, length in zip(origin, size, strict=True))
        on_map = ((y >= 0) & (y < self._height))[:, :, None] & ((x >= 0) & (x < self._width))[:, None, :]
        rows = ((image[:, None] * self._height + y) * self._width)[:, :, None] + x[:, None, :]
        rows = np.where(on_map, rows, self._outside)
        if windows is not None:
            height, width = windows.shape[2:]
            y, x = y - at[0][:, None], x - at[1][:, None]
            inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
            first = self._outside + 1 + np.arange(len(image))[:, None] * (height * width)
            own = (first + y * width)[:, :, None] + x[:, None, :]
            rows = np.where(inside & on_map, own, rows)
        index = torch.from_numpy(rows).to(table.device, non_blocking=True)
        return F.embedding(index, table).permute(0, 3, 1, 2)

    def _with(self, windows: Tensor | None, outside: float) -> Tensor:
        """Return the table with the pixels of these windows, and of what is beyond a map."""
        if outside != self._beyond:
            self._table[self._outside] = outside
            self._beyond = outside
        if windows is None:
            return self._table
        pixels = windows.permute(0, 2, 3, 1).reshape(-1, windows.shape[1])
        end = self._outside + 1 + len(pixels)
        if len(self._table) < end:
            self._table = torch.cat([self._table, self._table.new_empty(end - len(self._table), pixels.shape[1])])
        self._table[self._outside + 1 : end] = pixels
        return self._table
