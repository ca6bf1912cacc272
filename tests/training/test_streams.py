"""In which order work is started on CUDA streams, by a stand-in: copy, record, ask, compute; and nobody ever waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from nnwidgets.training.budget import Budget
from nnwidgets.training.schedule import Schedule
from nnwidgets.training.snapshot import SnapshotBuffer
from nnwidgets.training.streams import LOOK_AGAIN_AT_MOST_S, SideStreams
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.watch import Watch
from nnwidgets.training.worker import Job, Snapshot, Worker
from tests.training.recorder import ELAPSED_MS, FakeShadow, RecordingCuda, gpu
from tests.training.toys import eventually, mlp, train

STEP_S = 0.01


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


# With the worker's thread.


class Followed:
    """A watched training of a model on the CPU whose copy says that it lives on CUDA."""

    def __init__(self) -> None:
        self.cuda = RecordingCuda()
        self.model = mlp()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.inputs = torch.randn(9, 6)
        shadow = FakeShadow(self.cuda, gpu(0)).as_shadow()
        self.worker = Worker(shadow, budget=Budget(1.0), cuda=self.cuda)
        self.user_thread = UserThread()
        self.watch = Watch(self.model, shadow, self.worker, self.user_thread, budget=1.0)

    def train(self, steps: int = 5) -> bool:
        return train(self.model, self.optimizer, self.inputs, steps)


@pytest.fixture
def followed() -> Iterator[Followed]:
    rig = Followed()
    yield rig
    rig.watch.close()
    rig.worker.close()


def test_nobody_waits_for_a_device_while_it_trains_or_holds_the_fork_lock(followed: Followed) -> None:
    job = Compute(followed.cuda, slices=3)
    followed.worker.add(job)
    followed.cuda.taken()
    done: list[str] = []

    def computed() -> int:
        done.extend(followed.cuda.taken())
        return sum("compute" in call for call in done)

    assert eventually(lambda: followed.train() and computed() >= 20)
    assert not [call for call in done if "synchronize" in call]
    assert followed.worker.refill()
    with followed.watch.paused():
        pass
    assert not [call for call in followed.cuda.taken() if "under the lock" in call]


def test_while_paused_cuda_is_not_called_by_anybody(followed: Followed) -> None:
    job = Compute(followed.cuda)
    followed.worker.add(job)
    assert eventually(lambda: followed.train() and any("compute" in call for call in followed.cuda.calls))
    with followed.watch.paused():
        followed.cuda.taken()
        before = followed.cuda.queries
        followed.watch.log(loss=on_cuda(1.0))
        logging = followed.cuda.taken()
        followed.worker.request(job)
        followed.watch.logged("loss")
        followed.train(20)
        for _ in range(3):
            followed.worker.turn()  # as if its thread was woken
        assert (logging, followed.cuda.taken()) == (["record training:0"], [])
        assert followed.cuda.queries == before
    assert followed.worker.flush()


class OnCuda(torch.Tensor):
    """A number that says that it lives on CUDA."""

    is_cuda = True
    device = torch.device("cuda", 0)


def on_cuda(value: float) -> Tensor:
    return torch.tensor(value).as_subclass(OnCuda)


def test_a_logged_tensor_is_read_by_the_worker_once_it_is_there(followed: Followed) -> None:
    watch = followed.watch
    followed.cuda.busy.add("training:0")
    watch.log(loss=on_cuda(1.0))
    watch.log(loss=2.0)
    watch.tick()
    assert watch.logged("loss") is None, "the first is not there yet, and the second comes after it"
    followed.cuda.busy.clear()
    assert watch.logged("loss") is None, "whoever looks does not ask CUDA"
    watch.tick()
    history = watch.logged("loss")
    assert history is not None
    assert history.items == (2.0,), "both were logged at one step, of which the newest counts"


def test_tensors_logged_while_a_graph_is_captured_are_left_out_with_a_note(followed: Followed) -> None:
    watch = followed.watch
    followed.cuda.captured.add("training:0")
    followed.cuda.taken()
    for _ in range(2):
        watch.log(loss=on_cuda(1.0), rate=0.1)
    assert followed.cuda.taken() == []
    followed.cuda.captured.clear()
    watch.tick()
    assert watch.logged("loss") is None
    assert watch.logged("rate") is not None
    assert len(watch.notes) == 1
    assert "being recorded" in watch.notes[0]


def test_no_user_code_runs_while_a_graph_is_captured(followed: Followed) -> None:
    ran: list[int] = []
    followed.cuda.captured.add("training:0")
    followed.user_thread.submit(lambda: ran.append(1))
    followed.train(3)
    assert ran == []
    assert not followed.worker.refill(), "to take the model now would copy it into the graph"
    followed.cuda.captured.clear()
    followed.train(1)
    assert ran == [1]


def test_the_end_of_a_watch_brings_what_was_logged_last(followed: Followed) -> None:
    followed.train(1)
    followed.watch.log(loss=on_cuda(3.0))
    followed.watch.close()
    history = followed.watch.logged("loss")
    assert history is not None
    assert history.items == (3.0,)
