"""What the page may ask of a view, checked. Knows messages; computes nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

from nnwidgets.session import Session
from nnwidgets.training.worker import Job
from nnwidgets.views._wire import Frame

SELECTABLE = ("layer", "unit", "sample", "target", "selected")
logger = logging.getLogger(__name__)


class TakesCommands:
    """Mixin of views: does what a message asks for."""

    stem: ClassVar[str]
    session: Session
    job: Job

    @property
    def layer(self) -> str:
        """The layer on show."""
        return str(self.session.selection.layer)

    @property
    def sample(self) -> int:
        """The sample on show, an index into the dataset."""
        return int(self.session.selection.sample)

    def refresh(self) -> None:
        raise NotImplementedError

    def set_option(self, change: dict[str, Any]) -> None:
        raise NotImplementedError

    def command(self, name: str, value: Any) -> Frame | None:
        """Do what the page asks. Raises ValueError, KeyError, TypeError or TraitError with words for the user."""
        match name:
            case "select":
                self.select(**_mapping(value, SELECTABLE))
            case "step_sample":
                self.select(sample=(self.sample + _by(value)) % len(self.session.samples))
            case "step_layer":
                names = [layer.name for layer in self.session.layers]
                at = names.index(self.layer) + _by(value)
                self.select(layer=names[min(max(at, 0), len(names) - 1)])
            case "option":
                self.set_option(_mapping(value, ("name", "value")))
            case "cancel":
                self.session.worker.cancel(self.job)
            case "retry" | "refresh":
                self.refresh()
            case "pause" | "resume":
                self.session.pause(name == "pause")
            case "error":
                logger.warning("the page could not draw the %s view: %s", self.stem, value)
            case _:
                raise ValueError(f"command: no {name!r} in the {self.stem} view")
        return None

    def select(self, **changes: Any) -> None:
        """Change the selection that all views of the inspector share."""
        self.session.selection.update(**changes)


def _mapping(value: Any, keys: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or not set(value) <= set(keys):
        raise ValueError(f"message: expected an object with keys among {', '.join(keys)}, got {value!r}")
    return value


def _by(value: Any) -> int:
    return whole("by", _mapping(value, ("by",)).get("by"))


def whole(name: str, value: Any) -> int:
    """A whole number that came from the page. Raises ValueError for anything else, booleans too."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name}: expected a whole number, got {value!r}")
    return value
