"""Values of covered images, stored as the windows in which they differ from the clean ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_spans import BEYOND, Kernel, Span

_SAME = Kernel(), Kernel()


@dataclass(frozen=True, eq=False)
class Chunk:
    """The covered images of one forward pass, all `(n,)` int64: indices of images, rows and columns of the grid."""

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


class CleanMap:
    """One layer's values for the clean images, `(batch, channels, height, width)`. `needed`: they were read."""

    def __init__(self, values: Tensor) -> None:
        self.shape, self.dtype, self.device = values.shape, values.dtype, values.device
        self.needed = False
        self._values: Tensor | None = values

    @property
    def values(self) -> Tensor:
        """The values, channels last; raises RuntimeError if they were freed."""
        if self._values is None:
            raise RuntimeError("the model asked for clean values that it had not asked for at first")
        if not self.needed:
            self._values = self._values.contiguous(memory_format=torch.channels_last)
            self.needed = True
        return self._values

    @cached_property
    def sums(self) -> Tensor:
        """Sums over positions, `(batch, channels)` float64."""
        return self.values.sum((2, 3), dtype=torch.float64)

    def read(
        self,
        chunk: Chunk,
        own: tuple[Span, Span],
        out: tuple[Span, Span],
        kernels: tuple[Kernel, Kernel] = _SAME,
        *,
        windows: Tensor | None = None,
        outside: float = 0.0,
    ) -> Tensor:
        """Return what kernels read here for the windows of `out`, `(n, channels, h, w)`, channels last.

        `own` and `out` are the rows and columns that differ here and in the output of the kernels. The `windows`, if
        any, lie over the values; beyond the map everything is `outside`.
        """
        batch, channels, height, width = self.shape
        rows = own[0].reading(out[0], kernels[0], pitch=width, own_pitch=own[1].window[1], device=self.device)
        cols = own[1].reading(out[1], kernels[1], device=self.device)
        last = batch * height * width  # the row of the table for everything beyond a map
        first = rows.clean[chunk.row]
        if batch > 1:
            first = first + chunk.image_number * (height * width)
        index = first[:, :, None] + cols.clean[chunk.col][:, None, :]
        if rows.beyond or cols.beyond:
            index.clamp_(max=last)
        table = [self.values.permute(0, 2, 3, 1).reshape(last, channels)]
        table.append(table[0].new_full((1, channels), outside))
        if windows is not None:
            pixels = windows.shape[2] * windows.shape[3]
            if last + len(chunk) * pixels >= BEYOND:
                raise OverflowError(f"windows: expected fewer than {BEYOND} pixels, got {last + len(chunk) * pixels}")
            table.append(windows.permute(0, 2, 3, 1).reshape(-1, channels))
            inside = rows.own[chunk.row] + (chunk.number * pixels + (last + 1))
            # Pixels of windows have higher numbers than those of maps; pixels outside the window have lower ones.
            index = torch.maximum(index, inside[:, :, None] + cols.own[chunk.col][:, None, :])
        return F.embedding(index, torch.cat(table)).permute(0, 3, 1, 2)

    def of(self, image: Tensor) -> Tensor:
        """Return the values of these images; if there is only one image, a single map to broadcast."""
        return self.values if len(self.values) == 1 else self.values[image]

    @property
    def nbytes(self) -> int:
        """Bytes of the values held."""
        return 0 if self._values is None else self._values.nbytes

    def drop(self) -> None:
        """Free the values."""
        self._values = None


@dataclass(eq=False)
class Windows:
    """One layer's values for the covered images of `chunk`: the `clean` ones except in one window each.

    values: `(n, channels, h, w)`, channels last, the windows.
    rows, cols: those that differ, by row and column of the grid; windows begin at `rows.window`, `cols.window`.
    """

    values: Tensor
    rows: Span
    cols: Span
    clean: CleanMap
    chunk: Chunk

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the whole value, `(n, channels, height, width)`."""
        return len(self.chunk), self.values.shape[1], self.rows.size, self.cols.size

    def seen_from(self, rows: Span, cols: Span, kernels: tuple[Kernel, Kernel], *, outside: float = 0.0) -> Tensor:
        """Return what kernels read for the windows of these output spans, as `CleanMap.read` does."""
        own = self.rows, self.cols
        return self.clean.read(self.chunk, own, (rows, cols), kernels, windows=self.values, outside=outside)

    def within(self, rows: Span, cols: Span) -> Tensor:
        """Return the values in the windows of spans that contain these ones."""
        if self.rows.same_window(rows) and self.cols.same_window(cols):
            return self.values
        return self.seen_from(rows, cols, _SAME)

    def whole(self) -> Tensor:
        """Return the whole value, `(n, channels, height, width)`, channels last."""
        return self.seen_from(self.rows.whole, self.cols.whole, _SAME)

    def sums(self) -> Tensor:
        """Return the sums over positions, `(n, channels)` float64."""
        clean = self.clean.sums[self.chunk.image]
        if not bool(clean.isfinite().all()):  # differences from infinity are useless
            return self.whole().sum((2, 3), dtype=torch.float64)
        here = self.rows, self.cols
        return clean + (self.values - self.clean.read(self.chunk, here, here)).sum((2, 3), dtype=torch.float64)
