"""Leave the global random states alone: draw from private generators, or put the states back.

`torch.random.fork_rng` would save and restore the global state while the training thread draws from it. A dispatch
mode sees every operation of its own thread, however deep in PyTorch it is called, and touches nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch

from nnwidgets.shadow.torch_internals import ThreadDispatchMode, argument_names

Call = Callable[..., Any]


def random_states() -> dict[str, Any]:
    """The global random states by library; of PyTorch those of the CPU and, once it is in use, of CUDA."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return {
        "PyTorch": (torch.get_rng_state(), cuda),
        "NumPy": np.random.get_state(),  # noqa: NPY002 - the global state is the point
        "Python": random.getstate(),
    }


@contextmanager
def preserved_random_states() -> Iterator[dict[str, Any]]:
    """Restore the global random states, which are yielded, at the end. In the thread that trains."""
    before = random_states()
    try:
        yield before
    finally:
        cpu, cuda = before["PyTorch"]
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        np.random.set_state(before["NumPy"])  # noqa: NPY002
        random.setstate(before["Python"])


class PrivateRandom(ThreadDispatchMode):
    """While entered, random operations of this thread draw from private generators with a fixed seed.

    The same model then gives the same picture twice: what changes between two pictures is the model, not the noise.

    Generators that the user passes are used as they are. Not covered, as no operation with a `generator` argument does
    the same: dropout inside fused attention kernels (CUDA) and cuDNN's RNNs, which draw in training mode or where a
    model asks for dropout in eval mode; operations of the user's own in C++ or Triton; and threads that the forward
    pass starts. `check_leaks` finds all of these, as it compares the global states before and after.

    >>> before = torch.get_rng_state()
    >>> with PrivateRandom():
    ...     first = torch.rand(3)
    >>> with PrivateRandom():
    ...     second = torch.rand(3)
    >>> torch.equal(first, second), torch.equal(before, torch.get_rng_state())
    (True, True)
    """

    def __init__(self) -> None:
        super().__init__()
        self._generators: dict[torch.device, torch.Generator] = {}

    def handle(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        redirected = _with_generator(func)
        if redirected is None or any(isinstance(a, torch.Generator) for a in (*args, *kwargs.values())):
            return func(*args, **kwargs)
        return redirected(*args, **{**kwargs, "generator": self._generator(args, kwargs)})

    def _generator(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Generator:
        tensor = next((a for a in (*args, *kwargs.values()) if isinstance(a, torch.Tensor)), None)
        given = kwargs.get("device") or (torch.device("cpu") if tensor is None else tensor.device)
        device = torch.empty(0, device=given).device  # with its index: "cuda" and "cuda:0" share one generator
        if device not in self._generators:
            self._generators[device] = torch.Generator(device=device).manual_seed(0)
        return self._generators[device]


@cache
def _with_generator(func: Any) -> Call | None:
    """A function that does the same as `func` and takes `generator=`; None if there is none."""
    operation: Call = func
    names = argument_names(operation)
    if "generator" in names:
        return operation
    packet = func.overloadpacket
    for overload in packet.overloads():
        candidate: Call = getattr(packet, overload)
        other = argument_names(candidate)
        if "generator" in other and [name for name in other if name != "generator"] == names:
            return candidate
    return _REWRITTEN.get(str(func))


def _native_dropout(
    tensor: torch.Tensor, p: float, train: bool | None, *, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    if train is False:
        return tensor.clone(), torch.ones_like(tensor, dtype=torch.bool)
    kept = torch.empty_like(tensor, dtype=torch.bool).bernoulli_(1 - p, generator=generator)
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return tensor * kept * scale, kept


def _filled_like(fill: str) -> Call:
    """A random `torch.*_like`, by filling an empty tensor."""

    def draw(tensor: torch.Tensor, *ends: int, generator: torch.Generator, **options: Any) -> Any:
        return getattr(torch.empty_like(tensor, **options), fill)(*ends, generator=generator)

    return draw


_REWRITTEN: dict[str, Call] = {  # older PyTorch has no `generator` for the *_like operations
    "aten.native_dropout.default": _native_dropout,
    "aten.rand_like.default": _filled_like("uniform_"),
    "aten.randn_like.default": _filled_like("normal_"),
    "aten.randint_like.default": _filled_like("random_"),
    "aten.randint_like.low_dtype": _filled_like("random_"),
}
