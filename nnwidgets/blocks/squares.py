"""Squares on a picture, and maps of what is known of each. Knows arrays and names; draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnwidgets.blocks.block import Array

Floats = NDArray[np.float64]
LegendEntry = tuple[int, str, float]  # class, name, share


@dataclass(frozen=True, eq=False)
class Squares:
    """Where squares lie on a picture.

    rows, cols: top and left edges in pixels, ascending.   size: height and width of a square.
    """

    rows: Sequence[int]
    cols: Sequence[int]
    size: tuple[int, int]

    @property
    def edges(self) -> tuple[Floats, Floats]:
        """Borders of the cells that panels draw, (rows + 1,) and (cols + 1,) in pixels: half way between centres."""
        return _edges(self.rows, self.size[0]), _edges(self.cols, self.size[1])


@dataclass(frozen=True, eq=False)
class Panel:
    """A map with a value, or a class and its probability, for each position of the square.

    Args:
        title: above the map; what stands between backticks is set in the code font.
        values: (rows, cols); of a map of classes their probabilities.
        without: the value without any square.
        unit, low, high: of the scale; symmetric about zero if `low` is negative.
        note: beside the title, in a lighter colour.
        label: in the table of one position; default: the title.
        decimals: of the values; None: three significant digits.
        classes: (rows, cols) int, the class at each position, -1 for none; None: a map of values.
        class_without: the class without any square, drawn pale.
        names: of all classes.
    """

    title: str
    values: Array
    without: float
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    note: str = ""
    label: str = ""
    decimals: int | None = None
    classes: Array | None = None
    class_without: int = -1
    names: Sequence[str] = ()

    @property
    def shows_classes(self) -> bool:
        return self.classes is not None

    @property
    def legend(self) -> tuple[LegendEntry, ...]:
        """Classes of the map with their share of the known positions, the most frequent first, then the unchanged."""
        if self.classes is None:
            return ()
        found, counts = np.unique(self.classes[self.classes >= 0], return_counts=True)
        shares = dict(zip(found.tolist(), (counts / max(1, counts.sum())).tolist(), strict=True))
        if self.class_without >= 0:
            shares.setdefault(self.class_without, 0.0)
        return tuple((k, self.names[k], shares[k]) for k in sorted(shares, key=lambda k: -shares[k]))


def class_slots(classes: Sequence[int], colors: int) -> dict[int, int]:
    """The colour of each class: its own among ten; where two of a legend would share one, the later takes a free one.

    >>> class_slots([3, 13, 4], 10)
    {3: 3, 13: 4, 4: 5}
    """
    slots: dict[int, int] = {}
    for each in classes:
        free = (slot % colors for slot in range(each, each + colors) if slot % colors not in slots.values())
        slots[each] = next(free, each % colors)
    return slots


def _edges(origins: Sequence[int], side: int) -> Floats:
    centres = np.asarray(origins, dtype=np.float64) + side / 2
    if len(centres) == 1:
        return np.array([centres[0] - side / 2, centres[0] + side / 2])
    inner = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - inner[0]], inner, [2 * centres[-1] - inner[-1]]])
