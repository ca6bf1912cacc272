"""One lock that stops all our background work while the process forks.

A fork copies locks as they are. If another thread is inside a torch call at that moment, the child inherits a held
allocator or OpenMP lock, and hangs. So background threads work only under this lock, a fork takes it first, and in the
child nothing of ours lives on.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Protocol


class ForkAware(Protocol):
    """Something that must not go on in a forked child."""

    def forked(self) -> None: ...


class ForkLock:
    """Background threads hold it for each chunk of work (`with fork_lock:`); so does whoever needs them to stop.

    It goes to whoever asked first. With a plain lock, a thread that works back to back would take it again at once, and
    others would wait as long as there is work.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[_Turn] = deque()
        self._owner = 0
        self._depth = 0  # re-entrant: a chunk may itself start a process

    @property
    def held_here(self) -> bool:
        """Whether the calling thread holds the lock. If so it must not wait for a thread that needs it."""
        return self._owner == threading.get_ident()

    def __enter__(self) -> None:
        self._acquire(self._queue.append)

    def __exit__(self, *_: object) -> None:
        self.release()

    def claim(self) -> None:
        """Take the lock next, before all who already wait for it."""
        self._acquire(self._queue.appendleft)

    def release(self) -> None:
        """Give the lock up. Raises RuntimeError in a thread that does not hold it."""
        if not self.held_here:
            raise RuntimeError("fork lock: expected to be released by the thread that holds it")
        with self._mutex:
            self._depth -= 1
            if not self._depth:
                self._hand_over()

    def forked(self) -> None:
        """In a forked child: nobody waits here, and the claim of the fork itself ends."""
        self._mutex = threading.Lock()
        self._queue.clear()
        self.release()

    def _acquire(self, enqueue: Callable[[_Turn], None]) -> None:
        turn = _Turn(threading.get_ident())
        with self._mutex:
            if self._owner == turn.thread:
                self._depth += 1
                return
            enqueue(turn)
            if not self._owner:
                self._hand_over()
        try:
            turn.come.acquire()
        except BaseException:  # Ctrl-C in a user's thread that waits
            with self._mutex:
                if turn in self._queue:
                    self._queue.remove(turn)
                else:
                    self._hand_over()
            raise

    def _hand_over(self) -> None:
        if self._queue:
            turn = self._queue.popleft()
            self._owner, self._depth = turn.thread, 1
            turn.come.release()
        else:
            self._owner, self._depth = 0, 0


class _Turn:
    """One thread that waits; `come` can be acquired once it holds the lock."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.come = threading.Lock()
        self.come.acquire()


fork_lock = ForkLock()
_fork_aware: weakref.WeakSet[ForkAware] = weakref.WeakSet()


def register_fork_aware(listener: ForkAware) -> None:
    """Call `listener.forked()` in every process forked from this one. It is held weakly."""
    _fork_aware.add(listener)


def _in_child() -> None:
    fork_lock.forked()
    for listener in tuple(_fork_aware):
        listener.forked()
    _fork_aware.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=fork_lock.claim, after_in_parent=fork_lock.release, after_in_child=_in_child)
