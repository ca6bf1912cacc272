"""Memory runs short in the middle of a training: views say so or go on with less at once, and recover."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from nnwidgets import analysis
from nnwidgets.training import background
from tests.nets import cnn
from tests.test_unusual_hosts import (
    REFRESHES,
    Loop,
    assert_same_bits,
    check_results,
    failed_at_last,
    most,
    open_all,
    pictures,
    refresh_all,
    train_until,
)
from tests.waiting import frame, inspecting


@pytest.fixture(autouse=True)
def busy_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of our work beside each step, and a test that ends on a busy machine too."""
    monkeypatch.setattr(background, "NICENESS", 0)


class Room:
    """How many samples fit into memory in eval mode, and what is raised for more."""

    rows: int | None = None
    error: Callable[[], BaseException] = MemoryError


class Hungry(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = cnn()

    def forward(self, x: Tensor) -> Tensor:
        if not self.training and Room.rows is not None and len(x) > Room.rows:
            raise Room.error()
        return self.body(x)  # type: ignore[no-any-return]


SHORTAGES: dict[str, Callable[[], BaseException]] = {
    "Python": MemoryError,
    "CUDA": lambda: torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "CPU": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you "
        "tried to allocate 8000000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
}


@pytest.fixture
def room() -> Iterator[type[Room]]:
    yield Room
    Room.rows, Room.error = None, MemoryError


@pytest.mark.parametrize("kind", SHORTAGES)
def test_without_any_memory_views_say_so_training_goes_on_and_they_recover(kind: str, room: type[Room]) -> None:
    host = pictures(Hungry)
    training = Loop(host)
    with inspecting(training.model, host.data, probe=16) as inspector:
        views, probe = open_all(inspector), inspector._session.probe
        hungry = [view for view in views if view.view.name != "filters"]  # weights are there already
        with inspector.watch(training.optimizer, budget=1.0):
            refresh_all(training, views, 1)
            room.error, room.rows = SHORTAGES[kind], 0
            train_until(training, lambda: probe.error and all(view.view.failure for view in hungry))
            for view in hungry:
                state = frame(view.view)[0]["state"]
                assert (state["kind"], "memory" in state["error"].lower()) == ("failed", True), state
                assert state["text"].endswith("Training goes on.")
                assert view.view.result is not None, "the last good picture is gone"
            assert "memory" in probe.error.lower()
            room.rows = None
            wanted = most(views) + 1
            train_until(training, lambda: min(view.finished for view in views) >= wanted and not probe.error)
        assert not failed_at_last(views)
        assert_same_bits(training, Loop(host))
        check_results(inspector, views, training)


@pytest.mark.parametrize("kind", SHORTAGES)
def test_with_memory_for_few_samples_views_go_on_with_fewer_at_once(kind: str, room: type[Room]) -> None:
    host = pictures(Hungry)
    training = Loop(host)
    with inspecting(training.model, host.data, probe=16) as inspector:
        views, probe = open_all(inspector), inspector._session.probe
        with inspector.watch(training.optimizer, budget=1.0):
            refresh_all(training, views, 1)
            room.error, room.rows = SHORTAGES[kind], 1
            refresh_all(training, views, most(views) + REFRESHES)
        assert not failed_at_last(views)
        assert probe.error == ""
        latest = inspector._session.record.latest
        room.rows = None
        assert latest is not None
        assert latest.step == training.steps
        inputs = host.inputs[list(inspector._session.samples.probe_indices)]
        for layer, values in analysis.capture(training.model, inputs).items():
            torch.testing.assert_close(latest.stats[layer].mean, analysis.activation_stats(values).mean)
        assert_same_bits(training, Loop(host))
        check_results(inspector, views, training)
