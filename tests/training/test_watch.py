"""Following a training: its steps, clicks, breaks, log and end."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
import torch

from nnwidgets.training.budget import Budget
from nnwidgets.training.watch import UNSEEN_AFTER_S, Watch
from tests.training.toys import Bench, eventually, flush, mlp, train, worker_threads

pytestmark = pytest.mark.alone
MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


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
        assert flush(where.worker)
        assert job.steps == [watch.step_count]
        assert time.monotonic() - begin < 2.0


def test_closing_brings_what_is_on_screen_to_the_last_step(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    job = where.look(INPUTS)
    with where.watch() as watch:
        train(model, torch.optim.SGD(model.parameters(), lr=0.01), INPUTS, 31)
    cost = watch.overhead
    assert flush(where.worker)
    assert job.steps[-1] == 31
    assert watch.overhead == cost, "what comes after the training delays none of it"
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
        assert watch.budget.step_interval_s > 0
    assert not watch.training


def test_ctrl_c_reaches_the_loop_and_watching_goes_on(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    job = where.look(INPUTS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    refill = where.shadow.refill
    caught = 0

    def interrupted(**options: Any) -> NoReturn:
        refill(**options)
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

    def fail(**_: object) -> NoReturn:
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
    job = where.look(INPUTS, slow=True)
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
            where.worker.buffer.due = True
            train(model, optimizer, INPUTS, 50)
            assert eventually(lambda: bool(where.worker._messages), 30), "the worker was woken, and looked"
            assert (len(job.begun), watch.step_count) == (begun, steps + 50)
            assert where.worker.buffer.due, "a step copied the model"
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


class Clocked:
    """A watched model by a clock of the test's own, half a second of which passes between looks at its weights."""

    def __init__(self, where: Bench) -> None:
        self.now = 0.0
        where.worker.schedule._situation.budget = Budget(clock=lambda: self.now)
        self.watch = where.watch()

    def look(self) -> None:
        self.now += 0.5
        self.watch.tick()


def test_training_that_no_hook_sees_is_told(bench: MakeBench) -> None:
    model = mlp()
    clocked = Clocked(bench(model))
    with clocked.watch as watch, torch.no_grad():
        for half_seconds in range(12):
            assert (half_seconds > 2 * UNSEEN_AFTER_S) or watch.notes == ()
            next(model.parameters()).mul_(0.999)
            clocked.look()
        assert "call watch.step()" in watch.notes[0]
        with torch.enable_grad():
            train(model, torch.optim.SGD(model.parameters(), lr=0.01), INPUTS, 1)
        clocked.look()
        assert watch.notes == (), "a step was seen, so it is taken back"


def test_a_step_that_takes_long_is_no_training_without_steps(bench: MakeBench) -> None:
    class Slow(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            for _ in range(20):
                next(model.parameters()).mul_(0.999)
                clocked.look()

    model = mlp()
    clocked = Clocked(bench(model))
    optimizer = Slow(model.parameters(), lr=0.01)
    with clocked.watch as watch, torch.no_grad():
        optimizer.step()
        clocked.look()
        assert watch.notes == ()
        assert watch.step_count == 1


def test_a_training_of_another_model_alone_is_told_until_this_one_trains(bench: MakeBench) -> None:
    model, other = mlp(), mlp()
    clocked = Clocked(bench(model))
    with clocked.watch as watch:
        for half_seconds in range(12):
            assert (half_seconds > 2 * UNSEEN_AFTER_S) or watch.notes == ()
            train(other, torch.optim.SGD(other.parameters(), lr=0.01), INPUTS, 2)
            clocked.look()
        assert "not the one that trains" in watch.notes[0]
        train(model, torch.optim.SGD(model.parameters(), lr=0.01), INPUTS, 1)
        clocked.look()
        assert watch.notes == ()


@pytest.mark.parametrize("trains", [True, False], ids=["a watched training", "weights that rest"])
def test_others_are_not_told_so(bench: MakeBench, trains: bool) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    clocked = Clocked(bench(model))
    with clocked.watch as watch:
        for _ in range(50):
            train(model, optimizer, INPUTS, int(trains))
            clocked.look()
        assert watch.notes == ()
