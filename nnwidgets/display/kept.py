"""What a view has shown over the training, to go back to. Knows results and steps; computes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from nnwidgets.display.wire import Header
from nnwidgets.training.history import History
from nnwidgets.words import count

MOST = 60


class Shown(NamedTuple):
    """A result and the step of its weights, None where no training was watched."""

    result: Any
    step: int | None


class KeptResults:
    """The results of what is asked for now, evenly thinned, and which is looked at: by default the newest.

    Args:
        max_bytes: what they may take, asked at each addition.
    """

    def __init__(self, max_bytes: Callable[[], int]) -> None:
        self._max_bytes = max_bytes
        self.about: Hashable = None
        self._history = self._empty()
        self._chosen: int | None = None  # a position in the history, which thinning leaves as it is
        self.newest: Shown | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the results."""
        return self._history.nbytes

    def add(self, about: Hashable, shown: Shown) -> None:
        """Keep a result; one about something else begins anew, one of the same step takes the place of the last."""
        if about != self.about:
            self.about, self._history, self._chosen = about, self._empty(), None
        self.newest = shown
        self._history.limit(self._max_bytes())
        self._history.append(shown.step or 0, shown, nbytes_of(shown.result))

    def renew(self, result: Any) -> None:
        """The newest result says more now, of the same step."""
        if self.newest is not None:
            self.add(self.about, Shown(result, self.newest.step))

    def choose(self, position: int | None) -> None:
        """Look at the result of this position in the history; None follows the training.

        One that was thinned away meanwhile is answered by the next one kept.

        Raises:
            ValueError: a position below 0.
        """
        if position is not None and position < 0:
            raise ValueError(f"position: expected 0 or more, or none for the newest, got {position}")
        newest = max((entry.position for entry in self._history.entries), default=0)
        self._chosen = None if position is None or position >= newest else position

    def look(self) -> tuple[Shown | None, Header | None]:
        """The result to show, and what the page's slider says; None while there is nothing to go back to.

        The slider's places have positions, which stay those of their results when others are thinned away.
        """
        entries, newest = self._history.entries, self.newest
        if newest is None or len({entry.step for entry in entries}) < 2 or entries[-1].item is not newest:
            return newest, None
        at = next(
            (at for at, entry in enumerate(entries) if self._chosen is not None and entry.position >= self._chosen),
            len(entries) - 1,
        )
        shown: Shown = entries[at].item
        thinned = ", thinned evenly" if self._history.dropped else ""
        text = f"{when(shown)} · {at + 1} of {count(len(entries))} kept{thinned}"
        return shown, {"index": at, "positions": [entry.position for entry in entries], "text": text}

    def until(self, result: Any) -> list[Any]:
        """The results from the first one kept to this one."""
        kept: list[Any] = []
        for entry in self._history.entries:
            kept.append(entry.item.result)
            if entry.item.result is result:
                return kept
        return [result]

    def _empty(self) -> History[Any]:
        return History(max_items=MOST, max_bytes=self._max_bytes())


def when(shown: Shown, *, watched: bool = True) -> str:
    """The step of a result in words. `watched`: whether a training was ever watched.

    >>> when(Shown("result", None)), when(Shown("result", None), watched=False), when(Shown("result", 30))
    ('before training', 'current weights', 'step 30')
    """
    if shown.step is None:
        return "before training" if watched else "current weights"
    return f"step {count(shown.step)}"


def nbytes_of(value: Any) -> int:
    """Bytes of all arrays and tensors in a result, dataclasses and containers looked through.

    >>> import numpy as np
    >>> nbytes_of({"a": np.zeros(2), "b": [np.zeros(1)]})
    24
    """
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return sum(nbytes_of(getattr(value, each.name)) for each in dataclasses.fields(value))
    if isinstance(value, dict):
        return sum(map(nbytes_of, value.values()))
    return sum(map(nbytes_of, value)) if isinstance(value, (list, tuple)) else 0
