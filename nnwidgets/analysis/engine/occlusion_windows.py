"""Values of covered images, stored as the windows in which they differ from the clean ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_gather import Chunk, gather
from nnwidgets.analysis.engine.occlusion_spans import Kernel, Span

__all__ = ["CleanMap", "Windows"]

_SAME = Kernel(), Kernel()


class CleanMap:
    """One layer's values for the clean images, `(batch, channels, height, width)`.

    Attributes:
        shape: of the values.
        dtype: of the values.
        device: of the values.
        needed: whether the values were read yet.
    """

    def __init__(self, values: Tensor) -> None:
        self.shape, self.dtype, self.device = values.shape, values.dtype, values.device
        self.needed = False
        self._values: Tensor | None = values
        self._sums: Tensor | None = None

    @property
    def values(self) -> Tensor:
        """The values, channels last.

        Raises:
            RuntimeError: they were freed.
        """
        if self._values is None:
            raise RuntimeError("the model asked for clean values that it had not asked for at first")
        if not self.needed:
            self._values = self._values.contiguous(memory_format=torch.channels_last)
            self.needed = True
        return self._values

    @property
    def sums(self) -> Tensor:
        """Sums over positions, `(batch, channels)` float64, cached."""
        if self._sums is None:
            self._sums = self.values.sum((2, 3), dtype=torch.float64)
        return self._sums

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

        Args:
            chunk: images and places of the grid.
            own: rows and columns that differ here.
            out: rows and columns that differ in the output of the kernels.
            kernels: how they slide along rows and columns; default: one pixel.
            windows: laid over the values; None: no windows.
            outside: the value beyond the map.
        """
        pitches = {"pitch": self.shape[3], "own_pitch": own[1].window[1]}
        y = own[0].reading(out[0], kernels[0], **pitches, device=self.device)
        x = own[1].reading(out[1], kernels[1], device=self.device)
        return gather(self.values, windows, chunk, y, x, outside=outside)

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
    """One layer's values for covered images: the clean values except in one window each.

    Attributes:
        values: `(n, channels, h, w)`, channels last, the windows.
        rows: the rows that differ, by row of the grid; windows begin at `rows.window`.
        cols: the columns that differ, likewise.
        clean: the values for the clean images.
        chunk: the images and places of the grid.
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
        """Return what kernels read for the windows of these spans, `(n, channels, h, w)`, channels last.

        Args:
            rows: of the output.
            cols: of the output.
            kernels: how they slide along rows and columns.
            outside: the value beyond the map.
        """
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
