"""Jobs, the work that views ask of the worker, and tasks, which are jobs as the worker sees them."""

from __future__ import annotations

import logging
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterator

from nnwidgets.shadow import Shadow
from nnwidgets.training.extras import Extra, ExtraCopies, Extras
from nnwidgets.training.snapshot import Snapshot

RETRY_AFTER_S = 1.0  # after a failure, doubled with each further one
RETRY_AT_MOST_S = 60.0
SENT_ON_CREDIT_S = 0.1  # all tasks are charged for a burst of sending beyond this, so that its view does not stop
FORGET = 0.8  # a slow job is expected to cost as much as its most expensive chunk, which fades by this factor
NEVER = float("-inf")
_NO_MORE = object()

logger = logging.getLogger(__name__)


class Job(ABC):
    """Something to compute from snapshots of the model, again and again. The worker calls all methods.

    Attributes:
        name: For messages.
        snapshot_extras: What its snapshots need beside the weights: "gradients", "previous" weights. They are copied
            only while the job is wanted. They are None in a snapshot that was not taken at the end of a watched step,
            such as the last one of a training: the job then keeps what it has shown.
        slow: Takes many chunks, and gets its own copy of the model so that other jobs go on meanwhile.
    """

    name: str = ""
    snapshot_extras: frozenset[Extra] = frozenset()
    slow: bool = False

    @abstractmethod
    def wanted(self) -> bool:
        """Whether somebody looks at the result now. Called at every turn of the worker, so it must be cheap."""

    @abstractmethod
    def work(self, snapshot: Snapshot) -> Iterator[None]:
        """Compute and publish, in chunks of at most 50 ms that end at each `yield`.

        A newer request may close the iterator between two chunks (`GeneratorExit`). Do not use the snapshot after the
        end.
        """

    @abstractmethod
    def failed(self, error: BaseException, step: int) -> None:
        """`work` raised this error, on the snapshot of this step. Training and other jobs go on."""


class Task:
    """Everything here but `sent_s` belongs to the worker."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.clicked_at: float | None = None  # when somebody asked for a result and has no answer yet
        self.promised = False  # the answer takes long, and goes on in the background
        self.takes_old = False  # there will be no newer snapshot for this click
        self.running: Iterator[None] | None = None  # the work in progress, on `source`
        self.source: Snapshot | None = None  # the newest snapshot that this job was given
        self.copy_tried_at = self.started_at = self.turn_at = self._retry_at = NEVER
        self.savings = 0.0  # seconds this job may spend of what the budget earned
        self.sent_s = 0.0  # what sending its results has cost so far; written by the sending thread
        # What the next run is expected to cost, or its next chunk if it has its own copy of the model. The very first
        # run does not count, as it fills caches and imports modules.
        self.cost_s = 0.0
        self._seen_sent_s = self._run_s = self._chunk_s = 0.0
        self._cancelled = self._warm = False
        self._failures = 0
        self._on_replica = job.slow
        self._replica: Shadow | None = None
        self._extras = Extras()

    @property
    def on_shadow(self) -> bool:
        """Whether it runs on the worker's shadow, not on its own copy."""
        return self.running is not None and not self._on_replica

    @property
    def nbytes(self) -> int:
        """Bytes of its own copy of the model, and of the extras of its snapshot."""
        return self._replica.nbytes + self._extras.nbytes if self._replica is not None else 0

    def wanted(self, now: float) -> bool:
        """Whether it should be kept fresh in the background."""
        return not self._cancelled and now >= self._retry_at and self.job.wanted()

    def click(self, at: float, *, fresh: bool = True) -> None:
        """Somebody asks for a result; one that is being computed is out of date."""
        self.stop()
        self.clicked_at, self.takes_old, self.copy_tried_at = at, not fresh, NEVER
        self._cancelled, self._retry_at, self._failures = False, NEVER, 0

    def promise(self) -> None:
        self.clicked_at, self.promised = None, True

    def cancel(self) -> None:
        """The user stopped it; it rests until the next click."""
        self.stop()
        self.clicked_at, self._cancelled = None, True

    def begin(self, source: Snapshot, now: float, *, on_replica: bool) -> None:
        """Start work on a snapshot, or on its own copy of it (`on_replica`). `advance` runs the first chunk."""
        self.source, self.started_at, self._run_s, self._on_replica = source, now, 0.0, on_replica
        snapshot = source
        if not on_replica:
            self._replica, self._extras = None, Extras()
        else:
            if self._replica is None:
                self._replica = source.shadow.replica()
            else:
                self._replica.refill_from(source.shadow)
            self._extras = source.extras.clone(self.job.snapshot_extras)
            snapshot = Snapshot(self._replica, source.step, source.taken_at, self._extras)
        self.running = iter(self.job.work(snapshot))

    def advance(self) -> bool:
        """Run one chunk; True if there was none left. Raises what the job raises."""
        if next(self.running or iter(()), _NO_MORE) is not _NO_MORE:
            return False
        self.running = self.clicked_at = None
        self.promised, self._failures = False, 0
        return True

    def charge(self, seconds: float, *, done: bool, owed: bool) -> float:
        """Learn from what a chunk cost, and take it from the savings if it is `owed`; returns the seconds taken.

        Work done while nothing trained is not owed, nor is the answer to a click, which all tasks are charged for.
        """
        taken = seconds if owed else 0.0
        self.savings -= taken
        self._run_s += seconds
        self._chunk_s = max(seconds, FORGET * self._chunk_s)
        by_chunk = self.job.slow and (self._on_replica or done)
        if self._warm and (done or by_chunk):
            self.cost_s = self._chunk_s if by_chunk else self._run_s
        self._warm |= done or by_chunk
        return taken

    def charge_sending(self) -> float:
        """Take from the savings what sending has cost since the last call; returns the seconds taken."""
        sent_s = self.sent_s
        taken = min(sent_s - self._seen_sent_s, max(0.0, self.savings + SENT_ON_CREDIT_S))
        self._seen_sent_s = sent_s
        self.savings -= taken
        return taken

    def fail(self, error: BaseException, now: float) -> None:
        """Tell the job that its work raised, and leave it alone for a while."""
        source = self.source
        self.stop()
        self.source, self.clicked_at = source, None  # it is not tried on this snapshot again
        self._retry_at = now + min(RETRY_AFTER_S * 2**self._failures, RETRY_AT_MOST_S)
        self._failures += 1
        try:
            self.job.failed(error, source.step if source is not None else 0)
        except BaseException:
            logger.exception("%s could not show that it had failed", self.job.name)

    def interrupt(self) -> None:
        """End the work in progress, which is not to blame; it starts again when it can."""
        asked = self.started_at if self.promised else self.clicked_at
        self.stop()
        self.clicked_at = asked

    def stop(self) -> None:
        """End the work in progress; its `finally` blocks run."""
        running, self.running = self.running, None
        self.promised = False
        if running is None:
            return
        self.source = None
        try:
            getattr(running, "close", lambda: None)()  # an iterator that is no generator has none
        except BaseException:
            logger.exception("%s raised while it was being stopped", self.job.name)

    def release(self) -> None:
        """Free its own copy of the model and what it was given."""
        self.stop()
        self._replica, self._extras = None, Extras()
        self.source = None


by_turn = operator.attrgetter("turn_at")  # the task that has waited longest comes first


class Tasks:
    """Any thread may `add`, `remove`, iterate and read; everything else is for the worker, unless it says otherwise.

    `spare_bytes` bounds what copies of the model beside the shadow take together, extras of snapshots included.
    """

    def __init__(self, copies: ExtraCopies, spare_bytes: int | None) -> None:
        self._copies, self._spare_bytes = copies, spare_bytes
        self._tasks: dict[Job, Task] = {}

    def __iter__(self) -> Iterator[Task]:
        return iter(tuple(self._tasks.values()))

    def add(self, job: Job) -> None:
        self._tasks.setdefault(job, Task(job))

    def remove(self, job: Job) -> Task | None:
        return self._tasks.pop(job, None)

    @property
    def on_shadow(self) -> list[Task]:
        """Those that run on the worker's shadow now."""
        return [task for task in self if task.on_shadow]

    @property
    def nbytes(self) -> int:
        """Bytes of all copies of the model beside the shadow, extras of snapshots included."""
        return self._copies.nbytes + sum(task.nbytes for task in self)

    def has_room(self, nbytes: int, *, instead_of: int) -> bool:
        """Whether there may be copies of `nbytes` in the place of some that are there."""
        return self._spare_bytes is None or nbytes + self.nbytes - instead_of <= self._spare_bytes

    @property
    def clicked(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(task.clicked_at is not None for task in self)

    def click(self, job: Job, at: float, *, fresh: bool = True) -> None:
        if task := self._tasks.get(job):
            task.click(at, fresh=fresh)

    def click_all(self, at: float) -> None:
        for task in self:
            if task.job.wanted():
                task.click(at)

    def cancel(self, job: Job) -> None:
        if task := self._tasks.get(job):
            task.cancel()

    def note_sent(self, job: Job | None, seconds: float) -> None:
        """Sending the results of this job took this long. Sending thread."""
        if job is not None and (task := self._tasks.get(job)):
            task.sent_s += seconds

    def release(self) -> None:
        """Stop everything and let go of all jobs."""
        while self._tasks:
            self._tasks.popitem()[1].release()
