"""Which axis of a layer's output holds the samples and which the channels.

Samples are found by experiment: two batches of different sizes are run, and an axis that grows with them follows the
samples. Channels are followed through the operations of one forward pass: an operation with weights says where its
channels are (the last axis of `linear`, the second of `conv2d`), and what is computed from a tensor keeps its axes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from nnwidgets.analysis.engine.container_ops import tensors

# Operations whose output has its channels on the last axis, and so has what they read.
_LAST = frozenset({"linear", "layer_norm", "rms_norm", "lstm", "gru", "rnn_tanh", "rnn_relu", "bilinear"})
# The same, but they read something else.
_LAST_OUT = frozenset({"embedding", "embedding_bag", "multi_head_attention_forward", "one_hot"})
_NORMS = frozenset({"batch_norm", "instance_norm", "group_norm"})
_PRODUCTS = frozenset({"matmul", "mm", "bmm", "addmm", "baddbmm", "rmatmul"})


Shape: TypeAlias = Sequence[int]


@dataclass(eq=False)
class Channels:
    """The axes of a tensor that hold channels: several where heads were split off, none while they are not known.

    Tensors with the same axes share one.
    """

    axes: tuple[int, ...] = ()


class ChannelTracker(TorchFunctionMode):
    """Follows the channels of every tensor in a forward pass. Acts in the current thread only."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, tuple[weakref.ref[Tensor], Channels]] = {}
        self._paused = False

    def of(self, tensor: Tensor) -> Channels:
        """The axes of a tensor's channels; a later operation may still tell them."""
        found = self._known.get(id(tensor))
        if found is None or found[0]() is not tensor:  # the number of a tensor that is gone may be used again
            found = weakref.ref(tensor), Channels()
            self._known[id(tensor)] = found
        return found[1]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Follow nothing within: what an observer computes is not part of the model."""
        paused, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = paused

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        if not self._paused:
            given = [each for each in tensors((args, kwargs)) if each.ndim]
            for at, found in enumerate(tensors(output)):
                if found.ndim > 1 and not any(found is each for each in given):
                    name = getattr(func, "__name__", "")
                    own = self._by_operation(name, given, found) if at == 0 else None
                    self._known[id(found)] = weakref.ref(found), own or self._inherited(given, found)
        return output

    def _by_operation(self, name: str, given: list[Tensor], found: Tensor) -> Channels | None:
        """What the operation itself says; also told to what it reads."""
        name = name.strip("_")
        if name in _LAST or name in _LAST_OUT:
            if name in _LAST and given:
                self._tell(given[0], given[0].ndim - 1)
            return Channels((found.ndim - 1,))
        if name in _NORMS and given:
            self._tell(given[0], 1)
            return self.of(given[0])
        positions = _positions(name, given)
        if positions is not None and found.ndim > positions:
            if given and given[0].ndim == found.ndim:
                self._tell(given[0], found.ndim - positions - 1)
            return Channels((found.ndim - positions - 1,))
        return self._product(given[-2:], found) if name in _PRODUCTS else None

    def _product(self, given: list[Tensor], found: Tensor) -> Channels:
        """Of a matrix product: by weights the last axis, of two batches of matrices what is left of their channels."""
        if len(given) < 2 or min(each.ndim for each in given) <= 2:
            return Channels((found.ndim - 1,))
        summed = {id(given[0]): given[0].ndim - 1, id(given[1]): given[1].ndim - 2}
        for source in reversed(given):
            left = tuple(axis for axis in self.of(source).axes if axis != summed[id(source)])
            if left and source.ndim == found.ndim:
                return Channels(left)
        return Channels()

    def _inherited(self, given: list[Tensor], found: Tensor) -> Channels:
        """The axes of what a tensor is computed from."""
        for source in given:
            if source.shape == found.shape and not _turned(source, found):
                return self.of(source)
        for source in given:
            axes = self.of(source).axes
            moved = _moved(source, axes, found) if _same_memory(source, found) else _kept(source, axes, found)
            if moved:
                return Channels(moved)
        return Channels()

    def _tell(self, tensor: Tensor, axis: int) -> None:
        channels = self.of(tensor)
        if not channels.axes:
            channels.axes = (axis,)


def _positions(name: str, given: list[Tensor]) -> int | None:
    """How many axes of positions the output of an operation has; None if it does not say."""
    if name[-2:] in {"1d", "2d", "3d"} and (name.startswith("conv") or "pool" in name):
        return int(name[-2])
    return given[1].ndim - 2 if name == "convolution" and len(given) > 1 else None


def _same_memory(source: Tensor, found: Tensor) -> bool:
    strided = source.layout == found.layout == torch.strided
    return strided and source.untyped_storage().data_ptr() == found.untyped_storage().data_ptr()


def _turned(source: Tensor, found: Tensor) -> bool:
    """Whether a view of the same shape has its axes in another order."""
    return _same_memory(source, found) and source.stride() != found.stride()


def _moved(source: Tensor, axes: tuple[int, ...], found: Tensor) -> tuple[int, ...]:
    """Where a view holds some axes of its source: those that step through them and not beyond."""
    held = []
    for at, (size, step) in enumerate(zip(found.shape, found.stride(), strict=True)):
        ends = ((source.stride(axis), source.stride(axis) * source.shape[axis]) for axis in axes)
        if size > 1 and any(begin <= step and step * size <= end for begin, end in ends):
            held.append(at)
    return tuple(held)


def _kept(source: Tensor, axes: tuple[int, ...], found: Tensor) -> tuple[int, ...]:
    """Where some axes of the source are in what was computed from it."""
    if found.ndim == source.ndim:
        pairs = list(enumerate(zip(source.shape, found.shape, strict=True)))
        if all(a == b for at, (a, b) in pairs if at in axes) or all(a == b for at, (a, b) in pairs if at not in axes):
            return axes
    sizes = [source.shape[axis] for axis in axes]
    as_large = [at for at, size in enumerate(found.shape) if at > 0 and size in sizes]
    return tuple(as_large) if len(as_large) == len(axes) == 1 else ()


def sample_axis(first: Shape, samples: int, second: Shape, more: int) -> tuple[int | None, int]:
    """The axis that follows the samples, from shapes for `samples` and for `more` of them, and its entries a sample.

    None with 1 entry where no axis does; with 0 where the number of entries differs from sample to sample. Raises
    ValueError if several axes grow with the samples.

    >>> sample_axis((7, 2, 5), 2, (7, 3, 5), 3), sample_axis((8, 5), 2, (12, 5), 3), sample_axis((3, 5), 2, (4, 5), 3)
    ((1, 1), (0, 4), (None, 0))
    """
    if len(first) != len(second):
        return None, 0
    grown = [at for at, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if len(grown) > 1:
        raise ValueError(f"axes {' and '.join(map(str, grown))} both follow the number of samples")
    if not grown:
        return None, 1
    size, larger = first[grown[0]], second[grown[0]]
    even = size * more == larger * samples and size % samples == 0
    return (grown[0], size // samples) if even else (None, 0)
