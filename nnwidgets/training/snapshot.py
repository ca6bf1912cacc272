"""How the shadow goes to and fro between training thread and worker: free -> filled -> free. Knows no analysis."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from nnwidgets.shadow import Shadow


@dataclass(frozen=True)
class Snapshot:
    """The model as it was after a step. `taken_at` is in seconds of the monotonic clock."""

    shadow: Shadow
    step: int
    taken_at: float


class SnapshotBuffer:
    """The shadow and who may touch it now.

    While `due` is true the shadow is free: the worker keeps its hands off and the training thread may copy the model
    into it, which makes it filled. `due` is set by the worker alone, and cleared by whichever side ends the offer, so
    neither side needs a lock and the training thread never waits.

    Args:
        filled: Called in the training thread after each copy; must not block.

    Attributes:
        on_rebuilt: Called in any thread when the copy was made anew, as the model had been taken apart: nothing runs on
            it until `mark_checked()`. None where nobody needs to look at it first.
    """

    def __init__(self, shadow: Shadow, *, clock: Callable[[], float], filled: Callable[[], object]) -> None:
        self.shadow = shadow
        self.due = False
        self.step = 0  # the newest step that the training thread has told
        self.snapshot: Snapshot | None = None  # None while there is nothing whole in the shadow
        self.fill_s = 0.0  # how long the last copy took
        self._clock = clock
        self._filled = filled
        self._filling = False
        self.on_rebuilt: Callable[[], None] | None = None
        self._checked = shadow.builds
        self._copied: torch.cuda.Event | None = None
        if shadow.device.type == "cuda":
            self._copied = torch.cuda.Event()

    def fill(self) -> None:
        """Copy the model if the shadow is still free. In the thread that trains, between steps."""
        # First the flag, then the look at `due`; `withdraw` does it the other way round. One of the two sees the other.
        self._filling = True
        try:
            if self.due:
                self.copy()
                self.due = False
                self._filled()
        finally:
            self._filling = False

    def copy(self) -> Snapshot:
        """Copy the model. Only for the side that has the shadow."""
        self.snapshot = None
        begin = time.perf_counter()
        taken_at = self._clock()
        self.shadow.refill()
        if self._copied is not None:
            self._copied.record()
        self.fill_s = time.perf_counter() - begin
        self.snapshot = Snapshot(self.shadow, self.step, taken_at)
        if not self.checked and self.on_rebuilt is not None:
            self.on_rebuilt()
        return self.snapshot

    @property
    def checked(self) -> bool:
        """Whether the copy as it is built now may be run."""
        return self.on_rebuilt is None or self._checked == self.shadow.builds

    def mark_checked(self) -> None:
        self._checked = self.shadow.builds

    def offer(self) -> None:
        """Let the training thread have the shadow. Worker, when nothing of its own runs on it."""
        self.due = True

    def withdraw(self) -> bool:
        """End the offer; False if the training thread is copying right now. Worker."""
        self.due = False
        return not self._filling

    def await_copy(self) -> None:
        """Order this thread's CUDA stream after the copy. Worker."""
        if self._copied is not None:
            torch.cuda.current_stream(self.shadow.device).wait_event(self._copied)
