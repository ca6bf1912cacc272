"""A stand-in for CUDA that writes down what is asked of it, and a model that lives there, on machines without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import nn

from nnwidgets.shadow import Shadow
from nnwidgets.training.fork_lock import fork_lock
from nnwidgets.training.snapshot import Snapshot
from nnwidgets.training.streams import Cuda
from nnwidgets.training.tasks import Job

ELAPSED_MS = 7.0  # between any two events


class FakeStream:
    def __init__(self, cuda: RecordingCuda, name: str) -> None:
        self.cuda, self.name = cuda, name

    def wait_event(self, event: FakeEvent) -> None:
        self.cuda.calls.append(f"{self.name} waits for {event.stream}")


class FakeEvent:
    """Done unless its stream is among the busy ones."""

    def __init__(self, cuda: RecordingCuda) -> None:
        self.cuda, self.stream = cuda, ""

    def record(self, stream: FakeStream) -> None:
        self.stream = stream.name
        self.cuda.calls.append(f"record {stream.name}")

    def query(self) -> bool:
        self.cuda.queries += 1
        return self.stream not in self.cuda.busy

    def synchronize(self) -> None:
        self.cuda.calls.append(f"synchronize {self.stream}{' under the lock' * fork_lock.held_here}")

    def elapsed_time(self, _end: Any) -> float:
        return ELAPSED_MS


class RecordingCuda(Cuda):
    """`side` is what the calling thread's current stream is called: "training" until it enters one of its own."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.queries = 0
        self.busy: set[str] = set()
        self.captured: set[str] = set()
        self.side = "training"
        self._streams: dict[str, FakeStream] = {}

    def stream(self, name: str) -> FakeStream:
        return self._streams.setdefault(name, FakeStream(self, name))

    def event(self) -> FakeEvent:
        return FakeEvent(self)

    def current_stream(self, device: torch.device) -> FakeStream:
        return self.stream(f"{self.side}:{device.index}")

    def default_stream(self, device: torch.device) -> FakeStream:
        return self.stream(f"default:{device.index}")

    def capturing(self, stream: FakeStream) -> bool:
        return stream.name in self.captured

    def enter_side_stream(self, device: torch.device) -> None:
        self.calls.append(f"enter side:{device.index}")

    def set_device(self, device: torch.device) -> None:
        self.calls.append(f"device {device.index}")

    def taken(self) -> list[str]:
        """What was asked since the last look."""
        calls, self.calls = self.calls, []
        return calls


def gpu(*indices: int) -> tuple[torch.device, ...]:
    return tuple(torch.device("cuda", index) for index in indices)


class FakeShadow:
    """A shadow whose refills are written down between the calls of CUDA."""

    def __init__(self, cuda: RecordingCuda, devices: Iterable[torch.device]) -> None:
        self.cuda = cuda
        self.devices = tuple(devices)
        self.module = nn.Linear(1, 1)
        self.builds, self.nbytes = 1, 0
        self.current = True
        self.while_copying: Callable[[], object] = lambda: None

    @property
    def device(self) -> torch.device:
        return self.devices[0] if self.devices else torch.device("cpu")

    def refill(self, *, wait: bool = True, before: Callable[[], object] | None = None) -> None:
        assert not wait, "would wait for a device in the training thread"
        if before is not None:
            self.cuda.calls.append("read versions")
            before()
        self.cuda.calls.append("copy")
        self.while_copying()

    def record_streams(self, streams: Iterable[FakeStream]) -> None:
        self.cuda.calls += [f"keep memory for {name}" for name in sorted(stream.name for stream in streams)]

    def is_current(self) -> bool:
        return self.current

    def as_shadow(self) -> Shadow:
        return self  # type: ignore[return-value]


class Compute(Job):
    """Starts one kernel in each of its chunks."""

    name = "compute"

    def __init__(self, cuda: RecordingCuda, *, slices: int = 1) -> None:
        self.cuda, self.slices, self.on_screen = cuda, slices, True

    def wanted(self) -> bool:
        return self.on_screen

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        for _ in range(self.slices):
            self.cuda.calls.append(f"compute step {snapshot.step}")
            yield

    def failed(self, error: BaseException, step: int) -> None:
        raise AssertionError from error
