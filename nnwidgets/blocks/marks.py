"""What the colours, rings and sizes of points mean: groups with names, or numbers on a scale; names and a legend.

The rules are those of the page (js/src/blocks/points/looks.ts), so that a figure shows what the view does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from nnwidgets.blocks import drawing
from nnwidgets.blocks.block import finite_span
from nnwidgets.blocks.colors import Theme
from nnwidgets.blocks.looks import LEAST_AREA, MOST_AREA, MOST_GROUPS, MOST_RINGED
from nnwidgets.words import count, number, shortened

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

_NAME, _NAME_EMS = 8.5, 0.65  # points; width of a bold letter
_CANDIDATES = 64  # for the middle of a group; among more it is hardly another
_short = partial(shortened, most=24)
_BESIDE = 1.02  # where the legend begins, in widths of the axes


@dataclass(frozen=True, eq=False)
class Groups:
    """Points in groups.

    name: what the groups are.   codes: (n,) into `names`, -1 for none.   named: whether a name says where a group lies.
    """

    name: str
    codes: Codes
    names: Sequence[str]
    named: bool = True

    @property
    def counts(self) -> Codes:
        """Points in each group, (groups,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))

    @property
    def coloured(self) -> Codes:
        """Groups that have points and a colour of their own, in their order: of more than twenty the largest.

        >>> Groups("letter", np.array([0, 2, -1]), "abc").coloured.tolist()
        [0, 2]
        """
        largest = np.argsort(-self.counts, kind="stable")[:MOST_GROUPS]
        return np.sort(largest[self.counts[largest] > 0])

    @property
    def missing(self) -> int:
        """How many points are in no group."""
        return int((self.codes < 0).sum())

    def swatch(self, group: int, theme: Theme) -> str:
        """The colour of a group."""
        return theme.classes[group % len(theme.classes)]

    def colors(self, theme: Theme) -> Array:
        """Red, green and blue of each point (n, 3), 0 to 1; the theme's secondary grey where it has no own colour."""
        palette = np.array([to_rgb(theme.secondary)] * (len(self.names) + 1))
        for group in self.coloured:
            palette[group] = to_rgb(self.swatch(int(group), theme))
        return palette[self.codes]


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number for each point, on a scale.

    name: what they are, with their unit if they have one.   values: (n,) float, NaN for none.   low, high: ends.
    root: colours go by the square root, for values of which most are small and a few many times the rest.
    """

    name: str
    values: Array
    low: float
    high: float
    root: bool = False

    @classmethod
    def of(
        cls, name: str, values: Array, low: float | None = None, high: float | None = None, *, root: bool = False
    ) -> Numbers:
        """On a scale between these ends, by default the smallest and the largest; symmetric if zero lies between.

        >>> scale = Numbers.of("change", np.array([-1.0, 3.0, np.nan]))
        >>> scale.low, scale.high, scale.missing
        (-3.0, 3.0, 1)
        """
        least, most = finite_span(values)
        low, high = least if low is None else low, most if high is None else high
        if low < 0 < high:
            low, high = min(low, -high), max(high, -low)
        return cls(name, values, low, high, root)

    @property
    def missing(self) -> int:
        """How many points have no value."""
        return int((~np.isfinite(self.values)).sum())

    def colormap(self, theme: Theme) -> ListedColormap:
        """The map of the scale: with a middle where zero lies inside."""
        return theme.mark_diverging if self.low < 0 < self.high else theme.mark_ink

    @property
    def color_name(self) -> str:
        """What a bar of the colours calls its scale."""
        return f"{self.name}, root scale" if self.root else self.name

    def colors(self, theme: Theme) -> Array:
        """Red, green and blue of each point (n, 3), 0 to 1; the theme's secondary grey where it has no value."""
        colormap = self.colormap(theme)
        shares = np.nan_to_num(self._shares())
        levels = np.round((np.sqrt(shares) if self.root else shares) * (colormap.N - 1)).astype(int)
        colors: Array = colormap(levels)[:, :3]
        colors[~np.isfinite(self.values)] = to_rgb(theme.secondary)
        return colors

    def areas(self) -> Array:
        """By how much the area of each point (n,) is multiplied; as small as can be without a value."""
        return LEAST_AREA + np.nan_to_num(self._shares()) * (MOST_AREA - LEAST_AREA)

    def _shares(self) -> Array:
        """How far each value is on the way from low to high, 0 to 1."""
        finite = np.where(np.isfinite(self.values), self.values, np.nan)
        if not self.high > self.low:
            return 0 * finite
        return np.clip((finite - self.low) / (self.high - self.low), 0, 1)


def rings_of(wrong: int, points: int) -> int:
    """How many rings are drawn round so many wrong points: all of them, or none where too many are wrong.

    >>> rings_of(74, 500), rings_of(75, 500)
    (74, 0)
    """
    return wrong if wrong < MOST_RINGED * points else 0


def unringed_text(wrong: int, points: int) -> str:
    """Why wrong points have no rings.

    >>> unringed_text(288, 500)
    '288 of 500 wrong: too many to ring'
    """
    return f"{count(wrong)} of {count(points)} wrong: too many to ring"


def add_names(axes: Axes, positions: Array, groups: Groups, theme: Theme) -> None:
    """Write the names of groups over their middles, the larger group first, where no other name stands already."""
    width, height = (0.7 * side / axes.figure.dpi * 72 for side in axes.figure.bbox.size)  # points, of which some
    extent = np.maximum(np.ptp(positions, axis=0), 1e-30)
    to_points = min(width / extent[0], height / extent[1])
    placed: list[tuple[Array, float]] = []
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
    axes: Axes, color: Groups | Numbers, size: Numbers | None, wrong: int, theme: Theme, *, points: int, diameter: float
) -> None:
    """Say beside so many points what their colours, rings and sizes mean."""
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
    if rings_of(wrong, points):
        marks.append((_mark("none", theme.text, 7.0), f"predicted wrong  {count(wrong)}"))
    elif wrong:
        marks.append((_mark("none", "none", 7.0), unringed_text(wrong, points)))
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
