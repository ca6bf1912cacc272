"""Views side by side, with one picture kept for all of them."""

from __future__ import annotations

import ipywidgets
from matplotlib.figure import Figure

from nnwidgets.display.guard import guard, guard_tree
from nnwidgets.display.saved_picture import LeavesPicture
from nnwidgets.display.view import View
from nnwidgets.display.waiting import why_none_of
from nnwidgets.measures.measure import Measure


class Row(LeavesPicture, ipywidgets.HBox):
    """Views side by side."""

    needed: frozenset[Measure] = frozenset()  # the views say what they need

    def __init__(self, *views: View, save_picture: bool = True) -> None:
        wrong = [type(view).__name__ for view in views if not isinstance(view, View)]
        if wrong or not views:
            raise TypeError(f"row: expected views of an inspector, got {', '.join(wrong) or 'none'}")
        super().__init__(list(views))
        self.add_class("nnw-row")
        self.save_picture = save_picture
        self.session = views[0].session
        guard_tree(self.layout)
        guard(self)
        for view in views:
            view.owner = self
            view.session.join(self)

    def close(self) -> None:
        """Close the row and those of its views that no later row has taken."""
        for view in self.children:
            view.session.leave(self)
            if view.owner is self:
                view.close()
        self.layout.close()
        super().close()

    def on_display(self) -> None:
        for view in self.children:
            view.shown = True

    def figure(self) -> Figure:
        """All views of the row in one matplotlib figure.

        Raises:
            RuntimeError: none of them has a result yet.
        """
        drawn = [view for view in self.children if view.job.laid is not None]
        if not drawn:
            raise RuntimeError(why_none_of(self.children))
        figure = Figure(figsize=(6 * len(drawn), 4.5), layout="constrained")
        for part, view in zip(figure.subfigures(1, len(drawn), squeeze=False)[0], drawn, strict=True):
            view.draw(part)
        return figure


def row(*views: View, save_picture: bool = True) -> Row:
    """The views side by side; unlike a bare `HBox`, the saved notebook keeps their picture.

    Args:
        views: what `inspector.activations()`, `.filters()` … return.
        save_picture: False keeps private images out of the saved notebook.

    Raises:
        TypeError: something that is no view.
    """
    return Row(*views, save_picture=save_picture)
