"""What a view is of: the inspector's selection, or what the view was pinned to. Knows no drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nnwidgets.analysis.capture import unknown_layer
from nnwidgets.measures.arguments import checked_layer
from nnwidgets.session import Session

__all__ = ["SELECTABLE", "Follows", "Select"]

SELECTABLE = ("layer", "unit", "sample", "target", "selected")


@dataclass(frozen=True)
class Select:
    """What a click selects, for every view of the inspector. None leaves a thing as it is.

    layer: a name of `inspector.layers`.   unit: a channel or feature of it.   sample: an index into the dataset.
    target: a class.   selected: indices of samples to be marked.
    """

    layer: str | None = None
    unit: int | None = None
    sample: int | None = None
    target: int | None = None
    selected: tuple[int, ...] | None = None

    def changes(self) -> dict[str, Any]:
        """What is to change, by name."""
        return {name: getattr(self, name) for name in SELECTABLE if getattr(self, name) is not None}


class Follows:
    """Mixin of views: shows what is selected, or what it is pinned to by a keyword of the constructor.

    `follows` names what may be pinned, of "layer", "sample" and "target".
    """

    follows: ClassVar[tuple[str, ...]] = ()
    session: Session
    _pins: dict[str, Any]

    def pin(self, **pins: Any) -> None:
        """Show these whatever is selected; None follows the selection.

        Raises:
            KeyError: an unknown layer.   IndexError: a sample out of range.
            TypeError: a layer that is no name.   TypeError, ValueError: a target that is no class.
        """
        layer, sample, target = pins.get("layer"), pins.get("sample"), pins.get("target")
        names = self.session.layer_names
        if layer is not None and checked_layer(layer) not in names:
            raise unknown_layer(layer, names)
        if sample is not None:
            pins["sample"] = self.session.samples.check_index(sample)
        if target is not None:
            pins["target"] = checked_target(target, self.session.classes)
        self._pins = pins

    @property
    def layer(self) -> str:
        """The layer on show."""
        return str(self._shown("layer"))

    @property
    def sample(self) -> int:
        """The sample on show, an index into the dataset."""
        return int(self._shown("sample"))

    @property
    def target(self) -> int | None:
        """The class asked about, None for the sample's own."""
        target = self._shown("target")
        return None if target is None else int(target)

    def unit_of(self, layer: str, units: int) -> int:
        """The selected unit if it is one of this layer, else the layer's most active one."""
        selection = self.session.selection
        unit = selection.unit if selection.layer == layer else None
        unit = unit if unit is not None else self.session.default_unit(layer)
        return unit if unit < units else 0

    def select(self, **changes: Any) -> None:
        """Change the selection that all views share; what is picked in a pinned view is shown there too.

        Raises:
            TraitError: a value that is not allowed.
        """
        if "unit" in changes:
            changes.setdefault("layer", self.unit_layer)
        self.session.selection.update(**changes)
        moved = {name: value for name, value in changes.items() if self._pins.get(name) is not None}
        if moved:
            self._pins = {**self._pins, **moved}

    @property
    def unit_layer(self) -> str:
        """The layer that the units on show are units of."""
        return self.layer

    def _shown(self, name: str) -> Any:
        pinned = self._pins.get(name)
        return pinned if pinned is not None else getattr(self.session.selection, name)


def checked_target(target: Any, classes: int | None) -> int:
    """The class asked about. Raises TypeError for what is no whole number, ValueError for what is no class."""
    if classes is None:
        raise ValueError("target: expected a model with class scores, got one without; give Inspector(score_fn=…)")
    if isinstance(target, bool) or not isinstance(target, (int, np.integer)):
        raise TypeError(f"target: expected a class from 0 to {classes - 1}, got {target!r}")
    if not 0 <= target < classes:
        raise ValueError(f"target: expected a class from 0 to {classes - 1}, got {target}")
    return int(target)
