"""A matrix with names at its rows and columns, such as a confusion matrix of 2 to 1 000 classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nnwidgets.blocks.block import Array, Block, index_in
from nnwidgets.blocks.checks import numbers, one_of, set_field, text_names
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import (
    Scale,
    add_title,
    bare,
    letters_across,
    name_ticks,
    plain_axes,
    say,
    scale_bar,
    show,
    write,
)
from nnwidgets.words import FORMATS, Format, formatted

_MOST_WITH_NUMBERS = 20


@dataclass(frozen=True, eq=False)
class Matrix(Block):
    """A labelled matrix: numbers in the cells where they fit, else colours, with the numbers on hover.

    A click picks a row and a column.

    Args:
        values: (rows, columns); whole numbers are counts.
        rows, columns: names.
        unit: what the values are: "samples", "correlation".
        signed: whether the colours run from −max over zero to max; default: when values are negative.
        shares: colour by share of each "row" or each "column" in place of the values themselves, which must be ≥ 0.
        row_title, column_title: what rows and columns are: "label", "predicted".
        diagonal: whether the diagonal holds the expected cells: they are framed and left out of the colour scale, so
            that the others stand out. Default: when rows and columns have the same names.
        format: how values are written; default "count" for whole numbers, else "number".
        empty: shown when there are no cells.

    Raises:
        TypeError: no numbers.
        ValueError: another shape, another number of names, shares of negative values, a diagonal of no square.

    >>> matrix = Matrix([[90, 10], [3, 97]], ["cat", "dog"], ["cat", "dog"], unit="samples", shares="row")
    >>> matrix.diagonal, matrix.scale.high, matrix.words(0, 1)
    (True, 0.1, 'cat, dog · 10 of 100 (10\\u202f%)')
    """

    kind: ClassVar[str] = "matrix"
    local: ClassVar[tuple[str, ...]] = ("signed",)

    values: Array
    rows: Sequence[str]
    columns: Sequence[str]
    unit: str = ""
    signed: bool | None = None
    shares: Literal["row", "column"] | None = None
    row_title: str = ""
    column_title: str = ""
    diagonal: bool | None = None
    format: Format | None = None
    empty: str = "No values yet"

    class Packed:
        low: float
        high: float
        diagonal: bool
        format: Format

    @property
    def height(self) -> float:
        return 2.0

    def __post_init__(self) -> None:
        values = numbers("values", self.values, "rows", "columns")
        set_field(self, "values", values)
        set_field(self, "rows", text_names("rows", self.rows, values.shape[0]))
        set_field(self, "columns", text_names("columns", self.columns, values.shape[1]))
        square = tuple(self.rows) == tuple(self.columns)
        if self.diagonal and values.shape[0] != values.shape[1]:
            raise ValueError(f"diagonal: expected a square matrix, got shape {values.shape}")
        set_field(self, "diagonal", square if self.diagonal is None else bool(self.diagonal))
        if self.shares is not None:
            one_of("shares", self.shares, ("row", "column"))
            if (values < 0).any():
                raise ValueError("shares: expected values of at least 0, got negative ones, which have no share")
        set_field(self, "format", self.format or ("count" if values.dtype.kind in "iu" else "number"))
        one_of("format", self.format, FORMATS)

    @property
    def colored(self) -> Array:
        """(rows, columns): what the colours show, values or shares; of an empty row or column 0."""
        if self.shares is None:
            return self.values.astype(float)
        sums = self.values.sum(axis=1 if self.shares == "row" else 0, keepdims=True, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(sums == 0, 0.0, self.values / sums)

    @property
    def scale(self) -> Scale:
        """What the colours mean; of a matrix with a diagonal, by the cells off it."""
        colored = self.colored
        if self.diagonal and colored.size > 1:
            colored = colored[~np.eye(len(colored), dtype=bool)]
        unit = f"share of {self.shares}" if self.shares else self.unit
        return Scale.of(colored, unit, signed=self.signed)

    def words(self, row: int, column: int) -> str:
        """One cell in words."""
        value = formatted(float(self.values[row, column]), self._format)
        names = (f"{self.row_title} {self.rows[row]}", f"{self.column_title} {self.columns[column]}")
        place = ", ".join(name.strip() for name in names)
        if self.shares is None:
            return f"{place} · {value} {self.unit}".rstrip()
        line = self.values[row] if self.shares == "row" else self.values[:, column]
        share = formatted(float(self.colored[row, column]), "percent")
        return f"{place} · {value} of {formatted(float(line.sum()), self._format)} ({share})"

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        scale = self.scale
        return self._packed(values=_narrow(self.values), low=scale.low, high=scale.high)

    def where(self, value: Any) -> tuple[int, int]:
        """(row, column)"""
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise ValueError(f"click: expected a row and a column, got {value!r}")
        rows, columns = self.values.shape
        return index_in("row", value[0], rows), index_in("column", value[1], columns)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        add_title(axes, self.title, theme, self.note)
        if not self.values.size:
            return say(axes, self.empty, theme)
        bare(axes, theme)
        plain_axes(axes, theme, x=self.column_title, y=self.row_title)
        colored, scale = self.colored, self.scale
        expected = np.eye(len(colored), dtype=bool) if self.diagonal else np.zeros(colored.shape, dtype=bool)
        show(axes, np.where(expected & np.isfinite(colored), 0.0, colored), scale, theme)
        wide, room = colored.shape[0] != colored.shape[1], 8
        if wide:
            axes.set_aspect("auto")  # a few columns are as wide as many
            room = max(room, letters_across(axes) // colored.shape[1])
        for place in np.flatnonzero(expected.any(axis=1)) if len(colored) <= _MOST_WITH_NUMBERS else ():
            frame = Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, linewidth=0.6, edgecolor=theme.text)
            axes.add_patch(frame)
        if max(colored.shape) <= _MOST_WITH_NUMBERS:
            self._write_numbers(axes, colored, expected, scale, theme)
        name_ticks(axes.yaxis, self.rows, theme)
        name_ticks(axes.xaxis, self.columns, theme, letters=room)
        level = 2 if room == 8 else room
        axes.tick_params(axis="x", labelrotation=90 if max(map(len, self.columns), default=0) > level else 0)
        scale_bar(axes, scale, theme, at=(1.03, 0.96), width=0.2 if wide else 0.3)
        return None

    def _write_numbers(self, axes: Axes, colored: Array, expected: Array, scale: Scale, theme: Theme) -> None:
        """Numbers in the cells, in whichever of text and ground colour stands out from the cell's."""
        for row, column in np.ndindex(*colored.shape):
            strength = abs(colored[row, column]) / scale.high
            on_color = strength > 0.55 and not expected[row, column]
            color = theme.ground if on_color else theme.text
            words = formatted(float(self.values[row, column]), self._format)
            weight = "bold" if expected[row, column] else "normal"
            write(axes, column, row, words, color, ha="center", va="center", fontweight=weight)

    @property
    def _format(self) -> Format:
        return self.format or "number"


def _narrow(values: Array) -> Array:
    """Counts in as few bytes as they need; a page takes a million of them."""
    if values.dtype.kind not in "iu" or not values.size or values.dtype.itemsize == 1:
        return values
    low, high = int(values.min()), int(values.max())
    for dtype in (np.uint8, np.int16, np.uint16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype, copy=False)
    return values
