"""The state line of a view: what is in the way, what it means, what can be done. Knows words only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnwidgets.figures.captions import step_text
from nnwidgets.views._wire import Header

if TYPE_CHECKING:
    from nnwidgets.views._view import View


def state_line(view: View) -> Header:
    """Kind, words and actions (StateHeader in js/src/kernel/header.ts). What is most in the way comes first.

    "Stale" is not among them: only the page can tell that nothing arrives any more.
    """
    session, result = view.session, view.result
    step = session.status().step
    if session.refusal:
        return _line("refused", "This model can't be watched.", detail=session.refusal)
    if view.failure is not None:
        error, failed_at = view.failure
        at = f" at {step_text(failed_at)}" if session.watched else ""
        text = f"Failed{at}.{' Training goes on.' if session.training else ''}"
        return _line("failed", text, error=error, actions=["copy", "retry"])
    if session.paused:
        at = f"Paused at {step_text(result.step)}" if result is not None and result.step is not None else "Paused"
        detail = "Nothing is computed for this view and it costs nothing."
        now = f" · training is at {step_text(step)}" if session.training else ""
        return _line("paused", f"{at}{now}", detail=detail, actions=["resume"])
    if view.awaited():
        return _line("waiting", view.awaited())
    if view.running is not None and view.running[1]:
        share, text = view.running
        return _line("computing", text, progress=share, actions=["cancel"])
    if result is None:
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
