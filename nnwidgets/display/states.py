"""The state line of a view: what is in the way, what it means, what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnwidgets.display.wire import Header
from nnwidgets.words import step_text

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
        at = f" at {step_text(failed_at)}" if session.watched else ""
        text = f"Failed{at}.{' Training goes on.' if session.training else ''}"
        return _line("failed", text, error=error, actions=["copy", "retry"])
    if session.paused:
        at = f"Paused at {step_text(newest.step)}" if newest is not None and newest.step is not None else "Paused"
        detail = "Nothing is computed for this view and it costs nothing."
        now = f" · training is at {step_text(step)}" if session.training else ""
        return _line("paused", f"{at}{now}", detail=detail, actions=["resume"])
    if view.reader.waiting_for:
        return _line("waiting", view.reader.waiting_for)
    if view.job.running is not None and view.job.running[1]:
        share, text = view.job.running
        return _line("computing", text, progress=share, actions=["cancel"])
    if newest is None:
        detail = "Taken after the next optimizer step. To look at the model as it is now, press Refresh."
        return _line("waiting", "Waiting for the first snapshot", detail=detail, actions=["refresh"])
    if session.model_changed():
        return _line("changed", "The model has changed since this picture", actions=["refresh"])
    return _line("live", "")


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
