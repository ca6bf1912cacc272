"""The fork lock is handed over in the order of asking, forks first, and survives whoever stops waiting."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from nnwidgets.training.fork_lock import ForkLock
from tests.waiting import eventually

CHUNK_S = 0.005


@contextmanager
def back_to_back(lock: ForkLock, threads: int = 1) -> Iterator[list[int]]:
    """Threads that give the lock up only to ask for it again; yields how many chunks they have done."""
    stop, chunks = threading.Event(), [0]

    def work() -> None:
        while not stop.is_set():
            with lock:
                chunks[0] += 1
                time.sleep(CHUNK_S)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        eventually(lambda: chunks[0] > 2 * threads)
        yield chunks
    finally:
        stop.set()
        for worker in workers:
            worker.join()


@pytest.mark.parametrize(("ask", "most"), [(ForkLock.claim, 1), (ForkLock.__enter__, 4)], ids=["a fork", "a thread"])
def test_who_asks_waits_only_for_those_before_it(ask: Callable[[ForkLock], None], most: int) -> None:
    lock = ForkLock()
    with back_to_back(lock, threads=4) as chunks:
        for _ in range(20):
            before = chunks[0]
            ask(lock)
            waited, held = chunks[0] - before, chunks[0]
            time.sleep(2 * CHUNK_S)
            assert chunks[0] == held, "worked on behind the back of who holds the lock"
            lock.release()
            # One more may have been counted between the look and the asking.
            assert waited <= most + 1


def test_who_holds_it_enters_again() -> None:
    lock = ForkLock()
    with back_to_back(lock) as chunks:
        with lock:
            held = chunks[0]
            lock.claim()
            with lock:
                pass
            lock.release()
            assert lock.held_here
            time.sleep(2 * CHUNK_S)
            assert chunks[0] == held
        assert not lock.held_here
        eventually(lambda: chunks[0] > held)


def test_who_is_interrupted_while_waiting_leaves_the_queue() -> None:
    lock, release = ForkLock(), threading.Event()

    def hold() -> None:
        with lock:
            release.wait(10)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    holder = threading.Thread(target=hold)
    holder.start()
    eventually(lambda: lock._owner != 0)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            lock.claim()
    finally:
        signal.signal(signal.SIGALRM, before)
    release.set()
    holder.join()
    with back_to_back(lock) as chunks:
        assert chunks[0] > 2


def test_only_who_holds_it_may_release_it() -> None:
    lock = ForkLock()
    with pytest.raises(RuntimeError, match="released by the thread that holds it"):
        lock.release()
    with back_to_back(lock), pytest.raises(RuntimeError, match="released by the thread that holds it"):
        lock.release()
