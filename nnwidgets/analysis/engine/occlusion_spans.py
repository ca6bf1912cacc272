"""Where, along one axis of a map, covered images differ from the clean ones, and how layers widen that.

Knows intervals of integers; must not know tensors or models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Span"]

Origins = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Span:
    """One interval `[low, high)` for each covered image, never empty, within an axis of so many positions.

    It may hold positions that don't differ; none outside it does.

    >>> at_3 = Span(np.array([3]), np.array([5]), size=28)
    >>> at_3.through(kernel=3, stride=1, padding=1, dilation=1, size=28)
    Span(low=array([2]), high=array([6]), size=28)
    """

    low: Origins
    high: Origins
    size: int

    def through(self, *, kernel: int, stride: int, padding: int, dilation: int, size: int) -> Span:
        """Return which outputs of a sliding window see this interval; `padding` is that before the first position."""
        first = -(((kernel - 1) * dilation - self.low - padding) // stride)  # rounded up
        last = (self.high - 1 + padding) // stride
        low = first.clip(0, size - 1)
        return Span(low, (last + 1).clip(low + 1, size), size)

    def shifted(self, by: int, size: int) -> Span:
        """Return the same interval on an axis that begins `by` positions earlier."""
        return Span(self.low + by, self.high + by, size)

    def __or__(self, other: Span) -> Span:
        return Span(np.minimum(self.low, other.low), np.maximum(self.high, other.high), self.size)

    @cached_property
    def window(self) -> tuple[Origins, int]:
        """Origins of windows of one length that hold the intervals and lie within the axis, and that length."""
        length = int((self.high - self.low).max())
        return np.minimum(self.low, self.size - length), length
