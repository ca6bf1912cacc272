"""Names of modules and of their calls. Runs nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import nn


@dataclass(frozen=True)
class LayerInfo:
    """One call of a layer in a forward pass.

    name: the module's name. The n-th call of a module is `"name:n"` from the second on. A model that is itself a leaf
    has its class's name.   kind: the module's class name.   call: 1 for the first call of the module.
    shape: of the first tensor of its output for the samples it was found with; () if none of them reached it.
    channel_dim: the axis of `shape` that holds the channels; None without one, and where it is not known.
    batch_dim: the axis that follows the samples; None where none does.
    per_sample: entries of that axis for each sample, more than 1 where a model folds windows or times into it. Without
    such an axis 1 says that the output is one for all samples, 0 that its rows differ in number from sample to sample,
    as those of an expert in a mixture.
    sample_inner: of several entries a sample, those of one sample are not next to each other: (times, samples).
    unclear: why units and samples can't be told apart, and what to do; "" where they can.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    call: int
    channel_dim: int | None
    batch_dim: int | None = 0
    per_sample: int = 1
    sample_inner: bool = False
    unclear: str = ""

    @property
    def units(self) -> int:
        """The number of channels; 1 where there is no axis of them."""
        return self.shape[self.channel_dim] if self.channel_dim is not None else 1

    @property
    def maps(self) -> bool:
        """Whether its output is (samples, channels, height, width)."""
        return len(self.shape) == 4 and (self.batch_dim, self.per_sample, self.channel_dim) == (0, 1, 1)


Layers: TypeAlias = Sequence[str | LayerInfo] | LayerInfo | str
"""One layer or several, by name or as `LayerInfo`."""


def layer_tuple(layers: Layers) -> tuple[str, ...]:
    """The names of these layers.

    >>> layer_tuple("conv1"), layer_tuple([LayerInfo("fc", "Linear", (1, 10), call=1, channel_dim=1)])
    (('conv1',), ('fc',))
    """
    listed = (layers,) if isinstance(layers, (str, LayerInfo)) else tuple(layers)
    return tuple(layer.name if isinstance(layer, LayerInfo) else layer for layer in listed)


def layer_infos(layers: Layers) -> list[LayerInfo]:
    """Those that were given as `LayerInfo`."""
    listed = (layers,) if isinstance(layers, (str, LayerInfo)) else tuple(layers)
    return [layer for layer in listed if isinstance(layer, LayerInfo)]


def named_modules(module: nn.Module) -> dict[str, nn.Module]:
    """Return the modules by name, without those that compute parametrised weights. A leaf has its class's name."""
    named = {name: child for name, child in module.named_modules() if name and ".parametrizations." not in f".{name}."}
    return named or {type(module).__name__: module}


def is_leaf(module: nn.Module) -> bool:
    """Return whether a module has no children besides those that compute its parametrised weights."""
    return all(name == "parametrizations" for name, _ in module.named_children())


def split_call(layer: str, modules: Mapping[str, nn.Module]) -> tuple[str, int]:
    """Split `"name:n"` into name and n; a plain name stands for the first call."""
    if layer in modules:
        return layer, 1
    name, _, call = layer.rpartition(":")
    if name in modules and call.isdecimal() and int(call) >= 1:
        return name, int(call)
    raise unknown_layer(layer, list(modules))


def module_of(module: nn.Module, layer: str) -> nn.Module:
    """Return the module of a layer name, whichever call the name means. A leaf model has its class's name.

    >>> module_of(nn.Sequential(nn.Tanh()), "0:2"), module_of(nn.Tanh(), "Tanh")
    (Tanh(), Tanh())
    """
    modules = named_modules(module)
    return modules[split_call(layer, modules)[0]]


def unknown_layer(name: str, known: Sequence[str]) -> KeyError:
    """Return the error for an unknown layer, with the closest names.

    >>> unknown_layer("conv3", ["conv1", "conv2", "fc"]).args[0]
    "layer: 'conv3' is not a layer of this forward pass; nearest: conv1, conv2"
    """
    nearest = difflib.get_close_matches(name, known, n=5, cutoff=0.4) or list(known[:5])
    return KeyError(
        f"layer: {name!r} is not a layer of this forward pass; nearest: {', '.join(sorted(nearest)) or 'none'}"
    )
