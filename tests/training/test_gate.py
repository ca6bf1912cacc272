"""The gate is handed over in the order of asking, forks first, and survives whoever stops waiting."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from nnwidgets.training.gate import Gate
from tests.waiting import eventually

CHUNK_S = 0.005


@contextmanager
def back_to_back(gate: Gate, threads: int = 1) -> Iterator[list[int]]:
    """Threads that give the gate up only to ask for it again; yields how many chunks they have done."""
    stop, chunks = threading.Event(), [0]

    def work() -> None:
        while not stop.is_set():
            with gate:
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


@pytest.mark.parametrize(("ask", "most"), [(Gate.claim, 1), (Gate.__enter__, 4)], ids=["a fork", "a thread"])
def test_who_asks_waits_only_for_those_before_it(ask: Callable[[Gate], None], most: int) -> None:
    gate = Gate()
    with back_to_back(gate, threads=4) as chunks:
        for _ in range(20):
            before = chunks[0]
            ask(gate)
            waited, held = chunks[0] - before, chunks[0]
            time.sleep(2 * CHUNK_S)
            assert chunks[0] == held, "worked on behind the back of who holds the gate"
            gate.release()
            # One more may have been counted between the look and the asking.
            assert waited <= most + 1


def test_who_holds_it_enters_again() -> None:
    gate = Gate()
    with back_to_back(gate) as chunks:
        with gate:
            held = chunks[0]
            gate.claim()
            with gate:
                pass
            gate.release()
            assert gate.held_here
            time.sleep(2 * CHUNK_S)
            assert chunks[0] == held
        assert not gate.held_here
        eventually(lambda: chunks[0] > held)


def test_who_is_interrupted_while_waiting_leaves_the_queue() -> None:
    gate, release = Gate(), threading.Event()

    def hold() -> None:
        with gate:
            release.wait(10)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    holder = threading.Thread(target=hold)
    holder.start()
    eventually(lambda: gate._owner != 0)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            gate.claim()
    finally:
        signal.signal(signal.SIGALRM, before)
    release.set()
    holder.join()
    with back_to_back(gate) as chunks:
        assert chunks[0] > 2


def test_only_who_holds_it_may_release_it() -> None:
    gate = Gate()
    with pytest.raises(RuntimeError, match="released by the thread that holds it"):
        gate.release()
    with back_to_back(gate), pytest.raises(RuntimeError, match="released by the thread that holds it"):
        gate.release()
