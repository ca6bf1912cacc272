"""The tasks of one worker, and the memory that copies of the model take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnwidgets.training.extras import ExtraCopies
from nnwidgets.training.job import Job
from nnwidgets.training.task import Task


class Tasks:
    """Any thread may `add`, `remove`, iterate and read; everything else is for the worker, unless it says otherwise.

    Args:
        copies: The extras of the snapshot.
        spare_bytes: How much copies of the model beside the shadow may take together; None for any amount.
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
    def replica_bytes(self) -> int:
        """Bytes of all copies of the model beside the shadow, extras of snapshots included."""
        return self._copies.nbytes + sum(task.replica_bytes for task in self)

    def has_room(self, nbytes: int, *, instead_of: int) -> bool:
        """Whether there may be copies of `nbytes` in the place of some that are there."""
        return self._spare_bytes is None or nbytes + self.replica_bytes - instead_of <= self._spare_bytes

    def click(self, job: Job, at: float) -> None:
        if task := self._tasks.get(job):
            task.click(at)

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
