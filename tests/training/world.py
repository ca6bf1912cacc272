"""A training of steps of 10 ms and a worker beside it, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn

from nnwidgets.shadow import Shadow
from nnwidgets.training.budget import Budget
from nnwidgets.training.schedule import Schedule
from nnwidgets.training.snapshot import SnapshotBuffer
from nnwidgets.training.worker import Job, Snapshot

STEP_S = 0.01


class Follower:
    still_s = 0.0

    def tick(self) -> None:
        """Nothing to do."""


class FakeJob(Job):
    """Costs what it is told, in fake seconds of the worker."""

    def __init__(self, world: World, cost: Callable[[float], float], *, slices: int = 1, slow: bool = False) -> None:
        self.seen: list[Snapshot] = []
        self.name, self.slow = "fake", slow
        self.world, self.cost, self.slices = world, cost, slices
        self.runs: list[float] = []
        self.chunks = 0

    def wanted(self) -> bool:
        return True

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        self.seen.append(snapshot)
        for _ in range(self.slices):
            self.world.worker_s += self.cost(self.world.now)
            self.chunks += 1
            yield
        self.runs.append(self.world.now)

    def failed(self, error: BaseException, step: int) -> None:
        raise AssertionError from error


class World:
    """Training on one core, the worker on another; the wall clock follows training, steps of 10 ms."""

    def __init__(self, share: float = 0.05, spare_bytes: int | None = None) -> None:
        self.now = 0.0
        self.worker_s = 0.0
        self.free_at = 0.0
        self.worst = 0.0
        self.budget = Budget(share, clock=lambda: self.now, cpu_clock=lambda: self.worker_s)
        self.buffer = SnapshotBuffer(Shadow(nn.Linear(1, 1)), clock=lambda: self.now, filled=lambda: None)
        self.schedule = Schedule(self.buffer, self.budget, spare_bytes=spare_bytes)
        self.follower = Follower()
        self.schedule.follow(self.follower, self.budget, readable=True)

    def job(self, cost: Callable[[float], float] | float, *, slices: int = 1, slow: bool = False) -> FakeJob:
        job = FakeJob(self, cost if callable(cost) else lambda _: cost, slices=slices, slow=slow)
        self.schedule.tasks.add(job)
        return job

    def train(self, seconds: float, *, hook_s: float = 0.0) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            self.budget.stepped()
            self.buffer.step += 1
            if self.buffer.due:
                self.buffer.fill(at_border=True)
                self.buffer.fill_s = hook_s
                self.budget.charge_hook(hook_s)
            while self.free_at <= self.now and self.turn():
                pass
            self.worst = max(self.worst, self.budget.spent_s - self.budget.share * self.budget.training_s)

    def turn(self) -> bool:
        """One turn; the worker is busy for as long as it cost. False when it would sleep."""
        before = self.worker_s
        pause = self.schedule.turn()
        self.free_at = self.now + self.worker_s - before
        return pause == 0.0
