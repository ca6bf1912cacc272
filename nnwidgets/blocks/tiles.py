"""Which of many tiles stand on a page, in what order, at what size and on what scale. Knows arrays only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnwidgets.words import count

Array = NDArray[Any]

PAGE = 64
LARGEST_TILE = 96  # pixels a side


@dataclass(frozen=True)
class Page:
    """What the pager shows: `index` of `count` pages, and in words which tiles these are."""

    index: int
    count: int
    text: str


def order_of(values: Array, *, descending: bool = True) -> Array:
    """(n,) int32: places of the values from the largest or the smallest on; ties stay in order, NaN comes last.

    >>> order_of(np.array([1.0, np.nan, 3.0, -np.inf, 3.0])).tolist()
    [2, 4, 0, 3, 1]
    """
    if values.dtype.kind in "iu":
        values = values.astype(np.int64)
    return np.lexsort((-values if descending else values, np.isnan(values))).astype(np.int32)


def page_of(order: Array, index: int) -> tuple[Array, Page | None]:
    """The units on the page of this index, or on the last one, and what the pager shows; None when all units fit.

    >>> units, page = page_of(np.arange(100), 1)
    >>> units[:2].tolist(), page.text
    ([64, 65], '65–100 of 100')
    """
    pages = max(1, -(-len(order) // PAGE))
    index = min(max(index, 0), pages - 1)
    units = order[index * PAGE : (index + 1) * PAGE]
    if pages == 1:
        return units, None
    first = index * PAGE + 1
    return units, Page(index, pages, f"{first}\u2013{first + len(units) - 1} of {count(len(order))}")


def page_with(order: Array, unit: int | None) -> int:
    """The index of the page that a unit is on; the first page for None and for a unit that is on none.

    >>> page_with(np.arange(100)[::-1], 3)
    1
    """
    places = np.flatnonzero(order == unit)
    return int(places[0]) // PAGE if len(places) else 0


def fit(maps: Array) -> Array:
    """Maps (n, height, width) or colours (n, height, width, 3) with at most 96 pixels a side, by area mean.

    Maps that fit are returned as they are.

    >>> fit(np.ones((2, 200, 100))).shape
    (2, 67, 34)
    """
    factor = _factor(maps.shape[1:3])
    if factor == 1:
        return maps
    # In a wider type: uint8 and float16 do not hold the sums.
    means = maps.astype(np.promote_types(maps.dtype, np.float32), copy=False)
    for axis in (1, 2):
        length = means.shape[axis]
        means = np.moveaxis(means, axis, 0)
        sums = means[::factor].copy()
        for offset in range(1, factor):
            part = means[offset::factor]
            sums[: len(part)] += part
        sizes = np.minimum(factor, length - np.arange(0, length, factor)).astype(sums.dtype)
        means = np.moveaxis(sums / sizes.reshape(-1, *[1] * (sums.ndim - 1)), 0, axis)
    return means.round().astype(maps.dtype) if maps.dtype.kind in "iu" else means


def reduction(size: tuple[int, ...]) -> str:
    """What `fit` does to maps of (height, width), in words for a caption; nothing for maps that fit.

    >>> reduction((200, 100)), reduction((96, 96))
    ('drawn at 1/3 by area mean', '')
    """
    factor = _factor(size)
    return f"drawn at 1/{factor} by area mean" if factor > 1 else ""


def spans(tiles: Array) -> tuple[Array, Array]:
    """The least and the largest finite value of each tile (n, …), and at most or at least 0.

    >>> spans(np.array([[1.0, np.nan, 3.0], [-2.0, -1.0, np.inf]]))
    (array([ 0., -2.]), array([3., 0.]))
    """
    flat = tiles.reshape(len(tiles), int(np.prod(tiles.shape[1:])))
    low, high = flat.min(axis=1, initial=0), flat.max(axis=1, initial=0)
    if not (np.isfinite(low) & np.isfinite(high)).all():
        finite = np.where(np.isfinite(flat), flat, 0)
        low, high = finite.min(axis=1, initial=0), finite.max(axis=1, initial=0)
    return low, high


def _factor(size: tuple[int, ...]) -> int:
    return max(1, -(-max(size) // LARGEST_TILE))
