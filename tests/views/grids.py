"""The grid of a view as the page has it."""

from __future__ import annotations

from typing import Any

from nnwidgets.display.view import View
from tests.waiting import answered, command, page


def grid_of(view: View) -> dict[str, Any]:
    """The grid as the page has it, when all that was asked is answered."""
    return page(answered(view))["grid"]


def units_of(view: View) -> list[int]:
    return list(grid_of(view)["units"])


def turn(view: View, to: int) -> str | None:
    """What the page says when its user turns to a page of tiles."""
    state = {"page": to, "selected": grid_of(view)["selected"]}
    return command(view, "block_state", {"block": "grid", "state": state})
