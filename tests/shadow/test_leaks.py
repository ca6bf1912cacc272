"""Every way in which a copy could still reach the live model or global random numbers is found, and does no harm."""

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.module import register_module_forward_hook

from nnwidgets.shadow import Shadow, check_leaks
from tests.shadow.zoo import Convolutional, everything_left_alone, mlp, noise

X = noise(5, 6)
FROZEN = nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5)).eval()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def reasons(live: nn.Module, *args: Any) -> tuple[str, ...]:
    """What is found, with the live model and all random states watched."""
    with everything_left_alone(live):
        return check_leaks(Shadow(live), live, args or (X,), {})


class Closure(nn.Module):
    """Calls its own layers through a function made in `__init__`, which no copy can rebind."""

    def __init__(self, use: Callable[["Closure", torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.layer = nn.Linear(6, 6)
        self.count: torch.Tensor
        self.register_buffer("count", torch.zeros(6))
        self.call: Callable[[torch.Tensor], torch.Tensor] = lambda x: use(self, x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.call(x)


def write(live: Closure, x: torch.Tensor) -> torch.Tensor:
    live.count.add_(1.0)
    return x


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (lambda live, x: live.layer(x), "calls Linear 'layer' of the live model"),
        (lambda live, x: live.drop(x), "calls Dropout 'drop' of the live model"),
        (lambda live, x: functional.linear(x, live.layer.weight), "uses the live tensor 'layer.weight'"),
        (write, "uses the live tensor 'count'"),
    ],
)
def test_a_closure_over_the_live_model_is_found_before_it_acts(
    use: Callable[[Closure, torch.Tensor], torch.Tensor], reason: str
) -> None:
    found = reasons(Closure(use))
    assert reason in found[0]


def test_a_write_by_a_thread_that_the_forward_pass_starts_is_found() -> None:
    def use(live: Closure, x: torch.Tensor) -> torch.Tensor:
        thread = threading.Thread(target=write, args=(live, x))
        thread.start()
        thread.join()
        return x

    live = Closure(use)
    found = check_leaks(Shadow(live), live, (X,), {})
    assert found == ("The forward pass of the copy wrote to the live tensor 'count'.",)


def test_a_patched_forward_is_found() -> None:
    live = Convolutional()
    forward = live.forward
    live.forward = lambda x: forward(x)  # type: ignore[method-assign]
    found = reasons(live, noise(2, 2, 6, 6))
    assert "'conv1'" in found[0]


def test_a_fallback_in_the_users_code_does_not_hide_a_leak() -> None:
    def use(live: Closure, x: torch.Tensor) -> torch.Tensor:
        try:
            return live.layer(x)  # type: ignore[no-any-return]
        except Exception:
            return x

    assert reasons(Closure(use))


class SharedBox:
    """Holds modules and copies itself by reference."""

    def __init__(self) -> None:
        self.layer = nn.Linear(6, 6)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SharedBox":
        return self


class Boxed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.box = SharedBox()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.box.layer(x)  # type: ignore[no-any-return]


def test_modules_shared_by_an_object_that_copies_itself_by_reference_are_found() -> None:
    found = reasons(Boxed())
    assert "no part of the model" in found[0]


def test_a_copy_whose_tensor_lies_in_live_memory_is_found() -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    shadow.module.get_parameter("3.bias").data = live[3].bias.data
    found = check_leaks(shadow, live, (X,), {})
    assert "The copy of tensor '3.bias' shares its memory with the live model." in found


class Draws(nn.Module):
    def __init__(self, draw: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.draw = draw

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = self.layer(x)
        return mean + self.draw(mean)  # type: ignore[no-any-return]


def test_a_model_that_draws_in_eval_mode_gets_private_random_numbers() -> None:
    live = Draws(torch.randn_like)
    shadow = Shadow(live)
    assert not shadow.draws_random
    with everything_left_alone(live):
        found = check_leaks(shadow, live, (X,), {})
        first, second = shadow.run(X), shadow.run(X)
        assert shadow.replica().draws_random
    assert found == ()
    assert shadow.draws_random
    assert torch.equal(first, second)
    live.eval()
    assert not torch.equal(first, live(X))


@pytest.mark.parametrize(
    ("draw", "library"),
    [
        (lambda mean: float(np.random.rand()), "NumPy"),
        (lambda mean: random.random(), "Python"),
    ],
)
def test_random_numbers_of_the_whole_process_are_found(draw: Callable[[Any], Any], library: str) -> None:
    found = reasons(Draws(draw))
    assert found == (f"The forward pass draws {library} random numbers, which belong to the whole process.",)


def test_a_draw_that_cannot_be_redirected_is_found() -> None:
    found = reasons(Draws(lambda mean: torch.default_generator.seed() * 0.0 * mean))
    assert found == ("The forward pass draws random numbers that private generators cannot replace.",)


@pytest.fixture
def _global_hook() -> Iterator[None]:
    handle = register_module_forward_hook(lambda *_: None)
    yield
    handle.remove()


@pytest.mark.usefixtures("_global_hook")
def test_global_module_hooks_are_found() -> None:
    live = mlp()
    found = check_leaks(Shadow(live), live, (X,), {})
    assert "Global module hooks" in found[0]


@pytest.mark.parametrize(
    "forward",
    [lambda x: nn.ReLU()(x), lambda x: FROZEN(x)],
    ids=["a module made on the fly", "a frozen network in eval mode"],
)
def test_what_is_harmless_is_safe(forward: Callable[[torch.Tensor], torch.Tensor]) -> None:
    assert reasons(Draws(forward)) == ()


def test_the_error_of_a_wrong_input_reaches_the_caller_and_leaves_nothing_behind() -> None:
    live = Draws(torch.randn_like)
    with everything_left_alone(live), pytest.raises(RuntimeError, match="shapes"):
        check_leaks(Shadow(live), live, (noise(5, 7),), {})


def test_modules_run_by_another_thread_during_the_check_are_not_blamed() -> None:
    live = mlp()
    started, finish = threading.Event(), threading.Event()

    def train_beside() -> None:
        while not finish.is_set():
            live(X)
            started.set()

    thread = threading.Thread(target=train_beside)

    def wait(mean: torch.Tensor) -> torch.Tensor:
        started.clear()
        assert started.wait(10.0)  # the other thread ran a whole forward pass while we are inside the check
        return mean

    live.eval()
    watched = nn.Sequential(live, nn.Linear(3, 6), Draws(wait))
    thread.start()
    try:
        assert check_leaks(Shadow(watched), watched, (X,), {}) == ()
    finally:
        finish.set()
        thread.join()
