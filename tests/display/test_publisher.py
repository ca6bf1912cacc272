"""The publisher's pace, by a clock of the test's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from nnwidgets.display.publisher import ACK_TIMEOUT_S, BURST, SILENCE_S, Publisher
from nnwidgets.display.wire import Frame
from tests.waiting import eventually


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Page:
    """A panel that notes what it gets."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, Frame]] = []
        self.errors: list[Exception] = []
        self.paid_s: list[float] = []

    def charge(self, seconds: float) -> None:
        self.paid_s.append(seconds)

    def deliver(self, frame: Frame, seq: int) -> None:
        self.frames.append((seq, frame))

    def undeliverable(self, error: Exception) -> None:
        self.errors.append(error)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    made = Publisher(clock)
    monkeypatch.setattr(made, "_start", lambda: None)
    return made


def frame(number: int) -> Callable[[], Frame]:
    return lambda: Frame({"number": number}, {"a": np.zeros(1)})


def advance(publisher: Publisher, clock: Clock, seconds: float, *, each: Callable[[], None] = lambda: None) -> None:
    """Let time pass in steps of 1 ms, sending whatever is due."""
    for _ in range(round(seconds * 1000)):
        each()
        while (turn := publisher._choose(clock.now)[0]) is not None:
            turn()
        clock.now += 0.001


def numbers(page: Page) -> list[int]:
    return [frame.header["number"] for _, frame in page.frames]


def busy(seconds: float) -> None:
    begin = time.thread_time()
    while time.thread_time() - begin < seconds:
        pass


def test_who_has_something_sent_is_told_what_it_cost() -> None:
    publisher, page, other = Publisher(), Page(), Page()

    def make() -> Frame:
        busy(0.05)
        return Frame({})

    publisher.open(page)
    publisher.post(page, make)
    publisher.update(other, lambda: busy(0.02) or 1)  # type: ignore[func-returns-value]
    eventually(lambda: page.paid_s and other.paid_s, "both to be told")
    publisher.stop()
    assert 0.05 <= sum(page.paid_s) < 0.5
    assert 0.02 <= sum(other.paid_s) < 0.5


def test_the_newest_frame_wins_and_two_may_be_on_their_way(publisher: Publisher, clock: Clock) -> None:
    page = Page()
    publisher.open(page)
    counter = iter(range(10_000))
    advance(publisher, clock, 0.5, each=lambda: publisher.post(page, frame(next(counter))))
    assert len(page.frames) == 2
    publisher.heard(page, ack=page.frames[0][0])
    advance(publisher, clock, 0.001)
    assert numbers(page)[2] == 499


def test_an_acknowledging_page_gets_twenty_frames_a_second(publisher: Publisher, clock: Clock) -> None:
    page = Page()
    publisher.open(page)

    def each() -> None:
        publisher.post(page, frame(0))
        if page.frames:
            publisher.heard(page, ack=page.frames[-1][0])

    advance(publisher, clock, 2.0, each=each)
    assert 38 <= len(page.frames) <= 41


def test_a_silent_page_gets_five_frames_a_second_and_the_last_is_the_newest(publisher: Publisher, clock: Clock) -> None:
    page = Page()
    publisher.open(page)
    counter = iter(range(100_000))
    advance(publisher, clock, 5.0, each=lambda: publisher.post(page, frame(next(counter))))
    assert 2 + 5 * (4 - ACK_TIMEOUT_S) <= len(page.frames) <= 2 + 5 * 5
    advance(publisher, clock, 1.0)
    assert numbers(page)[-1] == 4999


def test_a_page_that_fell_silent_in_a_busy_kernel_sleeps_until_it_says_hello(
    publisher: Publisher, clock: Clock
) -> None:
    page = Page()
    publisher.open(page)
    publisher.post(page, frame(0))
    advance(publisher, clock, 0.1)
    publisher.heard(page, ack=1, busy=True)
    clock.now += SILENCE_S + 1
    assert not publisher.awake(page)
    publisher.post(page, frame(1))
    advance(publisher, clock, 1.0)
    assert numbers(page) == [0]
    publisher.heard(page, visible=True, busy=True)
    advance(publisher, clock, 0.1)
    assert numbers(page) == [0, 1]


def test_a_kernel_that_cannot_hear_while_busy_is_not_taken_for_a_closed_tab(publisher: Publisher, clock: Clock) -> None:
    page = Page()
    publisher.open(page)
    publisher.post(page, frame(0))
    advance(publisher, clock, 0.1)
    publisher.heard(page, ack=1, busy=False)
    clock.now += SILENCE_S + 1
    assert publisher.awake(page)


def test_a_hidden_page_gets_nothing(publisher: Publisher, clock: Clock) -> None:
    page = Page()
    publisher.open(page)
    publisher.heard(page, visible=False)
    publisher.post(page, frame(0))
    advance(publisher, clock, 2.0)
    assert page.frames == []
    assert not publisher.awake(page)


def test_all_pages_together_stay_under_a_hundred_messages_a_second(publisher: Publisher, clock: Clock) -> None:
    pages = [Page() for _ in range(30)]
    for page in pages:
        publisher.open(page)

    def each() -> None:
        for page in pages:
            publisher.post(page, frame(0))
            if page.frames:
                publisher.heard(page, ack=page.frames[-1][0])

    advance(publisher, clock, 1.0, each=each)
    first = [len(page.frames) for page in pages]
    assert 120 <= sum(first) <= 101 + BURST
    advance(publisher, clock, 1.0, each=each)
    sent = [len(page.frames) - before for page, before in zip(pages, first, strict=True)]
    assert 90 <= sum(sent) <= 101
    assert min(sent) >= 2, "no page starves"


def test_a_frame_that_cannot_be_made_is_told_and_others_go_on(publisher: Publisher, clock: Clock) -> None:
    broken, fine = Page(), Page()
    publisher.open(broken)
    publisher.open(fine)

    def fail() -> Frame:
        raise ZeroDivisionError("no maps")

    publisher.post(broken, fail)
    publisher.post(fine, frame(7))
    advance(publisher, clock, 0.2)
    assert [str(error) for error in broken.errors] == ["no maps"]
    assert numbers(fine) == [7]


def test_curve_updates_keep_the_newest_and_their_pace(publisher: Publisher, clock: Clock) -> None:
    written: list[int] = []
    counter = iter(range(10_000))
    curve = Page()

    def each() -> None:
        value = next(counter)
        publisher.update(curve, lambda: written.append(value) or 6)  # type: ignore[func-returns-value]

    advance(publisher, clock, 2.0, each=each)
    advance(publisher, clock, 0.5)
    assert 8 <= len(written) <= 12
    assert written[-1] == 1999


def test_a_curve_that_changes_while_its_turn_is_awaited_keeps_its_pace(publisher: Publisher, clock: Clock) -> None:
    """Whoever is due longest goes first: one that stayed due for ever would have every turn."""
    page, curve, drawn = Page(), Page(), [0]
    publisher.open(page)

    def change() -> None:
        def draw() -> int:
            drawn[0] += 1
            return 1

        publisher.update(curve, draw)

    for _ in range(100):
        change()
        publisher.post(page, frame(0))
        turn = publisher._choose(clock.now)[0]
        change()
        if turn is not None:
            turn()
        if page.frames:
            publisher.heard(page, ack=page.frames[-1][0])
        clock.now += 0.02
    assert len(page.frames) >= 25
    assert 9 <= drawn[0] <= 11


def test_a_held_curve_is_left_alone_for_that_long(publisher: Publisher, clock: Clock) -> None:
    written: list[float] = []
    curve, begin = Page(), clock()

    def write() -> int:
        written.append(clock())
        return 1

    publisher.update(curve, write)
    publisher.hold(curve, 1.5)
    advance(publisher, clock, 1.0, each=lambda: publisher.update(curve, write))
    assert written == []
    advance(publisher, clock, 1.0)
    assert len(written) == 1
    assert written[0] >= begin + 1.5


def test_the_thread_sends_and_stops() -> None:
    publisher = Publisher()
    page = Page()
    publisher.open(page)
    sent = threading.Event()

    def make() -> Frame:
        sent.set()
        return Frame({"number": 1})

    publisher.post(page, make)
    assert sent.wait(5)
    publisher.stop()
    assert publisher._thread is not None
    assert not publisher._thread.is_alive()
