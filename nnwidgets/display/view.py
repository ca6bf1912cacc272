"""What every view is. A concrete view says what it needs, what it makes of it and how that is laid out in blocks.

States, captions, options, selection, history, progress, errors and display are here, once; `Contract` has what a
concrete view overrides and may use.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

import ipywidgets
from matplotlib.figure import Figure
from traitlets.utils.bunch import Bunch

from nnwidgets.display import commands
from nnwidgets.display.contract import Contract
from nnwidgets.display.curves import CurveBox
from nnwidgets.display.errors import words_of
from nnwidgets.display.figure import draw_rows, figure_of
from nnwidgets.display.guard import close_tree
from nnwidgets.display.headers import header_of, heading_of
from nnwidgets.display.job import Heading, LaidOut, Strong, ViewJob
from nnwidgets.display.next_wrong import NextWrong
from nnwidgets.display.options import HasOptions
from nnwidgets.display.panel import Panel
from nnwidgets.display.reading import SampleReader
from nnwidgets.display.saved_picture import LeavesPicture
from nnwidgets.display.selecting import SELECTABLE
from nnwidgets.display.waiting import wait_for, why_none
from nnwidgets.display.wire import Frame, Header
from nnwidgets.measures.measure import Measure
from nnwidgets.measures.statistics import Listener
from nnwidgets.session import Session

__all__ = ["Heading", "Strong", "View"]

AnyView = TypeVar("AnyView", bound="View")


class View(Contract, LeavesPicture, HasOptions, ipywidgets.VBox):
    """A live picture of a model. `result` is the newest result, `figure()` draws it with matplotlib.

    Options are ordinary traits: set them, observe them, link them. None of them is synced by traitlets; the page
    asks for changes by messages, so Python is their only writer.

    Attributes:
        name: the view's word everywhere: `inspector.dashboard(views=[name])`, files, messages.
        title: what its tab is called.
        group: under which its tab stands: "Layers", "Units", "Predictions", "Training", "Model".
        slow: takes long; runs on a copy of its own, so that others go on meanwhile.
        follows: what keywords of the constructor pin, of "layer", "sample" and "target".
        failure: why there is no newer picture, in words, and the step; None where nothing failed.
        marks: of the inspector's selection what its layout shows; a change of anything else leaves the picture alone.
    """

    joined = False

    def __init__(
        self, session: Session, *, standalone: bool = True, save_picture: bool = True, **keywords: Any
    ) -> None:
        if not (getattr(self, "name", "") and getattr(self, "title", "")):
            raise TypeError(f"{type(self).__name__}: expected a view with a name and a title, got one without")
        self.session, self.standalone = session, standalone
        self.shown = False
        self.owner: LeavesPicture | None = None
        self.failure: tuple[str, int] | None = None
        self.cancelled = False
        self.message = ""
        self._made: dict[str, tuple[Hashable, Any]] = {}
        self._asked: Hashable = None
        self.job = ViewJob(self)
        self.reader = SampleReader(self)
        self.next_wrong = NextWrong(self)
        self.pin(**{name: keywords.pop(name, None) for name in self.follows})
        self.set_options(keywords, besides=self.follows)
        self.blocked_reason = self.blocked()
        self.panel = Panel(
            part="view",
            on_command=self.command,
            on_hello=self._hello,
            on_ping=self.show_state,
            on_failure=lambda error: self.fail(error, self.session.status().step or 0),
            on_cost=lambda seconds: session.charge(seconds, self.job),
        )
        super().__init__([self.panel])
        self.curves = CurveBox(self)
        self.add_class("nnw-view")
        self.save_picture = save_picture
        self.joined = True
        session.join(self)
        session.selection.observe(self.changed, names=list(SELECTABLE))
        session.on_change(self.show_state)
        if not session.unsupported_reason:
            session.worker.add(self.job)
            session.worker.add(self.next_wrong)
        if any(measure.recorded for measure in self.measures()):
            session.probe.listen(Listener(self.job.wanted, self._displayed, self.job.recorded))
        self.observe(self.changed, names=list(self.options()))
        if standalone:
            self.first_show()

    @property
    def on_screen(self) -> bool:
        """Whether somebody may be looking, so that computing is worth it."""
        return self.shown and self.panel.awake and not self.obstacle

    @property
    def obstacle(self) -> str:
        """Why this view can't work here, or nothing."""
        return self.session.unsupported_reason or self.blocked_reason

    @property
    def needed(self) -> frozenset[Measure]:
        """The measures that are read for this view now."""
        return frozenset(self.measures()) if self.on_screen else frozenset()

    @property
    def outdated(self) -> bool:
        """Whether something else is asked for than the newest result shows."""
        return self.newest is None or (self._asked is not None and self._asked != self.job.kept.about)

    def measures(self) -> tuple[Measure, ...]:
        """What `needs` says, as a tuple; nothing where it fails, which the view then shows."""
        if self.obstacle:
            return ()
        try:
            needed = self.needs()
            measures = (needed,) if isinstance(needed, Measure) else tuple(needed)
            wrong = [type(each).__name__ for each in measures if not isinstance(each, Measure)]
            if wrong:
                raise TypeError(f"needs: expected measures, got {wrong[0]}")
            return measures
        except Exception as error:
            # It may be the user's own code, and runs wherever something is selected.
            self.fail(error, self.session.status().step or 0)
            return ()

    def asked_for(self) -> str:
        """What is shown next, in a few words, until it is there."""
        return heading_of(self).title

    def question(self) -> Hashable:
        """What is to be computed; a change of it cancels what runs and asks again."""
        return (self.measures(), self.option_values())

    def refresh(self) -> None:
        """Compute anew from a snapshot no older than now, or while views are paused from the last one.

        Samples that were not read yet are read in the user's thread first.
        """
        self.failure, self.cancelled, self.message = None, False, ""
        self._asked = self.question()
        if not (self.obstacle or self.failure or self.reader.begin()):
            self.session.worker.request(self.job, fresh=not self.session.paused)
        self.show_state()

    def cancel(self) -> None:
        """Stop the computation that runs; the picture stays, and the next is computed when it is asked for."""
        self.cancelled = True
        self.session.worker.cancel(self.job)
        self.show_state()

    def first_show(self) -> None:
        """Compute for the first time: at once if that is quick, else in the worker. What runs already goes on."""
        if self.job.running is not None and self._asked == self.question():
            return
        quick = self.result is None and not (self.slow or self.session.paused or self.obstacle)
        self._asked = self.question()
        if not (quick and not self.reader.begin() and self.session.compute_now(self.job)):
            self.refresh()

    def wait(self: AnyView, timeout_s: float = 60.0) -> AnyView:
        """This view, when what it is asked for is computed: `inspector.embedding().wait().figure()` in a script.

        Raises:
            RuntimeError: it can't be shown here or has failed.   TimeoutError: it took longer.
        """
        wait_for(self, timeout_s)
        return self

    def command(self, name: str, value: Any) -> Frame | None:
        """Do what the page asks (`commands.do`)."""
        return commands.do(self, name, value)

    def tell(self, message: str) -> None:
        """Say something beside the picture, until the next is asked for."""
        self.message = message
        self.show_state()

    def fail(self, error: BaseException, step: int) -> None:
        """Show a failure in the view; the last good picture stays."""
        self.failure = (words_of(error, type(self)), step)
        self.show_state()

    def figure(self) -> Figure:
        """The result on show as a matplotlib figure, caption and step included.

        Raises:
            RuntimeError: there is none; the text says what is in the way, what failed, or what is waited for.
        """
        laid = self._laid_out()
        return figure_of(laid.rows, caption=laid.words)

    def draw(self, figure: Any) -> None:
        """Draw the result on show into an empty figure or part of one. Raises RuntimeError where there is none."""
        laid = self._laid_out()
        draw_rows(laid.rows, figure, caption=laid.words)

    def _laid_out(self) -> LaidOut:
        if self.job.laid is None:
            raise RuntimeError(why_none(self))
        return self.job.laid

    def close(self) -> None:
        """Take the view out of the page, the worker and the registry; its curves and controls too."""
        if self.joined:  # also called for a view whose construction failed, and twice
            self.joined = False
            self.session.worker.remove(self.job)
            self.session.worker.remove(self.next_wrong)
            self.session.worker.forget((id(self), "layout"), (id(self), "picture"))
            self.session.probe.forget(self.job.recorded)
            self.session.leave(self)
            self.session.kept_bytes.pop(self.job, None)
            self.session.off_change(self.show_state)
            self.session.selection.unobserve(self.changed, names=list(SELECTABLE))
            close_tree(self)
        super().close()

    # What the page gets.

    def show_picture(self) -> None:
        """Have the page sent what it does not have of the result on show."""
        self.panel.post(self._picture)

    def show_state(self) -> None:
        """Have the page told how things stand."""
        self.panel.post(lambda: Frame(self.header(), channel="state"), channel="state")

    def _picture(self) -> Frame:
        laid = self.job.laid
        return Frame(self.header(), blocks=laid.packed if laid is not None else ())

    def header(self) -> Header:
        """What every frame says."""
        return header_of(self)

    # What changes what is shown.

    def on_display(self) -> None:
        self.shown = True

    def changed(self, change: Bunch | None = None) -> None:
        """Ask again when what is asked for has changed, else lay out anew; a hidden tab when it is shown.

        A result is never laid out with a selection that it is not of: the next one is on its way.
        """
        if self.session.closed or not self.joined or not (self.standalone or self.shown):
            return
        if self.question() != self._asked:
            self.refresh()
            return
        self.show_state()
        if self.outdated and not self.slow:
            return
        if change is None or change.owner is self or change.name in self.marks:
            self.renew_layout()

    def renew_layout(self) -> None:
        """Have the worker lay the result on show out anew."""
        if self.newest is not None:
            self.session.worker.call((id(self), "layout"), self.job.lay_out)

    def _displayed(self) -> bool:
        return self.shown and not self.session.paused

    def _hello(self) -> None:
        self.shown = self.shown or self.standalone  # in a dashboard, which says itself what is shown
        self.panel.sent.forget()
        self.curves.appear()
        self.show_picture()
        if self.job.behind:
            self.session.worker.call((id(self), "layout"), self.job.recorded)
        if self._missed_the_end():
            self.refresh()

    def _missed_the_end(self) -> bool:
        """Whether a training ended while nobody looked at this view, so that its picture is of an older step."""
        session, newest = self.session, self.newest
        if newest is None or self.job.running is not None or not self.on_screen or session.training or session.paused:
            return False
        return newest.step != session.status().step and session.watched and not session.model_changed()
