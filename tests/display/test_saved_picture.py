"""When the picture that the notebook keeps is drawn: soon after the last result, and by turns beside a training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import nnwidgets as nnw
from nnwidgets.display import saved_picture
from nnwidgets.display.view import View
from nnwidgets.session import Session
from nnwidgets.training.worker import Worker
from tests.waiting import command, shown


class Drawings:
    """The worker's place: for when pictures were asked of it, and a drawing that costs nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.delays: list[float] = []
        self.drawn: list[object] = []
        monkeypatch.setattr(Worker, "call", self.call)
        monkeypatch.setattr(View, "_publish", lambda view, png, *, update: self.drawn.append(view))
        monkeypatch.setattr(saved_picture, "png_of", lambda figure: b"")

    def call(self, key: Any, function: Any, *, delay_s: float = 0.0, over_s: float = 0.0) -> None:
        if key[1] == "picture":
            assert over_s == saved_picture.PICTURE_EVERY_S
            self.delays.append(delay_s)


@pytest.fixture
def views() -> Iterator[list[View]]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 36, 3))
    inspector = nnw.Inspector(model, (torch.rand(8, 1, 8, 8), torch.arange(8) % 3))
    yield [inspector.activations(), inspector.filters(), inspector.activations(layer="3")]
    inspector.close()


def test_kept_pictures_take_turns_while_a_model_trains(views: list[View], monkeypatch: pytest.MonkeyPatch) -> None:
    drawings = Drawings(monkeypatch)
    for number, view in enumerate(views):
        view._keep_picture(str(number))
        view._renew_picture()
    assert drawings.drawn == views

    monkeypatch.setattr(Session, "training", True)
    views[0].picture_due()
    assert drawings.delays[-1] == pytest.approx(3 * saved_picture.PICTURE_EVERY_S, abs=1.0)
    # One that was asked for just before the training began waits for its turn, too.
    views[1]._renew_picture()
    assert drawings.drawn == views
    assert drawings.delays[-1] == pytest.approx(3 * saved_picture.PICTURE_EVERY_S, abs=1.0)

    views[0]._pictured_at = time.monotonic() - 3 * saved_picture.PICTURE_EVERY_S
    views[0]._renew_picture()
    assert drawings.drawn == [*views, views[0]]


def test_a_closed_view_takes_no_turn(views: list[View], monkeypatch: pytest.MonkeyPatch) -> None:
    drawings = Drawings(monkeypatch)
    for number, view in enumerate(views):
        view._keep_picture(str(number))
        view._renew_picture()
    views[2].close()
    monkeypatch.setattr(Session, "training", True)
    views[0].picture_due()
    assert drawings.delays[-1] == pytest.approx(2 * saved_picture.PICTURE_EVERY_S, abs=1.0)


def test_the_first_picture_is_drawn_when_a_view_is_displayed(
    views: list[View], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings = Drawings(monkeypatch)
    monkeypatch.setattr(saved_picture, "publish_display_data", lambda bundle: None)
    views[0]._ipython_display_()
    assert drawings.drawn == [views[0]] * 2  # the place for it, and the picture
    assert drawings.delays == []

    monkeypatch.setattr(Session, "training", True)
    views[1]._ipython_display_()
    assert drawings.drawn[2:] == [views[1]]
    assert len(drawings.delays) == 1


def test_soon_after_a_result_the_picture_is_renewed_and_beside_a_training_in_its_turn(
    views: list[View], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings = Drawings(monkeypatch)
    views[0]._keep_picture("first")
    shown(views[0])
    command(views[0], "refresh")
    shown(views[0])
    assert drawings.delays[-1] == saved_picture.SOON_S
    row = nnw.row(views[0], views[1])
    row._keep_picture("row")
    command(views[0], "refresh")
    shown(views[0])
    assert views[0].header()["own_picture"], "the row's"
