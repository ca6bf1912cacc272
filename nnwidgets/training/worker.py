"""The one background thread of an inspector: takes jobs' chunks in turn, within the budget, on snapshots of the model.

Knows shadows and jobs; knows no widget and no optimizer. All that others ask arrives in one inbox, so that every field
of a task has one writer. Everything the thread does is done under the fork lock, in chunks.
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
from nnwidgets.training.job import Job
from nnwidgets.training.schedule import Follower, Schedule
from nnwidgets.training.snapshot import Snapshot, SnapshotBuffer
from nnwidgets.training.streams import CUDA, Cuda, SideStreams

__all__ = ["Job", "Snapshot", "Worker"]

NAME = "nnwidgets-worker"
JOIN_AT_MOST_S = 10.0
WAIT_FOR_SHADOW_S = 0.001
AFTER_ERROR_S = 1.0

Inbox = SimpleQueue[Callable[[], object] | None]
logger = logging.getLogger(__name__)
_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


class Worker:
    """Runs jobs in one daemon thread: low priority, one CPU thread, started when first needed.

    Clicks go first; without a watch nothing else runs. Jobs are held from `add` to `remove`. A worker that nobody holds
    any more ends its thread; so do `close` and the end of the process.

    Args:
        shadow: The copy of the model that jobs get; filled here, in the caller's thread.
        budget: What background work may cost. A watch puts its own in its place.
        readable: Whether this thread may copy the model itself while nothing trains: on the CPU and CUDA.
        spare_bytes: What further copies of the model, for slow jobs, may take; None for any amount.
        cuda: For tests.
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
        self._schedule = Schedule(self.buffer, budget, readable=readable, spare_bytes=spare_bytes)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._refilling = threading.Lock()
        self._flushes: list[threading.Event] = []
        self._calls = Calls(budget.clock)
        self._messages: deque[Callable[[], object]] = deque()
        self._streams = SideStreams(cuda)
        self.buffer.take()
        register_fork_aware(self)
        _workers.add(self)
        weakref.finalize(self, self._inbox.put, None).atexit = False

    @property
    def shadow(self) -> Shadow:
        return self.buffer.shadow

    @property
    def budget(self) -> Budget:
        return self._schedule.budget

    @property
    def replica_bytes(self) -> int:
        """What copies of the model beside the shadow take now: for slow jobs, gradients, previous weights."""
        return self._schedule.tasks.replica_bytes

    # What any thread may ask. Nothing here waits for the worker, unless it says so.

    def add(self, job: Job) -> None:
        """Serve this job from now on: at once when clicked, in the background while a watch follows the training."""
        self._schedule.tasks.add(job)
        if self._schedule.following:
            self._tell(None)

    def remove(self, job: Job) -> None:
        """Stop serving this job and let go of it. A chunk that is running is not waited for."""
        task = self._schedule.tasks.remove(job)
        if task is not None and self._alive:
            self._inbox.put(task.release)

    def request(self, job: Job) -> None:
        """Somebody waits for this job: begin anew, from a snapshot no older than now. Not for a removed job."""
        self._tell(partial(self._schedule.tasks.click, job, self.budget.clock()))

    def request_all(self) -> None:
        """`request` for every job that is wanted."""
        self._tell(partial(self._schedule.tasks.click_all, self.budget.clock()))

    def cancel(self, job: Job) -> None:
        """Stop what runs for this job, and leave it alone until it is requested again."""
        if self._alive:
            self._inbox.put(partial(self._schedule.tasks.cancel, job))

    def call(self, key: Hashable, function: Callable[[], object], *, delay_s: float = 0.0, over_s: float = 0.0) -> None:
        """Have the worker run `function` soon, not before `delay_s`: the newest of a key wins, and never waits anew.

        For what is made of results: layouts, pictures. The cost is charged, to be repaid over `over_s` seconds.
        """
        self._tell(partial(self._calls.put, key, function, self.budget.clock() + delay_s, over_s))

    def forget(self, *keys: Hashable) -> None:
        """Run no call of these keys that still waits."""
        if self._alive:
            self._inbox.put(partial(self._calls.forget, keys))

    def charge_sending(self, seconds: float, job: Job | None = None) -> None:
        """Sending what this job found, or nobody's in particular, took so long. To be called by one thread only."""
        self._schedule.charge_sending(seconds, job)

    def refill(self, timeout: float = 1.0) -> bool:
        """Copy the model now. In the thread that trains, between steps; waits until the worker lets go of the shadow.

        Returns whether there is a snapshot no older than the call; within `timeout` seconds that fails only under a job
        whose chunks are too long, and while this thread records a CUDA graph.
        """
        with self._refilling:
            asked = self.budget.clock()
            if self.buffer.capturing:
                return False
            if not self._alive:
                self.buffer.take()
                return True
            until = time.monotonic() + timeout
            try:
                self._schedule.yielding = True
                self._inbox.put(self._schedule.let_go)
                while (snapshot := self.buffer.snapshot) is None or snapshot.taken_at < asked:
                    if time.monotonic() > until:
                        return False
                    self.buffer.fill()
                    self.buffer.wait()
                    time.sleep(WAIT_FOR_SHADOW_S)
                return True
            finally:
                self._schedule.yielding = False
                self._inbox.put(None)

    def attach(self, follower: Follower, budget: Budget, *, readable: bool) -> None:
        """Refresh wanted jobs in the background from now on, within this budget. Of two followers the newer counts.

        The follower is held weakly; `readable` is as for the worker.
        """
        self._schedule.follow(follower, budget, readable=readable)
        self._tell(None)

    def detach(self, follower: Follower) -> None:
        """End the background refreshes, if this is the follower that they are for."""
        self._schedule.unfollow(follower)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Within, nothing is computed, nothing copied and no CUDA call made; waits for the chunk that is running."""
        hold = object()
        try:
            self.holds.add(hold)
            fork_lock.claim()
            fork_lock.release()
            self._schedule.wait()
            yield
        finally:
            self.holds.discard(hold)
            self._inbox.put(None)

    def idle(self) -> bool:
        """Whether nothing was requested or begun and not finished."""
        return self._inbox.empty() and not self._messages and not self._schedule.tasks.busy

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was requested is answered; whether that was so in time."""
        done = threading.Event()
        self._tell(partial(self._flushes.append, done))
        return done.wait(timeout)

    def close(self) -> None:
        """End the thread after the chunk it is in, and let go of all jobs. Again is allowed, and so is any thread."""
        self.closed = True
        self._inbox.put(None)
        thread = self._thread
        # A garbage collection may close us in the worker of another inspector, or while a fork holds all workers still.
        if thread is not None and not fork_lock.held_here:
            thread.join(JOIN_AT_MOST_S)
        if not self._alive:
            self._schedule.release()

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
        """Take one message, decide, run at most one chunk. Returns the seconds to sleep, None until woken."""
        if message is not None:
            self._messages.append(message)
        if self.holds:
            return None
        self._streams.enter(self.shadow.devices, self.shadow.device)
        while self._messages:
            self._messages.popleft()()
        until_call = self._calls.run_due(self._schedule.charge_call)
        pause = self._schedule.turn()
        if until_call is not None:
            pause = until_call if pause is None else min(pause, until_call)
        if self._flushes and self._inbox.empty() and not self._schedule.tasks.clicked and not self._calls.due:
            while self._flushes:
                self._flushes.pop().set()
        return pause


def _live(find: weakref.ref[Worker], inbox: Inbox) -> None:
    """The thread's life. Between turns it holds no reference to the worker, so that one nobody needs can go."""
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
            pause = _safe_turn(worker, message)
            del worker, message
    if worker is not None:
        with fork_lock:
            worker._schedule.release()


def _safe_turn(worker: Worker, message: Callable[[], object] | None) -> float | None:
    try:
        return worker.turn(message)
    except BaseException:
        # Whatever it is, SystemExit included: a thread that ends here would freeze every view silently.
        logger.exception("the background thread of nnwidgets met an error and goes on")
        return AFTER_ERROR_S


def _close_all() -> None:
    # A daemon thread inside a torch call while the interpreter shuts down aborts the process.
    for worker in tuple(_workers):
        worker.close()


atexit.register(_close_all)
