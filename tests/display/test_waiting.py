"""In a script a view is waited for; without a picture it says what is in the way, what failed or what it waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import nnwidgets as nnw
from nnwidgets import blocks, measures
from tests.nets import NETS
from tests.views.every import EVERY, make
from tests.waiting import inspecting, unanswered

NET = NETS["cnn"]
IN_CODE = list(zip(NET.inputs, NET.labels, strict=True))  # read by the user's code only


class Failing(nnw.View):
    """Fails when it is told to."""

    name, title = "failing", "Failing"
    fails = nnw.choice(True, False)

    def needs(self) -> measures.Measure:
        return measures.Weights("0")

    def compute(self, read: Any) -> Any:
        if self.fails:
            raise ZeroDivisionError("made for this test")
        return read

    def layout(self, result: Any) -> list[blocks.Block]:
        return [blocks.Text("In words.")]


@pytest.fixture(name="inspector")
def inspector_() -> Iterator[nnw.Inspector]:
    torch.manual_seed(0)
    with inspecting(NET.build(), IN_CODE, probe=8) as inspector:
        yield inspector


@pytest.mark.parametrize("name", EVERY)
def test_a_view_of_samples_not_read_yet_is_there_after_waiting(inspector: nnw.Inspector, name: str) -> None:
    view = make(inspector, name).wait()
    assert view.result is not None
    assert not view.outdated
    assert view.job.running is None
    assert view.figure().axes


def test_what_is_waited_for_is_what_was_asked_for_last(inspector: nnw.Inspector) -> None:
    view = inspector.embedding(points=30).wait()
    assert view.result.embedding.method == "tsne"
    view.method = "pca"
    assert view.wait().result.embedding.method == "pca"


def test_waiting_ends_with_the_time_given(inspector: nnw.Inspector) -> None:
    with unanswered(inspector):
        view = inspector.filters()
        with pytest.raises(TimeoutError, match=r"^filters: expected a result within 0\.05 s, got none$"):
            view.wait(0.05)
    with pytest.raises(TypeError, match="timeout_s: expected seconds, got 'long'"):
        view.wait("long")  # type: ignore[arg-type]


def test_a_view_that_failed_says_with_what() -> None:
    with inspecting(NET.build(), NET.inputs[:8], probe=4) as inspector:
        view, words = inspector.view(Failing), r"ZeroDivisionError: made for this test \(line \d+, in compute\)"
        with pytest.raises(RuntimeError, match=f"^failing: expected a result to draw, got none: it failed: {words}$"):
            view.wait()
        for draw in (view.figure, nnw.row(view).figure, inspector.dashboard(views=Failing).figure):
            with pytest.raises(RuntimeError, match=words):
                draw()
        view.fails = False
        assert view.wait().figure() is not None


def test_a_view_that_can_not_work_here_says_why() -> None:
    with inspecting(torch.nn.Linear(5, 1), torch.rand(8, 5), probe=4) as inspector:
        view = inspector.occlusion()
        words = "^occlusion: expected a result to draw, got none: " + re.escape(view.blocked_reason)
        for ask in (view.wait, view.figure, inspector.dashboard(views="occlusion").figure):
            with pytest.raises(RuntimeError, match=words):
                ask()


def test_a_view_that_is_closed_cancelled_or_paused_says_so(inspector: nnw.Inspector) -> None:
    with unanswered(inspector):
        view = inspector.filters()
        view.cancel()
        with pytest.raises(RuntimeError, match=r"got none: it was cancelled; call refresh\(\)"):
            view.wait()
        inspector._session.pause(True)
        with pytest.raises(RuntimeError, match="got none: the views are paused"):
            view.figure()
        inspector.close()
        with pytest.raises(RuntimeError, match="got none: the view is closed; make a new one"):
            view.wait()


def test_a_view_that_waits_for_samples_says_for_which(inspector: nnw.Inspector) -> None:
    view = inspector.activations(sample=60)
    with pytest.raises(RuntimeError, match=r"none yet \(Sample 60 is read at the next step\); call wait\(\)"):
        view.figure()
    assert view.wait().result.sample == 60
