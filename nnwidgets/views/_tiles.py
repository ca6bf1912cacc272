"""Which tiles of a layer are on the page, in what order and at what size. Knows arrays; knows no widget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnwidgets.figures.captions import THIN, count
from nnwidgets.views._wire import Array, Header

PAGE = 64
LARGEST_TILE = 96


@dataclass(frozen=True)
class Page:
    """The units on show, in display order, and where they stand among all."""

    units: tuple[int, ...]
    index: int
    pages: int
    total: int

    def header(self) -> Header | None:
        """What the pager says; None when all units fit."""
        if self.pages == 1:
            return None
        first = self.index * PAGE + 1
        return {
            "index": self.index,
            "count": self.pages,
            "text": f"{first}\u2013{first + len(self.units) - 1} of {count(self.total)}",
        }

    def tile_of(self, unit: int | None) -> int | None:
        """Where a unit is on this page."""
        return self.units.index(unit) if unit in self.units else None


def page_of(order: Array, index: int) -> Page:
    """The page of this index, or the last one.

    >>> page_of(np.arange(100), 1).units[:2], page_of(np.arange(100), 1).header()["text"]
    ((64, 65), '65–100 of 100')
    """
    pages = max(1, -(-len(order) // PAGE))
    index = min(max(index, 0), pages - 1)
    units = tuple(int(unit) for unit in order[index * PAGE : (index + 1) * PAGE])
    return Page(units, index, pages, len(order))


def page_with(order: Array, unit: int) -> int:
    """The index of the page that a unit is on.

    >>> page_with(np.arange(100)[::-1], 3)
    1
    """
    places = np.flatnonzero(order == unit)
    return int(places[0]) // PAGE if len(places) else 0


def descending(values: Array) -> Array:
    """Units from the largest value to the smallest, ties and NaN in index order, NaN last.

    >>> descending(np.array([1.0, np.nan, 3.0, 3.0]))
    array([2, 3, 0, 1])
    """
    return np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")


def fit(maps: Array, largest: int = LARGEST_TILE) -> tuple[Array, str]:
    """Maps (n, height, width) reduced by area mean to at most `largest` pixels a side, and words for the caption.

    >>> fit(np.ones((2, 200, 100)))[0].shape
    (2, 67, 34)
    """
    factor = max(1, -(-max(maps.shape[1:]) // largest))
    if factor == 1:
        return maps, ""
    rows, columns = (np.arange(0, axis, factor) for axis in maps.shape[1:])
    sums = np.add.reduceat(np.add.reduceat(maps, rows, axis=1), columns, axis=2)
    heights, widths = (
        np.diff(np.append(edges, axis)) for edges, axis in zip((rows, columns), maps.shape[1:], strict=True)
    )
    return sums / (heights[:, None] * widths[None, :]), f"drawn at 1/{factor} by area mean"


def scale_header(maps: Array, *, mode: str, signed: bool, unit: str, floor: float = 0.0) -> Header:
    """Ends of the colour scale: one for the layer, or one per tile. Unsigned scales begin at 0 unless values are below.

    `floor` is the least upper end of a layer's scale, so that noise never fills it.
    """
    flat = np.where(np.isfinite(maps), maps, 0.0).reshape(len(maps), -1)
    highs = flat.max(axis=1, initial=0.0)
    lows = flat.min(axis=1, initial=0.0)
    if signed or (lows < 0).any():
        signed, highs = True, np.maximum(highs, -lows)
        lows = -highs
    high = max(float(highs.max(initial=0.0)), floor)
    low = -high if signed else 0.0
    per_tile = [[float(a), float(b)] for a, b in zip(lows, highs, strict=True)] if mode == "map" else None
    return {"mode": mode, "lo": low, "hi": high, "signed": signed, "unit": unit, "per_tile": per_tile}


def unit_span(amount: int) -> str:
    return f"{count(amount)}{THIN}units"
