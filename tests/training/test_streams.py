"""In which order work is started on CUDA streams, by a stand-in: copy, record, ask, compute; and nobody ever waits."""

from __future__ import annotations

import pytest
import torch

from nnwidgets.training.budget import Budget
from nnwidgets.training.schedule import Schedule
from nnwidgets.training.snapshot import SnapshotBuffer
from nnwidgets.training.streams import LOOK_AGAIN_AT_MOST_S, SideStreams
from tests.training.recorder import ELAPSED_MS, Compute, FakeShadow, RecordingCuda, gpu

STEP_S = 0.01


class Rig:
    """A schedule over a model on CUDA, by a clock of its own; nothing runs unless a test says so."""

    def __init__(self, *devices: torch.device) -> None:
        self.now = self.cpu_s = 0.0
        self.cuda = RecordingCuda()
        self.shadow = FakeShadow(self.cuda, devices)
        self.budget = Budget(1.0, clock=lambda: self.now, cpu_clock=lambda: self.cpu_s)
        self.buffer = SnapshotBuffer(
            self.shadow.as_shadow(), clock=lambda: self.now, filled=lambda: None, cuda=self.cuda
        )
        self.schedule = Schedule(self.buffer, self.budget)
        self.follower = Following()
        self.schedule.follow(self.follower, self.budget, readable=True)

    def job(self, *, slices: int = 1) -> Compute:
        job = Compute(self.cuda, slices=slices)
        self.schedule.tasks.add(job)
        return job

    def turn(self) -> float | None:
        """In the worker, on its side streams."""
        self.cuda.side = "side"
        try:
            return self.schedule.turn()
        finally:
            self.cuda.side = "training"

    def step(self) -> None:
        """A step of training, and its border."""
        self.now += STEP_S
        self.budget.stepped()
        self.buffer.step += 1
        if self.buffer.due:
            self.buffer.fill()

    def until_due(self) -> None:
        """Train until the worker wants a copy, and forget what was asked so far."""
        for _ in range(1000):
            self.turn()
            if self.buffer.due and not self.budget.idle:
                self.cuda.taken()
                return
            self.step()
        raise AssertionError("the worker wants no copy")


class Following:
    still_s = 0.0
    ticks = 0

    def tick(self) -> None:
        self.ticks += 1


def test_a_chunk_begins_only_once_the_copy_has_arrived() -> None:
    rig = Rig(*gpu(0))
    rig.job()
    rig.until_due()
    rig.cuda.busy.add("training:0")  # a deep queue: steps are started long before they are done
    rig.step()
    copied = rig.buffer.step
    assert rig.cuda.taken() == ["record training:0", "copy", "record training:0"]
    for _ in range(5):
        rig.step()
        assert 0 < (rig.turn() or 9) <= LOOK_AGAIN_AT_MOST_S, "asked again soon: nobody tells when a copy arrives"
    assert rig.cuda.taken() == [], "computed, copied anew or waited while the copy was on its way"
    rig.cuda.busy.clear()
    rig.turn()
    assert rig.cuda.taken() == ["record side:0", f"compute step {copied}", "record side:0"]


def test_no_step_overwrites_what_a_kernel_still_reads() -> None:
    rig = Rig(*gpu(0))
    rig.job()
    rig.until_due()
    rig.cuda.busy.add("side:0")
    rig.step()
    rig.turn()
    assert any("compute" in call for call in rig.cuda.taken())
    for _ in range(50):
        rig.step()
        rig.turn()
        assert not rig.buffer.due
    assert rig.cuda.taken() == []
    rig.cuda.busy.clear()
    rig.until_due()


def test_a_user_who_wants_the_model_now_waits_for_the_kernels_that_read_it() -> None:
    rig = Rig(*gpu(0))
    rig.job()
    rig.until_due()
    rig.cuda.busy.add("side:0")
    rig.step()
    rig.turn()
    rig.schedule.yielding = True
    rig.schedule.let_go()
    rig.turn()
    assert not rig.buffer.due
    rig.cuda.busy.clear()
    rig.turn()
    rig.turn()
    assert rig.buffer.due


def test_what_is_queued_in_training_is_not_charged_and_kernels_and_copies_are() -> None:
    rig = Rig(*gpu(0))
    rig.job()
    rig.until_due()
    rig.cuda.busy.add("training:0")
    rig.step()
    before = rig.budget.spent_s
    for _ in range(100):
        rig.step()
        rig.turn()
    assert rig.budget.spent_s == before
    rig.cuda.busy.clear()
    rig.turn()
    kernel_s = copy_s = ELAPSED_MS / 1_000
    assert rig.budget.spent_s - before == pytest.approx(kernel_s + copy_s, rel=0.2)


def test_a_model_over_two_devices_is_whole_when_both_have_copied() -> None:
    rig = Rig(*gpu(0, 1))
    rig.job()
    rig.until_due()
    rig.cuda.busy.add("training:1")
    rig.step()
    both = ["record training:0", "record training:1"]
    assert rig.cuda.taken() == [*both, "copy", *both]
    rig.turn()
    assert rig.cuda.taken() == []
    rig.cuda.busy.clear()
    rig.turn()
    assert any("compute" in call for call in rig.cuda.taken())


def test_a_model_that_moves_to_a_device_is_waited_for_there() -> None:
    rig = Rig()
    rig.job()
    rig.until_due()

    def move() -> None:
        rig.shadow.devices = gpu(0)

    rig.shadow.while_copying = move
    rig.cuda.busy.add("training:0")
    rig.step()
    assert rig.cuda.taken() == ["copy", "keep memory for training:0", "record training:0"]
    rig.turn()
    assert rig.cuda.taken() == []


@pytest.mark.parametrize("captured", ["training:0", "training:1"])
def test_nothing_is_copied_or_recorded_while_a_graph_is_captured(captured: str) -> None:
    rig = Rig(*gpu(0, 1))
    rig.job()
    rig.until_due()
    rig.cuda.captured.add(captured)
    for _ in range(3):
        rig.step()
    assert rig.cuda.taken() == []
    assert rig.buffer.due, "the copy is made by a later step"
    rig.cuda.captured.clear()
    rig.step()
    assert "copy" in rig.cuda.taken()


def test_a_copy_of_the_workers_own_reads_versions_then_follows_training_then_copies() -> None:
    rig = Rig(*gpu(0))
    rig.buffer.take()
    rig.cuda.taken()
    rig.cuda.side = "side"
    rig.buffer.copy_beside_training()
    follow = ["record default:0", "side:0 waits for default:0", "record training:0", "side:0 waits for training:0"]
    assert rig.cuda.taken() == [
        "record side:0", "read versions", *follow, "copy", "keep memory for side:0", "record side:0",
    ]  # fmt: skip
    assert rig.buffer.snapshot is None, "not known to be whole"


def test_a_copy_of_the_workers_own_that_was_given_up_is_out_of_the_way_before_the_next_step_copies() -> None:
    rig = Rig(*gpu(0))
    rig.cuda.side = "side"
    rig.buffer.copy_beside_training()
    rig.cuda.busy.add("side:0")
    rig.buffer.offer()
    assert not rig.buffer.due
    rig.cuda.busy.clear()
    rig.buffer.offer()
    assert rig.buffer.due


def test_the_allocator_is_told_once_of_each_stream_that_writes_to_a_copy() -> None:
    rig = Rig(*gpu(0))
    for _ in range(3):
        rig.buffer.take()
    assert [call for call in rig.cuda.taken() if "memory" in call] == ["keep memory for training:0"]
    rig.shadow.builds += 1
    rig.buffer.take()
    assert [call for call in rig.cuda.taken() if "memory" in call] == ["keep memory for training:0"]


def test_a_background_thread_enters_one_side_stream_a_device() -> None:
    cuda = RecordingCuda()
    streams = SideStreams(cuda)
    for devices, current in [((), torch.device("cpu")), (gpu(1), gpu(1)[0]), (gpu(1), gpu(1)[0])]:
        streams.enter(devices, current)
    assert cuda.taken() == ["enter side:1", "device 1"]
    streams.enter(gpu(0, 1), gpu(1)[0])
    assert cuda.taken() == ["enter side:0", "device 1"], "the current device is that of the copy again"
