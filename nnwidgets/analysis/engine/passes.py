"""Forward passes of a private copy with hooks on its layers. The hooks are gone when a function returns."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from torch import Tensor, nn

from nnwidgets.analysis.engine.axes import Channels, ChannelTracker
from nnwidgets.analysis.engine.container_ops import ContainerOps
from nnwidgets.analysis.engine.layer_calls import is_leaf, named_modules, split_call

Found = Callable[[str, Tensor, str, int], None]
"""Called with a layer's name, its value, its class's name and the number of the call."""


def first_tensor(output: Any) -> Tensor | None:
    """Return the first tensor of real or complex numbers in a module's output; None if there is none.

    The output may be a tensor, or nested tuples, lists, mappings and dataclasses.

    >>> import torch
    >>> first_tensor({"loss": None, "hidden": (torch.ones(2), torch.zeros(3))})
    tensor([1., 1.])
    """
    if isinstance(output, Tensor):
        return output if output.is_floating_point() or output.is_complex() else None
    if isinstance(output, Mapping):
        parts: Iterator[Any] = iter(output.values())
    elif isinstance(output, (tuple, list)):
        parts = iter(output)
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        parts = (getattr(output, field.name) for field in dataclasses.fields(output))
    else:
        return None
    return next((tensor for part in parts if (tensor := first_tensor(part)) is not None), None)


def record_named(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    layers: tuple[str, ...],
    callback: Callable[[str, Tensor], None],
    *,
    may_miss: bool = False,
) -> Any:
    """Run the module with hooks on the named layers only.

    Raises KeyError for a layer that was not called, unless it may be missed.
    """
    modules = named_modules(module)
    wanted: dict[str, dict[int, str]] = {}
    for layer in layers:
        name, call = split_call(layer, modules)
        wanted.setdefault(name, {})[call] = layer
    seen: set[str] = set()
    calls: Counter[str] = Counter()

    def hook(name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        value = first_tensor(output)
        if value is None:
            return
        calls[name] += 1
        layer = wanted[name].get(calls[name])
        if layer is not None:
            seen.add(layer)
            callback(layer, value)

    with ExitStack() as hooks:
        for name in wanted:
            hooks.callback(modules[name].register_forward_hook(partial(hook, name)).remove)
        output = module(*args, **kwargs)
    for layer in layers:
        if layer not in seen and not may_miss:
            raise KeyError(f"layer: {layer!r} was not called with these inputs, or returned no tensor of numbers")
    return output


def discover(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], found: Found) -> Any:
    """Run the module and report every leaf, and every container that computes something in its own forward."""
    modules = named_modules(module)
    container_ops = ContainerOps()
    calls: Counter[str] = Counter()

    def leave(name: str, leaf: bool, child: nn.Module, _inputs: Any, output: Any) -> None:
        computes = container_ops.leave(child)
        value = first_tensor(output)
        if value is None:
            return
        calls[name] += 1
        if leaf or computes:
            label = name if calls[name] == 1 else f"{name}:{calls[name]}"
            with container_ops.paused():
                found(label, value, type(child).__name__, calls[name])

    with ExitStack() as hooks:
        for name, child in modules.items():
            leaf = is_leaf(child)
            if child is module and not leaf:
                continue
            hooks.callback(child.register_forward_pre_hook(container_ops.enter).remove)
            # Always called, as the model may catch an exception that the child raised.
            hooks.callback(child.register_forward_hook(partial(leave, name, leaf), always_call=True).remove)
        with container_ops:
            return module(*args, **kwargs)


@dataclasses.dataclass(frozen=True)
class Output:
    """What one call of a layer returned: its name, class and call as in `Found`, shape, and the axes of channels."""

    name: str
    kind: str
    call: int
    shape: tuple[int, ...]
    channels: Channels


def outputs(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Output]:
    """The outputs of all layers in forward order, by one pass of the module."""
    tracker = ChannelTracker()
    seen: dict[str, Output] = {}

    def note(name: str, value: Tensor, kind: str, call: int) -> None:
        with tracker.paused():
            seen[name] = Output(name, kind, call, tuple(value.shape), tracker.of(value))

    with tracker:
        discover(module, args, kwargs, note)
    return seen
