"""A forward pass of the copy sets what it needs for its own thread and nothing that another thread could notice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from nnwidgets.shadow import Shadow, evaluation
from tests.shadow.zoo import mlp, noise

X = noise(5, 6)


def in_another_thread(work: Callable[[], Any]) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


class Reports(nn.Module):
    """Its output is the state it was called in."""

    def forward(self) -> tuple[bool, bool, bool, torch.device]:
        autocast = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
        return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), autocast, torch.zeros(1).device


QUIET = (False, False, False, torch.device("cpu"))


def test_a_new_thread_runs_without_gradients_and_autocast() -> None:
    assert in_another_thread(Shadow(Reports()).run) == QUIET


def test_the_users_autocast_and_inference_mode_do_not_reach_the_copy_and_are_put_back() -> None:
    shadow = Shadow(Reports())
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert shadow.run() == QUIET
        assert torch.autocast_increment_nesting() == 2, "autocast regions the run left open"
        torch.autocast_decrement_nesting()
        assert torch.is_autocast_enabled("cpu")
        assert torch.is_inference_mode_enabled()
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16
    assert torch.is_grad_enabled()


def test_an_error_in_the_model_puts_everything_back() -> None:
    shadow = Shadow(mlp())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(RuntimeError, match="shapes"):
            shadow.run(noise(5, 7))
        assert torch.is_autocast_enabled("cpu")
    assert torch.is_grad_enabled()


class CastsItself(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.layer(x)  # type: ignore[no-any-return]


def test_a_run_beside_training_does_not_empty_the_cast_cache_that_all_threads_share() -> None:
    shadow = Shadow(CastsItself())
    live = nn.Linear(6, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        first = live(X)
        in_another_thread(lambda: shadow.run(X))
        second = live(X)
    # One cast of the weight, used twice, is one node of the graph; an emptied cache would have made two.
    assert casts_of(first) == casts_of(second)


def casts_of(output: torch.Tensor) -> set[Any]:
    assert output.grad_fn is not None
    return {node for node, _ in output.grad_fn.next_functions if node is not None and "ToCopy" in node.name()} | {
        inner
        for node, _ in output.grad_fn.next_functions
        if node is not None
        for inner, _ in node.next_functions
        if inner is not None and "ToCopy" in inner.name()
    }


def test_the_default_device_of_the_users_thread_holds_in_any_thread() -> None:
    with torch.device("meta"):
        shadow = Shadow(Reports(), device="cpu")
        elsewhere = Shadow(Reports())
    assert in_another_thread(shadow.run)[-1] == torch.device("cpu")
    assert elsewhere.run()[-1] == torch.device("cpu"), "no copy lives on a device that is neither CPU nor CUDA"
    with torch.device("meta"):
        assert elsewhere.run()[-1] == torch.device("cpu")
        assert torch.zeros(1).device.type == "meta"


def test_evaluation_of_a_module_that_is_no_shadow_is_quiet_too() -> None:
    with evaluation(nn.Identity()):
        assert Reports()() == QUIET


@pytest.mark.cuda
def test_a_default_device_on_cuda_holds_in_a_new_thread() -> None:
    with torch.device("cuda"):
        shadow = Shadow(Reports())
    assert in_another_thread(shadow.run)[-1].type == "cuda"
