"""What the colours, rings and sizes of points mean, as matplotlib writes it: names on the map, a legend beside it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from nnwidgets.blocks import drawing
from nnwidgets.blocks.block import Array
from nnwidgets.blocks.colors import Theme
from nnwidgets.blocks.looks import LEAST_AREA, MOST_AREA
from nnwidgets.blocks.marks import Groups, Numbers
from nnwidgets.words import count, number, shortened

_NAME, _NAME_EMS = 8.5, 0.65  # points; width of a bold letter
_CANDIDATES = 64  # for the middle of a group; among more it is hardly another
_short = partial(shortened, most=24)
_BESIDE = 1.02  # where the legend begins, in widths of the axes


def add_names(axes: Axes, positions: Array, groups: Groups, theme: Theme) -> None:
    """Write the names of groups over their middles, the larger group first, where no other name stands already."""
    width, height = (0.7 * side / axes.figure.dpi * 72 for side in axes.figure.bbox.size)  # points, of which some
    extent = np.maximum(np.ptp(positions, axis=0), 1e-30)
    to_points = min(width / extent[0], height / extent[1])
    placed: list[tuple[NDArray[np.float64], float]] = []
    for group in np.argsort(-groups.counts, kind="stable"):
        if groups.counts[group] == 0:
            break
        name = _short(groups.names[group])
        at = positions[_medoid(positions, np.flatnonzero(groups.codes == group))] * to_points
        half = len(name) * _NAME * _NAME_EMS / 2
        if any(abs(at[0] - other[0]) < half + wide and abs(at[1] - other[1]) < 1.2 * _NAME for other, wide in placed):
            continue
        placed.append((at, half))
        halo = [withStroke(linewidth=3, foreground=theme.surface)]
        x, y = at / to_points
        drawing.write(
            axes, x, y, name, theme.text, size=_NAME, ha="center", va="center", weight="bold", path_effects=halo
        )


def _medoid(positions: Array, rows: NDArray[np.intp]) -> int:
    """The row, of up to 64 of these, that is nearest to the others."""
    few = rows[:: -(-len(rows) // _CANDIDATES)]
    apart = np.linalg.norm(positions[few, None] - positions[None, few], axis=-1)
    return int(few[apart.sum(axis=1).argmin()])


def add_legend(
    axes: Axes, color: Groups | Numbers, size: Numbers | None, wrong: int, theme: Theme, *, diameter: float
) -> None:
    """Say beside the points what their colours, rings and sizes mean."""
    marks: list[tuple[Line2D, str]] = []
    if isinstance(color, Groups):
        counts, coloured = color.counts, color.coloured
        marks += [
            (_mark(color.swatch(int(each), theme), theme.surface, 5.0), f"{_short(color.names[each])}  {n}")
            for each, n in zip(coloured, map(count, counts[coloured].tolist()), strict=True)
        ]
        more = int((counts > 0).sum()) - len(coloured)
        if more:
            rest = int(counts.sum() - counts[coloured].sum())
            marks.append((_mark(theme.secondary, theme.surface, 5.0), f"{count(more)} more  {count(rest)}"))
    if color.missing and (isinstance(color, Numbers) or marks):
        marks.append((_mark(theme.secondary, theme.surface, 5.0), f"no value  {count(color.missing)}"))
    if wrong:
        marks.append((_mark("none", theme.text, 7.0), f"predicted wrong  {count(wrong)}"))
    if size is not None:
        marks.append((_mark("none", "none", 5.0), f"Area: {_short(size.name)}"))
        for area, end in ((LEAST_AREA, size.low), (MOST_AREA, size.high)):
            marks.append((_mark(theme.secondary, theme.surface, diameter * area**0.5), number(end)))
    top = 1.0
    if isinstance(color, Numbers):
        top = 0.86
        scale = drawing.Scale(color.low, color.high, _short(color.color_name))
        drawing.scale_bar(axes, scale, theme, colormap=color.colormap(theme), at=(_BESIDE + 0.02, 0.95), width=0.2)
    if marks:
        title = color.name if isinstance(color, Groups) else None
        where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (_BESIDE, top), "alignment": "left"}
        where |= {"borderpad": 0, "borderaxespad": 0}
        drawing.explain(axes, *zip(*marks, strict=True), theme=theme, color=theme.text, title=title, **where)


def _mark(face: str, edge: str, size: float) -> Line2D:
    return Line2D([], [], linestyle="none", marker="o", markersize=size, markerfacecolor=face, markeredgecolor=edge)
