"""Everything that nnwidgets takes from PyTorch's private names, in one place. Torch only, below everything."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import torch
from torch.utils import _python_dispatch


class ThreadDispatchMode(_python_dispatch.TorchDispatchMode):
    """A dispatch mode that other threads cannot notice. Override `handle`, not `__torch_dispatch__`.

    PyTorch dispatches by a stack of modes that belongs to one thread. But `TorchDispatchMode.__enter__` also sets flags
    of the whole process, and `__exit__` puts back what it found there. While they are set, `torch.compile` may leave
    code of any thread uncompiled, and after modes of two threads have overlapped they stay set for good. So this class
    pushes itself onto the stack and leaves the flags alone.

    It also does without `torch._dynamo` in a process that compiles nothing: PyTorch would import it when the first
    operation reaches a mode, which takes seconds.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __enter__(self) -> ThreadDispatchMode:
        if "torch._dynamo" in sys.modules:
            _keep_dynamo_out()
        _python_dispatch._push_mode(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _python_dispatch._pop_mode()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # see `_keep_dynamo_out`

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return self.handle(func, args, kwargs or {})

    def handle(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of `func`, an operation that this thread calls. The mode is off in here."""
        raise NotImplementedError


@cache
def _keep_dynamo_out() -> None:
    """Have `torch.compile` not look into modes of ours when code that it has compiled calls an operation."""
    dispatch = ThreadDispatchMode.__torch_dispatch__
    ThreadDispatchMode.__torch_dispatch__ = torch.compiler.disable(dispatch)  # type: ignore[method-assign]
