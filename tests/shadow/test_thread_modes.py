"""Modes of ours belong to their thread: PyTorch's process-wide flags stay, and so does what other threads compile."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch
import torch._dynamo.config
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils import _python_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

from nnwidgets.analysis.engine.container_ops import ContainerOps
from nnwidgets.analysis.engine.occlusion_reference_pass import ReferencePass
from nnwidgets.shadow import Shadow, check_leaks, evaluation
from nnwidgets.shadow._evaluation import Traits, traits_of
from nnwidgets.shadow._random import PrivateRandom
from tests.shadow.zoo import everything_left_alone, noise

X = noise(5, 6)


class OfTheUser(TorchDispatchMode):
    """Entered and left as PyTorch does it; notes what it sees."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


class FunctionsOfTheUser(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(func.__name__)
        return func(*args, **(kwargs or {}))


def whole_evaluation() -> AbstractContextManager[None]:
    """What a forward pass of a copy on another device, which draws random numbers, is run under."""
    module = nn.Linear(1, 1)
    traits_of[module] = Traits(default_device=torch.device("meta"), draws_random=True)
    return evaluation(module)


OURS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "PrivateRandom": PrivateRandom,
    "evaluation": whole_evaluation,
    "ContainerOps": ContainerOps,
    "ReferencePass": lambda: ReferencePass(1, (), max_bytes=1),
}


def flags() -> dict[str, bool]:
    return {name: value for name, value in vars(_python_dispatch).items() if isinstance(value, bool)}


@pytest.fixture(autouse=True)
def _flags_put_back() -> Iterator[None]:
    before = flags()
    yield
    vars(_python_dispatch).update(before)


@contextmanager
def in_another_thread(mode: AbstractContextManager[Any]) -> Iterator[None]:
    """Within: another thread is inside `mode`."""
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with mode:
            inside.set()
            leave.wait(30.0)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30.0)
    try:
        yield
    finally:
        leave.set()
        thread.join()


def overlap(mode: AbstractContextManager[Any]) -> None:
    """Enter `mode`, then a mode of the user's in another thread, and leave them in the same order."""
    users = in_another_thread(OfTheUser())
    with mode:
        users.__enter__()
    users.__exit__(None, None, None)


def compiles() -> bool:
    """Whether `torch.compile` compiles a function that it has not seen before."""
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward

    scope: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {}
    exec("def fresh(x): return x.sin() + 1", scope)
    compiled: Callable[[torch.Tensor], torch.Tensor] = torch.compile(scope["fresh"], backend=backend)
    compiled(X)
    return len(graphs) == 1


def test_the_flags_of_an_ordinary_mode_are_seen_by_these_tests() -> None:
    before = flags()
    overlap(OfTheUser())
    assert flags() != before, "PyTorch sets no flags for its modes any more: ThreadDispatchMode can go"


@pytest.mark.parametrize("mode", OURS)
def test_a_mode_sets_no_flag_and_leaves_none_when_it_overlaps_with_one_of_the_users(mode: str) -> None:
    before = flags()
    with OURS[mode]():
        assert flags() == before
    with in_another_thread(OURS[mode]()):
        assert flags() == before
        assert torch._C._len_torch_dispatch_stack() == 0
        assert torch._C._len_torch_function_stack() == 0
    overlap(OURS[mode]())
    assert flags() == before


@pytest.fixture
def _by_the_flags() -> Iterator[None]:
    """Have `torch.compile` go by the flags, as older versions always do, and not by the modes of its thread."""
    if not hasattr(torch._dynamo.config, "inline_torch_dispatch_torch_compile"):
        yield
        return
    with torch._dynamo.config.patch(inline_torch_dispatch_torch_compile=False):
        yield


@pytest.mark.usefixtures("_by_the_flags")
def test_an_ordinary_mode_in_another_thread_keeps_code_from_being_compiled() -> None:
    with in_another_thread(OfTheUser()):
        assert not compiles(), "PyTorch compiles beside modes of other threads now: ThreadDispatchMode can go"


@pytest.mark.usefixtures("_by_the_flags")
@pytest.mark.parametrize("mode", OURS)
def test_code_is_compiled_beside_a_mode_in_another_thread_and_after_one_in_this(mode: str) -> None:
    with in_another_thread(OURS[mode]()):
        assert compiles()
    with OURS[mode]():
        pass
    assert compiles()


class Draws(nn.Module):
    """Draws in eval mode, by a function of PyTorch and by dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(self.layer(x), 0.5, training=True) + torch.rand(6)


def drawing() -> tuple[Draws, Shadow]:
    torch.manual_seed(0)
    live = Draws()
    shadow = Shadow(live)
    assert check_leaks(shadow, live, (X,), {}) == ()
    assert shadow.draws_random
    return live, shadow


def test_numbers_are_the_same_under_modes_of_the_user_which_see_the_operations() -> None:
    live, shadow = drawing()
    operations, functions = OfTheUser(), FunctionsOfTheUser()
    with everything_left_alone(live):
        plain = shadow.run(X)
        with operations:
            under_operations = shadow.run(X)
        with functions:
            under_functions = shadow.run(X)
        with operations, functions:
            under_both = shadow.run(X)
    for output in (under_operations, under_functions, under_both):
        assert torch.equal(output, plain)
    assert "aten.rand.generator" in operations.seen
    assert "rand" in functions.seen


def test_a_mode_that_the_forward_pass_enters_itself_works_within_ours() -> None:
    live, shadow = drawing()
    plain = shadow.run(X)
    operations = OfTheUser()
    forward = shadow.module.forward

    def under_its_own_mode(x: torch.Tensor) -> torch.Tensor:
        with operations:
            return forward(x)  # type: ignore[no-any-return]

    shadow.module.forward = under_its_own_mode
    before = flags()
    with everything_left_alone(live):
        assert torch.equal(shadow.run(X), plain)
    assert "aten.rand.default" in operations.seen
    assert flags() == before
    assert torch._C._len_torch_dispatch_stack() == 0


def test_numbers_do_not_depend_on_the_global_state_nor_on_draws_in_another_thread() -> None:
    _, shadow = drawing()
    plain = shadow.run(X)
    stop = threading.Event()

    def draw() -> None:
        while not stop.is_set():
            torch.rand(100)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        outputs = [shadow.run(X) for _ in range(50)]
    finally:
        stop.set()
        thread.join()
    torch.manual_seed(99)
    assert all(torch.equal(output, plain) for output in [*outputs, shadow.run(X)])


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_code_within_a_forward_pass_draws_privately(backend: str) -> None:
    compiled = torch.compile(lambda x: x + torch.rand_like(x), backend=backend)

    class Compiles(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return compiled(x * 2)  # type: ignore[no-any-return]

    live = Compiles()
    shadow = Shadow(live)
    with everything_left_alone(live):
        assert check_leaks(shadow, live, (X,), {}) == ()
        first, second = shadow.run(X), shadow.run(X)
    assert torch.equal(first, second)
    assert not torch.equal(first, X * 2)


def test_a_leak_check_does_not_import_the_compiler() -> None:
    """It takes seconds, and a process that only looks at a model never needs it."""
    code = (
        "import sys, torch; from nnwidgets.shadow import Shadow, check_leaks; live = torch.nn.Dropout();"
        "check_leaks(Shadow(live), live, (torch.ones(3),), {}); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
