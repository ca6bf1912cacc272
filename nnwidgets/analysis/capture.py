"""Activations of a model's layers during one forward pass.

Hooks go on a private copy only (`nnwidgets.shadow`) and are removed when a function returns, even if the model raises.

Layers are the leaves, and the containers that compute something themselves (a residual sum, attention scores). A
container that only passes values between its children is left out, and so is the model itself unless it is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnwidgets.analysis.engine.layer_calls import LayerInfo, Layers, layer_tuple, unknown_layer
from nnwidgets.analysis.engine.layers import Run, layers_of
from nnwidgets.analysis.engine.passes import discover, first_tensor, record_named
from nnwidgets.shadow import evaluation, shadow_module
from nnwidgets.shadow.torch_internals import leaves, map_leaves

__all__ = ["LayerInfo", "capture", "device_of", "first_tensor", "layer_names", "record", "unknown_layer"]


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
        args: positional arguments of the forward pass, on the model's device; a single one may stand alone. Give two
            samples or more: the pass is repeated with one more, to find the axis of the samples.
        kwargs: keyword arguments of the forward pass.

    >>> block = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    >>> [(layer.name, layer.kind, layer.shape) for layer in layer_names(nn.Sequential(block), torch.zeros(1, 2))]
    [('0.0', 'Linear', (1, 2)), ('0.1', 'Tanh', (1, 2))]
    """
    module, positional, keywords = shadow_module(model), _positional(args), dict(kwargs or {})
    return layers_of(module, _runs(module, positional, keywords))


def record(
    model: nn.Module,
    args: Sequence[Any] | Tensor = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    layers: Layers | None = None,
    on_activation: Callable[[str, Tensor], None] | None = None,
    may_miss: bool = False,
) -> Any:
    """Return the model's output, passing each layer's activation to a callback during the forward pass.

    The callback gets the value itself, not a copy. Reduce it there, or clone what you want to keep: a later in-place
    operation may overwrite it. Nothing is kept here, so memory does not grow with the number of layers.

    Args:
        model: any module; it runs as a private copy in eval mode.
        args: positional arguments, on the model's device; a single one may stand alone.
        kwargs: keyword arguments.
        layers: as for `capture`; None: all of them, found in the same pass.
        on_activation: called as `on_activation(name, value)`, `value` the first tensor of real or complex numbers in
            the layer's output.
        may_miss: whether named layers may remain uncalled, as experts of a mixture that no sample reaches.

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
            return discover(module, positional, keywords, lambda name, value, kind, call: callback(name, value))
        return record_named(module, positional, keywords, layer_tuple(layers), callback, may_miss=may_miss)


def device_of(module: nn.Module) -> torch.device:
    """Return the device of the module's first parameter or buffer; the CPU for a module without any.

    >>> device_of(nn.ReLU())
    device(type='cpu')
    """
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return torch.device("cpu")


def _runs(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Run]:
    """These arguments, and the same with the last sample twice if the model takes that."""
    given = [each for each in leaves((args, kwargs)) if isinstance(each, Tensor) and each.ndim]
    samples = len(given[0]) if given else 0
    runs = [Run(args, kwargs, samples)]
    if samples:

        def one_more(value: Any) -> Any:
            batched = isinstance(value, Tensor) and value.ndim and len(value) == samples
            return torch.cat([value, value[-1:]]) if batched else value

        more = Run(*map_leaves(one_more, (args, kwargs)), samples + 1)
        try:
            with evaluation(module):
                module(*more.args, **more.kwargs)
        except Exception:
            return runs  # some tensor is as long as the batch, but has no axis of samples
        runs.append(more)
    return runs


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
