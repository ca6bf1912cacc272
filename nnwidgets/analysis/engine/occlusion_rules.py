"""Rules by which operations act on windows. If a rule returns None, the operation runs on whole maps instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_reference_pass import CONVOLUTION, Step, bound
from nnwidgets.analysis.engine.occlusion_spans import Kernel, Span
from nnwidgets.analysis.engine.occlusion_windows import Windows

Pair = tuple[int, int]
Rule = Callable[..., Windows | Tensor | None]
"""`rule(step, *args, **kwargs)`: the operation's arguments, with `Windows` in place of tensors."""

_DENSE_FROM = 0.8  # windows that take this share of a map cost as much as the map


def _convolution(step: Step, *args: Any, **kwargs: Any) -> Windows | None:
    given = bound(CONVOLUTION, args, kwargs)
    if not isinstance(given["input"], Windows):
        return None
    weight, bias = step.weights or (given["weight"], given.get("bias"))
    kernel, dilation, padding = _pair(weight.shape[2:]), _pair(given.get("dilation", 1)), given.get("padding", 0)
    if padding == "same":
        padding = tuple(each * (size - 1) // 2 for each, size in zip(dilation, kernel, strict=True))
    padding = _pair(0 if padding == "valid" else padding)
    view = _Sliding(step, given["input"], kernel, _pair(given.get("stride", 1)), padding, dilation)
    if view.wide:
        return None
    how = view.stride, 0, dilation, given.get("groups", 1)
    if step.preview_weight is not None:
        change = in_bfloat16(view.seen() - view.clean_seen(), step.preview_weight, *how)
        return view.windows(view.clean_out() + change)
    return view.windows(torch.conv2d(view.seen(), weight, bias, *how))


def _max_pool(step: Step, *args: Any, **kwargs: Any) -> Windows | None:
    names = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    given = bound(names, args, kwargs)
    kernel, dilation = _pair(given["kernel_size"]), _pair(given.get("dilation", 1))
    stride = _pair(given.get("stride") or kernel)
    view = _Sliding(step, given["input"], kernel, stride, _pair(given.get("padding", 0)), dilation)
    if view.wide or given.get("return_indices"):
        return None
    return view.windows(F.max_pool2d(view.seen(-torch.inf), kernel, stride, 0, dilation))


def _average_pool(step: Step, *args: Any, **kwargs: Any) -> Windows | None:
    names = ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    given = bound(names, args, kwargs)
    kernel, padding = _pair(given["kernel_size"]), _pair(given.get("padding", 0))
    if given.get("ceil_mode") or (any(padding) and not given.get("count_include_pad", True)):
        return None
    stride, divisor = _pair(given.get("stride") or kernel), given.get("divisor_override")
    view = _Sliding(step, given["input"], kernel, stride, padding, (1, 1))
    return None if view.wide else view.windows(F.avg_pool2d(view.seen(), kernel, stride, divisor_override=divisor))


def _adaptive_average(step: Step, x: Windows, output_size: Any) -> Windows | Tensor | None:
    height, width = x.rows.size, x.cols.size
    rows, cols = (size or whole for size, whole in zip(_pair(output_size), (height, width), strict=True))
    if (rows, cols) == (1, 1):
        return (x.sums() / (height * width)).to(x.values.dtype)[:, :, None, None]
    if height % rows or width % cols:
        return None
    return _average_pool(step, x, (height // rows, width // cols))


def _mean(step: Step, x: Windows, dim: Any = None, keepdim: bool = False, **options: Any) -> Tensor | None:
    if options or not isinstance(dim, (tuple, list)) or sorted(each % 4 for each in dim) != [2, 3]:
        return None
    mean = (x.sums() / (x.rows.size * x.cols.size)).to(x.values.dtype)
    return mean[:, :, None, None] if keepdim else mean


def _pointwise(step: Step, x: Any, *args: Any, **kwargs: Any) -> Windows | None:
    if any(isinstance(value, (Windows, Tensor)) for value in (*args, *kwargs.values())):
        return None
    return _by_channel(step, x, *args, **kwargs)


def _by_channel(step: Step, x: Any, *args: Any, **kwargs: Any) -> Windows | None:
    """Act on each value, with one set of parameters per channel."""
    if not isinstance(x, Windows) or kwargs.get("training"):
        return None
    return _like(step, x, step.func(x.values, *args, **kwargs))


def _dropout(step: Step, *args: Any, **kwargs: Any) -> Windows | None:
    given = bound(("input", "p", "training", "inplace"), args, kwargs)
    return None if given.get("training", True) else given["input"]


def _same(step: Step, x: Any, *args: Any, **kwargs: Any) -> Windows | Tensor | None:
    if not isinstance(x, Windows):  # a constant that takes device and dtype from windows
        plain: Tensor = step.func(x, *(each.values if isinstance(each, Windows) else each for each in args), **kwargs)
        return plain
    return x if (step.clean.dtype, step.clean.device) == (x.values.dtype, x.values.device) else None


def _copy(step: Step, x: Windows, **_: Any) -> Windows:
    return _like(step, x, x.values.clone())


def _combine(step: Step, *args: Any, **kwargs: Any) -> Windows | None:
    """Act on two operands position by position: both windows, or one that is equal at all positions."""
    given = bound(("input", "other"), args, kwargs)
    a, b = given.pop("input"), given.pop("other")
    if isinstance(a, Windows) and isinstance(b, Windows):
        if a.shape != b.shape:
            return None
        rows, cols = a.rows | b.rows, a.cols | b.cols
        if _wide(rows, cols):
            return None
        values = step.func(a.within(rows, cols), b.within(rows, cols), **given)
        return Windows(values, rows, cols, step.clean, a.chunk)
    x, other = (a, b) if isinstance(a, Windows) else (b, a)
    if isinstance(other, Tensor) and not _by_channel_only(other):
        return None
    values = step.func(a.values, b, **given) if x is a else step.func(a, b.values, **given)
    return _like(step, x, values)


def _concatenate(step: Step, *args: Any, **kwargs: Any) -> Windows | None:
    given = bound(("tensors", "dim"), args, kwargs)
    parts = given["tensors"]
    if given.get("dim", 0) not in (1, -3) or not all(isinstance(part, Windows) for part in parts):
        return None
    rows, cols = parts[0].rows, parts[0].cols
    for part in parts[1:]:
        rows, cols = rows | part.rows, cols | part.cols
    if _wide(rows, cols):
        return None
    return Windows(torch.cat([part.within(rows, cols) for part in parts], 1), rows, cols, step.clean, parts[0].chunk)


def _pad(step: Step, x: Windows, pad: Any, mode: str = "constant", value: float | None = None) -> Windows | None:
    if mode != "constant" or len(pad) > 4 or min(pad) < 0:
        return None
    left, _, top, _ = (*pad, 0, 0)[:4]
    rows, cols = x.rows.shifted(top, step.clean.shape[2]), x.cols.shifted(left, step.clean.shape[3])
    values = x.seen_from(rows, cols, (Kernel(padding=top), Kernel(padding=left)), outside=value or 0.0)
    return Windows(values, rows, cols, step.clean, x.chunk)


def in_bfloat16(change: Tensor, weight: Tensor, *how: Any) -> Tensor:
    """Return the convolution of a change, multiplied in bfloat16, in the dtype of the change."""
    return torch.conv2d(change.to(weight.dtype), weight, None, *how).to(change.dtype)


class _Sliding:
    """A kernel that slides over windows: which of its outputs change, and the inputs that these see."""

    def __init__(self, step: Step, x: Windows, size: Pair, stride: Pair, padding: Pair, dilation: Pair) -> None:
        self.stride = stride
        self._x, self._clean = x, step.clean
        given = size, stride, padding, dilation
        self._kernels = Kernel(*(each[0] for each in given)), Kernel(*(each[1] for each in given))
        self._rows = x.rows.through(self._kernels[0], step.clean.shape[2])
        self._cols = x.cols.through(self._kernels[1], step.clean.shape[3])

    @property
    def wide(self) -> bool:
        return _wide(self._rows, self._cols)

    def seen(self, outside: float = 0.0) -> Tensor:
        """Return the inputs of the outputs that change, with the value `outside` beyond the map."""
        return self._x.seen_from(self._rows, self._cols, self._kernels, outside=outside)

    def clean_seen(self) -> Tensor:
        """Return the same inputs for the clean images."""
        x = self._x
        return x.clean.read(x.chunk, (x.rows, x.cols), (self._rows, self._cols), self._kernels)

    def clean_out(self) -> Tensor:
        """Return the outputs for the clean images."""
        out = self._rows, self._cols
        return self._clean.read(self._x.chunk, out, out)

    def windows(self, values: Tensor) -> Windows:
        return Windows(values, self._rows, self._cols, self._clean, self._x.chunk)


def _wide(rows: Span, cols: Span) -> bool:
    return rows.window[1] * cols.window[1] >= _DENSE_FROM * rows.size * cols.size


def _by_channel_only(other: Tensor) -> bool:
    """Whether this is one value, or one per channel. Values per covered image are neither, as there are at least 2."""
    return other.numel() == 1 or (other.shape[-2:] == (1, 1) and (other.ndim == 3 or len(other) == 1))


def _like(step: Step, x: Windows, values: Tensor) -> Windows:
    return Windows(values, x.rows, x.cols, step.clean, x.chunk)


def _pair(value: Any) -> Pair:
    """Return (rows, cols) from any form that modules accept: an integer, a tuple of one, or a tuple of two."""
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return sizes[0], sizes[-1]


def _rules() -> dict[Callable[..., Any], Rule]:
    names: dict[Rule, str] = {
        _pointwise: "relu relu_ relu6 hardtanh hardtanh_ hardswish hardsigmoid silu gelu sigmoid sigmoid_ tanh tanh_ "
        "leaky_relu leaky_relu_ elu elu_ selu selu_ celu celu_ softplus softsign mish logsigmoid tanhshrink hardshrink "
        "softshrink threshold threshold_ clamp clamp_ clip clip_ abs abs_ neg neg_ exp exp_ square square_ sqrt "
        "sqrt_ rsqrt log log2 log10 log1p reciprocal sin cos erf sign floor ceil round pow pow_ __pow__ __rpow__ "
        "__rdiv__ __rtruediv__",
        _by_channel: "prelu batch_norm",
        _combine: "add add_ sub sub_ mul mul_ div div_ subtract multiply divide true_divide maximum minimum __radd__ "
        "__rsub__ __rmul__ __add__ __iadd__ __sub__ __isub__ __mul__ __imul__ __truediv__ __itruediv__",
        _dropout: "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout",
        _same: "contiguous detach to float double requires_grad_",
        _copy: "clone",
        _mean: "mean",
        _convolution: "conv2d",
        _max_pool: "max_pool2d",
        _average_pool: "avg_pool2d",
        _adaptive_average: "adaptive_avg_pool2d",
        _concatenate: "cat concat concatenate",
        _pad: "pad",
    }
    return {
        getattr(home, name): rule
        for rule, listed in names.items()
        for name in listed.split()
        for home in (torch, Tensor, F)
        if hasattr(home, name)
    }


RULES = _rules()
