"""What a block is: one part of a view's picture, as data. The page draws it, `figure()` draws it, exports write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnwidgets.blocks.colors import LIGHT, Theme

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Block:
    """Data of one drawing and nothing else: no model, no widget, no thread.

    A concrete block is a frozen dataclass in `blocks/<kind>.py`; `js/src/blocks/<kind>.ts` draws it on the page. A page
    gets its fields, JSON values and NumPy arrays, but those named in `local`; and what a class within it, `Packed`,
    annotates beside or instead of these. None is left out. A field that stays the same object from one layout to the
    next is sent once.

    Args:
        key: tells blocks of one kind apart within a view, and is what `View.clicked` gets; default: the kind.
        title: a few words above the drawing.
        note: more words beside the title, in a lighter colour.
    """

    kind: ClassVar[str]
    exact: ClassVar[tuple[str, ...]] = ()  # how names of arrays begin that are sent with 24 significant bits
    is_widget: ClassVar[bool] = False  # whether it is a widget of its own on the page instead of a part of the panel
    local: ClassVar[tuple[str, ...]] = ()  # fields that no page gets

    class Packed:
        pass

    key: str = field(default="", kw_only=True)
    title: str = field(default="", kw_only=True)
    note: str = field(default="", kw_only=True)

    @property
    def name(self) -> str:
        """The key, by default the kind."""
        return self.key or self.kind

    @property
    def height(self) -> float:
        """In a figure, relative to those of other blocks; 0 leaves it out."""
        return 1.0

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Fields as the page gets them: JSON values and arrays by name. Runs in the worker.

        `state` is what the page last said of this block (`state_from`), such as the page of tiles it turned to.
        """
        return self._packed()

    @classmethod
    def sent_names(cls) -> tuple[str, ...]:
        """The names of what a page gets."""
        own = (each.name for each in fields(cls) if each.name not in ("key", *cls.local))
        return tuple(dict.fromkeys([*own, *cls.Packed.__annotations__]))

    def _packed(self, **made: Any) -> dict[str, Any]:
        """What a page gets: what was `made` for it, the rest as it is here."""
        values = {name: made[name] if name in made else getattr(self, name) for name in self.sent_names()}
        return _without_none(values)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        """Draw it into empty axes with matplotlib, never with pyplot. Text is text, not markup (`parse_math=False`)."""
        raise NotImplementedError

    def where(self, value: Any) -> tuple[Any, ...]:
        """What a click on the page says, checked: the arguments of `View.clicked` after the block's name.

        Raises:
            ValueError: there is no such place in this block, or nothing in it can be clicked.
        """
        raise ValueError(f"click: expected a block with places to click, got {self.kind}")

    def state_from(self, value: Any) -> dict[str, Any]:
        """What the page says of itself, checked; handed to `pack`. Raises ValueError for anything else."""
        raise ValueError(f"state: expected a block that keeps some, got {self.kind}")


def finite_span(values: Array, empty: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    """The least and the largest finite value, `empty` where there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else empty


def index_in(name: str, value: Any, length: int) -> int:
    """A whole number from the page, from 0 to below `length`.

    >>> index_in("row", 2, 3)
    2

    Raises:
        ValueError: anything else, booleans too.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < length:
        raise ValueError(f"{name}: expected a whole number from 0 to {length - 1}, got {value!r}")
    return int(value)


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    """Dataclasses within as dicts, arrays as they are."""
    if is_dataclass(value):
        return _without_none({each.name: getattr(value, each.name) for each in fields(value)})
    if isinstance(value, (list, tuple)):
        # Names of hundreds of units take their time.
        return list(value) if set(map(type, value)) == {str} else [_plain(item) for item in value]
    return value
