"""Runs the user's own code (datasets, collate functions) in the user's thread, and nowhere else.

Callables wait in a mailbox until the user's thread serves it: at the end of a training step, in `drain()`, or, while no
cell runs, on the asyncio loop of the thread that made the mailbox. Random states are restored after each callable, so
that training does not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from nnwidgets.shadow import preserved_random_states

AGAIN_AFTER_S = 0.5  # when the loop is idle but another thread is training: look again

logger = logging.getLogger(__name__)


class Waiting(NamedTuple):
    """A callable that waits; one of `many` gives way to those that somebody waits for alone."""

    call: Callable[[], None]
    many: bool


class UserThread:
    """A mailbox of callables for the user's thread."""

    def __init__(self) -> None:
        self.pending: deque[Waiting] = deque()  # false when empty: the end of a step costs one look
        # Whether a thread other than the caller's is training. If so, that thread serves the mailbox.
        self.trains_elsewhere: Callable[[], bool] = lambda: False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # a plain script: step borders and drain() only

    def submit(self, call: Callable[[], None], *, many: bool = False) -> None:
        """Run `call` in the user's thread, soon. From any thread. Its errors only reach the log, so handle them.

        `many`: it is one of many that follow each other, and may wait longer for the budget.
        """
        self.pending.append(Waiting(call, many))
        if self._loop is not None:
            # A closed loop serves nobody any more; training steps still do.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._when_idle)

    def run_one(self, *, many: bool = True) -> None:
        """Run the callable that has waited longest, if there is one; of `many` only where they may. User's thread.

        Ctrl-C and the like go through; the callable then stays in the mailbox.
        """
        waiting = next((each for each in tuple(self.pending) if many or not each.many), None)
        if waiting is None:
            return
        self.pending.remove(waiting)
        try:
            with preserved_random_states():
                waiting.call()
        except Exception:
            # A mistake in a dataset must not end the training that happens to serve it.
            logger.exception("user code that a view asked for failed")
        except BaseException:
            self.pending.appendleft(waiting)
            raise

    def drain(self) -> None:
        """Run everything that waits now. User's thread."""
        for _ in range(len(self.pending)):
            self.run_one()

    def _when_idle(self) -> None:
        if not self.pending:
            return
        if self.trains_elsewhere():
            # Restoring random states while another thread draws from them would change its training.
            asyncio.get_running_loop().call_later(AGAIN_AFTER_S, self._when_idle)
        else:
            self.drain()
