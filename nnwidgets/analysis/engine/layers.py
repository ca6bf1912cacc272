"""Which layers a model has, and how the output of each is arranged: found by running it on a few samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from torch import Tensor, nn

from nnwidgets.analysis.engine.axes import sample_axis
from nnwidgets.analysis.engine.layer_calls import LayerInfo, is_leaf, named_modules, unknown_layer
from nnwidgets.analysis.engine.passes import Output, outputs, record_named
from nnwidgets.shadow import evaluation

UNCALLED = "not called with the samples that the layers were found with"


@dataclass(frozen=True)
class Run:
    """What a forward pass is called with: `module(*args, **kwargs)`, for how many samples."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    samples: int


def layers_of(module: nn.Module, runs: Iterable[Run]) -> tuple[LayerInfo, ...]:
    """The layers of a private copy, in the order in which they finish in its forward pass.

    The second run is of the samples of the first and its last one once more: what changes in a shape follows the
    samples. With a single run axis 0 is taken for theirs. Further runs are made only while members of a `ModuleList`,
    as the experts of a mixture, were not called though others of it were.
    """
    coming = iter(runs)
    first_two = list(islice(coming, 2))
    with evaluation(module):
        passes = [outputs(module, run.args, run.kwargs) for run in first_two]
        seen = _merged(passes)
        while _uncalled(module, seen) and (run := next(coming, None)) is not None:
            seen = _merged([seen, outputs(module, run.args, run.kwargs)])
        found = [_layer(each, passes, first_two) for each in seen.values()]
        folded = tuple(layer.name for layer in found if layer.per_sample > 1)
        if folded and len(first_two) > 1:
            inner = _sample_inner(module, folded, *first_two)
            found = [replace(layer, sample_inner=layer.name in inner) for layer in found]
    named = named_modules(module)
    missed = (
        LayerInfo(name, type(named[name]).__name__, (), 1, None, batch_dim=None, per_sample=0, unclear=UNCALLED)
        for name in _uncalled(module, seen)
    )
    return (*found, *missed)


def with_given_axes(layers: Sequence[LayerInfo], axes: Mapping[str, str], samples: int) -> tuple[LayerInfo, ...]:
    """The layers, some of them with axes as the user gave them; shapes are for so many samples.

    Raises KeyError for a layer that there is not, ValueError for axes that it can't have.
    """
    known = [layer.name for layer in layers]
    for name in axes:
        if name not in known:
            raise unknown_layer(name, known)
    return tuple(with_axes(layer, axes[layer.name], samples) if layer.name in axes else layer for layer in layers)


def with_axes(layer: LayerInfo, axes: str, samples: int) -> LayerInfo:
    """The layer with its axes as said: one letter each, n for the samples, c for the channels, others for positions.

    >>> with_axes(LayerInfo("lstm", "LSTM", (9, 2, 7), call=1, channel_dim=2), "tnc", 2).batch_dim
    1
    """
    letters = axes.replace(" ", "")
    if len(letters) != len(layer.shape) or letters.count("n") > 1 or letters.count("c") != 1:
        raise ValueError(
            f"axes: expected a letter for each axis of layer {layer.name!r}, whose output for {samples} samples "
            f"is {layer.shape}: n for the samples, one c for the channels, others for positions; got {axes!r}"
        )
    batch = letters.index("n") if "n" in letters else None
    return replace(
        layer,
        batch_dim=batch,
        channel_dim=letters.index("c"),
        per_sample=1 if batch is None else max(1, layer.shape[batch] // samples),
        unclear="",
    )


def _merged(passes: Sequence[Mapping[str, Output]]) -> dict[str, Output]:
    """The layers of several passes, in the order of the first; what others called besides comes after its neighbour."""
    order: list[str] = []
    for each in passes:
        before = -1
        for name in each:
            if name in order:
                before = order.index(name)
            else:
                before += 1
                order.insert(before, name)
    return {name: next(each[name] for each in passes if name in each) for name in order}


def _layer(output: Output, passes: Sequence[Mapping[str, Output]], runs: Sequence[Run]) -> LayerInfo:
    """What the passes tell of one call of a layer."""
    channel = next(iter(output.channels.axes), None)
    layer = LayerInfo(output.name, output.kind, output.shape, output.call, channel)
    if len(passes) == 1:
        return _with_channels(replace(layer, batch_dim=0 if output.shape else None))
    if not all(output.name in each for each in passes):
        return _with_channels(replace(layer, batch_dim=None, per_sample=0))
    first, second = (each[output.name].shape for each in passes)
    try:
        batch, per_sample = sample_axis(first, runs[0].samples, second, runs[1].samples)
    except ValueError as error:
        return replace(layer, batch_dim=None, channel_dim=None, unclear=str(error))
    return _with_channels(replace(layer, batch_dim=batch, per_sample=per_sample))


def _with_channels(layer: LayerInfo) -> LayerInfo:
    """The layer with the axis of its channels, or why it can't be told."""
    others = [at for at in range(len(layer.shape)) if at != layer.batch_dim]
    if len(others) <= 1:
        return replace(layer, channel_dim=others[0] if others else None)
    if layer.channel_dim in others:
        return layer
    return replace(
        layer,
        channel_dim=None,
        unclear=f"which axis of {'×'.join(map(str, layer.shape))} holds its channels is not known; "
        f'give Inspector(axes={{"{layer.name}": …}}), such as "ntc" for samples, positions, channels',
    )


def _sample_inner(module: nn.Module, layers: tuple[str, ...], first: Run, second: Run) -> set[str]:
    """Those of the layers with several entries a sample in which samples alternate, as in (times, samples).

    The last sample of the second run is that of the first, so what belongs to the others must not have changed.
    """
    kept: tuple[dict[str, Tensor], dict[str, Tensor]] = {}, {}
    for values, run in zip(kept, (first, second), strict=True):
        record_named(module, run.args, run.kwargs, layers, _copying_into(values), may_miss=True)
    inner = set()
    for name in set(kept[0]) & set(kept[1]):
        few, many = (values[name] for values in kept)
        axis, per_sample = sample_axis(few.shape, first.samples, many.shape, second.samples)
        if axis is not None and per_sample > 1:
            few, many = few.movedim(axis, 0), many.movedim(axis, 0)
            outer = (many[: len(few)] - few).abs().max()
            alternating = (many.unflatten(0, (-1, second.samples))[:, : first.samples].flatten(0, 1) - few).abs().max()
            if alternating < outer:
                inner.add(name)
    return inner


def _copying_into(values: dict[str, Tensor]) -> Callable[[str, Tensor], None]:
    def keep(name: str, value: Tensor) -> None:
        values[name] = value.detach().clone()

    return keep


def _uncalled(module: nn.Module, seen: Mapping[str, Output]) -> list[str]:
    """Layers that were not called though others of their `ModuleList` or `ModuleDict` were."""
    found = []
    for name, parent in module.named_modules():
        if isinstance(parent, (nn.ModuleList, nn.ModuleDict)):
            members = [f"{name}.{key}" if name else key for key, _ in parent.named_children()]
            called = {each for each in members if any(f"{one}.".startswith(f"{each}.") for one in seen)}
            if called:
                found += [leaf for each in members if each not in called for leaf in _leaves(module, each)]
    return found


def _leaves(module: nn.Module, name: str) -> list[str]:
    """The leaves with parameters below a module."""
    within = module.get_submodule(name).named_modules(prefix=name)
    return [each for each, child in within if is_leaf(child) and next(child.parameters(), None) is not None]
