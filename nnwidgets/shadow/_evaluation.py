"""Set up a forward pass of a private copy, for the calling thread only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from nnwidgets.shadow._random import PrivateRandom
from nnwidgets.shadow.torch_internals import map_leaves, thread_device

_AUTOCAST_DEVICES = ("cpu", "cuda")  # where private copies live


@dataclass
class Traits:
    """Settings that all modules of one private copy share."""

    default_device: torch.device
    draws_random: bool = False


traits_of: WeakKeyDictionary[nn.Module, Traits] = WeakKeyDictionary()
"""The settings of every module of every living private copy."""


@contextmanager
def evaluation(module: nn.Module) -> Iterator[None]:
    """Within: no gradients, no autocast, and what else `module`, (part of) a shadow's module, needs to run.

    >>> from nnwidgets.shadow import Shadow
    >>> private = Shadow(nn.Linear(3, 1)).module
    >>> with evaluation(private):
    ...     private(torch.ones(1, 3, requires_grad=True)).requires_grad
    False

    A thread that PyTorch did not start inherits neither `no_grad` nor autocast nor the default device, so all are set
    here. Only this thread sees it. Use it, not `torch.autocast(enabled=False)`: leaving an outermost autocast region
    empties the cast cache that all threads share, and weights the training thread has cast already would be cast, and
    their gradients summed, anew.
    """
    traits = traits_of.get(module, None)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))  # in a user's inference_mode too, results are ordinary tensors
        stack.enter_context(torch.no_grad())
        stack.enter_context(_without_autocast())
        if traits is not None and torch.get_default_device() != traits.default_device:
            stack.enter_context(thread_device(traits.default_device))
        if traits is not None and traits.draws_random:
            stack.enter_context(PrivateRandom())
        yield


def run_in(module: nn.Module, dtype: torch.dtype) -> None:
    """Have a private module narrow floating-point inputs to `dtype` and return its outputs in float32."""

    def narrowed(_module: nn.Module, args: Any, kwargs: Any) -> Any:
        return map_leaves(partial(_cast, dtype, dtype.itemsize), (args, kwargs))

    module.register_forward_pre_hook(narrowed, with_kwargs=True)
    module.register_forward_hook(lambda _module, _args, output: map_leaves(partial(_cast, torch.float32, 0), output))


def _cast(dtype: torch.dtype, wider_than: int, value: Any) -> Any:
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.to(dtype) if floating and value.itemsize > wider_than else value


@contextmanager
def _without_autocast() -> Iterator[None]:
    before = {kind: torch.is_autocast_enabled(kind) for kind in _AUTOCAST_DEVICES}
    torch.autocast_increment_nesting()  # so that no autocast region inside the model is the outermost one
    for kind in _AUTOCAST_DEVICES:
        torch.set_autocast_enabled(kind, False)
    try:
        yield
    finally:
        for kind, enabled in before.items():
            torch.set_autocast_enabled(kind, enabled)
        torch.autocast_decrement_nesting()
