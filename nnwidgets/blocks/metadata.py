"""What is known of points besides their classes: columns of numbers and of names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nnwidgets.blocks.block import Array, finite_span
from nnwidgets.words import count, number

SHARE_STEPS = 2**24  # numbers are sent as this for the whole way from low to high
_MOST_GROUPS = 1_000  # in a legend that can still be read


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
        return self.ends or finite_span(np.empty(0) if self.numbers is None else self.numbers)

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


def _shares(column: Column) -> NDArray[np.int32]:
    low, high = column.span
    values = np.asarray(column.numbers, dtype=np.float64)
    shares = np.round((values - low) / ((high - low) or 1.0) * SHARE_STEPS)
    return np.where(np.isfinite(values), shares, -1).astype(np.int32)
