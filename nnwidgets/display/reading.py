"""Samples that a view needs and that only the user's own code can read: in the user's thread, a few at a time."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nnwidgets.words import count

if TYPE_CHECKING:
    from nnwidgets.display.view import View

READ_S = 0.005  # how long reading may hold a training step up at once


class SampleReader:
    """Has the samples of one view read. `waiting_for` says in words what is not there yet, or nothing."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.waiting_for = ""

    def begin(self) -> bool:
        """Whether samples must be read before anything can be computed; they are then, and the view is refreshed."""
        session, measures = self._view.session, self._view.measures()
        wanted = tuple(dict.fromkeys(index for measure in measures for index in measure.indices(session)))
        missing = session.samples.missing(wanted)
        if not missing:
            self.waiting_for = ""
            return False
        done = f"Reading {count(len(wanted) - len(missing))} of {count(len(wanted))} samples"
        self.waiting_for = f"Sample {count(wanted[0])} is read at the next step" if len(wanted) == 1 else done
        session.user_thread.submit(partial(self._read, missing, self._view.question()), many=len(missing) > 1)
        return True

    def _read(self, missing: Sequence[int], question: Hashable) -> None:
        """A few of them, in the user's thread."""
        samples, view = self._view.session.samples, self._view
        if question != view.question() or view.session.closed:
            return
        until = time.monotonic() + READ_S
        try:
            for index in missing:
                if len(missing) == 1:
                    samples.read([index])
                else:
                    samples.keep([index])
                if time.monotonic() > until:
                    break
        except Exception as error:
            # The dataset is the user's code: whatever it raises is shown in the view that asked.
            self.waiting_for = ""
            view.fail(error, view.session.status().step or 0)
            return
        view.refresh()
