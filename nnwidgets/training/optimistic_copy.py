"""A copy of the model that the worker makes itself when no step does; valid only if nothing wrote meanwhile."""

from __future__ import annotations

import time

from nnwidgets.shadow import BeingTracedError
from nnwidgets.training.snapshot import Snapshot, SnapshotBuffer

STILL_S = 0.05  # nothing may be written for this long after the copy
STILL_FACTOR = 10  # ... nor for this many times as long as the copy took: a write to all weights may take that long


class OptimisticCopy:
    """Copy first, validate later: PyTorch counts a write only when it is done.

    A write that overlapped the copy is counted within `STILL_S`. If the counters have not changed by then, the copy is
    whole.
    """

    def __init__(self, buffer: SnapshotBuffer) -> None:
        self._buffer, self._clock = buffer, buffer.clock
        self._candidate: Snapshot | None = None
        self._good_at = 0.0

    @property
    def pending(self) -> bool:
        return self._candidate is not None

    @property
    def remaining_s(self) -> float:
        """Seconds until `settle` may be called; 0 if it may be now."""
        return max(0.0, self._good_at - self._clock(), 0.0 if self._buffer.poll() else self._buffer.look_again_s)

    def begin(self) -> bool:
        """Copy now, while nothing runs on the shadow; False if the training thread has it, or traces the model."""
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
        """Validate the copy, which is old enough now; if it is whole it becomes the buffer's snapshot."""
        candidate, self._candidate = self._candidate, None
        if candidate is None or not self._buffer.shadow.is_current():
            return False
        self._buffer.publish(candidate)
        return True

    def abandon(self) -> None:
        self._candidate = None
