"""Weights as pictures. Knows arrays; knows no widget."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGEST_NORM = -1  # instead of an input channel: each filter's own of largest norm


def planes_of(weight: Array, picture: tuple[int, ...] | None) -> Array:
    """Weights (out, in, …) as (out, in, height, width), or (out, in) as they are.

    `picture`: height and width of the input, when the layer is the first: a linear layer over it takes its shape.

    >>> planes_of(np.zeros((8, 2, 5)), None).shape, planes_of(np.zeros((8, 12)), (2, 2)).shape
    ((8, 2, 1, 5), (8, 3, 2, 2))
    """
    if weight.ndim > 4:
        return weight.reshape(len(weight), -1, *weight.shape[-2:])
    if weight.ndim == 3:
        return weight[:, :, None, :]
    if weight.ndim == 2 and picture is not None:
        pixels = picture[0] * picture[1]
        if weight.shape[1] in (pixels, 3 * pixels):
            return weight.reshape(len(weight), -1, *picture)
    return weight


def is_rgb(planes: Array) -> bool:
    """Whether the planes are the three of a colour picture."""
    return planes.ndim == 4 and planes.shape[1] == 3


def pictures_of(planes: Array, channel: int) -> Array:
    """One picture a filter: (out, height, width), or (out, height, width, 3) for colours.

    `channel`: the input channel on show, or `LARGEST_NORM`.

    >>> planes = np.zeros((1, 2, 3, 3)); planes[0, 1] = 5.0
    >>> float(pictures_of(planes, -1).max()), float(pictures_of(planes, 0).max())
    (5.0, 0.0)
    """
    if is_rgb(planes):
        return np.moveaxis(planes, 1, -1)
    if channel >= 0:
        return planes[:, min(channel, planes.shape[1] - 1)]
    strongest = np.square(planes).sum(axis=(2, 3)).argmax(axis=1)
    chosen: Array = planes[np.arange(len(planes)), strongest]
    return chosen


def coloured(weights: Array, peak: float) -> Array:
    """Weights (…, 3) as colours, uint8: 0 is mid grey, ±peak the ends.

    >>> coloured(np.array([[-1.0, 0.0, 1.0]]), 1.0).tolist()
    [[1, 128, 255]]
    """
    return np.clip(np.nan_to_num(128 + 127 * weights / peak), 0, 255).astype(np.uint8)
