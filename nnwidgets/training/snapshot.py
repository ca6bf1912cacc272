"""How training thread and worker share the shadow: free -> filled -> free."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nnwidgets.shadow import BeingTracedError, Shadow
from nnwidgets.training.extras import Extra, ExtraCopies, Extras
from nnwidgets.training.streams import CUDA, Cuda, Fence

STILL_S = 0.05  # nothing may be written for this long after the copy
STILL_FACTOR = 10  # ... nor for this many times as long as the copy took: a write to all weights may take that long


@dataclass(frozen=True)
class Snapshot:
    """The model as it was after a step. `taken_at` is in seconds of the monotonic clock."""

    shadow: Shadow
    step: int
    taken_at: float
    extras: Extras = field(default_factory=Extras)

    @property
    def gradients(self) -> Mapping[str, Tensor] | None:
        """The gradients that made the step, by parameter name; for jobs that need them (`Job.snapshot_extras`)."""
        return self.extras.gradients

    @property
    def previous(self) -> Mapping[str, Tensor] | None:
        """The weights at the end of the step before, by parameter name; for jobs that need them."""
        return self.extras.previous


class _Flight(NamedTuple):
    """A copy that was started and may not have arrived yet."""

    snapshot: Snapshot
    fence: Fence
    wall_s: float
    published: bool = True


class SnapshotBuffer:
    """The shadow, and which thread may touch it now.

    While `due` is true the shadow is free: the worker leaves it alone, and the training thread may copy the model into
    it. Only the worker sets `due`; whichever side ends the offer clears it. So neither side needs a lock, and the
    training thread never waits.

    On CUDA the training thread only enqueues the copy, on its own streams. The worker asks in `poll` whether it has
    arrived; until then nobody may touch the shadow.

    `filled` is called in the training thread after each copy, and must not block.
    """

    def __init__(
        self, shadow: Shadow, *, clock: Callable[[], float], filled: Callable[[], object], cuda: Cuda = CUDA
    ) -> None:
        self.shadow, self.cuda, self.clock = shadow, cuda, clock
        self.due = False
        self.step = 0  # the newest that the training thread has reported
        self.snapshot: Snapshot | None = None  # what is in the shadow; None while that is not whole
        self.arrived_at = float("-inf")  # when it was complete: long after `taken_at` where steps queue up on a device
        self.fill_s = 0.0  # how long the last copy took, on the CPU or on its device
        # Called, in any thread, when the model was taken apart and the shadow was built anew. Nothing runs on it then
        # until `mark_checked()`. None if nobody needs to check it.
        self.on_rebuilt: Callable[[], None] | None = None
        self.copies = ExtraCopies(shadow)  # what is copied beside the weights at the end of a step
        self._filled = filled
        self._filling = False
        self._flight: _Flight | None = None
        self._uncharged_s = self._pair_s = 0.0
        self._checked = shadow.builds
        self._training_streams: dict[torch.device, Any] = {}
        self._recorded: tuple[object, set[Any]] = (None, set())

    @property
    def capturing(self) -> bool:
        """Whether the calling thread is capturing a CUDA graph, which a copy would become part of."""
        return any(self.cuda.capturing(self.cuda.current_stream(device)) for device in self.shadow.devices)

    # The training thread, or whoever has the shadow.

    def fill(self, *, at_border: bool = False) -> None:
        """Copy the model if the shadow is still free. In the thread that trains, between steps.

        `at_border`: a step has just ended, so its gradients are there, and the next step can have previous weights.
        """
        # Set the flag, then read `due`; `withdraw` does it the other way round. So one of the two sees the other.
        self._filling = True
        try:
            if self.due and not self.capturing:
                if at_border and self._begin_pair():
                    return
                self._copy_training(at_border=at_border)
                self.poll()
                self.due = False
                self._filled()
        finally:
            self._filling = False

    def take(self) -> None:
        """Copy the model and wait until the copy has arrived. Not in a step."""
        self._copy_training()
        self.wait()

    def wait(self) -> None:
        """Wait until a copy that is on its way has arrived. Not in a step, and not in the worker."""
        if (flight := self._flight) is not None:
            flight.fence.wait()
        self.poll()

    # The worker.

    def copy_beside_training(self) -> Snapshot:
        """Copy the model on the caller's own streams, after what training has started on its own.

        The copy is complete once `poll` is true. It is not published, as a write may have overlapped it.
        """
        self.snapshot = None
        flight = self._copy(before=self._follow_training)
        self._flight = flight._replace(published=False)
        return flight.snapshot

    def poll(self) -> bool:
        """Whether no copy is on its way. One that the training thread made is published when it has arrived."""
        flight = self._flight
        if flight is None:
            return True
        if not flight.fence.passed():
            return False
        if flight.published:
            device_s = flight.fence.device_s
            self._uncharged_s += max(0.0, device_s - flight.wall_s)
            self.fill_s = max(flight.wall_s, device_s)
            self.publish(flight.snapshot)
        self._flight = None
        return True

    def publish(self, snapshot: Snapshot) -> None:
        """Give this snapshot to jobs from now on."""
        self.arrived_at, self.snapshot = self.clock(), snapshot

    @property
    def look_again_s(self) -> float:
        """When to ask again whether a copy has arrived; 0 if none is on its way."""
        return self._flight.fence.look_again_s if self._flight is not None else 0.0

    def take_uncharged_s(self) -> float:
        """Seconds that copies kept training streams busy, beyond those the training thread was charged for."""
        seconds, self._uncharged_s = self._uncharged_s, 0.0
        return seconds

    def want(self, kinds: frozenset[Extra]) -> None:
        """Copy these beside the weights at the end of a step. Only while the worker has the shadow.

        What nobody needs any more is freed, also in the snapshot.
        """
        if self.snapshot is not None and not self.snapshot.extras.kinds <= kinds:
            self.snapshot.extras.release()
        self.copies.want(kinds)

    def offer(self) -> None:
        """Let the training thread have the shadow, unless a copy is on its way. Nothing of ours may run on it."""
        self.due = self.poll()

    def withdraw(self) -> bool:
        """End the offer; False if a copy is being made or is on its way."""
        self.due = False
        return not self._filling and self.poll()

    @property
    def checked(self) -> bool:
        """Whether the copy as it is built now may be run."""
        return self.on_rebuilt is None or self._checked == self.shadow.builds

    def mark_checked(self) -> None:
        self._checked = self.shadow.builds

    def _begin_pair(self) -> bool:
        """Whether only the weights were copied, as the previous ones of the snapshot at the next step."""
        if "previous" not in self.copies.kinds:
            return False
        begin = time.perf_counter()
        self.snapshot = None  # whose previous weights are overwritten now
        begun = self.copies.copy_previous(self.step)
        self._pair_s += time.perf_counter() - begin
        return begun

    def _copy_training(self, *, at_border: bool = False) -> None:
        self.snapshot = None
        flight = self._copy(at_border=at_border)
        self._flight = flight._replace(wall_s=flight.wall_s + self._pair_s)
        self._pair_s = 0.0
        for device in self.shadow.devices:
            self._training_streams[device] = self.cuda.current_stream(device)

    def _copy(self, before: Callable[[], object] | None = None, *, at_border: bool = False) -> _Flight:
        begin, taken_at, fence = time.perf_counter(), self.clock(), Fence(self.shadow.devices, self.cuda)
        try:
            self.shadow.refill(wait=False, before=before)
            extras = self.copies.copy_gradients() if at_border else Extras()
        finally:
            self._keep_memory()
            fence.close(self.shadow.devices)
        if not self.checked and self.on_rebuilt is not None:
            self.on_rebuilt()
        self.fill_s = wall_s = time.perf_counter() - begin
        return _Flight(Snapshot(self.shadow, self.step, taken_at, extras), fence, wall_s)

    def _follow_training(self) -> None:
        """Make the caller's streams wait, on the device, for the streams that training is known to use."""
        for device in self.shadow.devices:
            ours, known = self.cuda.current_stream(device), self._training_streams.get(device)
            for theirs in (self.cuda.default_stream(device), known):
                if theirs is not None and not self.cuda.capturing(theirs):
                    event = self.cuda.event()
                    event.record(theirs)
                    ours.wait_event(event)

    def _keep_memory(self) -> None:
        """Tell the allocator of each stream that writes to the shadow, lest it hands the memory out too early."""
        recorded, streams = self._recorded
        memory = (self.shadow.builds, self.copies.kinds)
        if memory != recorded:
            streams = set()
        if new := {self.cuda.current_stream(device) for device in self.shadow.devices} - streams:
            self.shadow.record_streams(new)
            self.copies.record_streams(new)
            self._recorded = (memory, streams | new)


class OptimisticCopy:
    """A copy that the worker makes itself when no step does: copy first, validate later.

    PyTorch counts a write only when it is done. One that overlapped the copy is counted within `STILL_S`; if the
    counters have not changed by then, the copy is whole.
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
