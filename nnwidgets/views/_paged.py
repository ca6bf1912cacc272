"""Views of a layer's units page by page: a unit picked turns to its page, the pager turns to another."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from nnwidgets.session import Session
from nnwidgets.training.record import ProbeResult
from nnwidgets.views._commands import whole
from nnwidgets.views._sample import SampleView
from nnwidgets.views._tiles import Page, page_of, page_with
from nnwidgets.views._wire import Array, Frame


class PagedView(SampleView):
    """A view of units of which a page is on show, at first that of the selected unit."""

    def __init__(self, session: Session, **options: Any) -> None:
        self._page = 0
        self._turned_for = -1
        self._curves_of: tuple[ProbeResult | None, str, int] = (None, "", -1)
        super().__init__(session, **options)

    @abstractmethod
    def unit_on_show(self, result: Any) -> int:
        """The unit of a result that is drawn large."""

    @abstractmethod
    def draw_curves(self, result: Any) -> None:
        """Bring the curves below up to date with the record, for the layer and the unit on show."""

    def curves(self, result: Any) -> None:
        latest, layer, unit = self.session.record.latest, result.layer, self.unit_on_show(result)
        # Statistics come more seldom than results, and curves are dear to draw.
        if latest is not self._curves_of[0] or (layer, unit) != self._curves_of[1:]:
            self._curves_of = (latest, layer, unit)
            self.draw_curves(result)

    def page(self, order: Array, unit: int) -> Page:
        """The page on show of the units in `order` (units,): the unit's own when it is new, else the one turned to."""
        if unit != self._turned_for:
            self._page, self._turned_for = page_with(order, unit), unit
        return page_of(order, self._page)

    def command(self, name: str, value: Any) -> Frame | None:
        if name != "page":
            return super().command(name, value)
        page = whole("page", value.get("page") if isinstance(value, dict) else None)
        if self.result is not None:  # a unit picked before, and not drawn yet, must not turn back to its own page
            self._turned_for = self.unit_on_show(self.result)
        self._page = page
        self.show_picture()
        return None
