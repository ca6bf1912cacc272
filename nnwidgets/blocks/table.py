"""Rows of numbers and words under named columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from matplotlib.axes import Axes

from nnwidgets.blocks.block import Array, Block, index_in
from nnwidgets.blocks.checks import choice_of, one_of, set_field, text_names, whole_numbers
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import SMALL, add_title, bare, say
from nnwidgets.blocks.looks import MOST_ROWS
from nnwidgets.blocks.tiles import order_of
from nnwidgets.words import FORMATS, Format, count, formatted, shortened

_MOST_DRAWN = 30


@dataclass(frozen=True)
class Column:
    """A column as the page gets it: its texts, or which row of `numbers` it is and how those are written."""

    name: str
    format: Format | Literal["text"]
    number: int | None = None
    texts: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class Table(Block):
    """A table that the page sorts by a click on a column's name; a click on a row picks it.

    A page shows the first 1 000 rows in the order of `sort` and says so.

    Args:
        columns: values of one length by the column's name: (rows,) numbers, or strings.
        samples: (rows,) indices of the samples that rows are about; the selected one is marked.
        sort: the column that rows are sorted by at first; default: as given.
        descending: whether the largest come first; NaN is last either way.
        formats: how numbers are written, by column: "number" (three significant digits), "count", "share", "loss",
            "percent" or "signed"; default "count" for whole numbers, else "number".
        empty: shown when there are no rows.

    Raises:
        TypeError: a column that is no sequence.
        ValueError: columns of several lengths, or an unknown format.
        KeyError: `sort` or a name in `formats` is no column.

    >>> table = Table({"class": ["cat", "dog"], "F1": [0.91, 0.97]}, sort="F1", formats={"F1": "share"})
    >>> table.order.tolist(), table.texts("F1")
    ([1, 0], ['0.91', '0.97'])
    """

    kind: ClassVar[str] = "table"
    exact: ClassVar[tuple[str, ...]] = ("numbers",)
    local: ClassVar[tuple[str, ...]] = ("formats",)

    columns: Mapping[str, Any]
    samples: Array | None = None
    sort: str | None = None
    descending: bool = True
    formats: Mapping[str, Format] = field(default_factory=dict)
    empty: str = "No rows"

    class Packed:
        columns: Sequence[Column]
        numbers: Array  # (columns of numbers, rows)
        rows: Array  # which row of all each is
        total: int

    def __post_init__(self) -> None:
        if not isinstance(self.columns, Mapping):
            raise TypeError(f"columns: expected values by name, got {type(self.columns).__name__}")
        columns = {str(name): _column(str(name), values) for name, values in self.columns.items()}
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ValueError(f"columns: expected one length, got {told}")
        set_field(self, "columns", columns)
        if self.samples is not None:
            set_field(self, "samples", whole_numbers("samples", self.samples, "rows", sizes=(len(self),)))
        if self.sort is not None:
            choice_of("sort", self.sort, list(columns))
        set_field(self, "formats", dict(self.formats or {}))
        for name, format in self.formats.items():
            choice_of("formats", name, list(columns))
            one_of(f"formats[{name!r}]", format, FORMATS)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def __bool__(self) -> bool:
        return True  # a table without rows is a table

    @property
    def order(self) -> Array:
        """(rows,) int32: rows by `sort`; ties stay in order, NaN comes last."""
        if self.sort is None:
            return np.arange(len(self), dtype=np.int32)
        values = self.columns[self.sort]
        if isinstance(values, tuple):
            values = np.unique(np.array([text.casefold() for text in values], dtype=np.str_), return_inverse=True)[1]
        return order_of(values, descending=self.descending)

    def format_of(self, name: str) -> Format | Literal["text"]:
        """How a column is written."""
        values = self.columns[name]
        if isinstance(values, tuple):
            return "text"
        return self.formats.get(name) or ("count" if values.dtype.kind in "iu" else "number")

    def texts(self, name: str, rows: Iterable[int] | None = None) -> list[str]:
        """The cells of a column in words, by default all."""
        values, format = self.columns[name], self.format_of(name)
        chosen = range(len(values)) if rows is None else rows
        if format == "text":
            return [values[row] for row in chosen]
        return [formatted(float(values[row]), format) for row in chosen]

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        rows = self.order[:MOST_ROWS]
        numeric = [name for name in self.columns if self.format_of(name) != "text"]
        columns = []
        for name in self.columns:
            if name in numeric:
                columns.append(Column(name, self.format_of(name), number=numeric.index(name)))
            else:
                columns.append(Column(name, "text", texts=self.texts(name, rows)))
        table = [np.asarray(self.columns[name], dtype=np.float64)[rows] for name in numeric]
        return self._packed(
            columns=columns,
            numbers=np.array(table).reshape(len(numeric), len(rows)),
            rows=rows,
            samples=None if self.samples is None else self.samples[rows],
            total=len(self),
        )

    def where(self, value: Any) -> tuple[int]:
        """(row,): its place in the columns as given."""
        return (index_in("row", value, len(self)),)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        """Draw the first rows in the order of `sort`."""
        add_title(axes, self.title, theme, self.note)
        rows = self.order[:_MOST_DRAWN]
        if not len(rows):
            return say(axes, self.empty, theme)
        bare(axes, theme)
        cells = [[shortened(text, 24) for text in self.texts(name, rows)] for name in self.columns]
        table = axes.table(
            cellText=[list(row) for row in zip(*cells, strict=True)],
            colLabels=list(self.columns),
            loc="upper left",
            cellLoc="right",
            edges="horizontal",
        )
        table.auto_set_font_size(False)
        table.set_fontsize(SMALL)
        table.auto_set_column_width(list(range(len(self.columns))))
        for (row, column), cell in table.get_celld().items():
            cell.set_edgecolor(theme.line)
            text = cell.get_text()
            text.set_parse_math(False)
            text.set_color(theme.secondary if row == 0 else theme.text)
            if self.format_of(list(self.columns)[column]) == "text":
                text.set_horizontalalignment("left")
        if len(self) > len(rows):
            words = f"first {count(len(rows))} of {count(len(self))}"
            axes.set_xlabel(words, loc="left", fontsize=SMALL, color=theme.secondary)
        return None


def _column(name: str, values: Any) -> Any:
    """Numbers as an array, yes and no and everything else as strings."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"columns[{name!r}]: expected a sequence, got {values!r}")
    if isinstance(values, tuple) and all(type(each) is str for each in values):
        return values
    words = isinstance(values, (list, tuple)) and any(each is None or isinstance(each, (str, bytes)) for each in values)
    array = np.array(values, dtype=object) if words else np.asarray(values)  # words among numbers make all words
    if array.ndim != 1:
        raise ValueError(f"columns[{name!r}]: expected shape (rows,), got {array.shape}")
    if array.dtype == np.bool_:
        return tuple("yes" if each else "no" for each in array)
    if array.dtype.kind in "iuf":
        return array
    return text_names(f"columns[{name!r}]", ["" if each is None else each for each in array.tolist()])
