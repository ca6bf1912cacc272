"""What a chunk of work costs, on the CPU or on CUDA. For the worker only: it waits for its stream."""

from __future__ import annotations

import torch

from nnwidgets.training.budget import Budget


class ChunkTimer:
    """CPU seconds of this thread, or seconds of its CUDA stream where those are more."""

    def __init__(self, budget: Budget, device: torch.device) -> None:
        self._cpu_clock = budget.cpu_clock
        self._begin = budget.cpu_clock()
        self._events: list[torch.cuda.Event] = []
        if device.type == "cuda":
            self._events += [torch.cuda.Event(enable_timing=True) for _ in range(2)]
        if self._events:
            self._events[0].record()

    def seconds(self) -> float:
        """Waits for what was started on the stream; also so that the shadow is free when a chunk is."""
        stream_s = 0.0
        if self._events:
            begin, end = self._events
            end.record()
            end.synchronize()
            stream_s = begin.elapsed_time(end) / 1_000
        return max(self._cpu_clock() - self._begin, stream_s)
