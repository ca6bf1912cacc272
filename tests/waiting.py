"""Waiting for what views compute, with a deadline; no test sleeps for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import nnwidgets as nnw
from nnwidgets.views._panel import Panel
from nnwidgets.views._view import View
from nnwidgets.views._wire import encode

DEADLINE_S = 60.0

Reply = dict[str, Any]


def eventually(condition: Callable[[], object], what: str = "the condition") -> None:
    """Return as soon as `condition()` holds; fail after the deadline."""
    until = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until, f"{what} did not come about in {DEADLINE_S:.0f} s"
        time.sleep(0.002)


def answered(view: View) -> View:
    """The view, when all that was asked of the worker is answered; samples are read in this thread, as a cell would."""
    view.session.user_thread.drain()
    assert view.session.worker.flush(DEADLINE_S), f"{view.stem}: no answer in {DEADLINE_S:.0f} s"
    return view


def shown(view: View) -> Any:
    """The result of what the view shows now; fails with the view's own words where there is none."""
    answered(view)
    assert view.failure is None, view.failure
    assert view.result is not None, view.header()["state"]
    return view.result


def frame(view: View) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Header as the page gets it, and the arrays before they are packed; packing must work, too."""
    made = view._picture_frame()
    content, buffers = encode(made)
    assert len(buffers) == len(content["arrays"])
    return content["header"], {name: np.asarray(array) for name, array in made.arrays.items()}


def tell(panel: Panel, message: object) -> list[Reply]:
    """Hand the panel a message as the browser's; what it sends back at once."""
    sent: list[Reply] = []
    own, panel.send = panel.send, lambda content, buffers=None: sent.append(content)
    try:
        panel._receive(panel, message, [])
    finally:
        panel.send = own
    return [reply for reply in sent if reply.get("kind") != "frame"]


def command(view: View, name: object, value: object = None) -> str | None:
    """Send a command as the page does; the error it is answered with, if any."""
    replies = tell(view.panel, {"kind": "command", "request": 7, "name": name, "value": value})
    assert all(reply["request"] == 7 for reply in replies)
    return next((str(reply["error"]) for reply in replies if "error" in reply), None)


@contextmanager
def inspecting(model: Any, dataset: Any, **options: Any) -> Iterator[nnw.Inspector]:
    """An inspector that is closed at the end."""
    inspector = nnw.Inspector(model, dataset, **options)
    try:
        yield inspector
    finally:
        inspector.close()
