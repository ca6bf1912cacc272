"""A training under our views with nobody but us on the other side: a page that takes and acknowledges every frame.

What a real page costs the kernel is all paid: frames are packed and made into JSON, curves are updated, and the picture
kept in the notebook is drawn at its usual pace. Only the sockets are missing.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import nnwidgets as nnw
from nnwidgets.display.dashboard import Dashboard
from nnwidgets.display.panel import Panel
from nnwidgets.display.saved_picture import LeavesPicture
from nnwidgets.display.view import View
from nnwidgets.display.wire import Frame
from nnwidgets.training.tasks import Job
from nnwidgets.training.worker import Snapshot
from tests.benchmarks.workloads import Training
from tests.training.toys import flush

PATIENCE_S = 60.0
WARM_UPS = 3
PING_S = 2.0


def attach_page(panel: Panel) -> None:
    """Let the panel believe in a page that is visible and draws at once."""

    def send(content: dict[str, Any], _buffers: object = None) -> None:
        json.dumps(content)
        if content["kind"] == "frame":
            panel._receive(panel, {"kind": "ack", "seq": content["seq"]}, [])

    panel.send = send
    panel._receive(panel, {"kind": "hello", "width": 900}, [])


def keep_picture(widget: LeavesPicture) -> None:
    """Have the picture for the saved notebook drawn as if the widget were displayed, and thrown away."""
    widget._keep_picture("benchmark")
    widget._publish = lambda png, *, update: None  # type: ignore[method-assign]


class Deliveries:
    """Says when the page of a view has got a result's picture."""

    def __init__(self, view: View) -> None:
        self._wanted: Callable[[Any], bool] | None = None
        self._arrived = threading.Event()
        self._at = 0.0
        deliver = view.panel.deliver

        def note(frame: Frame, seq: int) -> None:
            # Read first: what is laid out meanwhile is not in this frame.
            laid, wanted = view.job.laid, self._wanted
            deliver(frame, seq)
            if frame.blocks is None or laid is None or frame.blocks is not laid.packed:
                return
            if wanted is not None and wanted(laid.shown.result):
                self._at = time.perf_counter()
                self._wanted = None
                self._arrived.set()

        view.panel.deliver = note  # type: ignore[method-assign]

    def seconds_after(self, click: Callable[[], object], wanted: Callable[[Any], bool]) -> float:
        """Seconds from before the click until a picture of a wanted result was sent.

        Raises:
            TimeoutError: none was.
        """
        self._arrived.clear()
        self._wanted = wanted
        begin = time.perf_counter()
        click()
        if not self._arrived.wait(PATIENCE_S):
            raise TimeoutError(f"expected an answer to a click within {PATIENCE_S:.0f} s, got none")
        return self._at - begin


class Refreshes:
    """Counts the refreshes that a job finishes."""

    def __init__(self, job: Job) -> None:
        self.finished = 0
        work = job.work

        def counted(snapshot: Snapshot) -> Iterator[None]:
            yield from work(snapshot)
            self.finished += 1

        job.work = counted  # type: ignore[method-assign]


class Watched:
    """A training with an inspector, a watch at the default budget, and views on screen.

    `rest()` stops all of ours and `wake()` lets it go on as if no time had passed, so that other variants can be
    measured in between.
    """

    def __init__(self, training: Training, *, everything: bool = False) -> None:
        self.inspector = nnw.Inspector(training.model, (training.inputs, training.labels))
        self.dashboard: Dashboard | None = None
        if everything:
            views: list[View] = [self.inspector.activations(), self.inspector.filters(), self.inspector.embedding()]
            if training.workload.pictures:
                views.append(self.inspector.occlusion())
            pictured: list[LeavesPicture] = [*views]
        else:
            self.dashboard = self.inspector.dashboard()
            views = [self.dashboard.views["activations"]]
            pictured = [self.dashboard]
            attach_page(self.dashboard.panel)
        for view in views:
            attach_page(view.panel)
        for each in pictured:
            keep_picture(each)
        session = self.inspector._session
        self.refreshes = {view.name: Refreshes(view.job) for view in views} | {"probe": Refreshes(session.probe)}
        self.views = views
        self._pictured = pictured
        self._warm_up()
        self._closed = threading.Event()
        threading.Thread(target=self._ping, name="page", daemon=True).start()
        self.watch = self.inspector.watch(training.optimizer)
        self._held = contextlib.ExitStack()
        self._rested_at = 0.0

    def _warm_up(self) -> None:
        """Refresh everything before the training begins, which is free: the first times pay for imports and caches."""
        for _ in range(WARM_UPS):
            self.inspector.refresh()
            if not flush(self.inspector._session.worker, PATIENCE_S):
                raise TimeoutError(f"expected every view to be refreshed within {PATIENCE_S:.0f} s")
        until = time.monotonic() + PATIENCE_S
        while any(each._pictured_at < 0 for each in self._pictured) and time.monotonic() < until:
            time.sleep(PING_S / 10)
        flush(self.inspector._session.worker, PATIENCE_S)  # the last picture is being drawn
        if not all(each.finished for each in self.refreshes.values()):
            raise RuntimeError("expected every view to have a result before the training, some have none")

    def rest(self) -> None:
        self._held.enter_context(self.watch.paused())
        self._rested_at = time.monotonic()

    def wake(self) -> None:
        rested = time.monotonic() - self._rested_at
        for each in self._pictured:
            each._pictured_at += rested
        self.watch.budget.last_step_at = time.monotonic()  # the time in between was no training and earns nothing
        self._held.close()

    def counts(self) -> dict[str, float]:
        """Refreshes so far, and the watch's own books: seconds of training and of ours."""
        budget = self.watch.budget
        books = {"training_s": budget.training_s, "spent_s": budget.spent_s}
        return {name: each.finished for name, each in self.refreshes.items()} | books

    def _ping(self) -> None:
        # As pages do: one that says nothing for long is taken for closed.
        panels = [view.panel for view in self.views] + ([self.dashboard.panel] if self.dashboard else [])
        while not self._closed.wait(PING_S):
            for panel in panels:
                panel._receive(panel, {"kind": "ping"}, [])

    def close(self) -> None:
        self._closed.set()
        self._held.close()
        self.inspector.close()
