"""Short functions in the worker: the newest of a key wins, none waits anew, each is charged, none outlives its view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from torch import nn

from nnwidgets.training.calls import PUT_OFF_S, Calls
from tests.nets import NETS, Training
from tests.training.toys import Bench, eventually, flush
from tests.waiting import inspecting, shown


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def clock_() -> Clock:
    return Clock()


@pytest.fixture(name="calls")
def calls_(clock: Clock) -> Calls:
    return Calls(clock)


def run(calls: Calls) -> float | None:
    return calls.run_due(lambda seconds, over_s: None)


def test_the_newest_of_a_key_runs_at_the_time_of_the_first(calls: Calls, clock: Clock) -> None:
    ran: list[str] = []
    calls.put("layout", lambda: ran.append("old"), 11.0, 0.0)
    calls.put("layout", lambda: ran.append("new"), 15.0, 0.0)
    calls.put("picture", lambda: ran.append("picture"), 13.0, 0.0)
    assert run(calls) == pytest.approx(1.0)
    clock.now = 11.5
    assert run(calls) == pytest.approx(1.5)
    assert ran == ["new"]
    clock.now = 20.0
    assert run(calls) is None
    assert ran == ["new", "picture"]


def test_a_later_call_may_be_due_sooner(calls: Calls, clock: Clock) -> None:
    ran: list[str] = []
    calls.put("picture", lambda: ran.append("old"), 60.0, 0.0)
    calls.put("picture", lambda: ran.append("new"), 10.0, 0.0)
    run(calls)
    assert ran == ["new"]
    clock.now = 100.0
    run(calls)
    assert ran == ["new"], "once"


def test_a_call_that_calls_again_waits_for_its_next_turn(calls: Calls, clock: Clock) -> None:
    ran: list[float] = []

    def again() -> None:
        ran.append(clock.now)
        if len(ran) < 3:
            calls.put("picture", again, clock.now + 1.0, 0.0)

    calls.put("picture", again, 10.0, 0.0)
    for _ in range(5):
        run(calls)
        clock.now += 1.0
    assert ran == [10.0, 11.0, 12.0]


def test_what_one_raises_is_logged_and_the_others_run(calls: Calls, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError("made for this test")

    calls.put("bad", fail, 0.0, 0.0)
    calls.put("good", lambda: ran.append("good"), 0.0, 0.0)
    run(calls)
    assert ran == ["good"]
    assert "made for this test" in caplog.text


def test_each_is_charged_with_the_time_over_which_it_is_to_be_repaid(calls: Calls) -> None:
    charged: list[tuple[float, float]] = []

    def work() -> None:
        begin = time.thread_time()
        while time.thread_time() - begin < 0.02:
            pass

    calls.put("layout", work, 0.0, 0.0)
    calls.put("picture", work, 0.0, 60.0)
    calls.run_due(lambda seconds, over_s: charged.append((seconds, over_s)))
    assert [over_s for _, over_s in charged] == [0.0, 60.0]
    assert min(seconds for seconds, _ in charged) >= 0.02


def test_what_is_repaid_over_time_is_put_off_while_somebody_waits(calls: Calls, clock: Clock) -> None:
    ran: list[str] = []
    calls.put("picture", lambda: ran.append("picture"), clock(), 60.0)
    calls.put("layout", lambda: ran.append("layout"), clock(), 0.0)
    wait = calls.run_due(lambda seconds, over_s: None, hurried=True)
    assert ran == ["layout"]
    assert wait is not None
    assert 0 < wait <= PUT_OFF_S
    clock.now += wait
    calls.run_due(lambda seconds, over_s: None)
    assert ran == ["layout", "picture"]


def test_what_is_forgotten_does_not_run(calls: Calls) -> None:
    ran: list[str] = []
    for key in ("one", "two", "three"):
        calls.put(key, lambda key=key: ran.append(key), 0.0, 0.0)  # type: ignore[misc]
    calls.forget(["one", "three", "nothing"])
    run(calls)
    assert ran == ["two"]


def test_the_worker_runs_them_in_its_thread_and_flush_waits_for_those_that_are_due(bench: Callable[..., Bench]) -> None:
    worker = bench(nn.Linear(1, 1)).worker
    ran: list[str] = []
    worker.call("now", lambda: ran.append(threading.current_thread().name))
    worker.call("much later", lambda: ran.append("too soon"), delay_s=1_000.0)
    assert flush(worker, 60)
    assert ran == ["nnwidgets-worker"]
    worker.call("soon", lambda: ran.append("soon"), delay_s=0.05)
    assert eventually(lambda: "soon" in ran)


def test_a_closed_view_is_neither_laid_out_nor_drawn_any_more() -> None:
    training = Training(NETS["cnn"])
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=8) as inspector:
        view = inspector.activations()
        shown(view)
        worker = inspector._session.worker
        laid = view.job.laid
        with worker.held():
            view.renew_layout()
            worker.call((id(view), "picture"), lambda: None, delay_s=1_000.0)
            view.close()
        assert flush(worker, 60)
        assert view.job.laid is laid
        assert not worker._calls._calls


def test_what_calls_cost_beside_a_training_is_part_of_what_watching_costs() -> None:
    training = Training(NETS["cnn"])
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=8) as inspector:
        done: list[float] = []

        def work() -> None:
            begin = time.thread_time()
            while time.thread_time() - begin < 0.1:
                pass
            done.append(time.thread_time() - begin)

        with inspector.watch(training.optimizer) as watch:
            training.step()
            before = watch.budget.spent_s
            inspector._session.worker.call("work", work)
            until = time.monotonic() + 60
            while not done and time.monotonic() < until:
                training.step()
            training.step()
            assert watch.budget.spent_s - before >= 0.1
