"""Short functions that the worker runs between chunks: what is made of results, such as layouts and pictures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

PUT_OFF_S = 0.1

logger = logging.getLogger(__name__)


class _Call(NamedTuple):
    function: Callable[[], object]
    due_at: float
    over_s: float


class Calls:
    """At most one call a key, the newest; one that waits is replaced, but not put off. The worker's alone.

    >>> calls, ran = Calls(clock=lambda: 1.0), []
    >>> calls.put("picture", lambda: ran.append("old"), 0.0, 0.0)
    >>> calls.put("picture", lambda: ran.append("new"), 5.0, 0.0)
    >>> calls.run_due(lambda seconds, over_s: None), ran
    (None, ['new'])
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: dict[Hashable, _Call] = {}

    def put(self, key: Hashable, function: Callable[[], object], due_at: float, over_s: float) -> None:
        waiting = self._calls.get(key)
        self._calls[key] = _Call(function, due_at if waiting is None else min(due_at, waiting.due_at), over_s)

    def forget(self, keys: Sequence[Hashable]) -> None:
        for key in keys:
            self._calls.pop(key, None)

    def run_due(self, charge: Callable[[float, float], None], *, hurried: bool = False) -> float | None:
        """Run what is due, oldest first; returns the seconds until the next, None where none waits.

        `charge` gets the CPU seconds of each, and over how many seconds they are to be repaid. Where somebody waits for
        something else (`hurried`), what is repaid over time is put off.
        """
        now = self._clock()
        for key, call in self._calls.items():
            if hurried and call.over_s > 0 and call.due_at <= now:
                self._calls[key] = call._replace(due_at=now + PUT_OFF_S)
        for key in [key for key, call in self._calls.items() if call.due_at <= now]:
            call, began = self._calls.pop(key), time.thread_time()
            try:
                call.function()
            except Exception:
                logger.exception("what was to be made of a result could not be made")
            charge(time.thread_time() - began, call.over_s)
        waits = [call.due_at - self._clock() for call in self._calls.values()]
        return max(0.0, min(waits)) if waits else None
