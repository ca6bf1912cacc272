"""Nobody waits for CUDA, and nobody calls it at the wrong moment: the worker's thread beside a stand-in for CUDA."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from nnwidgets.training.budget import Budget
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.watch import Watch
from nnwidgets.training.worker import Worker
from tests.training.recorder import Compute, FakeShadow, RecordingCuda, gpu
from tests.training.toys import eventually, flush, mlp, train


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
    assert flush(followed.worker)


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
