"""What every view is: a panel, curves, one job in the worker, one result. Knows no arithmetic and draws nothing itself.

A concrete view says what it asks for (`ask`), how that is computed (`compute`, in the worker, in slices), what the page
gets (`picture`) and how matplotlib draws it (`draw`). States, captions, options, selection and display are here, once.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

import ipywidgets
from matplotlib.figure import Figure
from traitlets.utils.bunch import Bunch

from nnwidgets.figures.captions import step_text
from nnwidgets.session import Session
from nnwidgets.training.probe import Listener
from nnwidgets.training.worker import Snapshot
from nnwidgets.views._commands import SELECTABLE, TakesCommands
from nnwidgets.views._controls import HasControls
from nnwidgets.views._curves import Curves
from nnwidgets.views._display import LeavesPicture
from nnwidgets.views._guard import close_tree
from nnwidgets.views._job import ViewJob
from nnwidgets.views._panel import Panel, text_of
from nnwidgets.views._publisher import PUBLISHER
from nnwidgets.views._states import state_line
from nnwidgets.views._wire import Frame, Header

Caption = list[tuple[str, bool]]


class View(LeavesPicture, HasControls, TakesCommands, ipywidgets.VBox):
    """A live picture of a model. `result` is the last result, `figure()` draws it with matplotlib.

    Options are ordinary traits: set them, observe them, link them. None of them is synced by traitlets; the page
    asks for changes by messages, so Python is their only writer.
    """

    stem: ClassVar[str]
    panel_type: ClassVar[type[Panel]]
    long: ClassVar[bool] = False
    follows_probe: ClassVar[bool] = False
    _joined = False

    def __init__(self, session: Session, *, standalone: bool = True, save_picture: bool = True) -> None:
        self.session = session
        self.standalone = standalone
        self.result: Any = None
        self.shown = False
        self.holder: LeavesPicture | None = None
        self._asked: Hashable = None
        self.failure: tuple[str, int] | None = None
        self.running: tuple[float, str] | None = None
        self.finished_at: float | None = None
        self.panel = self.panel_type(
            on_command=self.command,
            on_hello=self._hello,
            on_ping=self.show_state,
            on_failure=lambda error: self.fail(error, self.session.status().step or 0),
            on_cost=lambda seconds: session.pay(seconds, self.job),
        )
        super().__init__([self.panel, *self.below()])
        self.add_class("nnw-view")
        self.job = ViewJob(self)
        self.save_picture = save_picture
        self._joined = True
        session.join(self)
        session.selection.observe(self._selected, names=list(SELECTABLE))
        session.on_change(self.show_state)
        if not session.refusal:
            session.worker.add(self.job)
        if self.follows_probe:
            session.probe.listen(
                Listener(self.job.wanted, lambda: self.shown and not self.session.paused, self._probed)
            )
        self.observe(self._option_changed, names=list(self.controls))
        if standalone:
            self.first_look()

    # What a concrete view says.

    @abstractmethod
    def ask(self) -> Hashable:
        """What is to be computed: a frozen value; a change of it cancels what runs and asks again."""

    @abstractmethod
    def compute(self, snapshot: Snapshot, ask: Any) -> Iterator[Any]:
        """Results as they come, the last one whole; None between slices of at most 50 ms. In the worker."""

    @abstractmethod
    def picture(self, result: Any) -> Frame:
        """Header and arrays of a result for the page, by the options and selection of now. In the publisher."""

    @abstractmethod
    def caption(self, result: Any) -> Caption:
        """Parts of the caption: text, and whether it is odd and should stand out. Without mode and step."""

    @abstractmethod
    def title(self, result: Any) -> tuple[str, bool, str]:
        """Title, whether it is a name in code, subtitle; `result` is None before the first."""

    @abstractmethod
    def draw(self, result: Any, figure: Figure) -> None:
        """Draw a result with matplotlib."""

    def below(self) -> Sequence[ipywidgets.Widget]:
        """Widgets under the panel."""
        return ()

    def curves(self, result: Any) -> None:
        """Bring the curves below up to date with a result. In the publisher."""

    def awaited(self) -> str:
        """What the view waits for before it can ask (a sample not read yet), or nothing."""
        return ""

    # Life.

    @property
    def on_show(self) -> Any:
        """The last result, unless the page has gone back to an earlier one."""
        return self.result

    @property
    def on_screen(self) -> bool:
        """Whether somebody may be looking, so that computing is worth it."""
        return self.shown and self.panel.awake and not self.session.refusal

    def refresh(self) -> None:
        """Compute anew from a snapshot no older than now."""
        self._asked = self.ask()
        self.failure = None
        if self.session.refusal or self.session.paused:
            self.show_state()
        else:
            self.session.worker.request(self.job)

    def first_look(self) -> None:
        """Compute for the first time: at once if that is quick, else in the worker. What runs already goes on."""
        if self.running is not None and self._asked == self.ask():
            return
        quick = self.result is None and not self.long and not self.awaited() and not self.session.paused
        self._asked = self.ask()
        if not (quick and self.session.look(self.job)):
            self.refresh()

    def figure(self) -> Figure:
        """The result on show as a matplotlib figure, caption and step included.

        Raises:
            RuntimeError: nothing has been computed yet.
        """
        if self.result is None:
            raise RuntimeError(
                f"{self.stem}: expected a result to draw, got none yet; wait for the first picture or call refresh()"
            )
        figure = Figure(figsize=(8, 5), layout="constrained")
        self.draw(self.on_show, figure)
        return figure

    def close(self) -> None:
        """Take the view out of the page, the worker and the registry; its curves and controls too."""
        if self._joined:  # also called for a view whose construction failed, and twice
            self._joined = False
            self.session.worker.remove(self.job)
            self.session.probe.forget(self._probed)
            self.session.leave(self)
            self.session.off_change(self.show_state)
            self.session.selection.unobserve(self._selected, names=list(SELECTABLE))
            close_tree(self)
        super().close()

    def whole_caption(self, result: Any) -> Caption:
        """The caption with how the model was run and the step."""
        return [*self.caption(result), self.session.mode, (step_text(result.step), False)]

    def caption_text(self, result: Any) -> str:
        """The caption in one line, subject and step included, as the saved picture carries it."""
        title, is_layer, subtitle = self.title(result)
        subject = ", ".join(part for part in (f"Layer {title}" if is_layer else title, subtitle) if part)
        return " · ".join([subject, *(text for text, _ in self.whole_caption(result))])

    # Results and states.

    def started(self) -> None:
        self.running = (0.0, "")

    def progress(self, share: float, text: str) -> None:
        """Say how far a slow computation is."""
        self.running = (share, text)
        self.show_state()

    def ended(self) -> None:
        told, self.running = self.running is not None and self.running[1], None
        if told or self.result is None:  # otherwise the picture has said it
            self.show_state()

    def show(self, result: Any) -> None:
        """Make a result the last one and have it sent."""
        self.result = result
        self.failure = None
        self.finished_at = time.monotonic()
        self.show_picture()
        self._renew_curves()
        (self.holder or self).picture_due(training=self.session.training)

    def fail(self, error: BaseException, step: int) -> None:
        """Show a failure in the view; the last good picture stays."""
        name, words = type(error).__name__, text_of(error)
        self.failure = (f"{name}: {words}" if words else name, step)
        self.show_state()

    def on_display(self) -> None:
        self.shown = True

    def show_picture(self) -> None:
        self.panel.post(self._picture_frame)

    def show_state(self) -> None:
        self.panel.post(lambda: Frame(self.header(), channel="state"), channel="state")

    def _picture_frame(self) -> Frame:
        frame = self.picture(self.result) if self.result is not None else Frame({})
        return Frame({**self.header(), **frame.header}, frame.arrays)

    def header(self) -> Header:
        """What every frame says (CommonHeader in js/src/kernel/panel.ts)."""
        result, status = self.result, self.session.status()
        title, is_code, subtitle = self.title(result)
        return {
            "title": title,
            "title_is_code": is_code,
            "subtitle": subtitle,
            "caption": self.whole_caption(result) if result is not None else [],
            "step": result.step if result is not None else None,
            "age_s": 0.0 if self.finished_at is None else time.monotonic() - self.finished_at,
            "training": status.training,
            "training_step": status.step,
            "stale_after_s": status.stale_after_s,
            "state": state_line(self),
            "options": self.option_specs(),
            "standalone": self.standalone,
            "own_picture": (self.holder or self).leaves_picture,
            # Without the selected samples, which may be all there are: an embedding sends them when they change.
            "selection": {name: getattr(self.session.selection, name) for name in SELECTABLE if name != "selected"},
        }

    def _renew_curves(self) -> None:
        # They take some arithmetic over the whole history, which a thread that handles clicks has no time for.
        PUBLISHER.update(self.panel, self._draw_curves)

    def _draw_curves(self) -> int:
        if self.result is not None and self._joined:
            self.curves(self.result)
        return 0

    # What changes what is shown.

    def _option_changed(self, _change: Bunch) -> None:
        self._renew()

    def _selected(self, _change: Bunch) -> None:
        self._renew()

    def _renew(self) -> None:
        """Ask again when what is asked for has changed, else draw the last result anew; a hidden tab when shown."""
        if self.session.closed or not (self.standalone or self.shown):
            return
        if self.ask() != self._asked:
            self.refresh()
        self.show_picture()
        if self.result is not None:
            self._renew_curves()

    def _probed(self) -> None:
        if self.result is not None:
            self.show_picture()
            self._renew_curves()

    def _hello(self) -> None:
        self.shown = True
        for widget in self.children:
            if isinstance(widget, Curves):
                widget.appear()
        self.show_picture()
        if self._missed_the_end():
            self.refresh()
        elif self.result is None or (self.session.model_changed() and not self.session.training):
            self.show_state()

    def _missed_the_end(self) -> bool:
        """Whether a training ended while nobody looked at this view, so that its picture is of an older step."""
        session, result = self.session, self.result
        if result is None or self.running is not None or not self.on_screen or session.training or session.paused:
            return False
        return result.step is not None and result.step != session.status().step and not session.model_changed()
