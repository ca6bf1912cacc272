"""Gather rectangles of maps in which a window differs, pixel by pixel; a pixel is a row of channels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_spans import BEYOND, Reading

__all__ = ["Chunk", "gather"]


@dataclass(frozen=True, eq=False)
class Chunk:
    """The covered images of one forward pass.

    Attributes:
        image: `(n,)` int64, indices of images.
        row: `(n,)` int64, rows of the grid.
        col: `(n,)` int64, columns of the grid.
    """

    image: Tensor
    row: Tensor
    col: Tensor

    def __len__(self) -> int:
        return len(self.image)

    @cached_property
    def number(self) -> Tensor:
        """0 to n - 1, `(n, 1)` int32."""
        return torch.arange(len(self.image), dtype=torch.int32, device=self.image.device)[:, None]

    @cached_property
    def image_number(self) -> Tensor:
        """The indices of images, `(n, 1)` int32."""
        return self.image.int()[:, None]


def gather(
    clean: Tensor, windows: Tensor | None, chunk: Chunk, rows: Reading, cols: Reading, *, outside: float = 0.0
) -> Tensor:
    """Return rectangles of the maps with the windows laid over them, `(n, channels, h, w)`, channels last.

    Args:
        clean: `(batch, channels, height, width)`, channels last, the maps.
        windows: `(n, channels, h, w)`, channels last; None: no windows.
        chunk: the map and the place of the grid of each.
        rows: the rows to read.
        cols: the columns to read.
        outside: the value beyond the map.
    """
    batch, channels, height, width = clean.shape
    last = batch * height * width  # the row for everything beyond a map
    first = rows.clean[chunk.row]
    if batch > 1:
        first = first + chunk.image_number * (height * width)
    index = first[:, :, None] + cols.clean[chunk.col][:, None, :]
    if rows.beyond or cols.beyond:
        index.clamp_(max=last)
    table = [clean.permute(0, 2, 3, 1).reshape(last, channels), clean.new_full((1, channels), outside)]
    if windows is not None:
        pixels = windows.shape[2] * windows.shape[3]
        if last + len(chunk) * pixels >= BEYOND:
            raise OverflowError(f"windows: expected fewer than {BEYOND} pixels, got {last + len(chunk) * pixels}")
        table.append(windows.permute(0, 2, 3, 1).reshape(-1, channels))
        own = rows.own[chunk.row] + (chunk.number * pixels + (last + 1))
        # Pixels of windows have higher numbers than those of maps; pixels outside the window have lower ones.
        index = torch.maximum(index, own[:, :, None] + cols.own[chunk.col][:, None, :])
    return F.embedding(index, torch.cat(table)).permute(0, 3, 1, 2)
