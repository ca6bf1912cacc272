"""Numbers that a training loop logs, kept by step. The loop never waits for a number that a GPU has yet to compute."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import torch

from nnwidgets.training.history import History
from nnwidgets.training.streams import Cuda, Fence

KEPT = 2_000  # of each name
WAITING = 10_000  # newest wins, should nobody read them


class _Entry(NamedTuple):
    """`value` is a tensor on CUDA where `written` says when it is there."""

    name: str
    step: int
    value: float | torch.Tensor
    written: Fence | None


class ScalarLog:
    """A queue that the training thread writes to, and the histories that others read.

    Only the worker fetches tensors from CUDA, once they are computed. Nobody else calls CUDA: a graph may be being
    captured.
    """

    def __init__(self, cuda: Cuda) -> None:
        self._cuda = cuda
        self._histories: dict[str, History[float]] = {}
        self._waiting: deque[_Entry] = deque(maxlen=WAITING)
        self._reading = threading.Lock()

    def add(self, name: str, step: int, value: float | torch.Tensor) -> bool:
        """Keep a number. False for a tensor of a CUDA graph that is being captured: it has no value. Training thread.

        Raises as `Watch.log` does.
        """
        if isinstance(value, torch.Tensor):
            if value.numel() != 1:
                raise ValueError(
                    f"watch.log: {name}: expected a number or a tensor with one element, got shape "
                    f"{tuple(value.shape)}; log its mean()"
                )
            value = value.detach()
            if value.is_cuda:
                if self._cuda.capturing(self._cuda.current_stream(value.device)):
                    return False
                kept, written = value.clone(), Fence((), self._cuda)
                written.close((value.device,))
                self._waiting.append(_Entry(name, step, kept, written))
                return True
        self._waiting.append(_Entry(name, step, float(value), None))
        return True

    def history(self, name: str) -> History[float] | None:
        """What was logged under this name; None if nothing was. Tensors on CUDA join in with the next `fetch`."""
        self._read(cuda=False)
        return self._histories.get(name)

    def fetch(self, *, wait: bool = False) -> None:
        """Read everything that has been computed, or wait for all of it. Nothing else here calls CUDA."""
        if wait:
            for entry in tuple(self._waiting):
                if entry.written is not None:
                    entry.written.wait()
        self._read(cuda=True)

    def _read(self, *, cuda: bool) -> None:
        """Move what is there from the queue to the histories, in order; without `cuda` up to the first tensor."""
        with self._reading:
            entries: list[_Entry] = []
            while self._waiting:
                written = self._waiting[0].written
                if written is not None and not (cuda and written.passed()):
                    break
                entries.append(self._waiting.popleft())
            for entry, value in zip(entries, _numbers([entry.value for entry in entries]), strict=True):
                self._histories.setdefault(entry.name, History(max_items=KEPT)).append(entry.step, value)


def _numbers(values: list[float | torch.Tensor]) -> list[float]:
    """All of them as numbers; tensors are fetched together, as each transfer takes longer than the tensors."""
    groups: dict[object, list[tuple[int, torch.Tensor]]] = {}
    numbers = [0.0 if isinstance(value, torch.Tensor) else value for value in values]
    for place, value in enumerate(values):
        if isinstance(value, torch.Tensor):
            groups.setdefault((value.device, value.dtype), []).append((place, value.reshape(())))
    for group in groups.values():
        fetched = torch.stack([value for _, value in group]).tolist()
        for (place, _), number in zip(group, fetched, strict=True):
            numbers[place] = float(number)
    return numbers
