"""Items by training step, in bounded memory."""

from __future__ import annotations

import threading
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Entry(NamedTuple, Generic[T]):
    """One kept item, its training step and its size in bytes; `position` says how many were appended before it."""

    position: int
    step: int
    item: T
    nbytes: int


class History(Generic[T]):
    """Items by step, thinned evenly when they are too many or too large.

    The first and the newest item always stay (only the newest, if two are too large). Between them every `stride`-th
    item stays, and the stride doubles whenever a bound is passed. Any thread may read; it gets a copy of the list.

    `max_bytes` bounds the sum of the sizes given to `append`; None: no bound.

    >>> history = History[str](max_items=4)
    >>> for step in range(9):
    ...     history.append(step, f"at {step}")
    >>> history.steps, history.dropped
    ((0, 4, 8), 6)
    """

    def __init__(self, *, max_items: int = 500, max_bytes: int | None = None) -> None:
        if max_items < 2:
            raise ValueError(f"max_items: expected at least 2 (the first and the newest), got {max_items}")
        if max_bytes is not None and max_bytes < 0:
            raise ValueError(f"max_bytes: expected at least 0 or None for no bound, got {max_bytes}")
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._stride = 1
        self._appended = 0
        self._nbytes = 0
        self._kept: list[Entry[T]] = []
        self._writing = threading.Lock()

    def append(self, step: int, item: T, nbytes: int = 0) -> None:
        """Add the newest item, of `nbytes`; it replaces one of the same step."""
        with self._writing:
            kept = self._kept
            again = bool(kept) and kept[-1].step == step
            entry = Entry(kept[-1].position if again else self._appended, step, item, nbytes)
            if again or (kept and kept[-1].position % self._stride):
                self._nbytes -= kept[-1].nbytes
                kept[-1] = entry  # the one before is of this step, or was kept only for being the newest
            else:
                kept.append(entry)
            self._appended += not again
            self._nbytes += nbytes
            while self._too_much():
                self._thin()

    def limit(self, max_bytes: int | None) -> None:
        """Keep at most so many bytes from the next item on."""
        self._max_bytes = max_bytes

    def _too_much(self) -> bool:
        if len(self._kept) > self._max_items:
            return True
        return self._max_bytes is not None and self._nbytes > self._max_bytes and len(self._kept) > 1

    def _thin(self) -> None:
        *older, newest = self._kept
        self._stride *= 2
        kept = [entry for entry in older if entry.position % self._stride == 0] if len(older) > 1 else []
        self._kept = [*kept, newest]
        self._nbytes = sum(entry.nbytes for entry in self._kept)

    @property
    def entries(self) -> tuple[Entry[T], ...]:
        """All kept items, oldest first, read at one moment."""
        return tuple(self._kept)

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(entry.step for entry in self.entries)

    @property
    def items(self) -> tuple[T, ...]:
        return tuple(entry.item for entry in self.entries)

    @property
    def dropped(self) -> int:
        """How many appended items were not kept."""
        return self._appended - len(self._kept)

    @property
    def nbytes(self) -> int:
        return self._nbytes

    def __len__(self) -> int:
        return len(self._kept)
