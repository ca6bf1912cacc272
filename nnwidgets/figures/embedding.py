"""Where samples lie by a layer's response: coloured points with a legend. Knows results and axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures import _parts
from nnwidgets.figures.captions import count, number
from nnwidgets.figures.colors import LIGHT, Theme
from nnwidgets.figures.marks import LEAST_AREA, MOST_AREA, Groups, Numbers

__all__ = ["draw_embedding"]

_DIAMETER, _SMALL_DIAMETER, _RING = 4.0, 2.2, 3.4  # points; of a ring what it is wider than its point
_MANY = 10_000  # points, from which on they are small
_NAME, _NAME_EMS = 8.5, 0.65  # points; width of a bold letter
_CANDIDATES = 64  # for the middle of a group; among more it is hardly another
_LONGEST_NAME = 24  # letters
_BESIDE = 1.02  # where the legend begins, in widths of the axes


def draw_embedding(
    result: EmbeddingResult,
    figure: _parts.Drawing,
    *,
    caption: str = "",
    names: Callable[[int], str] = str,
    theme: Theme = LIGHT,
    color: Groups | Numbers | None = None,
    size: Numbers | None = None,
) -> _parts.Drawing:
    """Draw the points in the colours of their classes, rings round those predicted wrong, and return the figure.

    One scale for all axes, which have no unit and are not drawn. A flat map has the names of the groups on it, each
    in its group's middle, as far as they have room. Colours are those of the page: ten for up to twenty groups, grey
    for those beyond the twenty largest, and for points without a group or a value.

    Args:
        result: what to draw; two or three dimensions.
        figure: an empty `Figure` or `SubFigure`.
        caption: one line of plain text; a longer one is broken.
        names: the name of a class.
        theme: colours.
        color: what colours the points, a group or a number for each; None for their classes.
        size: what the area of a point grows with, from half to four times the usual one; None for equal points.

    Raises:
        ValueError: `color` or `size` is of another number of points.
    """
    positions, labels = result.embedding.positions.numpy(), result.labels.numpy()
    classes = Groups("Class", labels, [names(each) for each in range(int(labels.max(initial=-1)) + 1)])
    shown = classes if color is None else color
    _check_lengths(shown, size, len(positions))
    _parts.add_caption(figure, caption, theme)
    deep = positions.shape[1] == 3
    options: dict[str, Any] = {"projection": "3d", "computed_zorder": False} if deep else {}  # rings stay above points
    axes = figure.add_subplot(**options)
    plain: dict[str, Any] = {"depthshade": False} if deep else {}  # colour means the class, not the distance
    _parts.bare(axes, theme)
    if deep:
        axes.set_axis_off()  # walls and the third axis
    axes.set_aspect("equal", adjustable="box" if deep else "datalim")
    usual = _DIAMETER if len(positions) <= _MANY else _SMALL_DIAMETER
    diameters = usual * (np.sqrt(size.areas()) if size is not None else np.ones(len(positions)))
    axes.scatter(
        *positions.T,
        s=diameters**2,
        c=shown.colors(theme),
        edgecolors=theme.surface,
        linewidths=0.5,
        **plain,
    )
    wrong = (labels >= 0) & (result.predicted.numpy() >= 0) & (result.predicted.numpy() != labels)
    if wrong.any():
        around = (diameters[wrong] + _RING) ** 2
        axes.scatter(*positions[wrong].T, s=around, c="none", edgecolors=theme.text, linewidths=0.9, **plain)
    named = shown if isinstance(shown, Groups) else classes
    if not deep and named.named:
        _add_names(axes, positions, named, theme)
    _add_legend(axes, shown, size, int(wrong.sum()), theme)
    return figure


def _check_lengths(color: Groups | Numbers, size: Numbers | None, n: int) -> None:
    given = len(color.codes if isinstance(color, Groups) else color.values)
    if given != n:
        raise ValueError(f"color: expected one for each of the {n} points of the map, got {given}")
    if size is not None and len(size.values) != n:
        raise ValueError(f"size: expected one for each of the {n} points of the map, got {len(size.values)}")


def _add_names(axes: _parts.Axes, positions: NDArray[np.float32], groups: Groups, theme: Theme) -> None:
    """Write the names of groups over their middles, the larger group first, where no other name stands already."""
    width, height = (0.7 * side / axes.figure.dpi * 72 for side in axes.figure.bbox.size)  # points, of which some
    extent = np.maximum(np.ptp(positions, axis=0), 1e-30)
    to_points = min(width / extent[0], height / extent[1])
    placed: list[tuple[NDArray[np.float64], float]] = []
    for group in np.argsort(-groups.counts, kind="stable"):
        if groups.counts[group] == 0:
            break
        name = _shortened(groups.names[group])
        at = positions[_medoid(positions, np.flatnonzero(groups.codes == group))] * to_points
        half = len(name) * _NAME * _NAME_EMS / 2
        if any(abs(at[0] - other[0]) < half + wide and abs(at[1] - other[1]) < 1.2 * _NAME for other, wide in placed):
            continue
        placed.append((at, half))
        halo = [withStroke(linewidth=3, foreground=theme.surface)]
        x, y = at / to_points
        _parts.write(
            axes, x, y, name, theme.text, size=_NAME, ha="center", va="center", weight="bold", path_effects=halo
        )


def _medoid(positions: NDArray[np.float32], rows: NDArray[np.intp]) -> int:
    """The row, of up to 64 of these, that is nearest to the others."""
    few = rows[:: -(-len(rows) // _CANDIDATES)]
    apart = np.linalg.norm(positions[few, None] - positions[None, few], axis=-1)
    return int(few[apart.sum(axis=1).argmin()])


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 9]}…{name[-8:]}"


def _add_legend(axes: _parts.Axes, color: Groups | Numbers, size: Numbers | None, wrong: int, theme: Theme) -> None:
    """Say beside the points what their colours, rings and sizes mean."""
    marks: list[tuple[Line2D, str]] = []
    if isinstance(color, Groups):
        counts, coloured = color.counts, color.coloured
        marks += [
            (_mark(color.swatch(int(each), theme), theme.surface, 5.0), f"{_shortened(color.names[each])}  {n}")
            for each, n in zip(coloured, map(count, counts[coloured]), strict=True)
        ]
        more = int((counts > 0).sum()) - len(coloured)
        if more:
            marks.append((_mark(theme.secondary, theme.surface, 5.0), f"{count(more)} more  {_rest(counts, coloured)}"))
    if color.missing and (isinstance(color, Numbers) or marks):
        marks.append((_mark(theme.secondary, theme.surface, 5.0), f"no value  {count(color.missing)}"))
    if wrong:
        marks.append((_mark("none", theme.text, 7.0), f"predicted wrong  {count(wrong)}"))
    if size is not None:
        marks.append((_mark("none", "none", 5.0), f"Area: {_shortened(size.name)}"))
        for area, end in ((LEAST_AREA, size.low), (MOST_AREA, size.high)):
            marks.append((_mark(theme.secondary, theme.surface, _DIAMETER * area**0.5), number(end)))
    top = 1.0
    if isinstance(color, Numbers):
        top = 0.86
        scale = _parts.Scale(color.low, color.high, _shortened(color.color_name))
        _parts.scale_bar(axes, scale, theme, colormap=color.colormap(theme), at=(_BESIDE + 0.02, 0.95), width=0.2)
    if marks:
        _write_legend(axes, marks, color.name if isinstance(color, Groups) else "", top, theme)


def _rest(counts: NDArray[np.int64], coloured: NDArray[np.int64]) -> str:
    return count(int(counts.sum() - counts[coloured].sum()))


def _write_legend(axes: _parts.Axes, marks: list[tuple[Line2D, str]], title: str, top: float, theme: Theme) -> None:
    handles, words = zip(*marks, strict=True)
    legend = axes.legend(
        handles,
        words,
        loc="upper left",
        bbox_to_anchor=(_BESIDE, top),
        borderpad=0,
        borderaxespad=0,
        frameon=False,
        fontsize=7,
        labelcolor=theme.text,
        title=title or None,
        title_fontsize=7,
        alignment="left",
    )
    legend.get_title().set_color(theme.secondary)
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_parse_math(False)


def _mark(face: str, edge: str, size: float) -> Line2D:
    return Line2D([], [], linestyle="none", marker="o", markersize=size, markerfacecolor=face, markeredgecolor=edge)
