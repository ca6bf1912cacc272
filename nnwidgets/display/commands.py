"""What the page may ask of a view, checked. Handlers run in a second thread of the kernel while a cell is busy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnwidgets.blocks.block import Block, index_in
from nnwidgets.display.selecting import SELECTABLE, Select
from nnwidgets.display.wire import Frame
from nnwidgets.words import count

if TYPE_CHECKING:
    from nnwidgets.display.view import View

logger = logging.getLogger(__name__)


def do(view: View, name: str, value: Any) -> Frame | None:
    """Do what the page asks. Raises ValueError, KeyError, TypeError or TraitError with words for the user."""
    match name:
        case "select":
            _select(view, _mapping(value, SELECTABLE))  # None: no unit, no target
        case "click":
            _click(view, **_mapping(value, ("block", "where")))
        case "block_state":
            said = _mapping(value, ("block", "state"))
            block = _block(view, said.get("block"))
            view.job.states[block.name] = block.state_from(said.get("state"))
            view.renew_layout()
        case "kept":
            position = _mapping(value, ("position",)).get("position")
            view.job.kept.choose(None if position is None else whole("position", position))
            view.renew_layout()
        case "card":
            return _card(view, _mapping(value, ("index",)).get("index"))
        case "step_sample":
            _select(view, {"sample": (view.sample + _by(value)) % len(view.session.samples)})
        case "next_wrong":
            view.session.worker.request(view.next_wrong, fresh=not view.session.paused)
        case "step_layer":
            names = view.session.layer_names
            at = names.index(view.layer) + _by(value)
            _select(view, {"layer": names[min(max(at, 0), len(names) - 1)]})
        case "option":
            change = _mapping(value, ("name", "value"))
            view.set_option(change.get("name"), change.get("value"))
        case "cancel":
            view.cancel()
        case "retry" | "refresh":
            view.refresh()
        case "pause" | "resume":
            view.session.pause(name == "pause")
        case "error":
            logger.warning("the page could not draw the %s view: %s", view.name, value)
        case _:
            raise ValueError(f"command: no {name!r} in the {view.name} view")
    return None


def _select(view: View, changes: dict[str, Any]) -> None:
    view.select(**changes)
    view.changed()


def _click(view: View, block: Any = None, where: Any = None) -> None:
    shown = _block(view, block)
    place = shown.where(where)
    try:
        picked = view.clicked(shown, *place)
        if not isinstance(picked, Select | None):
            raise TypeError(f"clicked: expected a Select or None, got {type(picked).__name__}")
    except Exception as error:  # a mistake in the view, not in what the page asks
        view.fail(error, view.session.status().step or 0)
        return
    if picked is not None:
        _select(view, picked.changes())


def _block(view: View, name: Any) -> Block:
    rows = view.job.laid.rows if view.job.laid is not None else ()
    found = next((block for row in rows for block in row if block.name == name), None)
    if found is None:
        raise ValueError(f"block: expected one on show in the {view.name} view, got {name!r}")
    return found


def _card(view: View, index: Any) -> Frame:
    """What the page shows of a sample under the pointer."""
    samples = view.session.samples
    sample = index_in("index", index, len(samples))
    label, shown = samples.label_name(sample), view.displayed
    own: Sequence[tuple[str, str]] = ()
    try:
        own = view.card_lines(shown, sample) if shown is not None else ()
    except Exception as error:
        view.fail(error, view.session.status().step or 0)
    lines = [*([("label", label)] if label else []), *((name, value) for name, value in own if value)]
    image = samples.picture(sample)
    header = {"title": f"Sample {count(sample)}", "lines": lines, "index": sample}
    return Frame(header, {"picture": image} if image is not None else {})


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
