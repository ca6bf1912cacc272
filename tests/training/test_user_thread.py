"""Where user code runs."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from nnwidgets.training.budget import BORROW_SLOW_S
from nnwidgets.training.user_thread import UserThread
from tests.training.toys import Bench, eventually, idle, mlp, train

MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


def test_one_callable_runs_at_each_step_border_in_the_thread_that_trains(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    ran: list[tuple[int, int]] = []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with where.watch() as watch:
        for _ in range(3):
            where.user_thread.submit(lambda: ran.append((watch.step_count, threading.get_ident())))
        train(model, optimizer, INPUTS, 5)
    assert ran == [(step, threading.get_ident()) for step in (1, 2, 3)]


def test_slow_samples_are_read_within_the_budget_and_one_alone_before_many(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model)
    read: list[str] = []

    def reading(name: str) -> Callable[[], None]:
        return lambda: time.sleep(0.02) or read.append(name)  # type: ignore[func-returns-value]

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with where.watch() as watch:
        for _ in range(60):
            where.user_thread.submit(reading("one of many"), many=True)
        for _ in range(100):
            train(model, optimizer, INPUTS, 1)
            time.sleep(0.004)
        budget = watch.budget
        assert 5 <= len(read) < 40, "some are read at once, the others as training time earns them"
        assert budget.hook_s <= budget.share * budget.training_s + BORROW_SLOW_S + 0.05
        where.user_thread.submit(reading("alone"))
        train(model, optimizer, INPUTS, 2)
        assert read[-1] == "alone"


def numpy_state() -> list[int]:
    state: Any = np.random.get_state()
    return [*state[1].tolist(), state[2]]


def test_random_states_are_as_before() -> None:
    user_thread = UserThread()
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    before = (torch.get_rng_state(), random.getstate(), numpy_state())

    def draw() -> None:
        torch.rand(5)
        random.random()
        np.random.rand(5)

    user_thread.submit(draw)
    user_thread.drain()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert numpy_state() == before[2]


def test_a_mistake_in_user_code_reaches_the_log_and_not_the_training(
    bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    model = mlp()
    where = bench(model)
    with where.watch() as watch, caplog.at_level(logging.ERROR):
        where.user_thread.submit(lambda: 1 / 0)  # type: ignore[arg-type]
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), INPUTS, 3)
        assert watch.step_count == 3
        assert not watch.closed
    assert "ZeroDivisionError" in caplog.text


def test_ctrl_c_in_user_code_reaches_the_loop_and_the_callable_waits_on() -> None:
    user_thread = UserThread()
    pressed = [True]
    ran: list[str] = []

    def read() -> None:
        if pressed:
            pressed.pop()
            raise KeyboardInterrupt
        ran.append("read")

    user_thread.submit(read)
    user_thread.submit(lambda: ran.append("next"))
    with pytest.raises(KeyboardInterrupt):
        user_thread.drain()
    user_thread.drain()
    assert ran == ["read", "next"]


def test_an_idle_asyncio_loop_runs_it_in_its_own_thread() -> None:
    ran: list[int] = []

    async def kernel() -> None:
        user_thread = UserThread()
        threading.Thread(target=user_thread.submit, args=(lambda: ran.append(threading.get_ident()),)).start()
        for _ in range(200):
            await asyncio.sleep(0.005)
            if ran:
                return

    asyncio.run(kernel())
    assert ran == [threading.get_ident()]


def test_a_loop_whose_thread_does_not_train_leaves_it_to_the_thread_that_does() -> None:
    ran: list[str] = []

    async def kernel() -> None:
        user_thread = UserThread()
        asked = asyncio.Event()

        def trains_elsewhere() -> bool:
            asked.set()
            return True

        user_thread.trains_elsewhere = trains_elsewhere
        user_thread.submit(lambda: ran.append("in the loop"))
        await asked.wait()
        await asyncio.sleep(0)
        assert not ran
        user_thread.run_one()
        assert ran == ["in the loop"]

    asyncio.run(kernel())


def test_a_loop_that_is_closed_leaves_it_to_step_borders() -> None:
    async def kernel() -> UserThread:
        return UserThread()

    user_thread = asyncio.run(kernel())
    ran: list[int] = []
    user_thread.submit(lambda: ran.append(1))
    user_thread.drain()
    assert ran == [1]


def test_poll_serves_the_mailbox_and_what_views_hang_on_it(bench: MakeBench) -> None:
    where = bench(mlp())
    served: list[str] = []
    with where.watch() as watch:
        watch.pollers.append(lambda: served.append("messages"))
        where.user_thread.submit(lambda: served.append("dataset"))
        watch.poll()
    assert served == ["dataset", "messages"]
    assert eventually(lambda: idle(where.worker))
