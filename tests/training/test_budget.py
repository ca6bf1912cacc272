"""The budget and the schedule under a fake clock: no thread, no waiting, no luck."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from torch import nn

from nnwidgets.training.budget import Budget
from tests.training.world import STEP_S, World


@pytest.mark.parametrize("views", [1, 4, 20])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_the_budget_holds_for_any_number_of_views(views: int, share: float) -> None:
    world = World(share)
    jobs = [world.job(0.01 + 0.001 * i) for i in range(views)]
    world.train(5.0)  # first runs
    world.worst = 0.0
    world.train(100.0, hook_s=0.0004)
    assert world.budget.overhead <= share * 1.01
    assert world.worst <= 0.051, "never more than a chunk ahead"
    assert world.budget.overhead >= share * min(0.5, 0.1 * views), "the budget is also made use of"
    rounds = share * 100 / sum(0.01 + 0.001 * i for i in range(views))
    assert all(len(job.runs) >= min(20, 0.5 * rounds) for job in jobs)


def test_the_budget_holds_when_views_become_dearer_and_cheaper() -> None:
    world = World()

    def cost(phase: int) -> Callable[[float], float]:
        return lambda now: 0.002 if (now // 20 + phase) % 2 else 0.04

    jobs = [world.job(cost(phase)) for phase in range(4)]
    world.train(200.0, hook_s=0.0004)
    assert world.budget.overhead <= 0.05 * 1.01
    assert world.worst <= 0.1
    assert all(len(job.runs) > 50 for job in jobs)


def test_views_share_the_budget_in_equal_parts_whatever_they_cost() -> None:
    world = World()
    cheap, dear = world.job(0.004), world.job(0.2)
    world.train(200.0)
    assert 0.6 < 0.004 * len(cheap.runs) / (0.2 * len(dear.runs)) < 1.6


def test_a_cheap_view_does_not_pause_while_a_dear_one_saves_up() -> None:
    world = World()
    cheap, _ = world.job(0.004), world.job(0.2)
    world.train(100.0)
    settled = [run for run in cheap.runs if run > 20]
    assert max(later - earlier for earlier, later in itertools.pairwise(settled)) < 5.0


def test_a_slow_job_does_not_starve_a_short_one() -> None:
    world = World()
    slow, short = world.job(0.05, slices=400, slow=True), world.job(0.01)
    world.train(100.0)
    assert slow.chunks > 30
    assert len(short.runs) > 100


def test_a_slow_job_that_costs_little_does_not_keep_others_from_new_snapshots() -> None:
    world = World(1.0)
    world.job(0.0001, slices=100_000, slow=True)
    short = world.job(0.0001)
    world.train(10.0)
    assert len(short.runs) > 50


def test_what_is_done_while_nothing_trains_is_not_owed() -> None:
    world = World()
    job = world.job(0.1)
    for _ in range(20):
        assert world.buffer.withdraw()
        world.buffer.offer()
        world.buffer.fill()
        while world.turn():
            pass
    begun = len(job.runs)
    assert begun >= 20
    world.train(20.0)
    assert len(job.runs) - begun >= 5


def test_a_job_that_grows_slow_soon_leaves_the_shadow_to_others() -> None:
    world = World()
    dear, cheap = world.job(0.05, slices=30), world.job(0.01)
    world.train(100.0)
    before, dear.slow = len(cheap.runs), True
    world.train(100.0)
    dear_runs, cheap_runs = len(dear.runs), [run for run in cheap.runs[before:] if run > 140]
    assert dear_runs >= 2
    assert max(later - earlier for earlier, later in itertools.pairwise(cheap_runs)) < 2.0


def test_a_slow_job_without_room_for_its_copy_runs_on_the_shadow() -> None:
    world = World(spare_bytes=0)
    job = world.job(0.01, slices=3, slow=True)
    world.train(20.0)
    assert len(job.runs) >= 3
    assert world.schedule.tasks.nbytes == 0


def test_no_view_is_refreshed_faster_than_an_eye_can_follow() -> None:
    world = World(1.0)
    job = world.job(0.0001)
    world.train(10.0)
    assert 100 <= len(job.runs) <= 10 / 0.05


def test_idle_time_earns_nothing_and_is_no_training_time() -> None:
    world = World()
    world.train(10.0)
    before = world.budget.training_s
    world.now += 3_600
    assert world.budget.idle
    world.train(STEP_S)
    assert world.budget.training_s - before <= 2.1


def test_a_model_dear_to_copy_is_copied_when_its_views_can_be_paid_too() -> None:
    world = World(0.05)
    job = world.job(0.05)
    world.train(10.0, hook_s=0.1)
    before = len(job.runs)
    world.train(100.0, hook_s=0.1)
    assert len(job.runs) - before >= 25, "5 s earned, 0.15 s each"
    assert world.budget.overhead <= 0.055


def test_what_sending_costs_is_part_of_the_budget() -> None:
    world = World(0.05)
    job = world.job(0.001)
    world.train(5.0)
    for _ in range(100):
        world.train(1.0)
        world.schedule.charge_sending(0.03)
    assert world.budget.sending_s == pytest.approx(3.0)
    assert world.budget.overhead <= 0.051
    assert len(job.runs) >= 1_000, "what sending leaves is made use of"
    before = world.budget.spent_s
    world.now += 10
    world.schedule.charge_sending(1.0, job)
    assert world.budget.spent_s == before, "while nothing trains it is free"


def test_a_picture_made_once_a_minute_stops_nothing_and_is_repaid() -> None:
    world = World(0.05)
    job = world.job(0.005)
    world.train(20.0)
    usual = len(job.runs)
    for _ in range(10):
        before = len(job.runs)
        world.schedule.charge_call(0.3, 60.0)
        world.train(5.0)
        assert len(job.runs) - before >= 0.7 * usual / 4
        world.train(55.0)
    assert world.budget.overhead <= 0.051
    assert world.budget.spent_s >= 0.9 * 0.05 * world.budget.training_s, "what is earned is made use of"


@pytest.mark.parametrize("burst_s", [0.0, 2.0])
def test_who_sends_much_is_refreshed_less_often_and_others_are_not(burst_s: float) -> None:
    world = World(0.05)
    chatty, quiet = world.job(0.002), world.job(0.01)
    world.train(10.0)
    world.schedule.charge_sending(burst_s, chatty)
    world.train(100.0)
    begin, before = world.now, len(quiet.runs)
    sent = len(chatty.runs)
    for _ in range(1000):
        world.train(0.1)
        world.schedule.charge_sending(0.008 * (len(chatty.runs) - sent), chatty)
        sent = len(chatty.runs)
    assert world.budget.overhead <= 0.051
    # A half of what is earned for each: 2.5 s in 100 s, at 10 ms each time.
    assert 0.8 * 250 <= len(quiet.runs) - before <= 1.2 * 250
    assert 0.8 * 250 <= sum(at > begin for at in chatty.runs) <= 1.2 * 250


def test_statistics_go_on_beside_a_slow_answer_to_a_click() -> None:
    world = World(0.05)
    quick = world.job(0.08)
    slow = world.job(0.05, slices=40, slow=True)
    world.train(60.0)
    rates = []
    for _ in range(4):
        world.schedule.tasks.click(slow, world.now)
        before = len(quick.runs)
        world.train(60.0)
        rates.append((len(quick.runs) - before) / 60)
    assert world.budget.overhead <= 0.051
    # A half of 3 s earned, at 80 ms each time, less the half of what clicks have borrowed.
    assert min(rates) * 60 >= 0.7 * 1.5 / 0.08, rates


def test_slow_steps_are_training_and_not_idleness() -> None:
    times = iter(range(0, 30 * 200, 30))
    budget = Budget(clock=lambda: float(next(times)))
    for _ in range(100):
        budget.stepped()
    assert budget.training_s > 0.8 * 99 * 30


def test_when_training_stops_every_view_is_brought_up_to_date_once() -> None:
    world = World()
    jobs = [world.job(0.01) for _ in range(3)]
    world.train(10.0)
    world.follower.still_s = 10.0
    nn.init.constant_(world.buffer.shadow._live.weight, 7.0)  # type: ignore[arg-type]
    runs = [len(job.runs) for job in jobs]
    world.now += 10
    for _ in range(50):
        world.turn()
        world.now += 0.1
    assert [len(job.runs) - before for job, before in zip(jobs, runs, strict=True)] == [1, 1, 1]
    assert world.buffer.shadow.is_current()


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share of the training time"):
        Budget(share)


def test_overhead_counts_hooks_and_worker_against_training() -> None:
    times = iter([0.0, 4.0, 10.0])
    budget = Budget(clock=lambda: next(times))
    assert budget.overhead == 0.0
    budget.step_interval_s = 10.0
    for _ in range(3):
        budget.stepped()
    budget.charge_hook(0.1)
    budget.charge(0.4)
    assert budget.overhead == pytest.approx(0.05)
