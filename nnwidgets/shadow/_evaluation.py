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
from torch.overrides import TorchFunctionMode

from nnwidgets.shadow._random import PrivateRandom
from nnwidgets.shadow.torch_internals import map_leaves, thread_device

_AUTOCAST_DEVICES = ("cpu", "cuda")  # where private copies live


@dataclass
class Traits:
    """Settings that all modules of one private copy share."""

    default_device: torch.device
    draws_random: bool = False
    fused: bool = False


traits_of: WeakKeyDictionary[nn.Module, Traits] = WeakKeyDictionary()
"""The settings of every module of every living private copy."""


@contextmanager
def evaluation(module: nn.Module, *, gradients: bool = False) -> Iterator[None]:
    """Within: no gradients, no autocast, and what else `module`, (part of) a shadow's module, needs to run.

    With `gradients` autograd records what is computed from tensors that require them: inputs, activations, or
    parameters of the shadow that the caller has switched on. A backward pass runs in this thread; by default that of
    CUDA runs in one that training uses, too. At the end no parameter of the shadow requires a gradient or has one.

    >>> from nnwidgets.shadow import Shadow
    >>> private = Shadow(nn.Linear(3, 1)).module
    >>> x = torch.ones(1, 3, requires_grad=True)
    >>> with evaluation(private, gradients=True):
    ...     (slope,) = torch.autograd.grad(private(x).sum(), x)
    >>> torch.equal(slope, private.weight), torch.is_grad_enabled(), private.weight.grad
    (True, True, None)

    A thread that PyTorch did not start inherits neither `no_grad` nor autocast nor the default device, so all are set
    here. Only this thread sees it. Use it, not `torch.autocast(enabled=False)`: leaving an outermost autocast region
    empties the cast cache that all threads share, and weights the training thread has cast already would be cast, and
    their gradients summed, anew.
    """
    traits = traits_of.get(module, None)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))  # in a user's inference_mode too, results are ordinary tensors
        if gradients:
            stack.enter_context(torch.enable_grad())
            stack.enter_context(torch.autograd.set_multithreading_enabled(False))
            if traits is not None:
                stack.callback(_forget_gradients, module)
        else:
            stack.enter_context(torch.no_grad())
        stack.enter_context(_without_autocast())
        if traits is not None and torch.get_default_device() != traits.default_device:
            stack.enter_context(thread_device(traits.default_device))
        if traits is not None and traits.fused:
            stack.enter_context(LayerByLayer())
        if traits is not None and traits.draws_random:
            stack.enter_context(PrivateRandom())
        yield


FUSED = (nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.MultiheadAttention)
"""Modules that in eval mode may run as one operation in which no layer can be seen, on nested tensors if padded."""


LAYER_BY_LAYER = (
    "nn.TransformerEncoder runs layer by layer, as in training; in eval mode PyTorch may set padded positions to zero"
)


class LayerByLayer(TorchFunctionMode):
    """Has `FUSED` modules run layer by layer in this thread, as in training, whichever layers are looked at.

    They do so while a function mode is on, so this one changes nothing else. The switch that PyTorch has for it,
    `torch.backends.mha`, would act on the training, too.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def _forget_gradients(module: nn.Module) -> None:
    for parameter in module.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None


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
