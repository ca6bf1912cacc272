"""Waiting for a view in a script, which has no loop that would serve it, and why a view has no picture, in words."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnwidgets.words import count

if TYPE_CHECKING:
    from nnwidgets.display.view import View

LOOK_EVERY_S = 0.005


def wait_for(view: View, timeout_s: float) -> None:
    """Return when the view has what it is asked for; its samples are read meanwhile, in the user's thread, this one.

    Raises:
        RuntimeError: it can't be shown here, has failed, was cancelled, is closed or paused.
        TimeoutError: it took longer.
    """
    if isinstance(timeout_s, bool) or not hasattr(timeout_s, "__float__"):
        raise TypeError(f"timeout_s: expected seconds, got {timeout_s!r}")
    user_thread, until = view.session.user_thread, time.monotonic() + timeout_s
    while True:
        if threading.current_thread() is threading.main_thread() and not user_thread.trains_elsewhere():
            user_thread.drain()
        if view.obstacle or view.failure is not None or view.cancelled or view.session.paused or not view.joined:
            if view.newest is not None and view.failure is None and not view.outdated:
                return
            raise RuntimeError(why_none(view))
        if not (view.outdated or view.reader.waiting_for or view.job.running is not None):
            return
        if time.monotonic() > until:
            raise TimeoutError(f"{view.name}: expected a result within {timeout_s:g} s, got none{_waits(view)}")
        time.sleep(LOOK_EVERY_S)


def why_none(view: View) -> str:
    """Why there is no picture: what is in the way, what it failed with, or what it waits for."""
    expected = f"{view.name}: expected a result to draw, got none"
    if not view.joined:
        return f"{expected}: the view is closed; make a new one"
    if view.obstacle:
        return f"{expected}: {view.obstacle}"
    if view.failure is not None:
        error, step = view.failure
        return f"{expected}: it failed{f' at step {count(step)}' if view.session.watched else ''}: {error}"
    if view.session.paused:
        return f"{expected}: the views are paused"
    if view.cancelled:
        return f"{expected}: it was cancelled; call refresh()"
    return f"{expected} yet{_waits(view)}; call wait(), or display the view"


def _waits(view: View) -> str:
    return f" ({view.reader.waiting_for})" if view.reader.waiting_for else ""


def why_none_of(views: Sequence[View]) -> str:
    """The same of several views that stand together."""
    return "; ".join(why_none(view) for view in views)
