"""Views beside unusual training loops, and beside tracers of the model that they show."""

from __future__ import annotations

import copy
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional

from nnwidgets.training import background, clicks
from tests.nets import CLASSES, bits, cnn
from tests.test_unusual_hosts import (
    HOSTS,
    PLAIN,
    REFRESHES,
    Loop,
    assert_same_bits,
    check_results,
    failed,
    failed_at_last,
    most,
    open_all,
    pictures,
    refresh_all,
    train_until,
)
from tests.waiting import inspecting


@pytest.fixture(autouse=True)
def busy_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of our work beside each step, and a test that ends on a busy machine too."""
    monkeypatch.setattr(background, "NICENESS", 0)


def assert_nothing_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert [record.getMessage() for record in caplog.records if record.name.startswith("nnwidgets")] == []


class Accumulating(Loop):
    def loss(self) -> Tensor:
        for _ in range(3):
            super().loss().backward()
        return super().loss()


class WithClosure(Loop):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.optimizer = torch.optim.LBFGS(self.model.parameters(), lr=0.05, max_iter=3)  # type: ignore[assignment]

    def step(self) -> Tensor:
        def closure() -> Tensor:
            self.optimizer.zero_grad()
            loss = self.loss()
            loss.backward()
            return loss

        self.steps += 1
        return self.optimizer.step(closure)  # type: ignore[no-any-return]

    def everything(self) -> dict[str, Any]:
        return {
            name: [bits(each) for each in value] if isinstance(value, list) else value
            for name, value in super().everything().items()
        }


class Adversarial(Loop):
    """A critic of the model's scores is trained in turn with the model, each by its own optimizer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.critic = nn.Linear(CLASSES, 1)
        self.critics = torch.optim.SGD(self.critic.parameters(), lr=0.1, momentum=0.9)

    def step(self) -> Tensor:
        real, made = functional.one_hot(self.net.labels[:16], CLASSES).float(), self.model(self.net.inputs[:16])
        self.critics.zero_grad()
        (self.critic(made.detach()) - self.critic(real)).mean().backward()
        self.critics.step()
        self.optimizer.zero_grad()
        (self.loss() - 0.1 * self.critic(made).mean()).backward()
        self.optimizer.step()
        self.steps += 1
        return made  # type: ignore[no-any-return]

    def everything(self) -> dict[str, Any]:
        critic = {f"critic {name}": bits(value) for name, value in self.critic.state_dict().items()}
        return super().everything() | critic


class Scaled(Loop):
    """Every fifth loss is infinite, so that the scaler skips the step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)

    def step(self) -> Tensor:
        self.optimizer.zero_grad()
        loss = self.loss() * (torch.inf if self.steps % 5 == 4 else 1.0)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.steps += 1
        return loss


@pytest.mark.parametrize("loop", [Accumulating, WithClosure, Adversarial, Scaled])
def test_an_unusual_loop_ends_in_the_same_bits_under_all_views(loop: type[Loop]) -> None:
    host = HOSTS["shared and tied"]
    training = loop(host)
    with inspecting(training.model, host.data, probe=16) as inspector:
        views = open_all(inspector)
        with inspector.watch(training.optimizer, budget=1.0):
            refresh_all(training, views, REFRESHES)
        assert not failed_at_last(views)
    assert_same_bits(training, loop(host))


Traced = Callable[[Tensor], Tensor]


def compiled_anew(model: nn.Module, _x: Tensor) -> Traced:
    torch._dynamo.reset()
    return torch.compile(copy.deepcopy(model), backend="eager")


def jit_traced(model: nn.Module, x: Tensor) -> Traced:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(model, (x,))  # type: ignore[no-any-return]


TRACERS: dict[str, Callable[[nn.Module, Tensor], Traced]] = {
    "fx": lambda model, _x: torch.fx.symbolic_trace(model),
    "make_fx": lambda model, x: make_fx(model)(x),
    "export": lambda model, x: torch.export.export(model, (x,)).module(),
    "jit": jit_traced,
    "compile": compiled_anew,
}


def traced_right(model: nn.Module, tracer: str) -> bool:
    """Trace the model in eval mode; whether the trace computes what the model does."""
    x = PLAIN.inputs[:2]
    model.eval()
    with torch.no_grad():
        right = torch.equal(TRACERS[tracer](model, x)(x), model(x))
    model.train()
    return right


@pytest.mark.parametrize(
    ("tracer", "traces"),
    [pytest.param(tracer, 5, id=tracer) for tracer in TRACERS]
    + [pytest.param(tracer, 100, id=f"{tracer}, long", marks=pytest.mark.soak) for tracer in TRACERS],
)
def test_a_model_can_be_traced_again_and_again_beside_live_views(
    tracer: str, traces: int, caplog: pytest.LogCaptureFixture
) -> None:
    training, right = Loop(PLAIN), []
    with inspecting(training.model, PLAIN.data, probe=16) as inspector:
        views = open_all(inspector)

        def traced() -> bool:
            right.append(traced_right(training.model, tracer))
            assert not failed(views)
            return len(right) >= traces and all(view.finished >= REFRESHES for view in views)

        with inspector.watch(training.optimizer, budget=1.0):
            train_until(training, traced, seconds=300.0)
        assert all(right)
        assert not failed_at_last(views)
        assert_same_bits(training, Loop(PLAIN))
        check_results(inspector, views, training)
    assert_nothing_logged(caplog)


IN_A_FORWARD: list[Callable[[], None]] = []


class Interrupted(nn.Module):
    """Calls what is in `IN_A_FORWARD`, in the user's thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.body = cnn()

    def forward(self, x: Tensor) -> Tensor:
        if threading.current_thread() is threading.main_thread():
            for call in IN_A_FORWARD:
                call()
        return self.body(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("tracer", [name for name in TRACERS if name != "compile"])
def test_a_click_in_the_middle_of_a_trace_spoils_neither_view_nor_trace(
    tracer: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clicks, "STEP_AWAITED_S", 0.1)
    host, clicked = pictures(Interrupted), []
    training = Loop(host)
    with inspecting(training.model, host.data, probe=16) as inspector:
        views = open_all(inspector)

        def click() -> None:
            clicked.append(training.steps)
            wanted = most(views) + 1
            for view in views:
                view.view.refresh()
            until = time.monotonic() + 1.0  # an answer may come now or after the trace; a failure must not come at all
            while time.monotonic() < until and any(view.finished < wanted for view in views):
                time.sleep(0.002)

        with inspector.watch(training.optimizer, budget=1.0):
            refresh_all(training, views, 1)
            IN_A_FORWARD.append(click)
            try:
                traced = TRACERS[tracer](training.model.eval(), host.inputs[:2])
            finally:
                IN_A_FORWARD.clear()
            assert clicked
            assert not failed_at_last(views)
            with torch.no_grad():
                torch.testing.assert_close(traced(host.inputs[:2]), training.model(host.inputs[:2]))
            training.model.train()
            refresh_all(training, views, most(views) + 2)
        check_results(inspector, views, training)
    assert_nothing_logged(caplog)
