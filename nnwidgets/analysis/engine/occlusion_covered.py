"""A forward pass of covered images that computes only what the squares change.

The model's own forward runs, on placeholders without values. Every operation on them is done on windows; from the first
one that cannot be, on whole maps. A function mode acts in its own thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from nnwidgets.analysis.engine.container_ops import tensors
from nnwidgets.analysis.engine.occlusion_reference_pass import CONVOLUTION, Step, asks_only, bound, writes_first
from nnwidgets.analysis.engine.occlusion_rules import RULES, in_bfloat16
from nnwidgets.analysis.engine.occlusion_windows import Windows

_PLACES = frozenset(
    {Tensor.get_device, *(getattr(Tensor, name).__get__ for name in ("device", "is_meta", "is_cpu", "is_cuda"))}
)
_HOW = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}  # a convolution's arguments besides tensors: defaults


class StrayedError(RuntimeError):
    """The covered images took another path through the model than the clean ones, or an operation was not seen."""


class CoveredPass(TorchFunctionMode):
    """Runs the operations of the model under it on the windows given to `cover`.

    `steps` are those of the reference pass, `image` `(n,)` int64 has the index of the image of each covered one.

    windowed, dense: multiply-accumulates of convolutions and linear layers on windows and on whole maps, per image.
    paused: while set, operations are not the model's.
    first_dense: the first step that needed whole maps; None if none did.
    """

    def __init__(self, steps: Sequence[Step], image: Tensor) -> None:
        super().__init__()
        self.windowed = self.dense = 0
        self.first_dense: Step | None = None
        self.paused = False
        self._steps = iter(steps)
        self._image = image

    def cover(self, windows: Windows) -> Tensor:
        """Return a placeholder for these values."""
        placeholder = torch.empty(windows.shape, dtype=windows.values.dtype, device="meta")
        placeholder._held = windows  # type: ignore[attr-defined]
        return placeholder

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        if asks_only(func):
            return func(_example(args[0])) if func in _PLACES else func(*args, **kwargs)
        step = next(self._steps, None)
        if step is None or step.func is not func:
            raise StrayedError(f"an operation that the clean images don't need: {getattr(func, '__name__', func)}")
        if step.merged:
            return args[0] if args else kwargs["input"]
        covered = [value for value in tensors((args, kwargs)) if value.is_meta]
        if not covered:
            return self._whole(step, args, kwargs)
        if any(isinstance(held(value), Windows) for value in covered):
            if not args and "input" in kwargs:
                args, kwargs = (kwargs["input"],), {name: value for name, value in kwargs.items() if name != "input"}
            rule = RULES.get(func)
            found = rule(step, *_swapped(args, held), **_swapped(kwargs, held)) if rule is not None else None
            if isinstance(found, Windows) and step.work:
                self.windowed += found.values[0, 0].numel() * (step.work // found.rows.size // found.cols.size)
            if found is not None:
                return self._handed_out(found, func, args, kwargs)
            self.first_dense = self.first_dense or step
        return self._whole(step, _swapped(args, whole), _swapped(kwargs, whole))

    def _handed_out(self, found: Windows | Tensor, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """Return what the model gets for a value. For one written in place that is the placeholder it already has."""
        if isinstance(found, Tensor):
            return found
        given = args[0] if args else kwargs.get("input")
        if isinstance(given, Tensor) and given.is_meta and (writes_first(func, args, kwargs) or held(given) is found):
            given._held = found  # type: ignore[attr-defined]
            return given
        return self.cover(found)

    def _whole(self, step: Step, args: Any, kwargs: Any) -> Any:
        """Run an operation on whole maps."""
        self.dense += step.work
        if step.weights is not None:
            given = bound(CONVOLUTION, args, kwargs)
            if step.preview_weight is not None and step.seen is not None:
                change = given["input"] - step.seen.of(self._image)
                how = (given.get(name, other) for name, other in _HOW.items())
                return step.clean.of(self._image) + in_bfloat16(change, step.preview_weight, *how)
            given["weight"], given["bias"] = step.weights
            return torch.conv2d(**given)
        # Our maps are channels last, which `view` cannot always handle.
        output = (Tensor.reshape if step.func is Tensor.view else step.func)(*args, **kwargs)
        if any(value.is_meta for value in tensors(output)):
            raise StrayedError(f"an operation without values: {getattr(step.func, '__name__', step.func)}")
        return output


def held(value: Any) -> Any:
    """Return what a placeholder stands for; anything else unchanged, but no tensor without values."""
    if not isinstance(value, Tensor):
        return value
    inside = getattr(value, "_held", value)
    if inside is value and value.is_meta:
        raise StrayedError("an operation was not seen")
    return inside


def whole(value: Any) -> Any:
    """Return the whole maps that a placeholder stands for, and keep them in it; anything else unchanged."""
    inside = held(value)
    if isinstance(inside, Windows):
        inside = value._held = inside.whole()
    return inside


def _example(value: Tensor) -> Tensor:
    inside = held(value)
    return inside.values if isinstance(inside, Windows) else inside


def _swapped(values: Any, swap: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists and dicts with `swap` applied to each tensor."""
    if isinstance(values, Tensor):
        return swap(values)
    if isinstance(values, (tuple, list)) and any(isinstance(value, (Tensor, tuple, list, dict)) for value in values):
        changed = [_swapped(value, swap) for value in values]
        return type(values)(*changed) if hasattr(values, "_fields") else type(values)(changed)
    if isinstance(values, dict) and values:
        return {name: _swapped(value, swap) for name, value in values.items()}
    return values
