"""Following a training: nothing changes for it, and it is followed."""

from __future__ import annotations

import gc
import random
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from torch import nn

from nnwidgets.training.watch import Watch
from nnwidgets.training.worker import Snapshot
from tests.training.toys import Bench, Look, cnn, eventually, loss_of, mlp, train, worker_threads

MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))
PICTURES = torch.randn(12, 1, 12, 12, generator=torch.Generator().manual_seed(2))
INPUTS_OF = {mlp: INPUTS, cnn: PICTURES}
OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "momentum": lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
    "adam": lambda model: torch.optim.Adam(model.parameters(), lr=1e-3),
}


def everything(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Weights, buffers, optimizer state, gradients and random states, as tensors."""
    state = [value for slots in optimizer.state.values() for value in slots.values() if isinstance(value, torch.Tensor)]
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    numpy_state: Any = np.random.get_state()
    randoms = [torch.get_rng_state(), torch.tensor(random.getstate()[1]), torch.tensor(numpy_state[1].tolist())]
    return [value.detach().clone() for value in (*model.parameters(), *model.buffers(), *state, *gradients, *randoms)]


@pytest.mark.parametrize("build", [mlp, cnn])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_watched_training_ends_in_the_same_bits(bench: MakeBench, build: Callable[[], nn.Module], kind: str) -> None:
    inputs, refreshes = INPUTS_OF[build], 0
    ends = []
    for watched in (False, True):
        torch.manual_seed(3)
        random.seed(3)
        np.random.seed(3)
        model = build()
        optimizer = OPTIMIZERS[kind](model)
        torch.manual_seed(4)
        if watched:
            where = bench(model, 1.0)
            jobs = [where.look(inputs), where.look(inputs, slices=3, long=True)]
            with where.watch() as watch:
                for _ in range(12):
                    watch.refresh()
                    train(model, optimizer, inputs, 10)
                    watch.log(loss=loss_of(model.eval(), inputs))
                    model.train()
                    where.worker.flush(2.0)
                refreshes = len(jobs[0].steps)
            assert where.worker.flush()
            assert [job.errors for job in jobs] == [[], []]
        else:
            for _ in range(12):
                train(model, optimizer, inputs, 10)
        ends.append(everything(model, optimizer))
    assert refreshes >= 10
    assert len(ends[0]) == len(ends[1])
    assert all(torch.equal(bare, watched) for bare, watched in zip(*ends, strict=True))


class Stamped(nn.Module):
    """Its weights and buffers carry the step number, from the first to the last."""

    stamp: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.zeros(2_000)) for _ in range(20))
        self.register_buffer("stamp", torch.zeros(2_000))


class Stamp(torch.optim.Optimizer):
    def __init__(self, model: Stamped) -> None:
        super().__init__(model.parameters(), {})
        self.model = model

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.add_(1)
            self.model.stamp.add_(1)


def test_no_snapshot_is_torn_and_each_is_of_the_step_it_says(bench: MakeBench) -> None:
    model = Stamped()
    where = bench(model, 1.0)
    seen: list[tuple[set[float], int]] = []

    class Check(Look):
        def work(self, snapshot: Snapshot) -> Iterator[None]:
            for _ in range(3):
                tensors = [*snapshot.shadow.module.parameters(), *snapshot.shadow.module.buffers()]
                values = {float(value) for tensor in tensors for value in (tensor.min(), tensor.max())}
                seen.append((values, snapshot.step))
                yield

    where.worker.add(Check())
    where.worker.add(Check(long=True))
    optimizer = Stamp(model)
    with where.watch():
        until = time.monotonic() + 10.0
        while len(seen) < 60 and time.monotonic() < until:
            optimizer.step()
    assert len(seen) >= 60
    assert all(values == {float(step)} for values, step in seen)


def test_a_click_during_training_is_answered_from_a_snapshot_no_older(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    job = where.look(INPUTS)
    job.on_screen = False
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with where.watch() as watch:
        for _ in range(10):
            train(model, optimizer, INPUTS, 3)
            asked, answers = watch.step_count, len(job.steps)
            where.worker.request(job)
            until = time.monotonic() + 3.0
            while len(job.steps) == answers and time.monotonic() < until:
                train(model, optimizer, INPUTS, 1)
            assert job.steps[-1] >= asked
            assert len(job.steps) == answers + 1


def test_a_click_between_cells_sees_the_last_step(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    job = where.look(INPUTS)
    job.on_screen = False
    with where.watch() as watch:
        train(model, torch.optim.SGD(model.parameters(), lr=0.01), INPUTS, 25)
        begin = time.monotonic()
        where.worker.request(job)
        assert where.worker.flush()
        assert job.steps == [watch.step_count]
        assert time.monotonic() - begin < 2.0


def test_closing_brings_what_is_on_screen_to_the_last_step(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    job = where.look(INPUTS)
    with where.watch():
        train(model, torch.optim.SGD(model.parameters(), lr=0.01), INPUTS, 31)
    assert where.worker.flush()
    assert job.steps[-1] == 31
    assert where.shadow.is_current()


def test_background_refreshes_follow_the_training(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 0.5)
    job = where.look(INPUTS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with where.watch() as watch:
        assert eventually(lambda: train(model, optimizer, INPUTS, 5) and len(job.steps) >= 10)
        assert watch.training
        assert job.steps == sorted(job.steps)
        assert 0 < watch.overhead < 1
        assert watch.step_interval_s > 0
    assert not watch.training


def test_ctrl_c_reaches_the_loop_and_watching_goes_on(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    job = where.look(INPUTS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    refill = where.shadow.refill
    caught = 0

    def interrupted() -> NoReturn:
        refill()
        raise KeyboardInterrupt

    with where.watch() as watch:
        for _ in range(20):
            where.shadow.refill = interrupted  # type: ignore[method-assign]
            try:
                until = time.monotonic() + 3.0
                while time.monotonic() < until:
                    train(model, optimizer, INPUTS, 1)
            except KeyboardInterrupt:
                caught += 1
            where.shadow.refill = refill  # type: ignore[method-assign]
            answers = len(job.steps)
            assert eventually(lambda: train(model, optimizer, INPUTS, 1) and len(job.steps) > answers)  # noqa: B023
        assert caught == 20
        assert not watch.closed
        assert not watch.notes
    assert job.errors == []


def test_a_hook_that_fails_three_times_detaches_itself_and_says_so(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    told: list[str] = []
    job = where.look(INPUTS)

    def fail() -> NoReturn:
        raise RuntimeError("no memory")

    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with where.watch() as watch:
        watch._on_change = lambda: told.append(watch.notes[-1])
        where.shadow.refill = fail  # type: ignore[method-assign]
        assert eventually(lambda: train(model, optimizer, INPUTS, 5) and watch.closed)
        train(model, optimizer, INPUTS, 5)
        assert told == ["watching stopped, the model could not be copied: RuntimeError: no memory"]
    assert job.errors == []


def test_a_second_watch_replaces_the_first(bench: MakeBench) -> None:
    model = mlp()
    first, second = bench(model), bench(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    old = first.watch()
    train(model, optimizer, INPUTS, 2)
    new = second.watch()
    train(model, optimizer, INPUTS, 3)
    assert old.closed
    assert (old.step_count, new.step_count) == (2, 3)
    new.close()


def test_twenty_runs_of_a_cell_leave_one_worker_and_one_watch(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watches: list[weakref.ref[Watch]] = []
    where = None
    for _ in range(20):
        where = Bench(model)
        where.look(INPUTS)
        watch = where.watch()
        watches.append(weakref.ref(watch))
        train(model, optimizer, INPUTS, 3)
    del where
    gc.collect()
    assert eventually(lambda: len(worker_threads()) == 1 or gc.collect() < 0)
    assert len([True for reference in watches if reference() is not None]) == 1
    watch.close()
    del watch
    gc.collect()
    assert eventually(lambda: not worker_threads())


def test_dropped_references_free_everything() -> None:
    where = Bench(mlp())
    job = where.look(INPUTS, long=True)
    watch = where.watch()
    train(where.model, torch.optim.SGD(where.model.parameters(), lr=0.01), INPUTS, 20)
    gone = [weakref.ref(kept) for kept in (where.model, where.shadow, where.worker, job, watch)]
    del where, job, watch
    gc.collect()
    assert eventually(lambda: gc.collect() >= 0 and not worker_threads())
    assert [reference() for reference in gone] == [None] * len(gone)


def test_nothing_runs_or_copies_while_paused_and_steps_count_on(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    job = where.look(INPUTS, slices=3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with where.watch() as watch:
        assert eventually(lambda: train(model, optimizer, INPUTS, 5) and len(job.steps) >= 2)
        with watch.paused():
            begun, steps = len(job.begun), watch.step_count
            where.worker.request(job)
            train(model, optimizer, INPUTS, 50)
            assert (len(job.begun), watch.step_count) == (begun, steps + 50)
        assert eventually(lambda: train(model, optimizer, INPUTS, 5) and len(job.begun) > begun)


def test_the_users_own_errors_go_through(bench: MakeBench) -> None:
    where = bench(mlp())
    with pytest.raises(ZeroDivisionError), where.watch() as watch:
        raise ZeroDivisionError
    assert watch.closed


def test_logged_numbers_are_kept_with_their_steps(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with bench(model).watch() as watch:
        for step in range(3):
            train(model, optimizer, INPUTS, 1)
            loss = torch.tensor(float(step), requires_grad=True)
            watch.log(loss=loss, rate=0.5)
            loss.data.add_(100)
        history = watch.logged("loss")
        assert history is not None
        assert (history.steps, history.items) == ((1, 2, 3), (0.0, 1.0, 2.0))
        assert watch.logged("nothing") is None
        with pytest.raises(ValueError, match=r"loss: expected .* one element, got shape \(3,\)"):
            watch.log(loss=torch.zeros(3))
        with pytest.raises(ValueError):
            watch.log(loss="much")  # type: ignore[arg-type]


def test_training_that_no_hook_sees_is_told(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnwidgets.training.watch.UNSEEN_AFTER_S", 1.0)
    model = mlp()
    where = bench(model)
    with where.watch() as watch, torch.no_grad():
        until = time.monotonic() + 6
        while not watch.notes and time.monotonic() < until:
            next(model.parameters()).mul_(0.999)
            time.sleep(0.01)
        assert "call watch.step()" in watch.notes[0]


def test_a_watched_training_is_not_told_so(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnwidgets.training.watch.UNSEEN_AFTER_S", 0.2)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with bench(model).watch() as watch:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            train(model, optimizer, INPUTS, 5)
            time.sleep(0.01)
        assert watch.notes == ()


@pytest.mark.cuda
def test_on_cuda_a_watched_training_ends_in_the_same_bits(bench: MakeBench) -> None:
    ends = []
    for watched in (False, True):
        model = mlp().cuda()
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        inputs = INPUTS.cuda()
        torch.manual_seed(4)
        labels = torch.arange(len(inputs), device="cuda") % 3
        where = bench(model, 1.0) if watched else None
        job = where.look(inputs) if where is not None else None
        watch = where.watch() if where is not None else None
        for _ in range(300):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            if watch is not None:
                watch.log(loss=loss)
        if watch is not None and where is not None and job is not None:
            watch.close()
            assert where.worker.flush()
            assert job.errors == []
            assert len(job.steps) >= 2
            assert where.shadow.is_current()
        ends.append([value.clone() for value in (*model.parameters(), *model.buffers(), torch.cuda.get_rng_state())])
    assert all(torch.equal(bare, seen) for bare, seen in zip(*ends, strict=True))
