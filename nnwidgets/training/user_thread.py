"""Runs the user's own code (datasets, collate functions) in the user's thread, and nowhere else.

Callables wait in a mailbox until the user's thread serves it: at the end of a training step, in `drain()`, or, while no
cell runs, on the asyncio loop of the thread that made the mailbox. Random states are restored after each callable, so
that training does not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable

from nnwidgets.data.source import untouched_random_states

AGAIN_AFTER_S = 0.5  # when the loop is idle but another thread is training: look again

logger = logging.getLogger(__name__)


class UserThread:
    """A mailbox of callables for the user's thread.

    Attributes:
        pending: What waits. An empty queue is false, so that the end of a step costs one look.
        trains_elsewhere: Whether a thread other than the caller's is training. If so, that thread serves the mailbox.
    """

    def __init__(self) -> None:
        self.pending: deque[Callable[[], None]] = deque()
        self.trains_elsewhere: Callable[[], bool] = lambda: False
        self._thread = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # a plain script: step borders and drain() only

    def submit(self, call: Callable[[], None]) -> None:
        """Run `call` in the user's thread, soon. From any thread. Its errors only reach the log, so handle them."""
        self.pending.append(call)
        if self._loop is not None:
            # A closed loop serves nobody any more; training steps still do.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._when_idle)

    def run_one(self) -> None:
        """Run the callable that has waited longest, if there is one. User's thread.

        Raises:
            BaseException: Ctrl-C and the like go through; the callable stays first in the mailbox.
        """
        try:
            call = self.pending.popleft()
        except IndexError:
            return
        try:
            with untouched_random_states():
                call()
        except Exception:
            # A mistake in a dataset must not end the training that happens to serve it.
            logger.exception("user code that a view asked for failed")
        except BaseException:
            self.pending.appendleft(call)
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
