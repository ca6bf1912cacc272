"""One thread that sends what every view shows, at the pace of the pages. It sends only: the worker makes and packs.

Above 1 000 messages a second Jupyter Server drops messages silently, the cell's own "done" among them, so nothing here
queues without bound: per panel and channel the newest frame wins, at most `WINDOW` frames are unacknowledged, and all
panels together send `MESSAGES_PER_S` at most.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from nnwidgets.display.wire import Frame
from nnwidgets.training.background import quiet_this_thread
from nnwidgets.training.fork_lock import fork_lock, register_fork_aware

WINDOW = 2
FRAMES_PER_S = 20
UNANSWERED_FRAMES_PER_S = 5
MESSAGES_PER_S = 100  # on average
BURST = 30  # so many may follow each other at once: a picture need not wait for the curves sent before it
UPDATES_PER_S = 5
ACK_TIMEOUT_S = 1.0
SILENCE_S = 30.0

FrameSource = Callable[[], Frame | None]
logger = logging.getLogger(__name__)


class Charged(Protocol):
    """Whom the CPU seconds of a turn are told, in the sending thread."""

    def charge(self, seconds: float) -> None: ...


class Outlet(Charged, Protocol):
    """Where a lane's frames go: a panel."""

    def deliver(self, frame: Frame, seq: int) -> None: ...

    def undeliverable(self, error: Exception) -> None: ...


@dataclass
class Lane:
    """What is waiting and what is on its way for one panel. Times are seconds of the publisher's clock."""

    outlet: Outlet
    pending: dict[str, FrameSource] = field(default_factory=dict)
    unacked: dict[int, float] = field(default_factory=dict)
    seq: int = 0
    sent_at: float = float("-inf")
    heard_at: float | None = None
    answers_while_busy: bool = False
    visible: bool = True
    unanswered: bool = False
    dropped: int = 0

    def asleep(self, now: float) -> bool:
        """Nobody looks: the page says so, or one that used to answer has been silent for long."""
        if not self.visible:
            return True
        return self.answers_while_busy and self.heard_at is not None and now - self.heard_at > SILENCE_S

    def due_at(self, now: float) -> float | None:
        """When the next frame may leave; None when nothing waits or the window is full."""
        if not self.pending or self.asleep(now):
            return None
        if self.unacked and now - min(self.unacked.values()) >= ACK_TIMEOUT_S:
            self.unacked.clear()
            self.unanswered = True
        if self.unanswered:
            return self.sent_at + 1 / UNANSWERED_FRAMES_PER_S
        if len(self.unacked) >= WINDOW:
            return min(self.unacked.values()) + ACK_TIMEOUT_S
        return self.sent_at + 1 / FRAMES_PER_S


class Publisher:
    """Sends the newest frame of every panel at the pace its browser keeps up with.

    `post`, `heard` and `update` may be called from any thread and never wait for a browser.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes: dict[int, Lane] = {}
        self._updates: dict[int, tuple[float, Charged, Callable[[], int]]] = {}
        self._paced: dict[int, float] = {}  # when the next change of a key may run
        self._held: dict[int, float] = {}
        self._paid_until = float("-inf")  # when what was sent would have been sent, evenly spaced
        self._wake = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def open(self, outlet: Outlet) -> None:
        with self._wake:
            self._lanes[id(outlet)] = Lane(outlet)

    def close(self, outlet: Outlet) -> None:
        with self._wake:
            self._lanes.pop(id(outlet), None)

    def post(self, outlet: Outlet, source: FrameSource, *, channel: str = "picture") -> None:
        """Have the frame sent that `source` returns when its turn comes; replaces one of this channel still waiting."""
        with self._wake:
            lane = self._lanes.get(id(outlet))
            if lane is None:
                return
            lane.dropped += channel in lane.pending
            lane.pending[channel] = source
            self._start()
            self._wake.notify()

    def update(self, key: Charged, change: Callable[[], int], *, at_once: bool = False) -> None:
        """Run `change` (trait writes on curves) in the sending thread, newest per key; it returns its messages.

        A change that waits is replaced, but not put off. `at_once` need not keep to `UPDATES_PER_S`.
        """
        with self._wake:
            paced = float("-inf") if at_once else self._paced.get(id(key), float("-inf"))
            due = max(self._clock(), paced, self._held.get(id(key), float("-inf")))
            waiting = self._updates[id(key)][0] if id(key) in self._updates else due
            self._updates[id(key)] = (min(waiting, due), key, change)
            self._start()
            self._wake.notify()

    def hold(self, key: object, hold_s: float) -> None:
        """Run no change of this key for a while, neither one that waits nor one to come."""
        with self._wake:
            self._held[id(key)] = until = max(self._held.get(id(key), float("-inf")), self._clock() + hold_s)
            if id(key) in self._updates:
                due, charged, change = self._updates[id(key)]
                self._updates[id(key)] = (max(due, until), charged, change)

    def forget(self, key: object) -> None:
        with self._wake:
            for waiting in (self._updates, self._paced, self._held):
                waiting.pop(id(key), None)

    def heard(self, outlet: Outlet, *, ack: int | None = None, visible: bool | None = None, busy: bool = False) -> None:
        """Note a message of the browser; `busy` says that it was handled while a cell ran."""
        with self._wake:
            lane = self._lanes.get(id(outlet))
            if lane is None:
                return
            lane.heard_at = self._clock()
            lane.answers_while_busy |= busy
            if visible is not None:
                lane.visible = visible
            if ack is not None:
                lane.unacked.pop(ack, None)
                lane.unanswered = False
            self._wake.notify()

    def awake(self, outlet: Outlet) -> bool:
        """Whether somebody may be looking at this panel: what is not looked at is not computed."""
        lane = self._lanes.get(id(outlet))
        return lane is not None and not lane.asleep(self._clock())

    def stop(self) -> None:
        """End the thread; waits at most a second, and never in the thread itself."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def forked(self) -> None:
        """In a forked child there is no thread and no page: nothing is sent from there."""
        self._wake = threading.Condition()
        self._stopped = True
        self._lanes.clear()

    def _start(self) -> None:
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="nnwidgets-publisher", daemon=True)
            self._thread.start()
            atexit.register(self.stop)
            register_fork_aware(self)

    def _run(self) -> None:
        with fork_lock:
            quiet_this_thread()
        while True:
            with self._wake:
                if self._stopped:
                    return
                now = self._clock()
                turn, wait_s = self._choose(now)
                if turn is None:
                    self._wake.wait(wait_s)
                    continue
            with fork_lock:
                _charged_turn(turn)

    def _choose(self, now: float) -> tuple[Callable[[], Charged] | None, float | None]:
        """The next thing to send, or how many seconds to sleep (None: until something comes)."""
        turns: list[tuple[float, Callable[[], Charged]]] = []
        for lane in self._lanes.values():
            due = lane.due_at(now)
            if due is not None:
                turns.append((due, partial(self._send, lane)))
        for key, (due, charged, _) in self._updates.items():
            turns.append((due, partial(self._change, key, charged)))
        if not turns:
            return None, None
        # Who has been due longest goes first, so that nobody starves when all together are too many.
        due, turn = min(turns, key=lambda item: item[0])
        due = max(due, self._paid_until - BURST / MESSAGES_PER_S)
        return (turn, None) if due <= now else (None, due - now)

    def _sent(self, messages: int) -> None:
        self._paid_until = max(self._clock(), self._paid_until) + messages / MESSAGES_PER_S

    def _send(self, lane: Lane) -> Outlet:
        with self._wake:
            if not lane.pending:
                return lane.outlet
            # A picture carries all that a state frame says, so it goes first.
            channel = "picture" if "picture" in lane.pending else next(iter(lane.pending))
            source = lane.pending.pop(channel)
            lane.seq += 1
            seq = lane.seq
            lane.sent_at = self._clock()
            if not lane.unanswered:
                lane.unacked[seq] = lane.sent_at
            self._sent(1)
        try:
            frame = source()
            if frame is None:
                lane.unacked.pop(seq, None)
            else:
                lane.outlet.deliver(frame, seq)
        except Exception as error:
            lane.unacked.pop(seq, None)
            logger.warning("a frame could not be sent", exc_info=True)
            lane.outlet.undeliverable(error)
        return lane.outlet

    def _change(self, key: int, charged: Charged) -> Charged:
        with self._wake:
            if key not in self._updates:
                return charged
            # Taken before it is run: one that comes meanwhile waits for its own turn.
            _, _, change = self._updates.pop(key)
            self._paced[key] = self._clock() + 1 / UPDATES_PER_S
        messages = 1
        try:
            messages = max(1, change())
        except Exception:
            logger.warning("a curve could not be updated", exc_info=True)
        self._sent(messages)
        return charged


def _charged_turn(turn: Callable[[], Charged]) -> None:
    begin = time.thread_time()
    charged = turn()
    charged.charge(time.thread_time() - begin)


PUBLISHER = Publisher()
