"""The dashboard: status, layers and tabs round the same views that stand alone. A view is made when its tab is opened.

One panel shows status, layers and tabs (js/src/dashboard); the views stand beside it in one box. The page says which of
them are seen and where, so that changing to a view that was opened before moves nothing.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ipywidgets
from matplotlib.figure import Figure
from traitlets.utils.bunch import Bunch

from nnwidgets.display.errors import text_of
from nnwidgets.display.guard import close_tree, guard, guard_tree
from nnwidgets.display.overview import layers_header, status_header
from nnwidgets.display.panel import Panel
from nnwidgets.display.saved_picture import LeavesPicture
from nnwidgets.display.view import View
from nnwidgets.display.waiting import why_none_of
from nnwidgets.display.wire import Frame, Header
from nnwidgets.measures.measure import Measure
from nnwidgets.measures.statistics import Listener
from nnwidgets.session import Session

GROUPS = ("Layers", "Units", "Predictions", "Training", "Model")
CHANNELS = ("status", "layers", "tabs")
logger = logging.getLogger(__name__)


class Dashboard(LeavesPicture, ipywidgets.VBox):
    """The views of an inspector in one frame with one selection; only those on show are computed.

    Args:
        registry: our views by name.
        views: names of the registry and classes of the user's own, or one of them; default: the registry.
        tab: the name of the view to open first; default: the first that works here.

    Attributes:
        views: those opened so far, by name.
        tab: the name of the open view.
        beside: the name of the view beside it, or None.

    Raises:
        KeyError: an unknown name.   TypeError: something that is neither a name nor a view.
        ValueError: a tab that is not among the views, two views of one name, no views.
    """

    needed: frozenset[Measure] = frozenset()  # the views say what they need
    _joined = False

    def __init__(
        self,
        session: Session,
        registry: Mapping[str, type[View]],
        *,
        views: str | type[View] | Sequence[str | type[View]] | None = None,
        tab: str | None = None,
        save_picture: bool = True,
    ) -> None:
        self.session, self.save_picture = session, save_picture
        self._classes = named(registry.values() if views is None else views, registry)
        self._reasons = {name: blocked_reason(view, session) for name, view in self._classes.items()}
        working = [name for name in self._classes if not self._reasons[name]]
        self.tab = self._known(tab if tab is not None else next(iter(working or self._classes)))
        self.beside: str | None = None
        self.views: dict[str, View] = {}
        self._errors: dict[str, str] = {}
        self.panel = Panel(
            part="dashboard",
            on_command=self._command,
            on_hello=self._hello,
            on_ping=lambda: self._show("status"),
            on_cost=session.charge,
        )
        self._body = ipywidgets.Box([self.panel])
        self._body.add_class("nnw-dashboard-body")
        super().__init__([self._body])
        self.add_class("nnw-dashboard")
        for widget in (self, self._body):
            guard(widget)
            guard_tree(widget.layout)
        self._joined = True
        session.join(self)
        session.on_change(self._show_all)
        session.selection.observe(self._selected, names=["layer"])
        session.probe.listen(Listener(self._on_screen, self._displayed, self._probed))
        self._place(self.tab, None)

    def on_display(self) -> None:
        self._mark_shown()

    def figure(self) -> Figure:
        """The open views as one matplotlib figure. Raises RuntimeError before the first result."""
        drawn = [view for view in self._open_views() if view.job.laid is not None]
        if not drawn:
            none = "expected a result to draw, got none: it could not be made"
            failed = [f"{name}: {none}: {self._errors[name]}" for name in self._places() if name in self._errors]
            raise RuntimeError("; ".join(failed) or why_none_of(self._open_views()))
        if len(drawn) == 1:
            return drawn[0].figure()
        figure = Figure(figsize=(6 * len(drawn), 4.5), layout="constrained")
        for part, view in zip(figure.subfigures(1, len(drawn), squeeze=False)[0], drawn, strict=True):
            view.draw(part)
        return figure

    def close(self) -> None:
        """Close the dashboard and the views in it."""
        if self._joined:  # also called for one whose construction failed, and twice
            self._joined = False
            self.session.worker.forget((id(self), "picture"))
            self.session.probe.forget(self._probed)
            self.session.leave(self)
            self.session.off_change(self._show_all)
            self.session.selection.unobserve(self._selected, names=["layer"])
            close_tree(self)
        super().close()

    # Tabs and places.

    def _place(self, tab: str, beside: str | None) -> None:
        """Show these views, of which those that are new are made."""
        self.tab, self.beside = tab, beside
        for name in self._places():
            self._open(name)
        self._mark_shown()
        self._show("tabs")
        for view in self._open_views():
            self._first_show(view)
        self.picture_due()

    def _open(self, name: str) -> None:
        if name in self.views:
            return
        try:
            view = self._classes[name](self.session, standalone=False, save_picture=False)
        except Exception as error:
            # The view may be the user's own code: the page says what it raised, and the others go on.
            logger.warning("the %s view could not be made", name, exc_info=True)
            self._errors[name] = f"{type(error).__name__}: {text_of(error)}"
            return
        self._errors.pop(name, None)
        view.owner = self
        self.views[name] = view
        # Appended: a box makes anew what comes after a change.
        self._body.children = (*self._body.children, view)

    def _first_show(self, view: View) -> None:
        try:
            view.first_show()
        except Exception as error:
            # What it needs may be the user's own code, too.
            view.fail(error, self.session.status().step or 0)

    def _places(self) -> list[str]:
        return [name for name in (self.tab, self.beside) if name is not None]

    def _open_views(self) -> list[View]:
        return [self.views[name] for name in self._places() if name in self.views]

    def _mark_shown(self) -> None:
        for name, view in self.views.items():
            view.shown = name in self._places()

    def _known(self, name: Any) -> str:
        if not isinstance(name, str) or name not in self._classes:
            raise ValueError(f"tab: expected one of {', '.join(self._classes)}, got {name!r}")
        return name

    # What the page asks for.

    def _hello(self) -> None:
        self._mark_shown()
        self._show_all()

    def _command(self, name: str, value: Any) -> Frame | None:
        match name, value:
            case "tab", {"tab": tab}:
                # With the one that stands beside it, it changes places.
                self._place(self._known(tab), self.tab if tab == self.beside else self.beside)
            case "beside", {"tab": tab}:
                self._set_beside(None if tab is None else self._known(tab))
            case "select", {"layer": layer}:
                self.session.selection.update(layer=layer)
            case "refresh", _:
                self.session.worker.request(self.session.probe)
                for view in self._open_views():
                    view.refresh()
            case (("pause" | "resume"), _):
                self.session.pause(name == "pause")
            case "error", _:
                logger.warning("the page could not draw the dashboard: %s", value)
            case _:
                raise ValueError(f"command: expected one of the dashboard's, got {name!r} with {value!r}")
        return None

    def _set_beside(self, beside: str | None) -> None:
        if beside != self.tab:
            self._place(self.tab, beside)
        elif self.beside is not None:  # the two change places
            self._place(self.beside, beside)

    # What the page gets.

    def _on_screen(self) -> bool:
        return self.panel.awake and self._displayed()

    def _displayed(self) -> bool:
        return any(view.shown for view in self._open_views()) and not self.session.paused

    def _selected(self, _change: Bunch) -> None:
        self._show("layers")

    def _probed(self) -> None:
        self._show("layers")
        self._show("status")

    def _show_all(self) -> None:
        for channel in CHANNELS:
            self._show(channel)

    def _show(self, channel: str) -> None:
        self.panel.post(lambda: Frame({**self._common(), **self._header(channel)}, channel=channel), channel=channel)

    def _header(self, channel: str) -> Header:
        if channel == "status":
            ends = [view.job.finished_at for view in self._open_views()]
            return status_header(self.session, max((end for end in ends if end is not None), default=None))
        return layers_header(self.session) if channel == "layers" else self._tabs()

    def _common(self) -> Header:
        status = self.session.status()
        return {
            "title": "",
            "step": status.step,
            "training": status.training,
            "stale_after_s": status.stale_after_s,
            "own_picture": self.leaves_picture,
        }

    def _tabs(self) -> Header:
        """TabsHeader in js/src/dashboard/tabs.ts."""
        return {
            "tabs": [
                {
                    "name": name,
                    "title": view.title,
                    "group": view.group,
                    "reason": self._reasons[name],
                }
                for name, view in self._classes.items()
            ],
            "tab": self.tab,
            "beside": self.beside,
            "opened": list(self.views),
            "errors": {name: self._errors[name] for name in self._places() if name in self._errors},
        }


def view_class(view: Any, registry: Mapping[str, type[View]], where: str) -> type[View]:
    """The class that a name of the registry or a class says; `where` is the argument it was given as.

    Raises:
        KeyError: an unknown name.   TypeError: something that is neither a name nor a view.
    """
    if isinstance(view, str):
        if view not in registry:
            near = difflib.get_close_matches(view, registry) or list(registry)
            raise KeyError(f"{where}: no {view!r}; expected a class or one of {', '.join(near)}")
        return registry[view]
    if not (isinstance(view, type) and issubclass(view, View)):
        made = f"; give its class, {type(view).__name__}" if isinstance(view, View) else ""
        raise TypeError(
            f"{where}: expected a name ({', '.join(registry)}) or a class that inherits from nnwidgets.View, got "
            f"{type(view).__name__ if isinstance(view, View) else repr(view)}{made}"
        )
    return view


def named(
    views: str | type[View] | Iterable[str | type[View]], registry: Mapping[str, type[View]]
) -> dict[str, type[View]]:
    """The classes of `views`, or of the only one, by name, group after group.

    Raises:
        KeyError: an unknown name.   TypeError: something that is neither a name nor a view with a name and a title.
        ValueError: two views of one name, no views.
    """
    found: dict[str, type[View]] = {}
    for given in [views] if isinstance(views, (str, type)) or not isinstance(views, Iterable) else views:
        each = view_class(given, registry, "views")
        if not (getattr(each, "name", "") and getattr(each, "title", "")):
            raise TypeError(f"views: expected classes with a name and a title, got {each.__name__} without")
        if each.name in found:
            raise ValueError(f"views: expected a name of its own for each, got {each.name!r} twice")
        found[each.name] = each
    if not found:
        raise ValueError("views: expected at least one, got none")
    groups = [*GROUPS, *(view.group for view in found.values() if view.group not in GROUPS)]
    return dict(sorted(found.items(), key=lambda item: groups.index(item[1].group)))


def blocked_reason(view: type[View], session: Session) -> str:
    """Why a view can never be shown for this model and these data, asked of one that is not made yet."""
    try:
        asked = view.__new__(view)
        asked.session = session
        asked.pin()
        return asked.blocked()
    except Exception:
        # What is wrong with it is said where it is opened.
        return ""
