"""What was seen at which step, in bounded memory. Knows nothing of what it keeps."""

from __future__ import annotations

import threading
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Entry(NamedTuple, Generic[T]):
    """One kept item: the training step it belongs to and the bytes it takes. `position` counts appended items."""

    position: int
    step: int
    item: T
    nbytes: int


class History(Generic[T]):
    """Items by step, evenly thinned when there are too many or they are too big.

    The first and the newest item are always there (the newest alone if two are too big); between them every `stride`-th
    appended item is kept, and the stride doubles when a bound is passed. Reading is safe from any thread: it works on a
    copy.

    Args:
        max_items: Most items kept, at least 2.
        max_bytes: Most bytes kept, by the sizes given to `append`; None for no bound.

    Raises:
        ValueError: A bound is too small to keep anything.

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
        """Add the newest item, in the place of one of the same step; `nbytes` is what it holds in memory."""
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
        """What is kept, oldest first, as one consistent reading."""
        return tuple(self._kept)

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(entry.step for entry in self.entries)

    @property
    def items(self) -> tuple[T, ...]:
        return tuple(entry.item for entry in self.entries)

    @property
    def dropped(self) -> int:
        """How many items were appended and are not kept."""
        return self._appended - len(self._kept)

    @property
    def nbytes(self) -> int:
        return self._nbytes

    def __len__(self) -> int:
        return len(self._kept)
