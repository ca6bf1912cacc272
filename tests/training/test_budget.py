"""The budget and the schedule under a fake clock: no thread, no waiting, no luck."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from torch import Tensor, nn

from nnwidgets.shadow import Shadow
from nnwidgets.training.budget import Budget
from nnwidgets.training.schedule import Schedule
from nnwidgets.training.snapshot import Slot
from nnwidgets.training.worker import Job, Snapshot

STEP_S = 0.01


class Follower:
    still_s = 0.0

    def tick(self) -> None:
        """Nothing to do."""


class FakeJob(Job):
    """Costs what it is told, in fake seconds of the worker."""

    def __init__(self, world: World, cost: Callable[[float], float], *, slices: int = 1, long: bool = False) -> None:
        self.name, self.long = "fake", long
        self.world, self.cost, self.slices = world, cost, slices
        self.runs: list[float] = []
        self.chunks = 0

    def wanted(self) -> bool:
        return True

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        for _ in range(self.slices):
            self.world.worker_s += self.cost(self.world.now)
            self.chunks += 1
            yield
        self.runs.append(self.world.now)

    def failed(self, error: BaseException, step: int) -> None:
        raise AssertionError from error


class World:
    """Training on one core, the worker on another; the wall clock follows training, steps of 10 ms."""

    def __init__(self, share: float = 0.05, spare_bytes: int | None = None) -> None:
        self.now = 0.0
        self.worker_s = 0.0
        self.free_at = 0.0
        self.worst = 0.0
        self.budget = Budget(share, clock=lambda: self.now, cpu_clock=lambda: self.worker_s)
        self.slot = Slot(Shadow(nn.Linear(1, 1)), clock=lambda: self.now, filled=lambda: None)
        self.schedule = Schedule(self.slot, self.budget, spare_bytes=spare_bytes)
        self.follower = Follower()
        self.schedule.follow(self.follower, self.budget, readable=True)

    def job(self, cost: Callable[[float], float] | float, *, slices: int = 1, long: bool = False) -> FakeJob:
        job = FakeJob(self, cost if callable(cost) else lambda _: cost, slices=slices, long=long)
        self.schedule.tasks.add(job)
        return job

    def train(self, seconds: float, *, hook_s: float = 0.0) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            self.budget.stepped()
            self.slot.step += 1
            if self.slot.due:
                self.slot.fill()
                self.slot.fill_s = hook_s
                self.budget.charge_hook(hook_s)
            while self.free_at <= self.now and self.turn():
                pass
            self.worst = max(self.worst, self.budget.spent_s - self.budget.share * self.budget.training_s)

    def turn(self) -> bool:
        """One turn; the worker is busy for as long as it cost. False when it would sleep."""
        before = self.worker_s
        pause = self.schedule.turn()
        self.free_at = self.now + self.worker_s - before
        return pause == 0.0


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


def test_a_long_job_does_not_starve_a_short_one() -> None:
    world = World()
    long, short = world.job(0.05, slices=400, long=True), world.job(0.01)
    world.train(100.0)
    assert long.chunks > 30
    assert len(short.runs) > 100


def test_a_long_job_that_costs_little_does_not_keep_others_from_new_snapshots() -> None:
    world = World(1.0)
    world.job(0.0001, slices=100_000, long=True)
    short = world.job(0.0001)
    world.train(10.0)
    assert len(short.runs) > 50


def test_what_is_done_while_nothing_trains_is_not_owed() -> None:
    world = World()
    job = world.job(0.1)
    for _ in range(20):
        assert world.slot.withdraw()
        world.slot.offer()
        world.slot.fill()
        while world.turn():
            pass
    begun = len(job.runs)
    assert begun >= 20
    world.train(20.0)
    assert len(job.runs) - begun >= 5


def test_a_job_that_grows_long_soon_leaves_the_shadow_to_others() -> None:
    world = World()
    dear, cheap = world.job(0.05, slices=30), world.job(0.01)
    world.train(100.0)
    before, dear.long = len(cheap.runs), True
    world.train(100.0)
    dear_runs, cheap_runs = len(dear.runs), [run for run in cheap.runs[before:] if run > 140]
    assert dear_runs >= 2
    assert max(later - earlier for earlier, later in itertools.pairwise(cheap_runs)) < 2.0


def test_a_long_job_without_room_for_its_copy_runs_on_the_shadow() -> None:
    world = World(spare_bytes=0)
    job = world.job(0.01, slices=3, long=True)
    world.train(20.0)
    assert len(job.runs) >= 3
    assert world.schedule.tasks.replica_bytes == 0


def test_no_view_is_refreshed_faster_than_an_eye_can_follow() -> None:
    world = World(1.0)
    job = world.job(0.0001)
    world.train(10.0)
    assert 100 <= len(job.runs) <= 10 / 0.05


def test_a_click_borrows_at_most_half_a_second_which_is_repaid_before_the_next_refresh() -> None:
    world = World()
    background, slow = world.job(0.01), world.job(0.05, slices=40, long=True)
    world.train(60.0)
    world.schedule.tasks.cancel(slow)
    world.train(20.0)
    world.schedule.tasks.click(slow, world.now)
    clicked_at, chunks = world.now, slow.chunks
    world.train(2.0)
    assert 8 <= slow.chunks - chunks <= 15, "about half a second at once, then no more"
    world.train(1.0)
    assert not [run for run in background.runs if run > clicked_at]
    world.train(30.0)
    first = min(run for run in background.runs if run > clicked_at)
    assert first - clicked_at > 0.3 / 0.05, "half a second is repaid at five per cent"
    world.train(60.0)
    assert slow.runs[-1] > clicked_at, "the long answer went on under the budget"
    assert world.budget.overhead <= 0.05 * 1.02


def test_a_click_is_answered_at_once_out_of_turn() -> None:
    world = World()
    job = world.job(0.03)
    world.train(10.0)
    world.schedule.tasks.click(job, world.now)
    clicked_at = world.now
    world.train(0.1)
    assert job.runs[-1] >= clicked_at


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


def test_a_click_is_answered_though_each_step_spoils_the_own_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnwidgets.training.own_copy.STILL_S", 0.9)  # as for a model that takes 90 ms to copy
    world = World()
    job = world.job(0.01)
    weight = world.slot.shadow._live.weight
    assert isinstance(weight, Tensor)

    def step() -> None:
        for _ in range(80):
            world.now += STEP_S
            world.turn()
        nn.init.constant_(weight, world.now)
        world.budget.stepped()
        world.slot.step += 1
        world.slot.fill()

    for _ in range(5):
        step()
    answers, asked = len(job.runs), world.now
    world.schedule.tasks.click(job, world.now)
    while len(job.runs) == answers and world.now < asked + 60:
        step()
    assert world.now - asked <= 5 * 0.8


def test_what_sending_costs_is_part_of_the_budget() -> None:
    world = World(0.05)
    job = world.job(0.001)
    world.train(5.0)
    for _ in range(100):
        world.train(1.0)
        world.budget.charge_sending(0.03)
    assert world.budget.sending_s == pytest.approx(3.0)
    assert world.budget.overhead <= 0.051
    assert len(job.runs) >= 1_000, "what sending leaves is made use of"
    before = world.budget.spent_s
    world.now += 10
    world.budget.charge_sending(1.0)
    assert world.budget.spent_s == before, "while nothing trains it is free"


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
    nn.init.constant_(world.slot.shadow._live.weight, 7.0)  # type: ignore[arg-type]
    runs = [len(job.runs) for job in jobs]
    world.now += 10
    for _ in range(50):
        world.turn()
        world.now += 0.1
    assert [len(job.runs) - before for job, before in zip(jobs, runs, strict=True)] == [1, 1, 1]
    assert world.slot.shadow.is_current()


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
