"""Small models, jobs that write down what they see, and a training loop, for the tests of following a training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import torch
from torch import Tensor, nn

from nnwidgets.shadow import Shadow
from nnwidgets.training.budget import Budget
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.watch import Watch
from nnwidgets.training.worker import Job, Snapshot, Worker


def mlp() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 3))


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1), nn.Flatten(), nn.Linear(8 * 10 * 10, 4)
    )


def loss_of(model: nn.Module, inputs: Tensor) -> Tensor:
    return nn.functional.cross_entropy(model(inputs), torch.arange(len(inputs), device=inputs.device) % 3)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, steps: int) -> bool:
    """Train for some steps; true, so that it can stand in a condition that needs training to come true."""
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model, inputs).backward()
        optimizer.step()
    return True


class Look(Job):
    """Runs the shadow and writes down the steps it saw; `slices` chunks of `slice_s` seconds each."""

    def __init__(
        self, inputs: Tensor | None = None, *, slices: int = 1, slice_s: float = 0.0, slow: bool = False
    ) -> None:
        self.name = "look"
        self.slow = slow
        self.inputs = inputs
        self.slices, self.slice_s = slices, slice_s
        self.on_screen = True
        self.begun: list[int] = []
        self.steps: list[int] = []
        self.times: list[float] = []
        self.ended = 0
        self.errors: list[tuple[BaseException, int]] = []
        self.before: Callable[[Snapshot], object] = lambda _: None

    def wanted(self) -> bool:
        return self.on_screen

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        self.begun.append(snapshot.step)
        try:
            self.before(snapshot)
            for _ in range(self.slices):
                if self.inputs is not None:
                    snapshot.shadow.run(self.inputs)
                time.sleep(self.slice_s)
                yield
            self.steps.append(snapshot.step)
            self.times.append(snapshot.taken_at)
        finally:
            self.ended += 1

    def failed(self, error: BaseException, step: int) -> None:
        self.errors.append((error, step))


@dataclass
class Bench:
    """A model with all that follows it, without an inspector."""

    model: nn.Module
    share: float = 0.05
    shadow: Shadow = field(init=False)
    worker: Worker = field(init=False)
    user_thread: UserThread = field(init=False)

    def __post_init__(self) -> None:
        self.shadow = Shadow(self.model)
        self.worker = Worker(self.shadow, budget=Budget(self.share))
        self.user_thread = UserThread()

    def watch(self, optimizer: Any = None) -> Watch:
        return Watch(self.model, self.shadow, self.worker, self.user_thread, optimizer, budget=self.share)

    def look(self, inputs: Tensor | None = None, *, slices: int = 1, slice_s: float = 0.0, slow: bool = False) -> Look:
        job = Look(inputs, slices=slices, slice_s=slice_s, slow=slow)
        self.worker.add(job)
        return job


def turns(worker: Worker, count: int = 5) -> None:
    """Let the worker decide so often what to do next: what it has not begun by then it will not begin."""
    for _ in range(count + 1):
        decided = threading.Event()
        worker._tell(decided.set)
        assert decided.wait(30)


def flush(worker: Worker, timeout: float = 5.0) -> bool:
    """Wait until all requests are answered; False if `timeout` passed first."""
    until = time.monotonic() + timeout
    while (settled := _settled(worker, until - time.monotonic())) is False:
        time.sleep(0.001)
    return settled is True


def _settled(worker: Worker, timeout: float) -> bool | None:
    """Whether nothing that was requested waits, by the worker's own account; None if it gives none in time."""
    found: SimpleQueue[bool] = SimpleQueue()

    def look() -> None:
        now = worker.schedule.budget.clock()
        late = any(call.due_at <= now for call in worker._calls._calls.values())
        found.put(worker._inbox.empty() and not late and not _clicked(worker))

    worker._tell(look)
    try:
        return found.get(timeout=max(0.0, timeout))
    except Empty:
        return None


def idle(worker: Worker) -> bool:
    """Whether everything that was requested or begun is finished."""
    under_way = _clicked(worker) or any(task.running is not None for task in worker.schedule.tasks)
    return worker._inbox.empty() and not worker._messages and not under_way


def _clicked(worker: Worker) -> bool:
    return any(task.clicked_at is not None or task.promised for task in worker.schedule.tasks)


def eventually(condition: Callable[[], bool], timeout: float = 60.0) -> bool:
    until = time.monotonic() + timeout
    while not condition() and time.monotonic() < until:
        time.sleep(0.002)
    return condition()


def worker_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "nnwidgets-worker"]
