"""Samples as points in two or three dimensions: their classes, colours, sizes, and which of them are selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnwidgets.blocks import drawing
from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.checks import numbers, set_field, text_names, whole_numbers
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.marks import Groups, Numbers, add_legend, add_names, rings_of
from nnwidgets.blocks.metadata import NO_METADATA, ColumnHead, Metadata

STEPS = 32_000  # positions are sent as int16, this for 1
_REACH = 0.98  # the farthest coordinate, of the ±1 that positions are sent in

_DIAMETER, _SMALL_DIAMETER, _RING = 4.0, 2.2, 3.4  # points; of a ring what it is wider than its point
_MANY = 10_000  # points, from which on they are small

_OF_SOME = frozenset(("selected", "near"))  # the others are of all points
_CHECKS = dict.fromkeys(("samples", "labels", "predicted", "selected", "near"), whole_numbers)
_CHECKS |= dict.fromkeys(("confidence", "loss"), numbers)


@dataclass(frozen=True, eq=False)
class Points(Block):
    """Samples as points. A click on one, and a lasso round some, select samples for all views.

    Args:
        positions: (n, 2) or (n, 3) floats. All axes have one scale, and none is drawn: their place means nothing.
        samples: (n,) indices into the dataset, no two alike; points keep their identity by them.
        labels: (n,) classes, -1 for none.
        predicted: (n,) predicted classes, -1 for none. Points with another label are ringed, where less than
            15 % of all points are so.
        confidence: (n,) probability of the predicted class, NaN for none.
        loss: (n,) NaN for none.
        class_names: of all classes among labels and predictions.
        metadata: more columns, to colour, size, search and read.
        color: "class", "prediction", "correctness", "loss", "confidence" or a column's name.
        size: "equal", "loss", "confidence" or the name of a column of numbers.
        selected: (k,) indices into the dataset, also of samples that are no points here.
        sample: the one looked at, an index into the dataset.
        near: (k,) rows of the points that it is joined to by lines.
        trails: (steps, k, 2 or 3) where some points were before, oldest first, and last where they are.
        trail_rows: (k,) rows of these points.

    Raises:
        ValueError: arrays that are not one value for each point.
    """

    kind: ClassVar[str] = "points"
    local: ClassVar[tuple[str, ...]] = ("metadata",)

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

    class Packed:
        """positions: int16, 32 000 for one `unit`. trails: the same with `trails_unit`."""

        unit: float
        columns: Sequence[ColumnHead]
        codes: Array | None
        shares: Array | None
        trails_unit: float

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
    def _judged(self) -> NDArray[np.bool_]:
        """Which points (n,) have a label and a prediction."""
        if self.labels is None or self.predicted is None:
            return np.zeros(len(self.positions), dtype=bool)
        judged: NDArray[np.bool_] = (self.labels >= 0) & (self.predicted >= 0)
        return judged

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which points (n,) are predicted wrong."""
        wrong: NDArray[np.bool_] = self._judged & (self.labels != self.predicted)
        return wrong

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        positions, unit = _fixed_point(self.positions)
        trails, trails_unit = (None, 1.0) if self.trails is None else _fixed_point(self.trails)
        return self._packed(
            positions=positions,
            unit=unit,
            columns=self.metadata.heads,
            codes=self.metadata.codes,
            shares=self.metadata.shares,
            trails=trails,
            trails_unit=trails_unit,
        )

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
        by = self.color
        column = self.metadata.column(by)
        if column is not None and column.codes is not None:
            return Groups(by, column.codes.astype(np.int64), column.names, named=False)
        if by == "prediction" and column is None:
            return Groups("Prediction", *self._classes(self.predicted))
        if by == "correctness":
            codes = np.where(self._judged, self.wrong, -1).astype(np.int64)
            return Groups("Correctness", codes, ("correct", "wrong"), named=False)
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
        if rings_of(int(wrong.sum()), len(at)):
            around = (diameters[wrong] + _RING) ** 2
            on.scatter(*at[wrong].T, s=around, c="none", edgecolors=theme.text, linewidths=0.9, **plain)
        named = colors if isinstance(colors, Groups) else Groups("Class", *self._classes(self.labels))
        if not deep and named.named:
            add_names(on, at, named, theme)
        add_legend(on, colors, sizes, int(wrong.sum()), theme, points=len(at), diameter=_DIAMETER)

    def _numbers(self, by: str) -> Numbers | None:
        """The scale of this name, as on the page; None if the name stands for no numbers."""
        if by == "loss" and self.loss is not None:
            return Numbers.of(by, self.loss, low=0.0, root=True)
        if by == "confidence" and self.confidence is not None:
            return Numbers.of("probability", self.confidence, 0.0, 1.0)
        column = self.metadata.column(by)
        if column is None or column.numbers is None:
            return None
        return Numbers.of(by, column.numbers, *column.span)

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


def _in_three_dimensions(axes: Axes) -> Any:
    """Axes with depth in the place of these."""
    spec = axes.get_subplotspec()
    figure: Any = axes.figure
    add, place = (figure.add_axes, axes.get_position()) if spec is None else (figure.add_subplot, spec)
    deep = add(place, projection="3d", computed_zorder=False)  # rings stay above points
    axes.remove()
    return deep
