"""One background thread: whom it serves, from what, and what it leaves alone."""

from __future__ import annotations

import gc
import itertools
import time
import weakref
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
import torch
from torch import nn

from nnwidgets.training.worker import Snapshot
from tests.training.toys import Bench, Look, eventually, flush, idle, mlp, train, turns, worker_threads
from tests.training.world import World

pytestmark = pytest.mark.alone
MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


def test_no_thread_is_started_before_there_is_work(bench: MakeBench) -> None:
    where = bench(mlp())
    job = where.look(INPUTS)
    assert not worker_threads()
    where.worker.request(job)
    assert len(worker_threads()) == 1


def test_a_request_is_answered_without_a_watch(bench: MakeBench) -> None:
    where = bench(mlp())
    job = where.look(INPUTS)
    where.worker.request(job)
    assert flush(where.worker)
    assert job.steps == [0]
    assert idle(where.worker)


def test_without_a_watch_nothing_runs_unasked(bench: MakeBench) -> None:
    where = bench(mlp())
    asked, other = where.look(INPUTS), where.look(INPUTS)
    where.worker.request(asked)
    assert flush(where.worker)
    turns(where.worker)
    assert (len(asked.steps), len(other.steps)) == (1, 0)


def test_a_request_without_a_watch_sees_weights_changed_since(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    job = where.look()
    seen: list[float] = []
    job.before = lambda snapshot: seen.append(float(next(snapshot.shadow.module.parameters()).sum()))
    nn.init.constant_(next(model.parameters()), 2.0)
    where.worker.request(job)
    assert flush(where.worker)
    assert seen == [2.0 * next(model.parameters()).numel()]


def test_a_model_that_never_holds_still_is_refused_with_words(
    bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnwidgets.training.clicks.STILL_AWAITED_S", 0.2)
    where = bench(mlp())
    job = where.look()
    looks = itertools.count()
    where.shadow.is_current = lambda: next(looks) < 0  # type: ignore[method-assign]  # as if just written to
    where.worker.request(job)
    assert flush(where.worker, 30)
    assert "hold still" in str(job.errors[0][0])
    assert next(looks) > 2, "not looked at again"


def test_the_newest_request_wins_and_the_older_work_is_closed(bench: MakeBench) -> None:
    where = bench(mlp())
    job = where.look(slices=200, slice_s=0.01)
    where.worker.request(job)
    assert eventually(lambda: len(job.begun) == 1)
    job.slices = 2
    where.worker.request(job)
    assert flush(where.worker)
    assert (len(job.begun), job.ended, len(job.steps)) == (2, 2, 1)


def test_cancelled_work_is_closed_and_not_taken_up_again_until_requested(bench: MakeBench) -> None:
    where = bench(mlp())
    job = where.look(slices=200, slice_s=0.01)
    with where.watch():
        where.worker.request(job)
        assert eventually(lambda: len(job.begun) > job.ended)
        where.worker.cancel(job)
        assert flush(where.worker)
        begun = len(job.begun)
        assert job.ended == begun
        turns(where.worker)
        assert len(job.begun) == begun
        job.slices = 1
        where.worker.request(job)
        assert flush(where.worker)
        assert len(job.steps) == 1


def test_several_jobs_take_turns(bench: MakeBench) -> None:
    where = bench(mlp())
    order: list[str] = []

    class Turn(Look):
        def work(self, snapshot: Snapshot) -> Iterator[None]:
            for _ in range(5):
                order.append(self.name)
                yield

    jobs = [Turn() for _ in range(3)]
    for job, name in zip(jobs, "abc", strict=True):
        job.name = name
        where.worker.add(job)
    with where.watch() as watch:
        with watch.paused():
            order.clear()  # the background may have begun before the pause
            where.worker.request_all()
        assert flush(where.worker)
    assert all(set(order[i : i + 3]) == set("abc") for i in range(0, 15, 3)), order


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_job_that_raises_is_told_and_the_others_go_on(bench: MakeBench, error: type[BaseException]) -> None:
    where = bench(mlp())
    bad, good = where.look(), where.look(INPUTS)

    def fail(_: Snapshot) -> NoReturn:
        raise error("boom")

    bad.before = fail
    for job in (bad, good, bad, good):
        where.worker.request(job)
        assert flush(where.worker)
    assert [type(failure) for failure, _ in bad.errors] == [error, error]
    assert len(good.steps) == 2
    assert len(worker_threads()) == 1


def test_a_job_that_fails_again_and_again_is_retried_ever_more_rarely() -> None:
    world = World(1.0)
    failed_at: list[float] = []

    def fail(_: float) -> NoReturn:
        raise ValueError("boom")

    bad, good = world.job(fail), world.job(0.001)
    bad.failed = lambda error, step: failed_at.append(world.now)  # type: ignore[method-assign]
    world.train(10.0)
    assert [round(later - earlier) for earlier, later in itertools.pairwise(failed_at)] == [1, 2, 4]
    assert len(good.runs) > 100


def test_a_job_that_cannot_even_show_its_failure_harms_nobody(
    bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    where = bench(mlp())
    job = where.look()

    def fail(*_: object) -> NoReturn:
        raise RuntimeError("no view left")

    job.before, job.failed = fail, fail  # type: ignore[method-assign,assignment]
    where.worker.request(job)
    assert flush(where.worker)
    assert "could not show" in caplog.text


def test_a_slow_job_sees_one_step_throughout_while_others_see_newer_ones(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    short, slow = where.look(INPUTS), where.look(slices=30, slice_s=0.01, slow=True)
    weights: list[set[float]] = []

    class Steady(Look):
        def work(self, snapshot: Snapshot) -> Iterator[None]:
            weights.append(set())
            for _ in range(20):
                weights[-1].add(float(next(snapshot.shadow.module.parameters()).sum()))
                time.sleep(0.005)
                yield

    steady = Steady(slow=True)
    where.worker.add(steady)
    with where.watch():
        assert eventually(lambda: train_for(0.1, model) and len(short.steps) > 5)
        assert len(slow.begun) >= 1
    assert weights
    assert all(len(seen) == 1 for seen in weights)


def train_for(seconds: float, model: nn.Module) -> bool:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        train(model, optimizer, INPUTS, 5)
        time.sleep(0.002)
    return True


def test_what_is_off_screen_costs_nothing_and_its_work_is_stopped(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    hidden, seen = where.look(INPUTS, slow=True, slices=1_000, slice_s=0.002), where.look(INPUTS)
    with where.watch():
        train_for(0.5, model)
        hidden.on_screen = False
        turns(where.worker)
        assert hidden.ended == len(hidden.begun)
        begun, answers = len(hidden.begun), len(seen.steps)
        assert eventually(lambda: train_for(0.05, model) and len(seen.steps) > answers + 2, 30)
        assert len(hidden.begun) == begun


def test_a_removed_job_is_closed_and_let_go_of(bench: MakeBench) -> None:
    where = bench(mlp())
    job = where.look(slices=500, slice_s=0.01)
    begun = job.begun
    where.worker.request(job)
    assert eventually(lambda: len(begun) == 1)
    where.worker.remove(job)
    assert flush(where.worker)
    assert job.ended == 1
    where.worker.request(job)
    assert flush(where.worker)
    assert len(begun) == 1
    gone = weakref.ref(job)
    del job
    gc.collect()
    assert eventually(lambda: gc.collect() >= 0 and gone() is None)


def test_the_users_thread_can_take_the_model_now(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    job = where.look(slices=1_000, slice_s=0.005)
    where.worker.request(job)
    assert eventually(lambda: len(job.begun) == 1)
    nn.init.constant_(next(model.parameters()), 3.0)
    job.slices = 1  # when it begins anew; what runs has all its chunks to go
    assert where.worker.refill()
    assert where.shadow.is_current()
    assert float(next(where.shadow.module.parameters()).min()) == 3.0
    assert flush(where.worker)
