"""Waiting for what views compute, with a deadline; no test sleeps for a guessed time. What a page has of a view."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import nnwidgets as nnw
from nnwidgets.display.packing import Sent
from nnwidgets.display.panel import Panel
from nnwidgets.display.view import View
from nnwidgets.display.wire import encode
from tests.training.toys import flush

DEADLINE_S = 60.0

Reply = dict[str, Any]
Blocks = dict[str, dict[str, Any]]


def eventually(condition: Callable[[], object], what: str = "the condition") -> None:
    """Return as soon as `condition()` holds; fail after the deadline."""
    until = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until, f"{what} did not come about in {DEADLINE_S:.0f} s"
        time.sleep(0.002)


@contextmanager
def unanswered(inspector: nnw.Inspector) -> Iterator[None]:
    """Within, what is asked of the worker is lost, and first pictures are not made either."""
    session = inspector._session
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(session.worker, "request", lambda job, fresh=True: None)
        patched.setattr(session, "compute_now", lambda job: False)
        yield


def answered(view: View) -> View:
    """The view, when all that was asked of the worker is answered; samples are read in this thread, as a cell would."""
    session, until = view.session, time.monotonic() + DEADLINE_S
    while True:
        session.user_thread.drain()
        assert flush(session.worker, DEADLINE_S), f"{view.name}: no answer in {DEADLINE_S:.0f} s"
        if not session.user_thread.pending:  # what was read may have asked for more
            return view
        assert time.monotonic() < until, f"{view.name}: {view.reader.waiting_for}"


def shown(view: View) -> Any:
    """The result of what the view shows now; fails with the view's own words where there is none."""
    answered(view)
    assert view.failure is None, view.failure
    assert view.result is not None, view.header()["state"]
    return view.result


def frame(view: View) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Header and arrays of the view's picture as a page gets them that knows nothing yet."""
    made = view._picture()
    assert made.blocks is not None
    blocks, arrays = Sent().changes(made.blocks)
    return decoded(*encode({**made.header, "blocks": blocks}, arrays))


def page(view: View) -> Blocks:
    """The blocks on the page by their keys: `page(view)["grid"]["values"]`."""
    header, arrays = frame(view)
    return merged({}, header["blocks"], arrays)


def decoded(
    content: Mapping[str, Any], buffers: Sequence[memoryview]
) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """A message as the page reads it; its header must be JSON."""
    header: dict[str, Any] = json.loads(json.dumps(content["header"], allow_nan=False))
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for spec, buffer in zip(content["arrays"], buffers, strict=True):
        values = np.frombuffer(buffer, dtype=np.dtype(spec["dtype"]).newbyteorder("<")).reshape(spec["shape"])
        arrays[spec["name"]] = values * np.float64(spec["scale"]) if values.dtype.kind == "f" else values
    return header, arrays


def merged(before: Blocks, deltas: Sequence[Mapping[str, Any]], arrays: Mapping[str, Any]) -> Blocks:
    """The blocks after a picture, as js/src/kernel/merge.ts makes them of those before it."""
    ours: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        key, _, own = name.rpartition("/")
        ours.setdefault(key, {})[own] = array
    after: Blocks = {}
    for delta in deltas:
        key, kind = delta["key"], delta["kind"]
        base = {"title": "", "note": ""} if delta["whole"] else before[key]
        assert delta["whole"] or base["kind"] == kind
        kept = {name: value for name, value in base.items() if name not in delta["gone"]}
        after[key] = {**kept, **delta["fields"], **ours.get(key, {}), "kind": kind, "row": delta["row"]}
    return after


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
