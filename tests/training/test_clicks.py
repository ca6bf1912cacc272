"""When and how clicks are answered while a model trains, by a clock of the test's own."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from tests.training.world import STEP_S, World


def test_a_long_answer_borrows_a_quarter_of_a_second_which_is_repaid_before_the_next_refresh() -> None:
    world = World()
    background, slow = world.job(0.01), world.job(0.05, slices=40, slow=True)
    world.train(60.0)
    world.schedule.tasks.cancel(slow)
    world.train(20.0)
    world.schedule.tasks.click(slow, world.now)
    clicked_at, chunks = world.now, slow.chunks
    world.train(2.0)
    assert 5 <= slow.chunks - chunks <= 10, "about a quarter of a second at once, then no more"
    world.train(1.0)
    assert not [run for run in background.runs if run > clicked_at]
    world.train(30.0)
    first = min(run for run in background.runs if run > clicked_at)
    assert first - clicked_at > 0.15 / 0.05, "a quarter of a second is repaid at five per cent"
    world.train(60.0)
    assert slow.runs[-1] > clicked_at, "the slow answer went on under the budget"
    assert world.budget.overhead <= 0.05 * 1.02


def test_a_click_is_answered_at_once_out_of_turn() -> None:
    world = World()
    job = world.job(0.03)
    world.train(10.0)
    world.schedule.tasks.click(job, world.now)
    clicked_at = world.now
    world.train(0.1)
    assert job.runs[-1] >= clicked_at


def test_quick_answers_do_not_wait_for_long_ones_nor_for_their_debts() -> None:
    world = World()
    quick, slow = world.job(0.01), world.job(0.05, slices=40, slow=True)
    world.train(60.0)
    for _ in range(30):
        for job in (slow, quick):
            world.schedule.tasks.click(job, world.now)
        clicked_at = world.now
        world.train(0.1)
        assert quick.runs[-1] >= clicked_at
        world.train(0.9)
    assert world.worst <= 0.55


def test_a_click_is_answered_though_each_step_spoils_the_optimistic_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnwidgets.training.snapshot.STILL_S", 0.9)  # as for a model that takes 90 ms to copy
    world = World()
    job = world.job(0.01)
    weight = world.buffer.shadow._live.weight
    assert isinstance(weight, Tensor)

    def step() -> None:
        for _ in range(80):
            world.now += STEP_S
            world.turn()
        nn.init.constant_(weight, world.now)
        world.budget.stepped()
        world.buffer.step += 1
        world.buffer.fill()

    for _ in range(5):
        step()
    world.now += STEP_S
    nn.init.constant_(weight, -1.0)  # the last copy is out of date
    answers, asked = len(job.runs), world.now
    world.schedule.tasks.click(job, world.now)
    while len(job.runs) == answers and world.now < asked + 60:
        step()
    assert world.now - asked <= 5 * 0.8
