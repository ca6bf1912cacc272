"""Keep a private copy equal to its live model: which tensor goes where, and whether anything changed since."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import nn

from nnwidgets.shadow._copying import SIMPLE
from nnwidgets.shadow.torch_internals import (
    BUFFERS,
    CHILDREN,
    MODULE_ATTRIBUTES,
    PARAMETERS,
    copy_all,
    version,
    version_if_counted,
)

Twins = list[tuple[nn.Module, nn.Module]]
Place = Callable[[torch.Tensor], torch.Tensor]
Kind = tuple[torch.dtype, torch.Size, torch.device]


class TensorCopies:
    """Copies of (live, private) pairs of tensors, by one fused kernel for each dtype and device."""

    def __init__(self, pairs: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        self._groups: dict[object, tuple[list[torch.Tensor], list[torch.Tensor], bool, bool]] = {}
        for live, private in pairs:
            within_cuda, pinned = live.is_cuda and private.is_cuda, _ordered_by_stream(live, private)
            key = (live.dtype, live.device, private.device, pinned)
            group = self._groups.setdefault(key, ([], [], within_cuda, pinned))
            group[0].append(private)
            group[1].append(live)

    def make(self, *, wait: bool) -> None:
        """Copy now. To be called without gradients; what `wait` means is said at `Mirror.copy`."""
        for private, live, within_cuda, pinned in self._groups.values():
            copy_all(private, live, non_blocking=within_cuda or (pinned and not wait))


class Mirror:
    """Copies live data into the private modules of `twins`, and tells whether any of it changed since.

    It follows parameters, buffers, tensors bound to attributes, and attributes with simple values (numbers, strings,
    ...). Lists, dicts and other objects were copied when the twins were made; later changes inside them are not
    followed. The checks run in the training thread, so they are single passes over flat lists, mostly without a
    Python-level loop.
    """

    def __init__(self, twins: Twins, place: Place) -> None:
        self._twins = twins  # keeps the live modules alive, so that their ids are not reused
        self._states = [vars(live) for live, _ in twins]
        self._tables = [state[name] for state in self._states for name in (PARAMETERS, BUFFERS, CHILDREN)]
        pairs = list(_tensor_pairs(twins))
        self._live = [live for live, _ in pairs]
        self._strided = [pair for pair in pairs if is_strided(pair[0])]
        self._irregular = [pair for pair in pairs if not is_strided(pair[0])]
        self._copies = TensorCopies(self._strided)
        self._constants = list(_constants(twins))
        self._loose = [_LooseTensor(live, private, name, place) for live, private, name in _loose_tensors(twins)]
        self._structure = self._structure_now()
        self._pointers = self._pointers_now()
        self._kinds = [_kind(live) for live, _ in self._strided]
        self._versions: list[int] | None = None
        private = self.private_tensors()
        touched = {tensor.device for tensor in (*self._live, *private) if tensor.is_cuda}
        self.devices = tuple(sorted(touched, key=lambda device: device.index))
        self.nbytes = sum(tensor.numel() * tensor.element_size() for tensor in private)

    def copy(self, *, wait: bool = True, before: Callable[[], object] | None = None) -> bool:
        """Make the private data equal to the live data; False, and nothing done, when it no longer has the same form.

        CUDA to CUDA: enqueued on the current stream, without waiting. CUDA to pinned memory: likewise, unless `wait`.
        `before` is called after the versions are read and before the data is.

        The versions are read before the data. PyTorch raises a tensor's version after writing to it, so a write in
        another thread during this copy leaves a newer version: a torn copy never counts as current.
        """
        if not self._same_form():
            return False
        versions = list(map(version, self._live))
        if before is not None:
            before()
        with torch.no_grad():
            self._copies.make(wait=wait)
            for live_tensor, private_tensor in self._irregular:
                private_tensor.copy_(live_tensor)
            for slot in self._loose:
                slot.copy(wait=wait)
        for constants in self._constants:
            constants.copy()
        self._versions = versions
        return True

    def current(self) -> bool:
        """Whether the live data is what the last `copy` copied."""
        return (
            self._versions == list(map(version, self._live))
            and self._structure_now() == self._structure
            and self._pointers_now() == self._pointers
            and all(slot.current() for slot in self._loose)
            and all(constants.current() for constants in self._constants)
        )

    def live_of(self) -> dict[int, torch.Tensor]:
        """The ordinary live parameters and buffers, by the id of the private one."""
        return {id(private): live for live, private in self._strided}

    def private_modules(self) -> set[int]:
        """The ids of the private modules."""
        return {id(private) for _, private in self._twins}

    def private_tensors(self) -> list[torch.Tensor]:
        """Every private tensor that data is copied into."""
        return [private for _, private in self._strided + self._irregular] + [slot.private for slot in self._loose]

    def _same_form(self) -> bool:
        if self._structure_now() != self._structure:
            return False
        pointers = self._pointers_now()
        if pointers != self._pointers:  # `model.double()` keeps the Parameter and replaces its data
            if [_kind(live) for live, _ in self._strided] != self._kinds:
                return False
            self._pointers = pointers
        return all(slot.followable() for slot in self._loose) and all(c.followable() for c in self._constants)

    def _structure_now(self) -> list[int]:
        tables = chain.from_iterable(map(dict.values, self._tables))
        return list(chain(map(id, tables), map(len, self._states)))

    def _pointers_now(self) -> list[int]:
        return [live.data_ptr() for live, _ in self._strided]


class _Constants:
    """The simple-valued attributes of one module. They are immutable, so comparing identities is enough and fast."""

    def __init__(self, live: nn.Module, private: nn.Module, names: list[str]) -> None:
        self._live, self._private, self._names = vars(live), vars(private), names

    def followable(self) -> bool:
        return self.current() or all(isinstance(self._live.get(name), _FOLLOWED) for name in self._names)

    def copy(self) -> None:
        if not self.current():
            self._private.update((name, self._live.get(name)) for name in self._names)

    def current(self) -> bool:
        live, private = map(self._live.get, self._names), map(self._private.get, self._names)
        return all(map(operator.is_, live, private))


class _LooseTensor:
    """A tensor bound to a plain attribute. A forward pass may bind a new one, or None."""

    def __init__(self, live: nn.Module, private: nn.Module, name: str, place: Place) -> None:
        self._live, self._private_state, self._name, self._place = vars(live), vars(private), name, place
        self.private: torch.Tensor = self._private_state[name]
        self._kind = _kind(self.value())
        self._seen: Any = None  # a weak reference and a version; the value itself if it is no tensor

    def value(self) -> Any:
        return self._live.get(self._name)

    def followable(self) -> bool:
        return isinstance(self.value(), (torch.Tensor, *_FOLLOWED))

    def copy(self, *, wait: bool) -> None:
        value = self.value()
        if not isinstance(value, torch.Tensor):
            self._seen = self._private_state[self._name] = value
            return
        self._seen = (weakref.ref(value), version_if_counted(value))
        if _kind(value) == self._kind and is_strided(value) and is_strided(self.private):
            self.private.copy_(value, non_blocking=not wait and _ordered_by_stream(value, self.private))
        else:
            self.private, self._kind = self._place(value), _kind(value)
        self._private_state[self._name] = self.private

    def current(self) -> bool:
        value = self.value()
        if not isinstance(value, torch.Tensor) or not isinstance(self._seen, tuple):
            return value is self._seen
        seen, counted = self._seen
        return seen() is value and counted is not None and counted == version(value)


_FOLLOWED = tuple(kind for kind in SIMPLE if kind is not torch.device)  # the copy's device may differ


def is_strided(tensor: torch.Tensor) -> bool:
    """Whether `tensor` is an ordinary tensor over one storage: not sparse, nested, or a wrapper around others."""
    return tensor.layout is torch.strided and type(tensor).__torch_dispatch__ is torch.Tensor.__torch_dispatch__


def _ordered_by_stream(live: torch.Tensor, private: torch.Tensor) -> bool:
    """Whether a copy may be enqueued and not waited for: within CUDA, or to pinned memory without a detour."""
    if not live.is_cuda or private.is_cuda:
        return live.is_cuda
    if not private.is_pinned() or live.stride() != private.stride():
        return False
    same_bytes = live.dtype == private.dtype and torch.ops.aten.is_non_overlapping_and_dense.default(live)
    return live.is_contiguous() or bool(same_bytes)


def _kind(tensor: torch.Tensor) -> Kind:
    return tensor.dtype, tensor.shape, tensor.device


def _tensor_pairs(twins: Twins) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(live, private) of every parameter and buffer, tied ones once."""
    seen: set[int] = set()
    for live, private in twins:
        for table in (PARAMETERS, BUFFERS):
            for name, tensor in vars(live)[table].items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield tensor, vars(private)[table][name]


def _attributes(live: nn.Module) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(live).items() if name not in MODULE_ATTRIBUTES)


def _constants(twins: Twins) -> Iterator[_Constants]:
    for live, private in twins:
        if names := [name for name, value in _attributes(live) if isinstance(value, _FOLLOWED)]:
            yield _Constants(live, private, names)


def _loose_tensors(twins: Twins) -> Iterator[tuple[nn.Module, nn.Module, str]]:
    for live, private in twins:
        for name, value in _attributes(live):
            if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
                yield live, private, name
