"""Reads every measure once per snapshot, whoever needs it. Used by the worker only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnwidgets.measures.measure import Measure, Progress, Reading, Source
from nnwidgets.training.worker import Snapshot

Version = tuple[int, float]


class _Shared:
    """One reading under way: any caller takes it a slice further."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._value: Any = None
        self._error: Exception | None = None
        self._done = False

    def advance(self) -> Reading:
        """Yield slice by slice until it is read, by this caller or by another; return the value."""
        while not self._done:
            progress = self._next_slice()
            if not self._done:
                yield progress
        if self._error is not None:
            raise self._error
        return self._value

    def _next_slice(self) -> Progress | None:
        try:
            return next(self._reading)
        except StopIteration as end:
            self._value, self._done = end.value, True
        except Exception as error:
            self._error, self._done = error, True
        return None


class SharedMeasures:
    """The values of the newest snapshot, kept while more than one view needs them.

    `needed` says how many views on screen need a measure now.
    """

    def __init__(self, source: Source, needed: Callable[[Measure], int]) -> None:
        self._source = source
        self._needed = needed
        self._version: Version | None = None
        self._values: dict[Measure, Any] = {}
        # By copy of the model too: a replica may be filled anew while a reading on the shadow goes on.
        self._under_way: dict[tuple[Measure, int], _Shared] = {}

    def read(self, measure: Measure, snapshot: Snapshot) -> Reading:
        """As `measure.read`; at once where another view has read it from the same snapshot."""
        if not measure.shared:
            return (yield from measure.read(self._source, snapshot))
        version = (snapshot.step, snapshot.taken_at)
        if version != self._version:
            self._version, self._under_way = version, {}
            self._values.clear()
        self._values = {kept: value for kept, value in self._values.items() if self._needed(kept)}
        if measure in self._values:
            return self._values[measure]
        place = (measure, id(snapshot.shadow))
        shared = self._under_way.get(place)
        if shared is None:
            shared = self._under_way[place] = _Shared(measure.read(self._source, snapshot))
        try:
            value = yield from shared.advance()
        finally:
            self._under_way.pop(place, None)
        if version == self._version and self._needed(measure) > 1:
            self._values[measure] = value
        return value

    def clear(self) -> None:
        """Let go of every value. From any thread; readings under way go on."""
        self._values = {}
