"""Turn raw samples into the arguments of the model, and a target."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from nnwidgets.shadow import unwrap

Unpacked: TypeAlias = tuple[tuple[Any, ...], dict[str, Any], Any]
"""(args, kwargs, target or None): one sample as the model's `forward` takes it, without the batch axis."""

_TARGET_NAMES = ("label", "labels", "target", "targets")
_CHANNELS = (1, 3, 4)
_OF_GRAPHS = (
    ". Of a graph, nodes can be samples: give a module whose forward(nodes) returns net(x, edge_index)[nodes], and "
    "(torch.arange(len(x)), y)"
)


class UnclearSampleError(ValueError):
    """A part of the samples may be the target or an input. The message has the `unpack` for either."""


@dataclass(frozen=True)
class _Accepts:
    """What a model's `forward` accepts: positional parameters, their least and largest number, keywords."""

    positional: tuple[inspect.Parameter, ...]
    required: int
    most: float
    keywords: frozenset[str] | None  # None: any

    @classmethod
    def of(cls, model: nn.Module) -> _Accepts:
        """Read the signature of `forward`; without a signature, assume one positional argument."""
        parameters = _parameters(_called(model))
        if parameters is None:
            only = inspect.Parameter("input", inspect.Parameter.POSITIONAL_ONLY)
            return cls((only,), 1, 1, frozenset())
        positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
        named = frozenset(
            each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
        )
        return cls(
            tuple(positional),
            sum(each.default is each.empty for each in positional),
            math.inf if any(each.kind is each.VAR_POSITIONAL for each in parameters) else len(positional),
            None if any(each.kind is each.VAR_KEYWORD for each in parameters) else named,
        )

    def parameter(self, at: int) -> inspect.Parameter | None:
        """The parameter that takes a positional argument; None where it has no name."""
        return self.positional[at] if at < len(self.positional) else None


def _parameters(model: nn.Module) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):  # built-in callables have no signature
        return None


def _called(model: nn.Module) -> nn.Module:
    """The module whose `forward` says what the model takes, within wrappers that hand on whatever they get."""
    inner = unwrap(model)
    parameters, children = _parameters(inner) or (), list(inner.children())
    hands_on = {each.kind for each in parameters} == {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return _called(children[0]) if hands_on and len(children) == 1 else inner


def forward_names(model: nn.Module) -> tuple[str, ...]:
    """The names of the positional parameters of `model.forward`."""
    return tuple(each.name for each in _Accepts.of(model).positional)


def default_unpack(model: nn.Module) -> Callable[[Any], Unpacked]:
    """Return a function that unpacks samples of common datasets.

    Tuple: the last item is the target if `forward` takes fewer arguments than there are items. If `forward` does not
    require it, it is the target if it is a whole number, or would go to a parameter called label or target or to a
    flag, and an input if it is the mask of a sequence; else `UnclearSampleError` is raised. Dict: keyword arguments,
    except that label or target is the target; keys that `forward` does not accept are left out, and so are texts.
    Anything else: one argument.
    """
    accepts = _Accepts.of(model)

    def unpack(sample: Any) -> Unpacked:
        if isinstance(sample, Mapping):
            return _from_mapping(sample, accepts)
        if isinstance(sample, (tuple, list)):
            items = tuple(sample)
            if len(items) > 1 and _last_is_target(items, accepts):
                return items[:-1], {}, items[-1]
            return items, {}, None
        return (sample,), {}, None

    return unpack


def _last_is_target(items: tuple[Any, ...], accepts: _Accepts) -> bool:
    if len(items) > accepts.most:
        return True
    if len(items) <= accepts.required:
        return False
    parameter, last = accepts.parameter(len(items) - 1), items[-1]
    target = as_target(last)
    if isinstance(target, int) or (parameter is not None and parameter.name in _TARGET_NAMES):
        return True
    if parameter is None:
        if isinstance(target, Tensor) and target.numel() > 1:
            return False  # `forward(*inputs)`
    elif isinstance(parameter.default, (bool, str)) and target is not None:
        return True
    elif last is None or _is_mask(parameter.name, target, items[0]):
        return False
    raise UnclearSampleError(_unclear(items, parameter))


def _is_mask(name: str, value: Any, first: Any) -> bool:
    """Whether it is the mask (positions,) of a sequence (positions,) or (positions, features)."""
    if "mask" not in name or not isinstance(value, Tensor) or not isinstance(first, (Tensor, np.ndarray)):
        return False
    fits = first.ndim in (1, 2) and tuple(value.shape) in (tuple(first.shape[:1]), tuple(first.shape))
    return fits and bool(((value == 0) | (value == 1)).all())


def _unclear(items: tuple[Any, ...], parameter: inspect.Parameter | None) -> str:
    where = f"the argument {parameter.name!r}" if parameter is not None else "an argument"
    last = items[-1]
    shape = f" of shape {tuple(last.shape)}" if isinstance(last, (Tensor, np.ndarray)) else ""
    return (
        f"dataset: the last of {len(items)} parts of a sample, a {type(last).__name__}{shape}, may be the target or "
        f"{where} of forward; give unpack=lambda sample: (sample[:-1], {{}}, sample[-1]) if it is the target, or "
        "unpack=lambda sample: (sample, {}, None) if it is an input"
    )


def _from_mapping(sample: Mapping[str, Any], accepts: _Accepts) -> Unpacked:
    target = next((sample[name] for name in _TARGET_NAMES if name in sample), None)
    inputs = {str(name): value for name, value in sample.items() if name not in _TARGET_NAMES}
    if accepts.keywords is None:  # a loop that gives the whole row gives texts, too, which no layer reads
        named = {name: value for name, value in inputs.items() if not isinstance(value, (str, bytes))}
    else:
        named = {name: value for name, value in inputs.items() if name in accepts.keywords}
    if not named and len(inputs) == 1:
        return tuple(inputs.values()), {}, target
    return (), named, target


def as_target(value: Any) -> int | Tensor | None:
    """A class as an int, any other numbers as a tensor on the CPU, None for anything else.

    >>> as_target(torch.tensor(3)), as_target("cat")
    (3, None)
    """
    if isinstance(value, (bool, int, np.integer, np.bool_)):
        return int(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        value = torch.as_tensor(value)
    if isinstance(value, Tensor):
        whole = value.numel() == 1 and value.ndim <= 1 and not (value.is_floating_point() or value.is_complex())
        return int(value) if whole else _own(value)
    return torch.tensor(value) if isinstance(value, (float, np.floating)) else None


def batched_target(rows: Tensor, first: Any) -> Tensor:
    """The targets of a batch from the `rows` of a tensor, whose first is `first`; classes as int64 (n,)."""
    return rows.to(torch.int64).reshape(-1) if isinstance(as_target(first), int) else rows


def as_input(value: Any, where: str) -> tuple[Any, str]:
    """A copy of `value` for the model, with tensors on the CPU, and a note if it was converted.

    Tensors keep their dtype and shape. PIL images, and uint8 arrays shaped like pictures, become float32
    (channels, H, W) in [0, 1]; other arrays become tensors, with float64 as float32. Tuples, lists and dicts are
    converted item by item; None and bools stay. Raises TypeError for anything else.
    """
    if isinstance(value, Tensor):
        return _own(value), ""
    if value is None or isinstance(value, bool):
        return value, ""
    if isinstance(value, (int, float, np.number)):
        return _number(np.asarray(value)), ""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        return _from_array(value)
    if hasattr(value, "__array_interface__") and hasattr(value, "convert"):
        # PIL: the numbers of palette, CMYK and YCbCr images are not brightness
        return _from_array(np.asarray(value.convert("RGB") if value.mode in ("P", "CMYK", "YCbCr") else value))
    if isinstance(value, Mapping):
        parts = {name: as_input(part, f"{where}[{name!r}]") for name, part in value.items()}
        return {name: part for name, (part, _) in parts.items()}, next((note for _, note in parts.values() if note), "")
    if isinstance(value, (tuple, list)):
        listed = [as_input(part, f"{where}[{at}]") for at, part in enumerate(value)]
        return tuple(part for part, _ in listed), next((note for _, note in listed if note), "")
    graph = _OF_GRAPHS if hasattr(value, "edge_index") else ""
    raise TypeError(
        f"{where}: expected a tensor, array, picture or number, got {type(value).__name__}; "
        f"give unpack=, which returns (args, kwargs, target) of a sample{graph}"
    )


def _own(value: Tensor) -> Tensor:
    return value.detach().to("cpu", copy=True)


def _number(value: np.ndarray) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32 if value.dtype.kind == "f" else torch.int64, device="cpu")


def _from_array(value: np.ndarray) -> tuple[Tensor, str]:
    shown = value.astype(np.uint8) * 255 if value.dtype == np.bool_ and value.ndim == 2 else value
    if shown.dtype == np.uint8 and (shown.ndim == 2 or (shown.ndim == 3 and shown.shape[2] in _CHANNELS)):
        picture = torch.tensor(shown if shown.ndim == 3 else shown[:, :, None], device="cpu")
        return picture.permute(2, 0, 1).to(torch.float32).div_(255), "pictures as float32 in [0, 1]"
    if value.dtype.kind == "u" and value.dtype != np.uint8:
        value = value.astype(np.int64)
    own = torch.tensor(value, device="cpu")
    return (own.to(torch.float32) if own.dtype == torch.float64 else own), ""


def checked_unpacked(value: Any) -> Unpacked:
    """The result of `unpack`; raises TypeError unless it is (args, kwargs, target)."""
    if not isinstance(value, tuple) or len(value) != 3 or not isinstance(value[1], Mapping):
        got = f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__
        raise TypeError(f"unpack: expected (args, kwargs, target or None), e.g. ((x,), {{}}, y), got {got}")
    args = value[0] if isinstance(value[0], (tuple, list)) else (value[0],)
    return tuple(args), dict(value[1]), value[2]


def stacked(parts: list[Any], indices: tuple[int, ...], where: str) -> Any:
    """Stack the values of several samples into a batch: tensors, nested structures of them, and equal constants.

    Raises ValueError, with two samples, if shapes, types or constants differ.
    """
    first = parts[0]
    if isinstance(first, Tensor):
        _check_alike(
            [(tuple(each.shape), each.dtype) if isinstance(each, Tensor) else type(each) for each in parts],
            indices,
            where,
        )
        return torch.stack(parts)
    _check_alike([type(each) for each in parts], indices, where)
    if isinstance(first, dict):
        _check_alike([tuple(each) for each in parts], indices, where)
        return {name: stacked([each[name] for each in parts], indices, f"{where}[{name!r}]") for name in first}
    if isinstance(first, tuple):
        _check_alike([len(each) for each in parts], indices, where)
        return tuple(stacked(list(each), indices, f"{where}[{at}]") for at, each in enumerate(zip(*parts, strict=True)))
    _check_alike(parts, indices, where)
    return first


def _check_alike(values: list[Any], indices: tuple[int, ...], where: str) -> None:
    for index, value in zip(indices, values, strict=True):
        if value != values[0]:
            raise ValueError(
                f"{where}: expected the same shape in each sample, got {_told(values[0])} in sample {indices[0]} and "
                f"{_told(value)} in sample {index}; resize or pad in the dataset or in unpack="
            )


def _told(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], torch.dtype):
        return f"{value[0]} {str(value[1]).removeprefix('torch.')}"
    return value.__name__ if isinstance(value, type) else str(value)


def row_of(at: int, value: Any) -> Any:
    """One sample of a batch: without the batch axis if `value` is a tensor or an array."""
    return value[at] if isinstance(value, (Tensor, np.ndarray)) and value.ndim else value
