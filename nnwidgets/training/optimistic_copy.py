"""A copy of the model that the worker makes itself when no step comes by; good only if nothing wrote meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from nnwidgets.shadow import BeingTracedError
from nnwidgets.training.snapshot import Snapshot, SnapshotBuffer

STILL_S = 0.05  # how long nothing must have been written after the copy
STILL_FACTOR = 10  # ... or this many times as long as the copy took, as a write to all weights may take that long


class OptimisticCopy:
    """First copied, then looked at again: PyTorch counts a write when it is done.

    A write that was going on during the copy is counted within `STILL_S`; after that, unchanged counters prove the copy
    whole.
    """

    def __init__(self, buffer: SnapshotBuffer, clock: Callable[[], float]) -> None:
        self._buffer = buffer
        self._clock = clock
        self._candidate: Snapshot | None = None
        self._good_at = 0.0

    @property
    def pending(self) -> bool:
        return self._candidate is not None

    @property
    def remaining_s(self) -> float:
        """How long until `settle` may be asked; 0 if now."""
        return max(0.0, self._good_at - self._clock(), 0.0 if self._buffer.poll() else self._buffer.look_again_s)

    def begin(self) -> bool:
        """Copy now; False if the training thread has the shadow, or traces. Nothing may run on the shadow."""
        if not self._buffer.withdraw():
            return False
        begin = time.perf_counter()
        try:
            self._candidate = self._buffer.copy_beside_training()
        except BeingTracedError:
            return False
        self._good_at = self._clock() + max(STILL_S, STILL_FACTOR * (time.perf_counter() - begin))
        return True

    def settle(self) -> bool:
        """Whether the copy, old enough now, turned out whole; it then is the buffer's snapshot."""
        candidate, self._candidate = self._candidate, None
        if candidate is None or not self._buffer.shadow.is_current():
            return False
        self._buffer.publish(candidate)
        return True

    def abandon(self) -> None:
        self._candidate = None
