"""Where, along one axis of a map, covered images differ from the clean ones, and how layers widen that interval.

Everything is computed once for all places of the grid. A span caches what is derived from it for later forward passes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Origins = NDArray[np.int64]
T = TypeVar("T")
BEYOND = 1 << 28  # more than the number of pixels; twice this plus that number fits in int32


class Kernel(NamedTuple):
    """How a kernel slides along an axis; `padding` is that before the first position."""

    size: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class Reading(NamedTuple):
    """What to read along an axis for each place of the grid, as `(places, length)` int32 parts of pixel numbers."""

    clean: Tensor  # the pixel of the map; a number above all pixels beyond the map
    own: Tensor  # the pixel of the window; a number below 0 outside the window
    beyond: bool  # whether anything beyond the map is read


@dataclass(frozen=True, eq=False)
class Span:
    """One interval `[low, high)` for each place of the grid, never empty, within an axis of `size` positions.

    It may contain positions that do not differ, but none outside it differs.

    >>> at_3 = Span(np.array([3]), np.array([5]), size=28)
    >>> at_3.through(Kernel(3, padding=1), size=28)
    Span(low=array([2]), high=array([6]), size=28)
    """

    low: Origins
    high: Origins
    size: int
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def through(self, kernel: Kernel, size: int) -> Span:
        """Return the outputs of a kernel, `size` in all, that see this interval."""
        return self._once((kernel, size), lambda: self._through(kernel, size))

    def shifted(self, by: int, size: int) -> Span:
        """Return the same interval on an axis that begins `by` positions earlier."""
        return self._once(("shifted", by, size), lambda: Span(self.low + by, self.high + by, size))

    def __or__(self, other: Span) -> Span:
        return self if self is other else self._once(("or", other), lambda: self._or(other))

    @cached_property
    def whole(self) -> Span:
        """The whole axis."""
        return Span(np.zeros_like(self.low), np.full_like(self.high, self.size), self.size)

    @cached_property
    def window(self) -> tuple[Origins, int]:
        """Origins of windows of equal length that contain the intervals and lie within the axis, and that length."""
        length = int((self.high - self.low).max())
        return np.minimum(self.low, self.size - length), length

    def same_window(self, other: Span) -> bool:
        """Whether both have equal windows."""
        (start, length), (others, other_length) = self.window, other.window
        return self is other or (length == other_length and bool((start == others).all()))

    def reading(
        self, out: Span, kernel: Kernel, *, pitch: int = 1, own_pitch: int = 1, device: torch.device
    ) -> Reading:
        """Return what a kernel reads here for the windows of `out`. Pitches: pixels between neighbours."""
        key = "reading", out, kernel, pitch, own_pitch
        return self._once(key, lambda: self._reading(out, kernel, pitch, own_pitch, device))

    def _through(self, kernel: Kernel, size: int) -> Span:
        first = -(((kernel.size - 1) * kernel.dilation - self.low - kernel.padding) // kernel.stride)  # rounded up
        last = (self.high - 1 + kernel.padding) // kernel.stride
        low = first.clip(0, size - 1)
        return Span(low, (last + 1).clip(low + 1, size), size)

    def _or(self, other: Span) -> Span:
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        for one in (self, other):
            if (low == one.low).all() and (high == one.high).all():
                return one
        return Span(low, high, self.size)

    def _reading(self, out: Span, kernel: Kernel, pitch: int, own_pitch: int, device: torch.device) -> Reading:
        origin, length = out.window
        reach = (length - 1) * kernel.stride + (kernel.size - 1) * kernel.dilation + 1
        at = (origin * kernel.stride - kernel.padding)[:, None] + np.arange(reach)
        own_origin, own_length = self.window
        inside = at - own_origin[:, None]
        on_map = (at >= 0) & (at < self.size)
        own = on_map & (inside >= 0) & (inside < own_length)
        clean, own = np.where(on_map, at * pitch, BEYOND), np.where(own, inside * own_pitch, -BEYOND)
        clean_part, own_part = (torch.from_numpy(part.astype(np.int32)).to(device) for part in (clean, own))
        return Reading(clean_part, own_part, beyond=not bool(on_map.all()))

    def _once(self, key: Hashable, derive: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = derive()
        found: T = self._known[key]
        return found
