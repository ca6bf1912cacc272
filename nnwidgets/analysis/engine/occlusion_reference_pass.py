"""Record one forward pass of the clean images, operation by operation.

Windows are laid over its values, and normalisations are merged into convolutions. A function mode sees the operations
of the current thread only, and nothing is traced or patched. So a model's forward may contain any Python, and training
in another thread is not affected.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nnwidgets.analysis.engine.container_ops import tensors
from nnwidgets.analysis.engine.occlusion_windows import CleanMap
from nnwidgets.shadow.torch_internals import GRAD_MODE_CALLS

# Operations that do not read the values of a tensor.
_QUESTIONS = frozenset(
    GRAD_MODE_CALLS
    | {"size", "dim", "ndimension", "numel", "nelement", "stride", "is_contiguous", "is_floating_point", "is_complex"}
    | {"element_size", "storage_offset", "get_device", "__len__", "__get__", "__hash__", "is_inference"}
)
_READS = frozenset(
    {"__bool__", "__int__", "__float__", "__index__", "__contains__", "item", "tolist", "numpy", "__array__"}
    | {"equal", "allclose", "is_nonzero", "nonzero", "unique", "masked_select"}
)
# Functions with an argument `inplace`, and its place.
_IN_PLACE: dict[Callable[..., Any], int] = {
    func: list(inspect.signature(func).parameters).index("inplace")
    for func in vars(F).values()
    if inspect.isfunction(func) and "inplace" in inspect.signature(func).parameters
}
# Reductions. Over the batch axis, or over everything, images influence each other.
_REDUCTIONS = frozenset(
    {"mean", "sum", "amax", "amin", "max", "min", "std", "var", "norm", "prod", "median", "logsumexp", "quantile"}
    | {"softmax", "log_softmax", "cumsum", "argmax", "argmin", "aminmax", "std_mean", "var_mean", "vector_norm"}
)
_DIM_THIRD = frozenset({"norm", "quantile", "vector_norm"})
CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_NORM = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")


@dataclass(eq=False)
class Step:
    """One operation of the reference pass."""

    func: Callable[..., Any]
    layer: str  # the module whose forward called it
    output: CleanMap | None = None  # its value for the clean images if that is one map per image
    uses: int = 0  # by later operations and observers of layers
    # Of a convolution by parameters: weight, channels last, and bias, with a following normalisation merged in.
    weights: tuple[Tensor, Tensor | None] | None = None
    preview_weight: Tensor | None = None  # the same in bfloat16, if changes are multiplied in bfloat16
    seen: CleanMap | None = None  # the clean input of such a convolution
    merged: bool = False  # a normalisation that was merged, and so returns its input
    work: int = 0  # multiply-accumulates for one image, of convolutions and linear layers

    @property
    def clean(self) -> CleanMap:
        """The output; raises ValueError if it is not one map per image."""
        if self.output is None:
            raise ValueError(f"{getattr(self.func, '__name__', self.func)}: expected a map for each image")
        return self.output


class ReferencePass(TorchFunctionMode):
    """Records the forward pass of `batch` images that is run under it.

    `given` are the tensors that belong to the images. If recorded values take more than `max_bytes`, the pass raises
    MemoryError.

    paused: while set, nothing is recorded: what an observer computes is not part of the model.
    mixes: why images of one batch may influence each other, as far as was seen; "" if they do not.
    short_dtype: a dtype of fewer than 32 bits in which the model computes values of the images; None if none.
    largest: bytes of the largest value that depends on the images, per image.
    """

    def __init__(self, batch: int, given: Iterable[Tensor], *, max_bytes: int) -> None:
        super().__init__()
        self._steps: list[Step] = []
        self.mixes = ""
        self.short_dtype: torch.dtype | None = None
        self.paused = False
        self._layer = ""
        self.largest = 0
        self._batch, self._max_bytes, self._held = batch, max_bytes, 0
        self._of_images = {id(tensor): tensor for tensor in given}  # kept alive, so that ids are not reused
        self._counted = {_memory(tensor) for tensor in self._of_images.values()}
        self._maps: dict[Step, Tensor] = {}
        self._made: dict[int, tuple[Tensor, Step]] = {}  # by id of a value, which is kept alive
        self._convolutions: dict[Step, Mapping[str, Any]] = {}
        self._read_by: dict[Step, Step] = {}  # convolution -> what made its input
        self._norms: list[tuple[Step, Step, Mapping[str, Any]]] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.paused or asks_only(func):
            return func(*args, **kwargs)
        for given in tensors((args, kwargs)):
            self.use(given)
        written = kwargs.get("out")
        if written is None and writes_first(func, args, kwargs):
            written = args[0] if args else kwargs.get("input")
        self._save(written)
        self._steps.append(step := Step(func, self._layer))
        if func is torch.conv2d:
            self._convolutions[step] = bound(CONVOLUTION, args, kwargs)
            read = id(self._convolutions[step]["input"])
            if read in self._made:
                self._read_by[step] = self._made[read][1]
        elif func is F.batch_norm:
            self._note_norm(step, bound(_NORM, args, kwargs))
        depends = any(id(value) in self._of_images for value in tensors((args, kwargs)))
        if depends:
            self._note_mixing(func, args, kwargs)
        output = func(*args, **kwargs)
        for value in tensors((output, written)):
            self._made[id(value)] = value, step
            if depends:
                self._count(value)
                self._of_images[id(value)] = value
                if value.is_floating_point() and value.dtype not in (torch.float32, torch.float64):
                    self.short_dtype = value.dtype
        if isinstance(output, Tensor):
            if func is torch.conv2d:
                step.work = output[0].numel() * self._convolutions[step]["weight"][0].numel()
            elif func is F.linear:
                step.work = output[0].numel() * bound(("input",), args, kwargs)["input"].shape[-1]
            if output.ndim == 4 and len(output) == self._batch and output.is_floating_point():
                self._maps[step] = output
        return output

    def enter(self, layer: str, _module: nn.Module, _inputs: Any) -> None:
        """Record which module runs. Used as a forward pre-hook."""
        self._layer = layer

    def use(self, value: Tensor) -> None:
        """Record that this value is read."""
        if id(value) in self._made:
            self._made[id(value)][1].uses += 1

    def finish(self, *, preview: bool = False) -> list[Step]:
        """Return the steps, with normalisations merged into convolutions that nothing else reads.

        Raises ValueError for a convolution that may crash with channels last.
        """
        for step, values in self._maps.items():
            step.output = CleanMap(values)
        merged = dict[Step, tuple[Tensor, Tensor]]()
        for convolution, norm, given in self._norms:
            if convolution.uses == 1:
                merged[convolution] = _merged(self._convolutions[convolution], given)
                convolution.output, norm.merged = norm.output, True
        for convolution, given in self._convolutions.items():
            weight, bias = merged.get(convolution, (given["weight"], given.get("bias")))
            _refuse_padding_alone(given)
            if id(given["weight"]) not in self._made and id(given.get("bias")) not in self._made:
                convolution.weights = weight.contiguous(memory_format=torch.channels_last), bias
                before = self._read_by.get(convolution)
                if preview and before is not None and before.output is not None and convolution.output is not None:
                    convolution.preview_weight, convolution.seen = convolution.weights[0].bfloat16(), before.output
        for held in (self._made, self._of_images, self._maps, self._convolutions, self._read_by, self._norms):
            held.clear()
        return self._steps

    def _count(self, value: Tensor) -> None:
        """Add the bytes of a value, unless it is a view of one that was counted."""
        if _memory(value) in self._counted:
            return
        self._counted.add(_memory(value))
        self.largest = max(self.largest, value.nbytes // self._batch)
        self._held += value.nbytes
        if self._held > self._max_bytes:
            raise MemoryError(
                f"what its layers give for the clean images takes more than {self._max_bytes / 1e6:.3g} MB; "
                "allow more, or give fewer images at once"
            )

    def _note_mixing(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Record whether an operation lets images of the batch influence each other."""
        name = getattr(func, "__name__", "")
        if name in _READS:
            self.mixes = "it decides by values of the images"
        elif name in _REDUCTIONS:
            given = bound(("input", "p", "dim") if name in _DIM_THIRD else ("input", "dim"), args, kwargs)
            x, dim = given.get("input"), given.get("dim", given.get("axis"))
            # If the first axis is not the batch, the later check will find out.
            if isinstance(x, Tensor) and x.ndim and len(x) == self._batch and not isinstance(dim, Tensor):
                dims = range(x.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
                if 0 in [each % x.ndim for each in dims if isinstance(each, int)]:
                    self.mixes = "it reduces over the batch"

    def _note_norm(self, step: Step, given: Mapping[str, Any]) -> None:
        if given.get("training"):
            self.mixes = "it normalises over the batch"
            return
        _, before = self._made.get(id(given["input"]), (None, None))
        if before is None or before not in self._convolutions:
            return
        parameters = [*self._convolutions[before].items(), *given.items()]
        if not any(id(value) in self._made for name, value in parameters if name != "input"):
            self._norms.append((before, step, given))

    def _save(self, written: Any) -> None:
        """Copy the recorded values in memory that is about to be overwritten."""
        if not isinstance(written, Tensor):
            return
        for step, values in self._maps.items():
            if _memory(values) == _memory(written):
                self._maps[step] = values.clone()


def _memory(value: Tensor) -> int:
    return int(value.untyped_storage().data_ptr())


def _refuse_padding_alone(given: Mapping[str, Any]) -> None:
    """Refuse a convolution with outputs that see only padding: oneDNN 3.7 may crash on it with channels last."""
    padding = given.get("padding", 0)
    if isinstance(padding, str):
        return
    pairs = (each if isinstance(each, (tuple, list)) else (each,) for each in (padding, given.get("dilation", 1)))
    padded, apart = (tuple(pair) for pair in pairs)
    for axis, size in ((0, given["weight"].shape[2]), (-1, given["weight"].shape[3])):
        if padded[axis] > (size - 1) * apart[axis]:
            raise ValueError("a convolution is padded by as much as its kernel")


def asks_only(func: Callable[..., Any]) -> bool:
    """Whether this operation only asks about shape or kind; neither pass counts those."""
    return getattr(func, "__name__", "") in _QUESTIONS


def bound(names: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by name, without those that were not given.

    >>> bound(("input", "dim"), (1,), {"dim": 2})
    {'input': 1, 'dim': 2}
    """
    return {**dict(zip(names, args, strict=False)), **kwargs}


def writes_first(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether this writes to its first argument."""
    name = getattr(func, "__name__", "")
    if (name.endswith("_") and not name.endswith("__")) or name.startswith("__i") or name == "__setitem__":
        return True
    place = _IN_PLACE.get(func, len(args))
    return bool(kwargs.get("inplace") or (place < len(args) and args[place]))


def _merged(convolution: Mapping[str, Any], norm: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution with the normalisation by running statistics merged in."""
    scale = (norm["running_var"] + norm.get("eps", 1e-5)).rsqrt()
    if norm.get("weight") is not None:
        scale = scale * norm["weight"]
    bias = convolution.get("bias")
    shift = -norm["running_mean"] if bias is None else bias - norm["running_mean"]
    shift = shift * scale if norm.get("bias") is None else shift * scale + norm["bias"]
    return convolution["weight"] * scale[:, None, None, None], shift
