"""Maps of one layer over training, to go back to. Knows results and steps; knows no model and computes nothing."""

from __future__ import annotations

from typing import Any

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.captions import count, step_text
from nnwidgets.training.history import History
from nnwidgets.views._wire import Header

MOST = 60


class KeptMaps:
    """The maps of what is asked for now, evenly thinned, and which of them is looked at: by default the newest."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._about: object = None
        self._maps = self._empty()
        self._chosen: int | None = None  # a position in the history, which thinning leaves as it is

    @property
    def nbytes(self) -> int:
        """Bytes of the maps."""
        return self._maps.nbytes

    def append(self, result: EmbeddingResult) -> None:
        """Keep a map; one of another layer, method or number of dimensions begins anew."""
        about = (result.layer, result.embedding.method, result.embedding.positions.shape)
        if about != self._about:
            self._about, self._maps, self._chosen = about, self._empty(), None
        values = (*vars(result).values(), *vars(result.embedding).values())
        tensors = (value for value in values if hasattr(value, "nbytes"))
        self._maps.append(result.step or 0, result, sum(tensor.nbytes for tensor in tensors))

    def choose(self, position: int | None) -> None:
        """Look at the map of this position in the history, as `look` tells them; None follows the training.

        A map that was thinned away meanwhile is answered by the next one kept.

        Raises:
            ValueError: a position below 0.
        """
        if position is not None and position < 0:
            raise ValueError(f"position: expected 0 or more, or none for the newest map, got {position}")
        newest = max((entry.position for entry in self._maps.entries), default=0)
        self._chosen = None if position is None or position >= newest else position

    def look(self, newest: EmbeddingResult) -> tuple[EmbeddingResult, Header | None]:
        """The map to show, and what the page's slider says; None while there is nothing to go back to.

        The slider's places have positions, which stay those of their maps when others are thinned away.
        """
        entries = self._maps.entries
        if len({entry.step for entry in entries}) < 2 or entries[-1].item is not newest:
            return newest, None
        at = next(
            (at for at, entry in enumerate(entries) if self._chosen is not None and entry.position >= self._chosen),
            len(entries) - 1,
        )
        shown = entries[at].item
        thinned = ", thinned evenly" if self._maps.dropped else ""
        text = f"{step_text(shown.step)} · map {at + 1} of {count(len(entries))} kept{thinned}"
        return shown, {"index": at, "positions": [entry.position for entry in entries], "text": text}

    def until(self, shown: EmbeddingResult) -> list[EmbeddingResult]:
        """The maps from the first one kept to the one shown."""
        kept: list[EmbeddingResult] = []
        for entry in self._maps.entries:
            kept.append(entry.item)
            if entry.item is shown:
                return kept
        return [shown]

    def _empty(self) -> History[Any]:
        return History(max_items=MOST, max_bytes=self._max_bytes)
