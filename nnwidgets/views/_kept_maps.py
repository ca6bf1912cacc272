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

    def choose(self, page: int) -> None:
        """Look at the map of this place among those kept; the last place follows the training.

        Raises:
            ValueError: there is no such place.
        """
        entries = self._maps.entries
        if not 0 <= page < len(entries):
            raise ValueError(f"page: expected 0 to {len(entries) - 1}, got {page}")
        self._chosen = None if page == len(entries) - 1 else entries[page].position

    def look(self, newest: EmbeddingResult) -> tuple[EmbeddingResult, Header | None]:
        """The map to show, and what the page's slider says; None while there is nothing to go back to."""
        entries = self._maps.entries
        if len({entry.step for entry in entries}) < 2 or entries[-1].item is not newest:
            return newest, None
        # One that was thinned away is answered by the next one kept.
        at = next(
            (at for at, entry in enumerate(entries) if self._chosen is not None and entry.position >= self._chosen),
            len(entries) - 1,
        )
        shown = entries[at].item
        thinned = ", thinned evenly" if self._maps.dropped else ""
        text = f"{step_text(shown.step)} · map {at + 1} of {count(len(entries))} kept{thinned}"
        return shown, {"index": at, "count": len(entries), "text": text}

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
