"""CUDA streams and events, asked instead of waited for.

Training never waits for us: a copy of its weights is started on its own stream, and the worker asks now and then
whether it has arrived. On a machine without CUDA there are no devices, and nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import torch

LOOK_AGAIN_S = 0.0005  # the first pause between two questions; doubled from question to question
LOOK_AGAIN_AT_MOST_S = 0.004


Stream: TypeAlias = Any  # torch.cuda.Stream
Event: TypeAlias = Any  # torch.cuda.Event


class Cuda:
    """The part of `torch.cuda` that is used. Tests hand in a stand-in that writes down the order of calls."""

    def event(self) -> Event:
        return torch.cuda.Event(enable_timing=True, blocking=True)

    def current_stream(self, device: torch.device) -> Stream:
        return torch.cuda.current_stream(device)

    def default_stream(self, device: torch.device) -> Stream:
        return torch.cuda.default_stream(device)

    def capturing(self, stream: Any) -> bool:
        """Whether the stream is being captured into a CUDA graph."""
        with torch.cuda.stream(stream):
            return torch.cuda.is_current_stream_capturing()

    def enter_side_stream(self, device: torch.device) -> None:
        """Make the calling thread use a stream of its own on this device."""
        torch.cuda.set_stream(torch.cuda.Stream(device))

    def set_device(self, device: torch.device) -> None:
        torch.cuda.set_device(device)


CUDA = Cuda()


class Fence:
    """Marks where some work begins and ends on the calling thread's streams, one per device.

    Make it before the work is started, and close it after. From then on any thread may ask whether the work is done.
    """

    def __init__(self, devices: Iterable[torch.device], cuda: Cuda) -> None:
        self._cuda = cuda
        self._begins = {device: self._mark(device) for device in devices}
        self._ends: dict[torch.device, Event] = {}
        self._looks = 0

    def close(self, devices: Iterable[torch.device] | None = None) -> None:
        """All work has been started, on these devices if they are not those it began with."""
        self._ends = {device: self._mark(device) for device in (self._begins if devices is None else devices)}

    def passed(self) -> bool:
        """Whether the work is done."""
        self._looks += 1
        return all(end.query() for end in self._ends.values())

    def wait(self) -> None:
        """Wait until the work is done. Never in a step of the training, never under the fork lock."""
        for end in self._ends.values():
            end.synchronize()

    @property
    def look_again_s(self) -> float:
        """Seconds to do something else before asking again."""
        return min(LOOK_AGAIN_AT_MOST_S, LOOK_AGAIN_S * (1 << min(self._looks, 9)))

    @property
    def device_s(self) -> float:
        """Seconds that the work took, on the device that took longest. Only once it is done."""
        both = self._begins.keys() & self._ends.keys()
        return max((self._begins[device].elapsed_time(self._ends[device]) for device in both), default=0.0) / 1_000

    def _mark(self, device: torch.device) -> Event:
        event = self._cuda.event()
        event.record(self._cuda.current_stream(device))
        return event


class SideStreams:
    """The streams that one background thread works on: never training's own."""

    def __init__(self, cuda: Cuda) -> None:
        self._cuda = cuda
        self._entered: set[torch.device] = set()
        self._current: torch.device | None = None

    def enter(self, devices: Iterable[torch.device], current: torch.device) -> None:
        """Use a side stream on each of these devices, and make `current` the current one. Cheap if nothing changed."""
        for device in devices:
            if device not in self._entered:
                self._cuda.enter_side_stream(device)
                self._entered.add(device)
                self._current = None
        if current.type == "cuda" and current != self._current:
            self._cuda.set_device(current)
            self._current = current
