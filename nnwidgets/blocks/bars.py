"""Named values as horizontal bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from matplotlib.axes import Axes

from nnwidgets.blocks.block import Array, Block, finite_span, index_in
from nnwidgets.blocks.checks import numbers, one_of, set_field, text_names
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import MOST_NAMES, SMALL, add_title, name_ticks, plain_axes, say
from nnwidgets.blocks.looks import MOST_ROWS
from nnwidgets.blocks.tiles import order_of
from nnwidgets.words import FORMATS, Format, formatted


@dataclass(frozen=True, eq=False)
class Bars(Block):
    """One horizontal bar for each value, with its name and its number; a click picks one.

    Bars start at zero, or at the end of the axis if zero lies outside; values that are not finite have a number and no
    bar. A page shows the first 1 000.

    Args:
        values: (bars,) float.
        names: one for each.
        unit: what the values are: "accuracy", "probability".
        low, high: ends of the axis; default: the least and the largest of values, intervals and zero.
        order: as given, or by value. A click names a bar by its place as given.
        spread: (2, bars), lower and upper end of an interval around each value, drawn as whiskers.
        reference: a value to compare with, drawn as a line across all bars; `reference_name` says what it is.
        format: how the numbers are written: "number", "share", "percent", "count", "loss" or "signed".
        empty: shown when there are no bars.

    Raises:
        TypeError: no numbers.
        ValueError: another shape, another number of names, unknown `order` or `format`, `low` not below `high`.

    >>> bars = Bars([0.9, 0.4], ["cat", "dog"], unit="accuracy", order="ascending")
    >>> bars.places.tolist(), bars.where(1)
    ([1, 0], (1,))
    """

    kind: ClassVar[str] = "bars"
    exact: ClassVar[tuple[str, ...]] = ("values", "spread")
    local: ClassVar[tuple[str, ...]] = ("order",)

    values: Array
    names: Sequence[str]
    unit: str = ""
    low: float | None = None
    high: float | None = None
    order: Literal["given", "ascending", "descending"] = "given"
    spread: Array | None = None
    reference: float | None = None
    reference_name: str = ""
    format: Format = "number"
    empty: str = "No values yet"

    class Packed:
        places: Array  # bars in the order on show
        low: float
        high: float

    def __post_init__(self) -> None:
        set_field(self, "values", numbers("values", self.values, "bars"))
        set_field(self, "names", text_names("names", self.names, len(self.values)))
        if self.spread is not None:
            set_field(self, "spread", numbers("spread", self.spread, "ends", "bars", sizes=(2, len(self.values))))
        one_of("order", self.order, ("given", "ascending", "descending"))
        one_of("format", self.format, FORMATS)
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low: expected a number below high ({self.high}), got {self.low}")

    @property
    def places(self) -> Array:
        """(bars,) int32: the bars from top to bottom; ties stay in order, NaN comes last."""
        if self.order == "given":
            return np.arange(len(self.values), dtype=np.int32)
        return order_of(self.values, descending=self.order == "descending")

    @property
    def ends(self) -> tuple[float, float]:
        """Where the axis begins and ends."""
        parts = [np.ravel(self.values), [0.0] if self.reference is None else [0.0, self.reference]]
        everything = np.concatenate([*parts, [] if self.spread is None else np.ravel(self.spread)])
        least, most = finite_span(everything)
        low, high = least if self.low is None else self.low, most if self.high is None else self.high
        return low, high if high > low else low + 1.0

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        low, high = self.ends
        return self._packed(places=self.places[:MOST_ROWS], low=low, high=high)

    def where(self, value: Any) -> tuple[int]:
        """(bar,): its place in `values`."""
        return (index_in("bar", value, len(self.values)),)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        add_title(axes, self.title, theme, self.note)
        if not len(self.values):
            return say(axes, self.empty, theme)
        places, (low, high) = self.places[:MOST_ROWS], self.ends
        base = min(max(0.0, low), high)
        values = np.where(np.isfinite(self.values), np.clip(self.values, low, high), base)[places]
        rows = np.arange(len(places))
        plain_axes(axes, theme, x=self.unit, grid="x")
        axes.barh(rows, values - base, left=base, height=0.6, color=theme.ink(0.6))
        if self.spread is not None:
            lower, upper = self.spread[:, places]
            axes.hlines(rows, lower, upper, color=theme.text, linewidth=1.0)
        if self.reference is not None:
            axes.axvline(self.reference, color=theme.secondary, linewidth=0.8, linestyle=(0, (4, 3)))
        name_ticks(axes.yaxis, [self.names[place] for place in places], theme, letters=26)
        for row, place in enumerate(places if len(places) <= MOST_NAMES else ()):
            words = formatted(float(self.values[place]), self.format)
            axes.annotate(words, (1.01, row), xycoords=("axes fraction", "data"), color=theme.text, fontsize=SMALL,
                          va="center", annotation_clip=False)  # fmt: skip
        axes.set_xlim(low, high)
        axes.set_ylim(len(places) - 0.5, -0.5)
        return None
