"""Cut long work into short slices, so that a worker can interleave and cancel it."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from typing import TypeVar, cast

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work that yields wherever it may be paused or cancelled, and returns its result."""

# Below the 50 ms a worker may hold the fork lock, by the time one more block of rows takes.
SLICE_S = 0.02


def sliced(work: Steps[T], *, slice_s: float = SLICE_S) -> Iterator[T | None]:
    """Yield None after every `slice_s` seconds of `work`, then its result. Time spent outside does not count."""
    started = time.perf_counter()
    while True:
        try:
            next(work)
        except StopIteration as done:
            yield done.value
            return
        if time.perf_counter() - started >= slice_s:
            yield None
            started = time.perf_counter()


def finished(work: Steps[T]) -> T:
    """Do all of `work` and return its result.

    >>> def steps():
    ...     yield
    ...     return 3
    >>> finished(steps())
    3
    """
    return cast(T, list(sliced(work, slice_s=math.inf))[-1])


def row_blocks(rows: int, columns: int, elements: int) -> list[slice]:
    """Slices over `rows`, each with about `elements` matrix entries and at least 16 rows.

    >>> row_blocks(40, 100, 2000)
    [slice(0, 20, None), slice(20, 40, None)]
    """
    size = max(16, elements // max(columns, 1))
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]
