"""What every frame of a view says besides its blocks: subject, caption, state, options, selection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nnwidgets.display.errors import words_of
from nnwidgets.display.job import Heading, as_heading
from nnwidgets.display.selecting import SELECTABLE
from nnwidgets.display.states import state_line
from nnwidgets.display.wire import Header

if TYPE_CHECKING:
    from nnwidgets.display.view import View


def header_of(view: View) -> Header:
    """CommonHeader in js/src/kernel/header.ts."""
    session, laid, finished_at = view.session, view.job.laid, view.job.finished_at
    status = session.status()
    heading = laid.heading if laid is not None else heading_of(view)
    options = _options(view)
    return {
        "title": heading.title,
        "title_is_code": heading.code,
        "subtitle": heading.subtitle,
        "caption": laid.caption if laid is not None else [],
        "step": laid.shown.step if laid is not None else None,
        "kept": laid.kept if laid is not None else None,
        "age_s": 0.0 if finished_at is None else time.monotonic() - finished_at,
        "training": status.training,
        "training_step": status.step,
        "stale_after_s": status.stale_after_s,
        "state": state_line(view),
        "options": options,
        "samples": _samples(view),
        "standalone": view.standalone,
        "own_picture": (view.owner or view).leaves_picture,
        # Without the selected samples, which may be all there are; blocks that show them have them.
        "selection": {name: getattr(session.selection, name) for name in SELECTABLE if name != "selected"},
    }


def heading_of(view: View) -> Heading:
    """What the next picture is of."""
    try:
        return as_heading(view.heading(None))
    except Exception:  # a user's, written with a result in mind, is asked again with the first
        return Heading(view.title)


def _options(view: View) -> list[Header]:
    try:
        return [] if view.obstacle else view.option_specs()
    except Exception as error:  # choices that a user's method finds
        view.failure = (words_of(error, type(view)), view.session.status().step or 0)
        return []


def _samples(view: View) -> Header | None:
    """Which sample is shown, of how many, where the view follows it."""
    if "sample" not in view.follows or view.obstacle:
        return None
    samples = view.session.samples
    labelled = view.session.task.one_class and samples.label(view.sample) is not None
    return {"index": view.sample, "count": len(samples), "labelled": labelled}
