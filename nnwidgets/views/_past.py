"""Views of maps that go back to earlier ones, and show the ways of the selected samples. Knows no model."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import traitlets

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.captions import count
from nnwidgets.session import MEMORY_SHARES, Session
from nnwidgets.views._commands import whole
from nnwidgets.views._kept_maps import KeptMaps
from nnwidgets.views._points import Points
from nnwidgets.views._sample import SampleView
from nnwidgets.views._trails import rows_followed, trails_frame
from nnwidgets.views._view import Caption
from nnwidgets.views._wire import Frame, Header


class KeepsMaps(SampleView):
    """A view whose results are maps: keeps those of the training, and shows the one that the page looks at."""

    trails = traitlets.Bool(
        False, help="Whether selected points show the ways on which they came, over the kept maps. Written by Python."
    ).tag(control="toggle", label="Trails", choices=[(False, "off"), (True, "on")])

    def __init__(self, session: Session, **options: Any) -> None:
        self._kept = KeptMaps(int(MEMORY_SHARES["maps"] * session.max_memory))
        super().__init__(session, **options)

    @abstractmethod
    def points_of(self, result: EmbeddingResult) -> Points:
        """The samples of a map."""

    def show(self, result: EmbeddingResult) -> None:
        self._kept.append(result)
        self.session.kept_bytes[self] = self._kept.nbytes
        super().show(result)

    @property
    def on_show(self) -> EmbeddingResult | None:
        """The map on show: the last result, or an earlier one that the page has gone back to."""
        return None if self.result is None else self._kept.look(self.result)[0]

    def header(self) -> Header:
        """What every frame says, of the map on show."""
        header, shown = super().header(), self.on_show
        if shown is None:
            return header
        trails: Caption = [(self._trails_text(shown), True)] if self.trails else []
        return {**header, "step": shown.step, "caption": [*self.whole_caption(shown), *trails]}

    def whole_caption(self, result: EmbeddingResult) -> Caption:
        """The caption with how the model was run, the step, and whether newer maps are known."""
        earlier: Caption = [("an earlier map", True)] if result is not self.result else []
        return [*super().whole_caption(result), *earlier]

    def show_picture(self) -> None:
        super().show_picture()
        if self.trails:
            self.show_trails()

    def show_trails(self) -> None:
        """Send the ways of the selected samples, or that there are none to be shown."""
        self.panel.post(self._trails_frame, channel="trails")

    def command(self, name: str, value: Any) -> Frame | None:
        if name != "map":
            return super().command(name, value)
        if not isinstance(value, dict) or "position" not in value:
            raise ValueError(f"map: expected an object with a position, got {value!r}")
        position = value["position"]
        self._kept.choose(None if position is None else whole("position", position))
        self.show_picture()
        return None

    def _trails_frame(self) -> Frame | None:
        shown = self.on_show
        if shown is None:
            return None
        if not self.trails:
            return Frame(self.header(), channel="trails")
        ways = trails_frame(self._kept.until(shown), self._followed(shown))
        return Frame({**self.header(), **ways.header}, ways.arrays, "trails")

    def _followed(self, shown: EmbeddingResult) -> list[int]:
        return rows_followed(self.points_of(shown).row_of, self.session.selection.selected)

    def _trails_text(self, shown: EmbeddingResult) -> str:
        selected = len(self.session.selection.selected)
        if not selected:
            return "trails of selected points: none is selected"
        followed, maps = len(self._followed(shown)), len(self._kept.until(shown))
        of = f" of {count(selected)}" if followed < selected else ""
        return f"trails of {count(followed)}{of} selected over {count(maps)} {'map' if maps == 1 else 'maps'}"
