"""What to do when memory runs out: the same with less at once. Knows errors and numbers only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

__all__ = ["halving", "is_out_of_memory"]

T = TypeVar("T")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is Python's, PyTorch's or CUDA's way to say that memory ran out.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shape"))
    (True, False)
    """
    # The CPU's allocator raises a plain RuntimeError.
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def halving(rows: int, work: Callable[[int], T]) -> tuple[T, int]:
    """The result of `work(rows)`, with half the rows as often as memory runs out, and with how many it was.

    Raises:
        Exception: what `work` raised otherwise, or at a single row.

    >>> def work(rows):
    ...     if rows > 3:
    ...         raise MemoryError
    ...     return "done"
    >>> halving(16, work)
    ('done', 2)
    """
    while True:
        try:
            return work(rows), rows
        except Exception as error:
            if rows == 1 or not is_out_of_memory(error):
                raise
        # Here the traceback, and with it what the attempt held, is gone.
        rows = rows // 2
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
