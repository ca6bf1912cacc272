"""The one background thread of an inspector: runs jobs in chunks, within the budget, on snapshots of the model.

Requests arrive in one inbox, so that every field of a task has one writer. The thread does everything in chunks, each
under the fork lock.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from queue import Empty, SimpleQueue

from nnwidgets.shadow import Shadow
from nnwidgets.training.background import quiet_this_thread
from nnwidgets.training.budget import Budget
from nnwidgets.training.calls import Calls
from nnwidgets.training.fork_lock import fork_lock, register_fork_aware
from nnwidgets.training.schedule import Schedule
from nnwidgets.training.situation import Follower
from nnwidgets.training.snapshot import Snapshot, SnapshotBuffer
from nnwidgets.training.streams import CUDA, Cuda, SideStreams
from nnwidgets.training.tasks import Job

__all__ = ["Job", "Snapshot", "Worker"]

NAME = "nnwidgets-worker"
JOIN_AT_MOST_S = 10.0
REFILL_AT_MOST_S = 1.0
WAIT_FOR_SHADOW_S = 0.001
AFTER_ERROR_S = 1.0

Inbox = SimpleQueue[Callable[[], object] | None]
logger = logging.getLogger(__name__)
_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


class Worker:
    """Runs jobs in one daemon thread of low priority, with one CPU thread, started when first needed.

    Clicks go first; without a watch nothing else runs. Jobs are held from `add` to `remove`. The thread ends at
    `close`, when nobody holds the worker any more, and at the end of the process.

    The shadow is filled here, in the caller's thread. A watch brings a budget of its own. `readable` and `spare_bytes`
    are those of `Situation` and `Tasks`.
    """

    def __init__(
        self,
        shadow: Shadow,
        *,
        budget: Budget,
        readable: bool = True,
        spare_bytes: int | None = None,
        cuda: Cuda = CUDA,
    ) -> None:
        self._inbox: Inbox = SimpleQueue()
        self.buffer = SnapshotBuffer(shadow, clock=budget.clock, filled=partial(self._inbox.put, None), cuda=cuda)
        self.holds: set[object] = set()  # while there is one, nothing is computed and nothing copied
        self.closed = False
        self.schedule = Schedule(self.buffer, budget, readable=readable, spare_bytes=spare_bytes)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._refilling = threading.Lock()
        self._calls = Calls(budget.clock)
        self._messages: deque[Callable[[], object]] = deque()
        self._streams = SideStreams(cuda)
        self.buffer.take()
        register_fork_aware(self)
        _workers.add(self)
        weakref.finalize(self, self._inbox.put, None).atexit = False

    # For any thread. Nothing here waits for the worker, unless it says so.

    def add(self, job: Job) -> None:
        """Serve this job from now on: at once when it is requested, in the background while a watch is open."""
        self.schedule.tasks.add(job)
        if self.schedule.following:
            self._tell(None)

    def remove(self, job: Job) -> None:
        """Stop serving this job. Does not wait for a chunk that is running."""
        task = self.schedule.tasks.remove(job)
        if task is not None and self._alive:
            self._inbox.put(task.release)

    def request(self, job: Job, *, fresh: bool = True) -> None:
        """Start this job anew: somebody waits. From a snapshot no older than now, or (`fresh=False`) the last one.

        Ignored for a removed job.
        """
        self._tell(partial(self.schedule.tasks.click, job, self.schedule.budget.clock(), fresh=fresh))

    def request_all(self) -> None:
        """`request` every wanted job."""
        self._tell(partial(self.schedule.tasks.click_all, self.schedule.budget.clock()))

    def cancel(self, job: Job) -> None:
        """Stop this job, and leave it alone until it is requested again."""
        if self._alive:
            self._inbox.put(partial(self.schedule.tasks.cancel, job))

    def call(self, key: Hashable, function: Callable[[], object], *, delay_s: float = 0.0, over_s: float = 0.0) -> None:
        """Have the worker run `function` soon, not before `delay_s`: the newest of a key wins, and never waits anew.

        For what is made of results: layouts, pictures. The cost is charged, to be repaid over `over_s` seconds.
        """
        self._tell(partial(self._calls.put, key, function, self.schedule.budget.clock() + delay_s, over_s))

    def forget(self, *keys: Hashable) -> None:
        """Run no call of these keys that still waits."""
        if self._alive:
            self._inbox.put(partial(self._calls.forget, keys))

    def refill(self) -> bool:
        """Copy the model now, in the thread that trains, between steps. Waits until the worker gives up the shadow.

        Returns whether there is a snapshot no older than the call. There is none if a chunk takes too long, or while
        this thread captures a CUDA graph.
        """
        with self._refilling:
            asked = self.schedule.budget.clock()
            if self.buffer.capturing:
                return False
            if not self._alive:
                self.buffer.take()
                return True
            until = time.monotonic() + REFILL_AT_MOST_S
            try:
                self.schedule.yielding = True
                self._inbox.put(self.schedule.let_go)
                while (snapshot := self.buffer.snapshot) is None or snapshot.taken_at < asked:
                    if time.monotonic() > until:
                        return False
                    self.buffer.fill()
                    self.buffer.wait()
                    time.sleep(WAIT_FOR_SHADOW_S)
                return True
            finally:
                self.schedule.yielding = False
                self._inbox.put(None)

    def attach(self, follower: Follower, budget: Budget, *, readable: bool) -> None:
        """Refresh wanted jobs in the background from now on, within this budget.

        A newer follower replaces an older one. It is held weakly.
        """
        self.schedule.follow(follower, budget, readable=readable)
        self._tell(None)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Within, nothing computes, copies or calls CUDA. Waits for the chunk that is running."""
        hold = object()
        try:
            self.holds.add(hold)
            fork_lock.claim()
            fork_lock.release()
            self.schedule.wait()
            yield
        finally:
            self.holds.discard(hold)
            self._inbox.put(None)

    def close(self) -> None:
        """End the thread after its present chunk, and drop all jobs. From any thread; may be called again."""
        self.closed = True
        self._inbox.put(None)
        thread = self._thread
        # A garbage collection may close us in the worker of another inspector, or while a fork has stopped all workers.
        if thread is not None and not fork_lock.held_here:
            thread.join(JOIN_AT_MOST_S)
        if not self._alive:
            self.schedule.release()

    def forked(self) -> None:
        """In a forked child, where the thread does not exist."""
        self.closed = True
        self.buffer.due = False
        self._thread = None

    # The thread.

    @property
    def _alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _tell(self, message: Callable[[], object] | None) -> None:
        if self.closed:
            return
        self._inbox.put(message)
        with self._starting:
            if not self._alive and not self.closed:
                arguments = (weakref.ref(self), self._inbox)
                self._thread = threading.Thread(target=_live, args=arguments, name=NAME, daemon=True)
                self._thread.start()

    def turn(self, message: Callable[[], object] | None = None) -> float | None:
        """Take one message and run at most one chunk. Returns the seconds to sleep, None for "until woken"."""
        if message is not None:
            self._messages.append(message)
        if self.holds:
            return None
        shadow = self.buffer.shadow
        self._streams.enter(shadow.devices, shadow.device)
        while self._messages:
            self._messages.popleft()()
        until_call = self._calls.run_due(self.schedule.charge_call, hurried=self.schedule.tasks.clicked)
        pause = self.schedule.turn()
        if until_call is not None:
            pause = until_call if pause is None else min(pause, until_call)
        return pause


def _live(find: weakref.ref[Worker], inbox: Inbox) -> None:
    """The thread's loop. Between turns it holds no reference to the worker, so that an unused one is collected."""
    with fork_lock:
        quiet_this_thread()
    pause: float | None = 0.0
    while True:
        try:
            message = inbox.get(timeout=pause) if pause != 0 else inbox.get_nowait()
        except Empty:
            message = None
        with fork_lock:
            worker = find()
            if worker is None or worker.closed:
                break
            try:
                pause = worker.turn(message)
            except BaseException:
                # SystemExit included: if this thread ended, every view would freeze without a word.
                logger.exception("the background thread of nnwidgets met an error and goes on")
                pause = AFTER_ERROR_S
            del worker, message
    if worker is not None:
        with fork_lock:
            worker.schedule.release()


def _close_all() -> None:
    # A daemon thread that is inside a torch call when the interpreter shuts down aborts the process.
    for worker in tuple(_workers):
        worker.close()


atexit.register(_close_all)
