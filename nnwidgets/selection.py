"""What all views of an inspector show: one object owns it, checks every change and tells of it. Knows no view."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from traitlets import HasTraits, Int, TraitError, Tuple, Unicode

_NAMES = ("layer", "unit", "sample", "target", "selected")


class Selection(HasTraits):
    """Layer, unit, sample, target class and selected samples.

    Written by views and by the user, by `update` or by assignment; both are checked, and both are safe from any thread.
    Observers are called in the thread that wrote, after all changes of one `update` are in.
    """

    layer = Unicode("", help="Name of the layer shown, one of `inspector.layers`. Default: the first.")
    unit = Int(None, allow_none=True, help="Channel or feature of the layer that is picked out, or None.")
    sample = Int(0, help="Index into the dataset of the sample shown.")
    target = Int(None, allow_none=True, help="Class whose score is explained, or None for the sample's own label.")
    selected = Tuple((), help="Indices into the dataset of the samples picked in an embedding.")

    def __init__(self, **values: Any) -> None:
        self._lock = threading.RLock()
        self._layers: tuple[str, ...] | None = None
        self._samples: int | None = None
        self._classes: int | None = None
        self._units: Callable[[str], int | None] | None = None
        _check_names(values)
        super().__init__(**values)

    def restrict(
        self,
        *,
        layers: Sequence[str],
        samples: int,
        classes: int | None = None,
        units: Callable[[str], int | None] | None = None,
    ) -> None:
        """What is allowed from now on: layer names, how many samples and classes, units of a layer; None: unknown."""
        with self._lock:
            self._layers, self._samples, self._classes, self._units = tuple(layers), samples, classes, units

    def update(self, **changes: Any) -> None:
        """Change several at once: all or nothing, one notification each, none for what stays.

        A new layer forgets the unit unless one is given. Raises TraitError for values that are not allowed and
        TypeError for other names.
        """
        _check_names(changes)
        with self._lock:
            if "layer" in changes and changes["layer"] != self.layer:
                changes.setdefault("unit", None)
            layer = changes.get("layer", self.layer)
            checked = {name: self._checked(name, value, layer) for name, value in changes.items()}
            with self.hold_trait_notifications():
                for name, value in checked.items():
                    super().__setattr__(name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _NAMES:
            self.update(**{name: value})
        else:
            super().__setattr__(name, value)

    def _checked(self, name: str, value: Any, layer: str) -> Any:
        """`value` as the trait holds it; raises TraitError with what was expected."""
        if name == "layer":
            return self._checked_layer(value)
        if name != "selected":
            units = self._units(layer) if self._units else None
            below = {"unit": units, "sample": self._samples, "target": self._classes}[name]
            return None if value is None and name != "sample" else _whole(value, name, below)
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise TraitError(f"selected: expected indices into the dataset, got {value!r}")
        return tuple(dict.fromkeys(_whole(each, "selected", self._samples) for each in value))

    def _checked_layer(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TraitError(f"layer: expected a name, got {value!r}")
        if self._layers is not None and value not in self._layers:
            near = difflib.get_close_matches(value, self._layers, n=3, cutoff=0.4) or self._layers[:3]
            raise TraitError(
                f"layer: expected one of the inspector's layers, got {value!r}; nearest: {', '.join(near)}"
            )
        return value


def _check_names(values: dict[str, Any]) -> None:
    unknown = [name for name in values if name not in _NAMES]
    if unknown:
        raise TypeError(f"selection: expected {', '.join(_NAMES)}, got {unknown[0]!r}")


def _whole(value: Any, name: str, below: int | None) -> int:
    """A whole number from 0, and less than `below` if that is known."""
    try:
        number = int(value.__index__())
    except (AttributeError, TypeError):
        raise TraitError(f"{name}: expected a whole number, got {value!r}") from None
    if isinstance(value, bool) or number < 0 or (below is not None and number >= below):
        bounds = f"from 0 to {below - 1}" if below is not None else "from 0"
        raise TraitError(f"{name}: expected a whole number {bounds}, got {value!r}")
    return number
