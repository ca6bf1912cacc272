"""Colour maps and class colours of nnwidgets, for a light and a dark ground.

Zero is the ground: the sequential map starts, and the diverging map has its middle, at the colour a picture stands on.
Both are interpolated in OKLab (Ottosson 2020, "A perceptual color space for image processing"), so lightness runs
evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from numpy.typing import NDArray

from nnwidgets.blocks.looks import CLASSES, DIVERGING, GAINED, GROUND, HEAT_DARKENS, INK, LOST

Array = NDArray[np.float64]

_LEVELS = 257  # odd, so that the diverging map has a true middle

# Linear sRGB -> cone responses, and their cube roots -> OKLab (Ottosson 2020).
_TO_CONES = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_TO_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip

_TINTS = np.array([LOST, GAINED]) / 255


@dataclass(frozen=True, eq=False)
class Theme:
    """The colours of one ground."""

    ink: ListedColormap  # for values from 0 up
    diverging: ListedColormap  # for signed values from -max to max, blue below zero, orange above
    mark_ink: ListedColormap  # the same for marks on the ground, without the ground's own colour
    mark_diverging: ListedColormap
    classes: tuple[str, ...]  # ten, told apart with any common colour blindness; repeat them beyond ten
    ground: str  # of zero
    surface: str  # behind everything
    text: str  # words that matter
    secondary: str  # words beside them
    line: str  # rules and frames
    brand: str  # what is selected, and the curve that one looks for
    flag: str  # mark of dead units
    error: str  # hatching of NaN and infinite values


def heat(picture: Array, values: Array, *, largest: float, opacity: float = 0.85) -> Array:
    """The picture in grey, orange where `values` > 0 and blue where < 0, `(height, width, 3)` in 0 to 1.

    Args:
        picture: `(height, width)`, grey from 0 to 1.
        values: `(height, width)`; NaN leaves the grey as it is.
        largest: |value| that gets the full tint.
        opacity: 0 shows the picture alone, 1 hides it under the largest values.

    >>> heat(np.ones((1, 1)), np.zeros((1, 1)), largest=1.0, opacity=0.0)[0, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    shares = np.clip(np.abs(values) / largest, 0, 1) if largest > 0 else 0 * values
    strength = np.nan_to_num(shares)[..., None] * opacity
    tint = _TINTS[(values < 0).astype(int)]
    grey = (picture * (1 - HEAT_DARKENS * opacity))[..., None]
    mixed: Array = grey * (1 - strength) + tint * strength
    return mixed


def _colormap(name: str, anchors: str) -> ListedColormap:
    """A map through evenly spaced anchors, given as hex colours; NaN is transparent and shows what is behind."""
    lab = _oklab(np.array([to_rgb(f"#{anchor}") for anchor in anchors.split()]))
    at = np.linspace(0, len(lab) - 1, _LEVELS)
    levels = np.stack([np.interp(at, np.arange(len(lab)), channel) for channel in lab.T], axis=1)
    return ListedColormap(np.clip(_srgb(levels), 0, 1), name=name)


def _oklab(srgb: Array) -> Array:
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: Array = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    return lab


def _srgb(lab: Array) -> Array:
    linear = ((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T).clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _shared(side: str) -> dict[str, Any]:
    """The maps and colours of a theme that the page has too, by the names of its fields."""
    ground = GROUND[side]
    found: dict[str, Any] = {"ground": ground, "classes": tuple(f"#{color}" for color in CLASSES[side].split())}
    for name, anchors in (("ink", INK[side]), ("diverging", DIVERGING[side])):
        off_ground = " ".join(anchor for anchor in anchors.split() if f"#{anchor}" != ground)
        found[name] = _colormap(f"nnw_{name}_{side}", anchors)
        found[f"mark_{name}"] = _colormap(f"nnw_mark_{name}_{side}", off_ground)
    return found


LIGHT = Theme(
    **_shared("light"),
    surface="#ffffff",
    text="#212121",
    secondary="#757575",
    line="#e0e0e0",
    brand="#1976d2",
    flag="#e65100",
    error="#d32f2f",
)
DARK = Theme(
    **_shared("dark"),
    surface="#111111",
    text="#e0e0e0",
    secondary="#9e9e9e",
    line="#424242",
    brand="#2196f3",
    flag="#ff9800",
    error="#ef5350",
)
