"""Every view there is, with one of a user's own among them: what all have in common is tested of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nnwidgets as nnw
from nnwidgets import blocks, measures
from nnwidgets.display.view import View
from nnwidgets.views import VIEWS, views_of


class Uncertainty(nnw.View):
    """How sure the model is of its predictions; a click selects the samples of a bin."""

    name, title, group = "uncertainty", "Uncertainty", "Predictions"
    of = nnw.choice("entropy", "loss", help="What is counted.")
    bins = nnw.number(2, 40, default=8, draws=True, help="How many bins.")

    def needs(self) -> measures.Measure:
        return measures.Predictions(20)

    def blocked(self) -> str:
        return "" if self.run.classes else "Uncertainty needs class scores; give Inspector(score_fn=…)"

    def compute(self, read: measures.PredictionsRead) -> Any:
        return read.step, self.of, getattr(read, self.of), read.indices

    def layout(self, result: Any) -> Sequence[blocks.Block]:
        _, what, values, indices = result
        return [blocks.Histogram(values, self.bins, unit=what, members=indices)]

    def clicked(self, block: Any, *where: int) -> nnw.Select:
        return nnw.Select(selected=tuple(block.members_in(where[0]).tolist()))

    def caption(self, result: Any) -> list[str]:
        return [f"{result[1]} of {len(result[3])} samples"]


EVERY: dict[str, type[View]] = {**VIEWS, Uncertainty.name: Uncertainty}
# What keeps a view cheap for tests; a view without a line here is tested as it comes.
CHEAP: dict[str, dict[str, Any]] = {"occlusion": {"patch": 4, "stride": 4}, "embedding": {"points": 20}}


def make(inspector: nnw.Inspector, name: str, **options: Any) -> View:
    """One of them, alone, as it fits the data; what is for pictures only is left out for others."""
    fitting = {**EVERY, **views_of(inspector._session.samples.input_kind)}[name]
    given = {**CHEAP.get(name, {}), **options}
    if fitting is not EVERY[name]:
        given = {option: value for option, value in given.items() if option not in ("patch", "stride")}
    return inspector.view(fitting, **given)


def make_all(inspector: nnw.Inspector, **options: dict[str, Any]) -> dict[str, View]:
    """All of them, by name, as if pages showed them; `options` by name."""
    views = {name: make(inspector, name, **options.get(name, {})) for name in EVERY}
    for view in views.values():
        view.shown = True
    return views
