"""The fork lock is handed over in the order of asking, forks first, and survives whoever stops waiting."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize(
    ("ask", "order"), [(ForkLock.claim, "?0123"), (ForkLock.__enter__, "0123?")], ids=["a fork", "a thread"]
)
def test_it_is_handed_over_in_the_order_of_asking_and_forks_come_first(
    ask: Callable[[ForkLock], None], order: str
) -> None:
    lock = ForkLock()
    served: list[str] = []

    def wait_for(name: str, ask: Callable[[ForkLock], None]) -> None:
        ask(lock)
        served.append(name)
        lock.release()

    askers = [*((name, ForkLock.__enter__) for name in "0123"), ("?", ask)]
    threads = [threading.Thread(target=wait_for, args=asker) for asker in askers]
    with lock:
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            eventually(lambda: len(lock._queue) == waiting)  # noqa: B023
        assert served == []
    for thread in threads:
        thread.join()
    assert "".join(served) == order


def test_nobody_works_behind_the_back_of_who_holds_it() -> None:
    lock = ForkLock()
    with back_to_back(lock, threads=4) as chunks:
        for _ in range(20):
            with lock:
                held = chunks[0]
                eventually(lambda: len(lock._queue) == 4, "four threads that wait")
                assert chunks[0] == held


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
            eventually(lambda: len(lock._queue) == 1, "a thread that waits")
            assert chunks[0] == held
        assert not lock.held_here
        eventually(lambda: chunks[0] > held)


def test_who_is_interrupted_while_waiting_leaves_the_queue() -> None:
    lock, release = ForkLock(), threading.Event()

    def hold() -> None:
        with lock:
            release.wait(60)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def press() -> None:
        eventually(lambda: bool(lock._queue), "a claim that waits")
        os.kill(os.getpid(), signal.SIGINT)

    holder, presser = threading.Thread(target=hold), threading.Thread(target=press)
    holder.start()
    eventually(lambda: lock._owner != 0)
    presser.start()
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            lock.claim()
    finally:
        presser.join()
        signal.signal(signal.SIGINT, before)
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
