"""Activations of a model's layers during one forward pass.

Hooks go on a private copy only (`nnwidgets.shadow`) and are removed when a function returns, even if the model raises.

Layers are the leaves, and the containers that compute something themselves (a residual sum, attention scores). A
container that only passes values between its children is left out, and so is the model itself unless it is a leaf.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nnwidgets.analysis.engine.container_ops import ContainerOps
from nnwidgets.analysis.engine.layer_calls import (
    LayerInfo,
    Layers,
    is_leaf,
    layer_tuple,
    named_modules,
    split_call,
    unknown_layer,
)
from nnwidgets.shadow import evaluation, shadow_module

__all__ = ["LayerInfo", "capture", "device_of", "first_tensor", "layer_names", "record", "unknown_layer"]

# Modules that output (batch, channels, length), and modules that output (batch, length, features). Anything else (an
# activation function, dropout) keeps the axes of the layer before it.
_CHANNELS_FIRST = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm", "MaxPool", "AvgPool", "Adaptive", "LPPool")
_CHANNELS_LAST = ("Linear", "LayerNorm", "RMSNorm", "Embedding", "RNN", "LSTM", "GRU", "Multihead", "Transformer")


def capture(
    model: nn.Module,
    inputs: Tensor | Sequence[Any] | Mapping[str, Any],
    *,
    layers: Layers | None = None,
) -> dict[str, Tensor]:
    """Return the activation of each layer, in forward order, detached, on the model's device.

    The forward pass runs on a private copy of the model in eval mode; the model, its mode and its hooks stay as they
    are. Each value is copied when the layer returns it, so a later in-place operation (`ReLU(inplace=True)`) does not
    change it.

    Args:
        model: any module.
        inputs: one tensor, or a tuple or list of positional arguments, or a mapping of keyword arguments. Tensors are
            moved to the model's device.
        layers: names, or (some of) what `layer_names` returned; None: all layers. A container that `layer_names` leaves
            out may be named, too.

    Returns:
        name -> first tensor of the layer's output, of the layer's own shape and dtype.

    Raises:
        KeyError: a layer does not exist or was not called; the message lists the closest names.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> {name: tuple(value.shape) for name, value in capture(model, torch.zeros(5, 2)).items()}
    {'0': (5, 3), '1': (5, 3)}
    """
    module = shadow_module(model)
    args, kwargs = _arguments(inputs, device_of(module))
    values: dict[str, Tensor] = {}

    def keep(name: str, value: Tensor) -> None:
        values[name] = value.detach().clone()

    record(module, args, kwargs, layers=layers, on_activation=keep)
    return values


def layer_names(
    model: nn.Module, args: Sequence[Any] | Tensor = (), kwargs: Mapping[str, Any] | None = None
) -> tuple[LayerInfo, ...]:
    """Return the layers of the model, in the order in which they finish in the forward pass.

    Args:
        model: any module; it runs as a private copy in eval mode.
        args: positional arguments of the forward pass, on the model's device; a single one may stand alone.
        kwargs: keyword arguments of the forward pass.

    >>> block = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    >>> [(layer.name, layer.kind, layer.shape) for layer in layer_names(nn.Sequential(block), torch.zeros(1, 2))]
    [('0.0', 'Linear', (1, 2)), ('0.1', 'Tanh', (1, 2))]
    """
    module = shadow_module(model)
    found: list[LayerInfo] = []
    sequence_dim = 2

    def note(name: str, value: Tensor, kind: str, call: int) -> None:
        nonlocal sequence_dim
        if kind.startswith(_CHANNELS_FIRST):
            sequence_dim = 1
        elif kind.startswith(_CHANNELS_LAST):
            sequence_dim = 2
        channel_dim = sequence_dim if value.ndim == 3 else min(1, value.ndim - 1)
        found.append(LayerInfo(name, kind, tuple(value.shape), call, channel_dim))

    with evaluation(module):
        _discover(module, _positional(args), dict(kwargs or {}), note)
    return tuple(found)


def record(
    model: nn.Module,
    args: Sequence[Any] | Tensor = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    layers: Layers | None = None,
    on_activation: Callable[[str, Tensor], None] | None = None,
) -> Any:
    """Return the model's output, passing each layer's activation to a callback during the forward pass.

    The callback gets the value itself, not a copy. Reduce it there, or clone what you want to keep: a later in-place
    operation may overwrite it. Nothing is kept here, so memory does not grow with the number of layers.

    Args:
        model: any module; it runs as a private copy in eval mode.
        args: positional arguments, on the model's device; a single one may stand alone.
        kwargs: keyword arguments.
        layers: as for `capture`; None: all of them, found in the same pass.
        on_activation: called as `on_activation(name, value)`, `value` the first floating-point tensor of the layer's
            output.

    Raises:
        KeyError: a layer does not exist or was not called; the message lists the closest names.

    >>> peaks = {}
    >>> output = record(nn.Sequential(nn.ReLU()), torch.tensor([-1.0, 2.0]),
    ...                 on_activation=lambda name, value: peaks.update({name: value.max().item()}))
    >>> peaks
    {'0': 2.0}
    """
    callback = on_activation or (lambda _name, _value: None)
    module, positional, keywords = shadow_module(model), _positional(args), dict(kwargs or {})
    with evaluation(module):
        if layers is None:
            return _discover(module, positional, keywords, lambda name, value, kind, call: callback(name, value))
        return _record_named(module, positional, keywords, layer_tuple(layers), callback)


def device_of(module: nn.Module) -> torch.device:
    """Return the device of the module's first parameter or buffer; the CPU for a module without any.

    >>> device_of(nn.ReLU())
    device(type='cpu')
    """
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return torch.device("cpu")


def first_tensor(output: Any) -> Tensor | None:
    """Return the first floating-point tensor in a module's output; None if there is none.

    The output may be a tensor, or nested tuples, lists, mappings and dataclasses.

    >>> first_tensor({"loss": None, "hidden": (torch.ones(2), torch.zeros(3))})
    tensor([1., 1.])
    """
    if isinstance(output, Tensor):
        return output if output.is_floating_point() else None
    if isinstance(output, Mapping):
        parts: Iterator[Any] = iter(output.values())
    elif isinstance(output, (tuple, list)):
        parts = iter(output)
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        parts = (getattr(output, field.name) for field in dataclasses.fields(output))
    else:
        return None
    return next((tensor for part in parts if (tensor := first_tensor(part)) is not None), None)


def _record_named(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    layers: tuple[str, ...],
    callback: Callable[[str, Tensor], None],
) -> Any:
    """Run the module with hooks on the named layers only."""
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
        if layer not in seen:
            raise KeyError(f"layer: {layer!r} was not called with these inputs, or returned no floating-point tensor")
    return output


def _discover(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], found: Callable[[str, Tensor, str, int], None]
) -> Any:
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


def _arguments(inputs: Any, device: torch.device) -> tuple[tuple[Any, ...], dict[str, Any]]:
    def moved(value: Any) -> Any:
        return value.to(device) if isinstance(value, Tensor) else value

    if isinstance(inputs, Mapping):
        return (), {name: moved(value) for name, value in inputs.items()}
    if isinstance(inputs, (Tensor, tuple, list)):
        return tuple(moved(value) for value in _positional(inputs)), {}
    raise TypeError(
        f"inputs: expected a tensor, a tuple of arguments or a dict of keyword arguments, got {type(inputs).__name__}"
    )


def _positional(args: Sequence[Any] | Tensor) -> tuple[Any, ...]:
    return (args,) if isinstance(args, Tensor) else tuple(args)
