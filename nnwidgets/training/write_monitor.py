"""Finds training that no hook sees, by PyTorch's counters of writes to the weights."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from nnwidgets.shadow.torch_internals import version_if_counted


class WriteMonitor:
    """How long the weights have been still, and how long they have been moving without a step."""

    def __init__(self, model: nn.Module, clock: Callable[[], float]) -> None:
        self._model, self._clock = model, clock
        self._steps, self._writes = 0, -1
        self._moved_at = self._step_at = clock()

    @property
    def seconds(self) -> float:
        return self._clock() - self._moved_at

    def look(self, steps: int) -> float:
        """Seconds since the last step if the weights have moved at every look since; else 0."""
        now = self._clock()
        writes = sum(version_if_counted(parameter) or 0 for parameter in self._model.parameters())
        if steps != self._steps or writes == self._writes:
            self._step_at = now
        if steps != self._steps or writes != self._writes:
            self._moved_at = now
        self._steps, self._writes = steps, writes
        return now - self._step_at
