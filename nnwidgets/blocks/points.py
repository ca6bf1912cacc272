"""Samples as points in two or three dimensions: their classes, colours, sizes, and which of them are selected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from nnwidgets.blocks import drawing
from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.checks import numbers, set_field, text_names, whole_numbers
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.looks import LEAST_AREA, MOST_AREA
from nnwidgets.blocks.marks import Groups, Numbers
from nnwidgets.blocks.packed import head, packed
from nnwidgets.words import count, number

__all__ = ["NO_METADATA", "Column", "Metadata", "Points"]

STEPS = 32_000  # positions are sent as int16, this for 1
SHARE_STEPS = 2**24  # numbers are sent as this for the whole way from low to high
_REACH = 0.98  # the farthest coordinate, of the ±1 that positions are sent in
_MOST_GROUPS = 1_000  # in a legend that can still be read

_DIAMETER, _SMALL_DIAMETER, _RING = 4.0, 2.2, 3.4  # points; of a ring what it is wider than its point
_MANY = 10_000  # points, from which on they are small
_NAME, _NAME_EMS = 8.5, 0.65  # points; width of a bold letter
_CANDIDATES = 64  # for the middle of a group; among more it is hardly another
_LONGEST_NAME = 24  # letters
_BESIDE = 1.02  # where the legend begins, in widths of the axes


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """One value for each point.

    name: what it is.
    numbers: (n,) floats, NaN where there is no value; None for texts.
    codes: (n,) whole numbers into `names`, -1 where there is no value; None for numbers on a scale.
    ends: of the scale, low and high; None for those of `numbers`.
    """

    name: str
    numbers: NDArray[np.float64] | None = None
    codes: NDArray[np.int32] | None = None
    names: tuple[str, ...] = ()
    ends: tuple[float, float] | None = None

    @property
    def can_color(self) -> bool:
        """Whether a legend of it can be read: a scale, or not too many names."""
        return self.codes is None or len(self.names) <= _MOST_GROUPS

    @cached_property
    def span(self) -> tuple[float, float]:
        """The least and the largest number, 0 and 0 without one; or the ends given."""
        known = self.numbers[np.isfinite(self.numbers)] if self.numbers is not None else np.empty(0)
        return self.ends or ((float(known.min()), float(known.max())) if known.size else (0.0, 0.0))

    def text(self, row: int) -> str:
        """A point's value in words, "" where it has none.

        >>> Column("age", np.array([20.0, 0.5, np.nan])).text(1)
        '0.500'
        """
        if self.codes is not None:
            return self.names[self.codes[row]] if self.codes[row] >= 0 else ""
        value = float("nan") if self.numbers is None else float(self.numbers[row])
        if not np.isfinite(value):
            return ""
        return count(int(value)) if value.is_integer() else number(value)

    def of_rows(self, rows: Sequence[int]) -> Column:
        """The column of some of the points; numbers stay on the same scale."""
        numbers = None if self.numbers is None else self.numbers[rows]
        codes = None if self.codes is None else self.codes[rows]
        return Column(self.name, numbers, codes, self.names, self.span)


@dataclass(frozen=True)
class ColumnHead:
    """What the page gets of a column. Names are a JSON list in one text, as they may be one for each point.

    codes, shares: its rows in the arrays of these names.
    """

    name: str
    names: str
    low: float
    high: float
    codes: int | None = None
    shares: int | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Metadata:
    """What else is known of the points: columns of different names, each (n,)."""

    columns: tuple[Column, ...] = ()

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)

    @cached_property
    def heads(self) -> tuple[ColumnHead, ...]:
        """Names and scales of the columns."""
        heads: list[ColumnHead] = []
        codes = shares = 0
        for column in self.columns:
            coded, scaled = column.codes is not None, column.numbers is not None
            place = codes if coded else None, shares if scaled else None
            heads.append(ColumnHead(column.name, json.dumps(column.names), *column.span, *place))
            codes, shares = codes + coded, shares + scaled
        return tuple(heads)

    @cached_property
    def codes(self) -> Array | None:
        """Codes of the columns that have names, (columns, n)."""
        coded = [column.codes for column in self.columns if column.codes is not None]
        return np.stack(coded).astype(np.int32) if coded else None

    @cached_property
    def shares(self) -> Array | None:
        """Where the numbers lie between low and high, (columns, n) int32 from 0 to 2²⁴; -1 without a number.

        To 24 bits, as people read the numbers: seconds of a year in times of day and year.
        """
        scaled = [column for column in self.columns if column.numbers is not None]
        return np.stack([_shares(column) for column in scaled]) if scaled else None


NO_METADATA = Metadata()

_OF_SOME = frozenset(("selected", "near"))  # the others are of all points
_CHECKS = {
    "samples": whole_numbers,
    "labels": whole_numbers,
    "predicted": whole_numbers,
    "confidence": numbers,
    "loss": numbers,
    "selected": whole_numbers,
    "near": whole_numbers,
}


@dataclass(frozen=True, eq=False)
class Points(Block):
    """Samples as points. A click on one, and a lasso round some, select samples for all views.

    Args:
        positions: (n, 2) or (n, 3) floats. All axes have one scale, and none is drawn: their place means nothing.
        samples: (n,) indices into the dataset, no two alike; points keep their identity by them.
        labels: (n,) classes, -1 for none.
        predicted: (n,) what the model takes the samples for, -1 for none. Points with another label are ringed.
        confidence: (n,) probability of the predicted class, NaN for none.
        loss: (n,) NaN for none.
        class_names: of all classes among labels and predictions.
        metadata: more columns, to colour, size, search and read.
        color: "class", "prediction", "correctness", "loss", "confidence" or a column's name.
        size: "equal", "loss", "confidence" or the name of a column of numbers.
        selected: (k,) indices into the dataset, also of samples that are no points here.
        sample: the one looked at, an index into the dataset.
        near: (k,) rows of the points that lines lead to from that sample.
        trails: (steps, k, 2 or 3) where some points were before, oldest first, and last where they are.
        trail_rows: (k,) rows of these points.

    Raises:
        ValueError: arrays that are not one value for each point.
    """

    kind: ClassVar[str] = "points"

    positions: Array
    samples: Array
    labels: Array | None = None
    predicted: Array | None = None
    confidence: Array | None = None
    loss: Array | None = None
    class_names: Sequence[str] = ()
    metadata: Metadata = NO_METADATA
    color: str = "class"
    size: str = "equal"
    selected: Array | None = None
    sample: int | None = None
    near: Array | None = None
    trails: Array | None = None
    trail_rows: Array | None = None

    @dataclass(frozen=True, eq=False)
    class Packed:
        """positions: int16, 32 000 for one `unit`. trails: the same with `trails_unit`. The rest as in `Points`."""

        positions: Array
        unit: float
        samples: Array
        labels: Array | None
        predicted: Array | None
        confidence: Array | None
        loss: Array | None
        class_names: Sequence[str]
        columns: Sequence[ColumnHead]
        codes: Array | None
        shares: Array | None
        color: str
        size: str
        selected: Array | None
        sample: int | None
        near: Array | None
        trails: Array | None
        trails_unit: float
        trail_rows: Array | None

    @property
    def height(self) -> float:
        return 2.0

    def __post_init__(self) -> None:
        positions = numbers("positions", self.positions, "points", "axes")
        n, dims = positions.shape
        if dims not in (2, 3) or not np.isfinite(positions).all():
            raise ValueError(f"positions: expected finite numbers, (n, 2) or (n, 3), got shape {positions.shape}")
        set_field(self, "positions", positions)
        for name, check in _CHECKS.items():
            values = getattr(self, name)
            if values is not None:
                set_field(self, name, check(name, values, "points", sizes=() if name in _OF_SOME else (n,)))
        if self.trails is not None:
            trails = numbers("trails", self.trails, "steps", "rows", "axes", sizes=(None, None, dims))
            rows = whole_numbers("trail_rows", self.trail_rows, "rows", sizes=(trails.shape[1],))
            set_field(self, "trails", trails)
            set_field(self, "trail_rows", rows)
        set_field(self, "class_names", text_names("class_names", self.class_names))
        for column in self.metadata.columns:
            for values in (column.numbers, column.codes):
                if values is not None and values.shape != (n,):
                    raise ValueError(
                        f"metadata {column.name!r}: expected one value for each of {n} points, got shape {values.shape}"
                    )

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which points (n,) are taken for another class than theirs."""
        if self.labels is None or self.predicted is None:
            return np.zeros(len(self.positions), dtype=bool)
        wrong: NDArray[np.bool_] = (self.labels >= 0) & (self.predicted >= 0) & (self.labels != self.predicted)
        return wrong

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        positions, unit = _fixed_point(self.positions)
        trails, trails_unit = (None, 1.0) if self.trails is None else _fixed_point(self.trails)
        same = "samples", "labels", "predicted", "confidence", "loss", "class_names", "color", "size"
        more = "selected", "sample", "near", "trail_rows"
        return {
            **head(self),
            **packed(
                self.Packed(
                    positions=positions,
                    unit=unit,
                    columns=self.metadata.heads,
                    codes=self.metadata.codes,
                    shares=self.metadata.shares,
                    trails=trails,
                    trails_unit=trails_unit,
                    **{name: getattr(self, name) for name in (*same, *more)},
                )
            ),
        }

    def where(self, value: Any) -> tuple[Any, ...]:
        """("sample", index) of a point clicked, or ("samples", indices) of all that are to be selected."""
        if isinstance(value, Mapping) and len(value) == 1:
            if _is_index(value.get("sample")):
                return "sample", value["sample"]
            chosen = value.get("samples")
            if isinstance(chosen, (list, tuple)) and all(_is_index(each) for each in chosen):
                return "samples", tuple(chosen)
        raise ValueError(f"click: expected a sample or samples, whole numbers from 0, got {value!r:.80}")

    @cached_property
    def colors(self) -> Groups | Numbers:
        """What colours the points; their classes where `color` is none of the choices."""
        n, by = len(self.positions), self.color
        column = self.metadata.column(by)
        if column is not None and column.codes is not None:
            return Groups(by, column.codes.astype(np.int64), column.names, named=False)
        if by == "prediction":
            return Groups("Prediction", *self._classes(self.predicted))
        if by == "correctness":
            known = np.zeros(n, dtype=bool)
            if self.labels is not None and self.predicted is not None:
                known = (self.labels >= 0) & (self.predicted >= 0)
            codes = np.where(known, self.wrong, -1).astype(np.int64)
            return Groups("Correctness", codes, ("right", "wrong"), named=False)
        return self._numbers(by) or Groups("Class", *self._classes(self.labels))

    @cached_property
    def sizes(self) -> Numbers | None:
        """What the area of the points grows with; None for points of one size."""
        return self._numbers(self.size)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        """Points in their colours, rings round those predicted wrong, the legend beside the axes.

        A flat map has the names of the groups on it, each in its group's middle, as far as they have room. Colours are
        those of the page: ten for up to twenty groups, grey for those beyond the twenty largest, and for points without
        a group or a value. Axes for a cloud in three dimensions take the place of those given.
        """
        deep = self.positions.shape[1] == 3
        on: Any = _in_three_dimensions(axes) if deep else axes
        plain: dict[str, Any] = {"depthshade": False} if deep else {}  # colour means the class, not the distance
        drawing.bare(on, theme)
        drawing.add_title(on, self.title, theme, self.note)
        if deep:
            on.set_axis_off()  # walls and the third axis
        on.set_aspect("equal", adjustable="box" if deep else "datalim")
        colors, sizes, wrong, at = self.colors, self.sizes, self.wrong, self.positions
        usual = _DIAMETER if len(at) <= _MANY else _SMALL_DIAMETER
        diameters = usual * (np.sqrt(sizes.areas()) if sizes is not None else np.ones(len(at)))
        fill = colors.colors(theme)
        on.scatter(*at.T, s=diameters**2, c=fill, edgecolors=theme.surface, linewidths=0.5, **plain)
        if wrong.any():
            around = (diameters[wrong] + _RING) ** 2
            on.scatter(*at[wrong].T, s=around, c="none", edgecolors=theme.text, linewidths=0.9, **plain)
        named = colors if isinstance(colors, Groups) else Groups("Class", *self._classes(self.labels))
        if not deep and named.named:
            _add_names(on, at, named, theme)
        _add_legend(on, colors, sizes, int(wrong.sum()), theme)

    def _numbers(self, by: str) -> Numbers | None:
        """The scale of this name as the page has it; None where a name says no numbers."""
        if by == "loss" and self.loss is not None:
            return replace(Numbers.of(by, self.loss, low=0.0), root=True)
        if by == "confidence" and self.confidence is not None:
            return Numbers.of("probability", self.confidence, low=0.0, high=1.0)
        column = self.metadata.column(by)
        if column is None or column.numbers is None:
            return None
        low, high = column.span
        if low < 0 < high:
            low, high = min(low, -high), max(high, -low)
        return Numbers(by, column.numbers, low, high)

    def _classes(self, codes: Array | None) -> tuple[NDArray[np.int64], Sequence[str]]:
        """Codes and names up to the last class among them."""
        if codes is None:
            codes = np.full(len(self.positions), -1)
        classes = int(codes.max(initial=-1)) + 1
        names = [*self.class_names[:classes], *map(str, range(len(self.class_names), classes))]
        return codes.astype(np.int64), names


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _fixed_point(values: Array) -> tuple[Array, float]:
    """Finite values as int16, and what 32 000 stands for.

    >>> _fixed_point(np.array([0.0, -0.98]))
    (array([     0, -31360], dtype=int16), 1.0)
    """
    unit = (float(np.abs(values).max(initial=0.0)) or 1.0) / _REACH
    return (values / unit * STEPS).round().astype(np.int16), unit


def _shares(column: Column) -> NDArray[np.int32]:
    low, high = column.span
    values = np.asarray(column.numbers, dtype=np.float64)
    shares = np.round((values - low) / ((high - low) or 1.0) * SHARE_STEPS)
    return np.where(np.isfinite(values), shares, -1).astype(np.int32)


def _in_three_dimensions(axes: Axes) -> Any:
    """Axes with depth in the place of these."""
    spec = axes.get_subplotspec()
    figure: Any = axes.figure
    where = figure.add_subplot if spec is not None else figure.add_axes
    deep = where(
        spec if spec is not None else axes.get_position(),
        projection="3d",
        computed_zorder=False,  # rings stay above points
    )
    axes.remove()
    return deep


def _add_names(axes: Axes, positions: Array, groups: Groups, theme: Theme) -> None:
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
        drawing.write(
            axes, x, y, name, theme.text, size=_NAME, ha="center", va="center", weight="bold", path_effects=halo
        )


def _medoid(positions: Array, rows: NDArray[np.intp]) -> int:
    """The row, of up to 64 of these, that is nearest to the others."""
    few = rows[:: -(-len(rows) // _CANDIDATES)]
    apart = np.linalg.norm(positions[few, None] - positions[None, few], axis=-1)
    return int(few[apart.sum(axis=1).argmin()])


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 9]}…{name[-8:]}"


def _add_legend(axes: Axes, color: Groups | Numbers, size: Numbers | None, wrong: int, theme: Theme) -> None:
    """Say beside the points what their colours, rings and sizes mean."""
    marks: list[tuple[Line2D, str]] = []
    if isinstance(color, Groups):
        counts, coloured = color.counts, color.coloured
        marks += [
            (_mark(color.swatch(int(each), theme), theme.surface, 5.0), f"{_shortened(color.names[each])}  {n}")
            for each, n in zip(coloured, map(count, counts[coloured].tolist()), strict=True)
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
        scale = drawing.Scale(color.low, color.high, _shortened(color.color_name))
        drawing.scale_bar(axes, scale, theme, colormap=color.colormap(theme), at=(_BESIDE + 0.02, 0.95), width=0.2)
    if marks:
        _write_legend(axes, marks, color.name if isinstance(color, Groups) else "", top, theme)


def _rest(counts: NDArray[np.int64], coloured: NDArray[np.int64]) -> str:
    return count(int(counts.sum() - counts[coloured].sum()))


def _write_legend(axes: Axes, marks: list[tuple[Line2D, str]], title: str, top: float, theme: Theme) -> None:
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
