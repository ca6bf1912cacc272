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
from tests.nets import NETS, Training
from tests.waiting import inspecting, tell

pytestmark = pytest.mark.alone
EVERY_S = 0.2


@pytest.fixture(name="training")
def training_() -> Training:
    torch.manual_seed(0)
    return Training(NETS["cnn"])


@pytest.fixture(name="inspector")
def inspector_(training: Training, monkeypatch: pytest.MonkeyPatch) -> Iterator[nnw.Inspector]:
    monkeypatch.setattr(statistics, "UNSEEN_EVERY_S", EVERY_S)
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=16) as inspector:
        yield inspector


def train(training: Training, until: Callable[[], bool], *, at_most_s: float) -> bool:
    """Train until the condition holds; whether it came to that."""
    end = time.monotonic() + at_most_s
    while not until() and time.monotonic() < end:
        training.step()
    return until()


def recorded(inspector: nnw.Inspector) -> int:
    latest = inspector._session.record.latest
    return -1 if latest is None else latest.step


@pytest.mark.parametrize("kind", ["activations", "dashboard"])
def test_statistics_are_recorded_now_and_then_while_nobody_looks(
    training: Training, inspector: nnw.Inspector, kind: str
) -> None:
    view: View | Dashboard = getattr(inspector, kind)()
    view.on_display()
    panels = [view.panel] if isinstance(view, View) else [view.panel, view.views["activations"].panel]
    for panel in panels:
        tell(panel, {"kind": "visible", "visible": False})
    shown = view if isinstance(view, View) else view.views["activations"]
    assert not shown.on_screen
    with inspector.watch(training.optimizer, budget=1.0):
        assert train(training, lambda: recorded(inspector) > 0, at_most_s=60)
        first, began = recorded(inspector), time.monotonic()
        assert train(training, lambda: recorded(inspector) > first, at_most_s=60)
        assert time.monotonic() - began >= 0.5 * EVERY_S, "as often as if somebody looked"
        # None of the training; a first picture was made when the view was.
        assert shown.result is None or shown.result.step is None
        inspector._session.pause(True)
        train(training, lambda: False, at_most_s=EVERY_S)  # one that runs may come to its end
        paused = recorded(inspector)
        assert not train(training, lambda: recorded(inspector) > paused, at_most_s=5 * EVERY_S)


def test_nothing_is_recorded_for_views_that_were_never_displayed(training: Training, inspector: nnw.Inspector) -> None:
    inspector.activations()
    before = recorded(inspector)
    with inspector.watch(training.optimizer, budget=1.0):
        assert not train(training, lambda: recorded(inspector) > before, at_most_s=5 * EVERY_S)
