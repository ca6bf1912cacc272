"""Tell a module's own operations from those of its children during a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nnwidgets.shadow.torch_internals import version_if_counted

# These may return new memory, but no new values.
_COPIES = frozenset(
    {"clone", "contiguous", "to", "type", "float", "double", "half", "bfloat16", "reshape", "flatten", "cpu", "cuda"}
)


class ContainerOps(TorchFunctionMode):
    """Records for each running module whether its own forward, not a child's, computes new values.

    A function mode acts in the current thread only and sets no process-wide flag, unlike a `TorchDispatchMode`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._running: list[tuple[nn.Module, list[bool]]] = []

    def enter(self, module: nn.Module, _inputs: Any) -> None:
        """Record that the module starts. Used as a forward pre-hook."""
        self._running.append((module, [False]))

    def leave(self, module: nn.Module) -> bool:
        """Record that the module returned or raised; return whether it computed anything itself."""
        while self._running:
            running, computes = self._running.pop()
            if running is module:
                return computes[0]
        return False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record nothing within: what an observer computes is not part of the model."""
        running, self._running = self._running, []
        try:
            yield
        finally:
            self._running = running

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self._running or self._running[-1][1][0] or getattr(func, "__name__", "") in _COPIES:
            return func(*args, **kwargs)
        given = {id(tensor): (version_if_counted(tensor), _storage(tensor)) for tensor in tensors((args, kwargs))}
        output = func(*args, **kwargs)
        if given:
            storages = {storage for _, storage in given.values()}
            new = any(_storage(tensor) not in storages for tensor in tensors(output))
            written = any(version_if_counted(tensor) != given[id(tensor)][0] for tensor in tensors((args, kwargs)))
            self._running[-1][1][0] = new or written
        return output


def tensors(values: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples, lists and dicts, in their order."""
    todo = [values]
    while todo:
        value = todo.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            todo += value[::-1]
        elif isinstance(value, dict):
            todo += reversed(value.values())


def _storage(tensor: Tensor) -> int:
    """Return a number that is equal for two tensors if and only if they share memory."""
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else id(tensor)
