"""What the drawings have in common: a caption, pictures on their ground, tiles, a scale bar. Text is never markup."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nnwidgets.figures.captions import number
from nnwidgets.figures.colors import Theme

__all__ = [
    "Array",
    "Axes",
    "Drawing",
    "Index",
    "Scale",
    "add_caption",
    "add_title",
    "bare",
    "number",
    "scale_bar",
    "show",
    "tiles",
    "to_rgb",
    "write",
]

Array = NDArray[np.float64]
Drawing = Figure | SubFigure
Index = tuple[NDArray[np.intp], ...]

COLUMNS = 8
MOST_TILES = 64
_SMALL, _NORMAL = 7.0, 9.0
_LETTER = 0.5  # mean width of a letter in ems


@dataclass(frozen=True)
class Scale:
    """What the colours of a picture mean.

    low is 0, or minus high for signed values.   unit: the word under the scale bar.
    """

    low: float
    high: float
    unit: str

    @classmethod
    def of(cls, values: Array, unit: str, *, signed: bool | None = None) -> Scale:
        """From 0 to the largest finite value, or symmetric around 0 when values are negative; never of no width."""
        finite = values[np.isfinite(values)]
        largest = float(np.abs(finite).max()) if finite.size else 0.0
        negative = bool((finite < 0).any()) if signed is None else signed
        high = largest or 1.0
        return cls(-high if negative else 0.0, high, unit)


def write(axes: Axes, x: float, y: float, words: str, color: str, *, size: float = _SMALL, **where: Any) -> None:
    """Put words at data coordinates; a dollar sign in them is a dollar sign."""
    axes.text(x, y, words, color=color, fontsize=size, parse_math=False, **where)


def add_caption(figure: Drawing, caption: str, theme: Theme) -> None:
    """Write the caption over the figure, broken into lines that fit."""
    figure.set_facecolor(theme.surface)
    width_pt = figure.bbox.width / figure.dpi * 72
    lines = textwrap.fill(caption, max(20, int(0.94 * width_pt / (_NORMAL * _LETTER))))
    figure.suptitle(
        lines, x=0.02, ha="left", fontsize=_NORMAL, fontweight="normal", color=theme.secondary, parse_math=False
    )


def add_title(axes: Axes, title: str, theme: Theme) -> None:
    """Write a short title over a picture."""
    axes.set_title(title, loc="left", fontsize=_NORMAL, color=theme.text, parse_math=False)


def bare(axes: Axes, theme: Theme) -> None:
    """Take ticks and frame away."""
    axes.set_facecolor(theme.surface)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def show(
    axes: Axes, values: Array, scale: Scale, theme: Theme, *, extent: Sequence[float] | None = None, missing: str = ""
) -> None:
    """Draw values in the map of their scale, top row first; NaN shows a hatch in `missing`, else in the error colour.

    extent: left, right, bottom, top in data coordinates.
    """
    left, right, bottom, top = (
        extent if extent is not None else (-0.5, values.shape[1] - 0.5, values.shape[0] - 0.5, -0.5)
    )
    clean = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(clean).any():
        box = Rectangle(
            (left, top), right - left, bottom - top, facecolor=theme.ground, hatch="////", linewidth=0, zorder=-1
        )
        box.set_edgecolor(missing or theme.error)
        axes.add_patch(box)
    colormap = theme.diverging if scale.low < 0 else theme.ink
    axes.imshow(
        clean,
        cmap=colormap,
        vmin=scale.low,
        vmax=scale.high,
        extent=(left, right, bottom, top),
        interpolation="nearest",
    )


def scale_bar(
    axes: Axes,
    scale: Scale,
    theme: Theme,
    *,
    width: float = 0.3,
    at: tuple[float, float] = (0.0, -0.09),
    colormap: ListedColormap | None = None,
) -> None:
    """Draw a bar under the axes, or `at` a place in their units, with both ends, zero where it lies inside, and the
    unit word."""
    bar = axes.inset_axes((*at, width, 0.025))
    if colormap is None:
        colormap = theme.diverging if scale.low < 0 else theme.ink
    bar.imshow(np.linspace(0, 1, 257)[None], cmap=colormap, aspect="auto", extent=(0, 1, 0, 1))
    ends = [scale.low, 0.0, scale.high] if scale.low < 0 < scale.high else [scale.low, scale.high]
    length = (scale.high - scale.low) or 1.0
    bar.set_xticks([(end - scale.low) / length for end in ends], [number(end) for end in ends])
    bar.set_yticks([])
    bar.tick_params(labelsize=_SMALL, length=0, colors=theme.secondary)
    bar.set_xlabel(scale.unit, fontsize=_SMALL, color=theme.secondary, labelpad=1)
    for spine in bar.spines.values():
        spine.set_edgecolor(theme.line)


def tiles(
    axes: Axes, pictures: Sequence[Array], scale: Scale | None, theme: Theme, *, label: Callable[[int], tuple[str, str]]
) -> None:
    """Lay pictures of one size out in rows of eight, the i-th with `label(i)`, left and right, under it.

    pictures: `(height, width)` values for the scale, or `(height, width, 3)` colours from 0 to 1.
    """
    height, width = pictures[0].shape[:2]
    gap, foot = 0.12 * width, 0.3 * max(height, width)
    for i, picture in enumerate(pictures):
        left, top = (i % COLUMNS) * (width + gap), (i // COLUMNS) * (height + foot)
        extent = (left, left + width, top + height, top)
        if picture.ndim == 3 or scale is None:
            axes.imshow(picture, extent=extent, interpolation="nearest")
        else:
            show(axes, picture, scale, theme, extent=extent)
        before, after = label(i)
        write(axes, left, top + height + 0.1 * foot, before, theme.secondary, ha="left", va="top")
        write(axes, left + width, top + height + 0.1 * foot, after, theme.text, ha="right", va="top")
    axes.set_xlim(0, min(COLUMNS, len(pictures)) * (width + gap) - gap)
    axes.set_ylim(math.ceil(len(pictures) / COLUMNS) * (height + foot), 0)
    axes.set_aspect("equal")
    axes.set_anchor("NW")
