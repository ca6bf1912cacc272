"""Values of covered images that differ from the clean ones within a window each, kept as those windows.

Knows maps, windows and how to put them together; must not know layers or models.
"""

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
        needed: whether anybody has read the values yet.
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
            RuntimeError: they were dropped.
        """
        if self._values is None:
            raise RuntimeError("the model asked for clean values that it had not asked for at first")
        if not self.needed:
            self._values = self._values.contiguous(memory_format=torch.channels_last)
            self.needed = True
        return self._values

    @property
    def sums(self) -> Tensor:
        """Sums over positions, `(batch, channels)` float64; made when first asked for."""
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
        """Return what kernels see here that make the windows of `out`, `(n, channels, h, w)`, channels last.

        Args:
            chunk: which images and places of the grid.
            own: rows and columns that differ here.
            out: rows and columns that differ in the kernels' output; by default kernels of one pixel, so the same.
            kernels: how they slide along rows and columns.
            windows: what differs, laid over the values; None: nothing is.
            outside: what there is beyond the map.
        """
        pitches = {"pitch": self.shape[3], "own_pitch": own[1].window[1]}
        y = own[0].reading(out[0], kernels[0], **pitches, device=self.device)
        x = own[1].reading(out[1], kernels[1], device=self.device)
        return gather(self.values, windows, chunk, y, x, outside=outside)

    def of(self, image: Tensor) -> Tensor:
        """Return the values of these images; of one that is all there is, one to be spread."""
        return self.values if len(self.values) == 1 else self.values[image]

    @property
    def nbytes(self) -> int:
        """Bytes of the values that are held."""
        return 0 if self._values is None else self._values.nbytes

    def drop(self) -> None:
        """Let go of the values."""
        self._values = None


@dataclass(eq=False)
class Windows:
    """Covered images' values of one layer: the clean value everywhere but in a window.

    Attributes:
        values: `(n, channels, h, w)`, channels last, the windows.
        rows: which rows differ, by row of the grid; the windows begin at `rows.window`.
        cols: which columns differ, likewise.
        clean: the clean images' values.
        chunk: which images and places of the grid they are of.
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
        """Return what kernels see that make the windows of these spans, `(n, channels, h, w)`, channels last.

        Args:
            rows: of the output.
            cols: of the output.
            kernels: how they slide along rows and columns.
            outside: what there is beyond the map.
        """
        own = self.rows, self.cols
        return self.clean.read(self.chunk, own, (rows, cols), kernels, windows=self.values, outside=outside)

    def within(self, rows: Span, cols: Span) -> Tensor:
        """Return the values in the windows of spans that hold the own ones."""
        if self.rows.same_window(rows) and self.cols.same_window(cols):
            return self.values
        return self.seen_from(rows, cols, _SAME)

    def whole(self) -> Tensor:
        """Return the whole value, `(n, channels, height, width)`, channels last."""
        return self.seen_from(self.rows.whole, self.cols.whole, _SAME)

    def sums(self) -> Tensor:
        """Return the sums over positions, `(n, channels)` float64."""
        clean = self.clean.sums[self.chunk.image]
        if not bool(clean.isfinite().all()):  # a difference to infinity says nothing
            return self.whole().sum((2, 3), dtype=torch.float64)
        here = self.rows, self.cols
        return clean + (self.values - self.clean.read(self.chunk, here, here)).sum((2, 3), dtype=torch.float64)
