"""Distributions of values: one histogram, or several as ridges behind each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes

from nnwidgets.blocks.block import Array, Block, finite_span, index_in
from nnwidgets.blocks.checks import numbers, set_field, text_names, whole_numbers
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import SMALL, add_title, explain, name_ticks, plain_axes, say
from nnwidgets.words import plural

_MOST_BINS = 1000


@dataclass(frozen=True)
class Mark:
    """A value that a line points out, and what it is."""

    value: float
    text: str


def _none() -> Array:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Histogram(Block):
    """Counts of values by bin; a click picks a bin. Values that are not finite are counted, not drawn.

    Give `values`, or `counts` with `edges` where they are counted already.

    Args:
        values: (n,) float.
        bins: how many, all of one width.
        range: ends of the axis; default: the least and the largest finite value.
        unit: what the values are: "entropy", "loss".
        groups: (n,) which of `names` each value belongs to; the groups are stacked in the colours of the classes.
        names: of the groups.
        members: (n,) what each value belongs to, such as the index of its sample; see `members_in`.
        marks: values to point out: `Mark` or (value, text).
        log: whether counts start on a log scale; the page has a switch and remembers it.
        counts: (bins,) or (groups, bins) whole numbers.
        edges: (bins + 1,) rising.
        empty: shown when there are no values.

    Raises:
        TypeError: no numbers.
        ValueError: another shape, edges that do not rise, no bins, groups without names.

    >>> histogram = Histogram([0.0, 0.1, 0.9, 1.0, float("nan")], bins=2, members=[7, 8, 9, 10, 11])
    >>> histogram.counts.tolist(), histogram.missing, histogram.rows_in(1).tolist(), histogram.members_in(1).tolist()
    ([[2, 2]], 1, [2, 3], [9, 10])
    """

    kind: ClassVar[str] = "histogram"
    exact: ClassVar[tuple[str, ...]] = ("edges",)
    local: ClassVar[tuple[str, ...]] = ("values", "bins", "range", "groups", "members")

    values: Array = field(default_factory=_none)
    bins: int = 30
    range: tuple[float, float] | None = None
    unit: str = ""
    groups: Array | None = None
    names: Sequence[str] = ()
    members: Array | None = None
    marks: Sequence[Mark | tuple[float, str]] = ()
    log: bool = False
    counts: Array = field(default_factory=_none)
    edges: Array = field(default_factory=_none)
    empty: str = "No values yet"

    class Packed:
        marks: Sequence[Mark]
        missing: int
        outside: int

    def __post_init__(self) -> None:
        marks = tuple(each if isinstance(each, Mark) else Mark(float(each[0]), str(each[1])) for each in self.marks)
        set_field(self, "marks", marks)
        set_field(self, "values", numbers("values", self.values, "n"))
        size = (len(self.values),)
        for name in ("groups", "members"):
            if getattr(self, name) is not None:
                set_field(self, name, whole_numbers(name, getattr(self, name), "n", sizes=size))
        set_field(self, "names", text_names("names", self.names))
        if np.size(self.counts):
            self._take_counts()
        else:
            self._count()

    def _take_counts(self) -> None:
        if len(self.values):
            raise ValueError("counts: expected either values or counts with edges, got both")
        counts = np.atleast_2d(np.asarray(self.counts))
        set_field(self, "counts", whole_numbers("counts", counts, "groups", "bins"))
        set_field(self, "edges", numbers("edges", self.edges, "bins + 1", sizes=(self.counts.shape[1] + 1,)))
        _check_edges(self.edges)
        groups = len(self.counts)
        if len(self.names) != groups and (self.names or groups > 1):
            raise ValueError(f"names: expected one for each of {groups} groups, got {len(self.names)}")

    def _count(self) -> None:
        edges = bin_edges(self.values, self.bins, self.range)
        rows = np.zeros(len(self.values), dtype=np.int64) if self.groups is None else self.groups
        groups = len(self.names) if self.groups is not None else 1
        if self.groups is not None and len(rows) and (rows.min() < 0 or rows.max() >= groups):
            raise ValueError(f"groups: expected places in names, 0 to {groups - 1}, got {rows.min()} to {rows.max()}")
        at = bins_of(self.values, edges)
        inside = at >= 0
        flat = rows[inside] * self.bins + at[inside]
        counts = np.bincount(flat, minlength=groups * self.bins).reshape(groups, self.bins)
        set_field(self, "edges", edges)
        set_field(self, "counts", counts)

    @property
    def missing(self) -> int:
        """How many values are not finite."""
        return int((~np.isfinite(self.values)).sum())

    @property
    def outside(self) -> int:
        """How many finite values lie outside of `range`."""
        return int(len(self.values) - self.missing - self.counts.sum()) if len(self.values) else 0

    def rows_in(self, bin: int) -> Array:
        """Places in `values` of those in a bin, in order. A bin holds its lower edge, the last one both."""
        return np.flatnonzero(bins_of(self.values, self.edges) == bin)

    def members_in(self, bin: int) -> Array:
        """The members in a bin, by default their places in `values`."""
        rows = self.rows_in(bin)
        return rows if self.members is None else self.members[rows]

    def where(self, value: Any) -> tuple[int]:
        """(bin,)"""
        return (index_in("bin", value, self.counts.shape[1]),)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        add_title(axes, self.title, theme, self.note)
        if not self.counts.sum():
            return say(axes, _left_out(self.missing, self.outside) or self.empty, theme)
        plain_axes(axes, theme, x=self.unit, y="", grid="y")
        foot = np.zeros(self.counts.shape[1])
        for group, counts in enumerate(self.counts):
            color = theme.classes[group % len(theme.classes)] if self.names else theme.ink(0.6)
            label = self.names[group] if self.names else None
            widths = np.diff(self.edges)
            axes.bar(self.edges[:-1], counts, widths, bottom=foot, align="edge", color=color, label=label)
            foot = foot + counts
        if self.log:
            axes.set_yscale("log")
        for mark in self.marks:
            if isinstance(mark, Mark):
                axes.axvline(mark.value, color=theme.text, linewidth=0.8)
                axes.annotate(mark.text, (mark.value, 1.0), xycoords=("data", "axes fraction"), color=theme.text,
                              fontsize=SMALL, va="bottom", ha="center", parse_math=False)  # fmt: skip
        if self.names:
            explain(axes, theme=theme, color=theme.secondary)
        words = _left_out(self.missing, self.outside)
        if words:
            axes.set_xlabel(f"{self.unit}\n{words}".strip(), fontsize=SMALL, color=theme.secondary, parse_math=False)
        axes.set_xlim(self.edges[0], self.edges[-1])
        return None


@dataclass(frozen=True, eq=False)
class Ridges(Block):
    """Histograms with common bins behind each other: the first row at the back, the last in front.

    A click picks a row and a bin.

    Args:
        counts: (rows, bins) whole numbers or densities.
        edges: (bins + 1,) rising.
        names: of the rows: groups, layers or steps.
        unit: what the values are.
        row_title: what the rows are: "step", "layer".
        highlight: a row to stand out; default: the last.
        together: whether the rows start on one common scale, not each on its own; the page has a switch.
        missing: how many values are left out because they are not finite.
        empty: shown when there are no rows.

    Raises:
        TypeError: no numbers.
        ValueError: another shape, edges that do not rise, another number of names.

    >>> ridges = Ridges.of({"first": [0.0, 1.0], "second": [1.0, 1.0, 1.0]}, bins=2)
    >>> ridges.counts.tolist(), ridges.where([1, 0])
    ([[1, 1], [0, 3]], (1, 0))
    """

    kind: ClassVar[str] = "ridges"
    exact: ClassVar[tuple[str, ...]] = ("edges",)

    counts: Array
    edges: Array
    names: Sequence[str]
    unit: str = ""
    row_title: str = ""
    highlight: int | None = None
    together: bool = False
    missing: int = 0
    empty: str = "No values yet"

    def __post_init__(self) -> None:
        set_field(self, "counts", numbers("counts", self.counts, "rows", "bins"))
        set_field(self, "edges", numbers("edges", self.edges, "bins + 1", sizes=(self.counts.shape[1] + 1,)))
        _check_edges(self.edges)
        set_field(self, "names", text_names("names", self.names, len(self.counts)))
        if self.highlight is not None:
            index_in("highlight", self.highlight, len(self.counts))

    @classmethod
    def of(
        cls, rows: Mapping[str, Any], *, bins: int = 40, range: tuple[float, float] | None = None, **more: Any
    ) -> Ridges:
        """Count values by row: `rows` maps names to (n,) arrays; `more` are other fields."""
        values = [numbers(f"rows[{name!r}]", each, "n") for name, each in rows.items()]
        edges = bin_edges(np.concatenate([_none(), *values]), bins, range)
        counts = [np.histogram(each, edges)[0] for each in values]
        missing = sum(int((~np.isfinite(each)).sum()) for each in values)
        return cls(np.array(counts).reshape(len(values), bins), edges, tuple(rows), missing=missing, **more)

    def where(self, value: Any) -> tuple[int, int]:
        """(row, bin)"""
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise ValueError(f"click: expected a row and a bin, got {value!r}")
        rows, bins = self.counts.shape
        return index_in("row", value[0], rows), index_in("bin", value[1], bins)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        add_title(axes, self.title, theme, self.note)
        if not self.counts.size or not np.nansum(self.counts):
            return say(axes, self.empty, theme)
        plain_axes(axes, theme, x=self.unit, y=self.row_title)
        peaks = np.nanmax(self.counts, axis=1)
        peaks = np.full_like(peaks, peaks.max()) if self.together else peaks
        front = len(self.counts) - 1 if self.highlight is None else self.highlight
        for row, counts in enumerate(self.counts):
            heights = 1.6 * counts / (peaks[row] or 1)
            top = row - np.append(heights, heights[-1])
            axes.fill_between(self.edges, top, row, step="post", color=theme.surface, linewidth=0, zorder=2 + row)
            color = theme.brand if row == front else theme.secondary
            axes.step(self.edges, top, where="post", color=color, linewidth=1.0, zorder=2 + row)
        name_ticks(axes.yaxis, self.names, theme, most=12)
        axes.set_ylim(len(self.counts) - 0.5, -1.8)
        axes.set_xlim(self.edges[0], self.edges[-1])
        return None


def bin_edges(values: Array, bins: int, range: tuple[float, float] | None = None) -> Array:
    """(bins + 1,) edges of one width over the finite values, or over `range`; around a single value, half a unit off.

    Raises:
        TypeError: `bins` is no whole number.
        ValueError: `bins` is outside of 1 to 1 000, or `range` is no lower and higher end.
    """
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)):
        raise TypeError(f"bins: expected a whole number, got {bins!r}; for bins of your own give counts and edges")
    if not 1 <= bins <= _MOST_BINS:
        raise ValueError(f"bins: expected 1 to {_MOST_BINS}, got {bins}")
    if range is not None:
        low, high = (float(each) for each in range)
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(f"range: expected a lower and a higher end, got {range!r}")
    else:
        low, high = finite_span(values, (0.0, 1.0))
        if not low < high:
            low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def bins_of(values: Array, edges: Array) -> Array:
    """Which bin each value is in, -1 for none; the last bin holds its upper edge.

    >>> bins_of(np.array([0.0, 0.5, 1.0, 2.0, np.nan]), np.array([0.0, 0.5, 1.0])).tolist()
    [0, 1, 1, -1, -1]
    """
    at = np.searchsorted(edges, values, side="right") - 1
    at[values == edges[-1]] = len(edges) - 2
    at[~((values >= edges[0]) & (values <= edges[-1]))] = -1
    return at


def _left_out(missing: int, outside: int) -> str:
    """Words for values that are in no bin."""
    told = ((missing, "not finite"), (outside, "outside"))
    return ", ".join(f"{plural(amount, 'value')} {how}" for amount, how in told if amount)


def _check_edges(edges: Array) -> None:
    if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        raise ValueError("edges: expected finite numbers that rise, one more than bins")
