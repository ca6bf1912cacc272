"""Recognise that memory ran out, and try again with less at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, PyTorch or CUDA raised this error because memory ran out.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shape"))
    (True, False)
    """
    # PyTorch's CPU allocator raises a plain RuntimeError.
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def halving(rows: int, work: Callable[[int], T]) -> tuple[T, int]:
    """The result of `work(rows)`, and the number of rows, which is halved each time that memory runs out.

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
        # By now the traceback is gone, and with it the memory that the attempt held.
        rows = rows // 2
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
