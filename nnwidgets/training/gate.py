"""One lock that holds all of our background work still while the process forks. Knows nothing of what the work is.

A fork copies locks in the state they are in. When another thread is inside a torch call at that moment, the child
inherits its allocator or OpenMP locks held, and hangs. So background threads work only inside the gate, a fork waits
until the gate is free, and in the child everything of ours is dead.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Protocol


class Mortal(Protocol):
    """Something that does not live on in a forked child."""

    def forked(self) -> None: ...


class Gate:
    """Held by background threads around each chunk of work (`with gate:`), and by whoever needs them to hold still."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # re-entrant: a chunk may itself start a process
        self._claimed = False
        self._owner = 0
        self._depth = 0

    @property
    def held_here(self) -> bool:
        """Whether the calling thread holds the gate: it then must not wait for a thread that works inside it."""
        return self._owner == threading.get_ident()

    def __enter__(self) -> None:
        # Locks are not fair: without this, a thread that works back to back would keep a fork waiting.
        while self._claimed:
            time.sleep(0.001)
        self._acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def claim(self) -> None:
        """Wait for the chunk that is running, ahead of all later ones."""
        self._claimed = True
        self._acquire()
        self._claimed = False

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = 0
        self._lock.release()

    def _acquire(self) -> None:
        self._lock.acquire()
        self._owner = threading.get_ident()
        self._depth += 1


gate = Gate()
_mortals: weakref.WeakSet[Mortal] = weakref.WeakSet()


def dies_in_child(mortal: Mortal) -> None:
    """Have `mortal.forked()` called in every process that is forked from this one. Held weakly."""
    _mortals.add(mortal)


def _in_child() -> None:
    gate.release()
    for mortal in tuple(_mortals):
        mortal.forked()
    _mortals.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=gate.claim, after_in_parent=gate.release, after_in_child=_in_child)
