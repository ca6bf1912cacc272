"""What nobody looks at is not computed, but for the statistics over training, so that their curves have no holes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import torch

import nnwidgets as nnw
from nnwidgets.display.dashboard import Dashboard
from nnwidgets.display.view import View
from nnwidgets.measures import statistics
from nnwidgets.training.worker import Job, Snapshot
from tests.nets import NETS, Training
from tests.test_exactness import Counted
from tests.training.toys import flush
from tests.views.every import EVERY, make
from tests.waiting import DEADLINE_S, inspecting, tell

pytestmark = pytest.mark.alone
EVERY_S = 0.2
OFTEN = 20


class Other(Job):
    """Wanted all along: when it was done so often, whatever else is wanted has had its turn."""

    name = "other"
    done = 0

    def wanted(self) -> bool:
        return True

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        self.done += 1
        yield

    def failed(self, error: BaseException, step: int) -> None:
        raise AssertionError from error


@pytest.fixture(name="training")
def training_() -> Training:
    torch.manual_seed(0)
    return Training(NETS["cnn"])


@pytest.fixture(name="inspector")
def inspector_(training: Training, monkeypatch: pytest.MonkeyPatch) -> Iterator[nnw.Inspector]:
    monkeypatch.setattr(statistics, "UNSEEN_EVERY_S", EVERY_S)
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=16) as inspector:
        yield inspector


def train(training: Training, until: Callable[[], bool]) -> None:
    """Train until the condition holds."""
    end = time.monotonic() + DEADLINE_S
    while not until():
        assert time.monotonic() < end
        training.step()


def train_on(training: Training, inspector: nnw.Inspector) -> None:
    """Train long enough for everything that is wanted to be done, and what is due now and then as well."""
    other = Other()
    inspector._session.worker.add(other)
    end = time.monotonic() + 2 * EVERY_S
    train(training, lambda: other.done >= OFTEN and time.monotonic() > end)
    inspector._session.worker.remove(other)


def recorded(inspector: nnw.Inspector) -> int:
    latest = inspector._session.record.latest
    return -1 if latest is None else latest.step


@pytest.mark.parametrize("kind", ["activations", "dashboard"])
def test_statistics_are_recorded_now_and_then_while_nobody_looks(
    training: Training, inspector: nnw.Inspector, kind: str
) -> None:
    view: View | Dashboard = getattr(inspector, kind)()
    view.on_display()
    shown = view if isinstance(view, View) else view.views["activations"]
    for panel in {view.panel, shown.panel}:
        tell(panel, {"kind": "visible", "visible": False})
    assert not shown.on_screen
    with inspector.watch(training.optimizer, budget=1.0):
        train(training, lambda: recorded(inspector) > 0)
        first, began = recorded(inspector), time.monotonic()
        train(training, lambda: recorded(inspector) > first)
        assert time.monotonic() - began >= 0.5 * EVERY_S, "as often as if somebody looked"
        # None of the training; a first picture was made when the view was.
        assert shown.result is None or shown.result.step is None
        inspector._session.pause(True)
        train_on(training, inspector)  # one that runs may come to its end
        paused = recorded(inspector)
        train_on(training, inspector)
        assert recorded(inspector) == paused


def test_nothing_is_recorded_for_views_that_were_never_displayed(training: Training, inspector: nnw.Inspector) -> None:
    inspector.activations()
    before = recorded(inspector)
    with inspector.watch(training.optimizer, budget=1.0):
        train_on(training, inspector)
    assert recorded(inspector) == before


@pytest.mark.parametrize("name", EVERY)
def test_a_view_that_nobody_sees_is_not_computed(training: Training, inspector: nnw.Inspector, name: str) -> None:
    counted = Counted(make(inspector, name, **({"method": "pca"} if name == "embedding" else {})))
    view = counted.view
    view.shown = False
    flush(inspector._session.worker, DEADLINE_S)
    before = counted.finished
    with inspector.watch(training.optimizer, budget=1.0):
        train_on(training, inspector)
        assert counted.finished == before
        view.on_display()
        train(training, lambda: counted.finished > before + 1)
        tell(view.panel, {"kind": "visible", "visible": False})
        train_on(training, inspector)  # what runs ends
        last = counted.finished
        train_on(training, inspector)
        assert counted.finished == last
