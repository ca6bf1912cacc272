"""Samples side by side: their pictures with a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes

from nnwidgets.blocks.block import Array, Block, index_in
from nnwidgets.blocks.checks import set_field, text_names, whole_numbers
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import NORMAL, SMALL, add_title, bare, say, write
from nnwidgets.words import count, number, shortened

_ACROSS = 12


@dataclass(frozen=True, eq=False)
class Strip(Block):
    """Samples as small pictures, or as cards of words where they have none; a click picks one.

    Args:
        pictures: (shown, height, width) or (shown, height, width, 3) uint8, or None.
        labels: (shown,) what each is.
        samples: (n,) indices of the samples, n ≥ shown; the others are shown as "+n".
        predicted: (shown,) predictions; one that differs from the label stands out. Empty: none.
        values: (shown,) one more value each: strings, or numbers written with three significant digits.
        value_name: what those are, for hover: "loss", "distance".
        wrap: whether the strip wraps into further lines; else it shows what fits into one.
        selection: whether these are the samples selected in all views: then "Copy indices" and "Clear" stand beside.
        tab: the name of a tab: strips of a view that have one share a place on the page, where one is seen at a time.
            One whose name changes comes to the front.
        empty: shown when there are no samples; what follows a line break explains it.

    Raises:
        TypeError: pictures that aren't uint8, samples that aren't whole numbers.
        ValueError: other shapes or lengths.

    >>> strip = Strip(None, ["7", "1"], [4711, 12, 30], predicted=["7", "9"], values=[0.02, 3.1], value_name="loss")
    >>> strip.words(1), strip.more
    ('Sample 12: label 1, predicted 9, loss 3.10', 1)
    """

    kind: ClassVar[str] = "strip"

    pictures: Array | None
    labels: Sequence[str]
    samples: Array
    predicted: Sequence[str] = ()
    values: Sequence[str | float] | Array = ()
    value_name: str = ""
    wrap: bool = False
    selection: bool = False
    empty: str = "No samples"
    tab: str = ""

    class Packed:
        values: Sequence[str]

    @property
    def height(self) -> float:
        """An empty strip is left out: what it says is about the page."""
        return 0.4 if len(self.samples) else 0.0

    def __post_init__(self) -> None:
        set_field(self, "labels", text_names("labels", self.labels))
        shown = len(self.labels)
        set_field(self, "samples", whole_numbers("samples", self.samples, "n"))
        if len(self.samples) < shown:
            raise ValueError(f"samples: expected at least one for each of {shown} labels, got {len(self.samples)}")
        words = [each if isinstance(each, str) else number(float(each)) for each in self.values]
        for name, given in (("predicted", self.predicted), ("values", words)):
            set_field(self, name, text_names(name, given, shown) if len(given) else ())
        if self.pictures is not None:
            set_field(self, "pictures", _pictures(self.pictures, shown))

    @property
    def more(self) -> int:
        """How many of the samples have no cell."""
        return len(self.samples) - len(self.labels)

    @property
    def _texts(self) -> tuple[str, ...]:
        return tuple(map(str, self.values))

    def words(self, place: int) -> str:
        """All that is known of one, in a sentence."""
        parts = [f"label {self.labels[place]}"] if self.labels[place] else []
        if self.predicted:
            parts.append(f"predicted {self.predicted[place]}")
        if self._texts:
            parts.append(f"{self.value_name} {self._texts[place]}".strip())
        return f"Sample {count(int(self.samples[place]))}" + (f": {', '.join(parts)}" if parts else "")

    def where(self, value: Any) -> tuple[int]:
        """(position,): its place in `labels`."""
        return (index_in("position", value, len(self.labels)),)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        """Draw the first twelve, with a wrapped strip all of them in rows of twelve."""
        add_title(axes, self.title or self.tab, theme, self.note)
        shown = len(self.labels) if self.wrap else min(len(self.labels), _ACROSS)
        if not shown:
            return say(axes, self.empty, theme)
        bare(axes, theme)
        foot = 0 if self.pictures is None else 1
        wrong = [bool(self.predicted) and self.predicted[k] != self.labels[k] for k in range(shown)]
        for k in range(shown):
            left, top = 1.15 * (k % _ACROSS), (0.75 + foot) * (k // _ACROSS)
            if self.pictures is not None:
                extent = (left, left + 1, top + 1, top)
                axes.imshow(self.pictures[k], extent=extent, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            says = f"{self.labels[k]} → {self.predicted[k]}" if self.predicted else self.labels[k]
            index = count(int(self.samples[k]))
            lines = [says, self._texts[k], index] if self._texts else [says, index]
            for line, words in enumerate(lines):
                axes.annotate(
                    shortened(words, 12),
                    (left, top + foot),
                    xytext=(0, -2 - 1.3 * SMALL * line),
                    textcoords="offset points",
                    va="top",
                    fontsize=SMALL,
                    color=theme.secondary if line else theme.text,
                    fontweight="bold" if wrong[k] and not line else "normal",
                    parse_math=False,
                )
        left_over = len(self.samples) - shown
        if left_over:
            write(
                axes, 1.15 * min(shown, _ACROSS), 0.5, f"+{count(left_over)}", theme.secondary, size=NORMAL, va="center"
            )
        axes.set_xlim(0, 1.15 * (min(shown, _ACROSS) + bool(left_over)))
        axes.set_ylim((0.75 + foot) * -(-shown // _ACROSS), 0)
        axes.set_aspect("equal")
        axes.set_anchor("NW")
        return None


def _pictures(pictures: Any, shown: int) -> Array:
    array = np.asarray(pictures)
    if array.dtype != np.uint8:
        raise TypeError(
            f"pictures: expected uint8 from 0 to 255, got {array.dtype}; `self.run.samples.picture(i)` gives such ones"
        )
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] != 3) or len(array) != shown:
        raise ValueError(
            f"pictures: expected shape ({shown}, height, width) or ({shown}, height, width, 3), one for each label, "
            f"got {array.shape}"
        )
    return array
