"""What the drawings have in common: a caption, pictures on their ground, tiles, a scale bar. Text is never markup."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from nnwidgets.blocks.colors import Theme
from nnwidgets.words import number, shortened

Array = NDArray[np.float64]
Drawing = Figure | SubFigure

COLUMNS = 8
MOST_NAMES = 40  # beside each other at an axis
SMALL, NORMAL = 7.0, 9.0
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


def write(axes: Axes, x: float, y: float, words: str, color: str, *, size: float = SMALL, **where: Any) -> None:
    """Put words at data coordinates; a dollar sign in them is a dollar sign."""
    axes.text(x, y, words, color=color, fontsize=size, parse_math=False, **where)


def add_caption(figure: Drawing, caption: str, theme: Theme) -> None:
    """Write the caption over the figure, broken into lines that fit."""
    figure.set_facecolor(theme.surface)
    width_pt = figure.bbox.width / figure.dpi * 72
    lines = textwrap.fill(caption, max(20, int(0.94 * width_pt / (NORMAL * _LETTER))))
    figure.suptitle(
        lines, x=0.02, ha="left", fontsize=NORMAL, fontweight="normal", color=theme.secondary, parse_math=False
    )


def add_title(axes: Axes, title: str, theme: Theme, note: str = "") -> None:
    """Write a short title over a picture, and a note in a lighter colour at its right."""
    axes.set_title(title, loc="left", fontsize=NORMAL, color=theme.text, parse_math=False)
    axes.set_title(note, loc="right", fontsize=SMALL, color=theme.secondary, parse_math=False)


def explain(axes: Axes, *of: Any, theme: Theme, color: str, **where: Any) -> None:
    """Draw a legend: of what is drawn with a label, or `of` handles and words."""
    legend = axes.legend(*of, frameon=False, fontsize=SMALL, title_fontsize=SMALL, labelcolor=color, **where)
    legend.get_title().set_color(theme.secondary)
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_parse_math(False)


def say(axes: Axes, words: str, theme: Theme, color: str = "") -> None:
    """Write words, in lines that fit, where a drawing would be: why it is empty."""
    bare(axes, theme)
    lines = [textwrap.fill(line, letters_across(axes)) for line in words.split("\n")]
    where: dict[str, Any] = {"transform": axes.transAxes, "ha": "left", "va": "top"}
    write(axes, 0.0, 1.0, "\n".join(lines), color or theme.secondary, size=NORMAL, **where)


def letters_across(axes: Axes) -> int:
    """How many letters fit side by side in the axes."""
    figure = axes.figure
    width_pt = axes.get_position().width * figure.bbox.width / figure.dpi * 72
    return max(20, int(width_pt / (NORMAL * _LETTER)))


def plain_axes(axes: Axes, theme: Theme, *, x: str = "", y: str = "", grid: str = "") -> None:
    """Quiet ticks with numbers in the project's format, titles of the axes, and lines across along "x" or "y"."""
    axes.set_facecolor(theme.surface)
    axes.tick_params(labelsize=SMALL, length=0, colors=theme.secondary)
    axes.set_xlabel(x, fontsize=SMALL, color=theme.secondary, parse_math=False)
    axes.set_ylabel(y, fontsize=SMALL, color=theme.secondary, parse_math=False)
    axes.spines[:].set_visible(False)
    for axis, name in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
        if grid == name:
            axis.grid(visible=True, color=theme.line, linewidth=0.6)
    axes.set_axisbelow(True)


def tick(value: float) -> str:
    """A round number at an axis: as short as it can be said.

    >>> tick(2.0), tick(2.5), tick(1500.0) == "1\u202f500"
    ('2', '2.5', True)
    """
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def name_ticks(axis: Axis, names: Sequence[str], theme: Theme, *, most: int = MOST_NAMES, letters: int = 14) -> None:
    """Names at the places 0, 1, … of an axis, of more than `most` some evenly spaced; long ones lose their middle."""
    every = max(1, math.ceil(len(names) / most))
    places = range(0, len(names), every)
    axis.set_ticks(list(places), [shortened(names[place], letters) for place in places], parse_math=False)
    axis.set_tick_params(labelsize=SMALL, length=0, colors=theme.secondary)


def bare(axes: Axes, theme: Theme) -> None:
    """Take ticks and frame away."""
    axes.set_facecolor(theme.surface)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def show(axes: Axes, values: Array, scale: Scale, theme: Theme, *, extent: Sequence[float] | None = None) -> None:
    """Draw values in the map of their scale, top row first; NaN shows a hatch in the error colour.

    extent: left, right, bottom, top in data coordinates.
    """
    left, right, bottom, top = extent or (-0.5, values.shape[1] - 0.5, values.shape[0] - 0.5, -0.5)
    clean = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(clean).any():
        box = Rectangle(
            (left, top), right - left, bottom - top, facecolor=theme.ground, hatch="////", linewidth=0, zorder=-1
        )
        box.set_edgecolor(theme.error)
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
    if colormap is None:
        colormap = theme.diverging if scale.low < 0 else theme.ink
    ramp = colormap(np.linspace(0, 1, 257)[None])
    ends = [scale.low, 0.0, scale.high] if scale.low < 0 < scale.high else [scale.low, scale.high]
    color_bar(axes, (*at, width, 0.025), ramp, scale, ends, theme)


def color_bar(
    axes: Axes,
    place: tuple[float, float, float, float],
    ramp: Array,
    scale: Scale,
    ticks: Sequence[float],
    theme: Theme,
) -> None:
    """Draw a ramp of colours (1, n, 3) at a place (left, bottom, width, height) with numbers and the unit under it."""
    bar = axes.inset_axes(place)
    bar.imshow(ramp, aspect="auto", extent=(scale.low, scale.low + ((scale.high - scale.low) or 1.0), 0, 1))
    bar.set_xticks(ticks, [number(each) for each in ticks])
    bar.set_yticks([])
    bar.tick_params(labelsize=SMALL, length=0, colors=theme.secondary)
    bar.set_xlabel(scale.unit, fontsize=SMALL, color=theme.secondary, labelpad=1, parse_math=False)
    bar.spines[:].set_edgecolor(theme.line)


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
