"""The state line of a view: what is in the way, what it means, what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnwidgets.display.wire import Header
from nnwidgets.words import count

if TYPE_CHECKING:
    from nnwidgets.display.view import View


def state_line(view: View) -> Header:
    """Kind, words and actions (StateHeader in js/src/kernel/header.ts). What is most in the way comes first.

    "Stale" is not among them: only the page can tell that nothing arrives any more.
    """
    session, newest = view.session, view.newest
    step = session.status().step
    if session.unsupported_reason:
        return _line("refused", "This model can't be watched.", detail=session.unsupported_reason)
    if view.blocked_reason:
        return _line("empty", view.blocked_reason)
    if view.failure is not None:
        error, failed_at = view.failure
        at = f" at step {count(failed_at)}" if session.watched else ""
        text = f"Failed{at}.{' Training goes on.' if session.training else ''}"
        return _line("failed", text, error=error, actions=["copy", "retry"])
    if session.paused:
        at = f"Paused at step {count(newest.step)}" if newest is not None and newest.step is not None else "Paused"
        detail = "The views show the network of this step, and answer clicks from it."
        now = f" · training is at step {count(step or 0)}" if session.training else ""
        return _line("paused", f"{at}{now}", detail=detail, actions=["resume"])
    if view.reader.waiting_for:
        return _line("waiting", view.reader.waiting_for)
    if view.job.running is not None and view.job.running[1]:
        share, text = view.job.running
        return _line("computing", text, progress=share, actions=["cancel"])
    if view.outdated:
        return _coming(view)
    if view.message:
        return _line("empty", view.message)
    if session.model_changed():
        return _line("changed", "The model has changed since this picture", actions=["refresh"])
    return _line("live", "")


def _coming(view: View) -> Header:
    """What is on its way while the picture is still of something else, or there is none."""
    subject = view.asked_for()
    if view.cancelled:
        return _line("changed", f"Cancelled: {subject}", actions=["retry"])
    if view.job.running is not None:
        return _line("computing", f"{subject}: computing", actions=["cancel"])
    return _line("computing", f"{subject}: next in line", actions=["cancel"])


def _line(
    kind: str,
    text: str,
    *,
    detail: str = "",
    error: str = "",
    progress: float | None = None,
    actions: list[str] | None = None,
) -> Header:
    return {
        "kind": kind,
        "text": text,
        "detail": detail,
        "error": error,
        "progress": progress,
        "actions": actions or [],
    }
