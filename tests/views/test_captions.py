"""Every picture says what it is, in every state, on the page and in the saved notebook; names are never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from nnwidgets.training.snapshot import Snapshot
from nnwidgets.views._view import View
from tests.nets import NETS, Training
from tests.views.reading import MARKUP, VIEWS, in_picture, make, on_page, plain
from tests.waiting import answered, command, eventually, frame, inspecting, shown


def expected(view: View, stem: str, *, step: str) -> list[str]:
    """What the words of a view have to contain; its result is of layer "1", sample 7."""
    common = [step, "eval mode"]
    return (
        common
        + {
            "activations": ["1", "Sample 7", "label 2", "4 maps of 6 × 6", "one scale for the layer"],
            "filters": ["0", "4 filters of 3 × 3", "one scale for the layer", "1 has no filters"],
            "occlusion": ["Sample 7", "label 2", "4 × 4 square is covered with 0", "stride 4, exact"],
            "embedding": ["1", "sampled 20 of 96 samples", "t-SNE", "axes have no unit"],
        }[stem]
    )


def assert_says(view: View, stem: str, *, step: str) -> None:
    """The page, the caption and the drawn picture each say all of it."""
    page, caption, picture = on_page(view), plain(view.caption_text(view.result)), in_picture(view)
    for part in expected(view, stem, step=step):
        part = plain(part)
        assert part in page, (part, page)
        assert part in caption, (part, caption)
        assert part in picture, (part, picture)
    if stem != "occlusion":
        assert caption.startswith(f"Layer {view.result.layer}")
        assert frame(view)[0]["title"] == view.result.layer
    if stem in ("activations", "filters"):
        header = frame(view)[0]
        assert header["detail_title"] == f"Unit {header['unit']}"
    if stem == "occlusion":
        assert f"Map {view.result.unit} of `1`" in [panel["title"] for panel in frame(view)[0]["panels"]]


@pytest.mark.parametrize("stem", VIEWS)
def test_a_live_picture_without_a_watch_says_that_no_training_is_watched(inspector: nnw.Inspector, stem: str) -> None:
    view = make(inspector, stem)
    shown(view)
    assert frame(view)[0]["state"]["kind"] == "live"
    assert_says(view, stem, step="no training watched")


@pytest.mark.parametrize("stem", VIEWS)
def test_a_live_picture_names_the_step_of_its_weights(inspector: nnw.Inspector, training: Training, stem: str) -> None:
    view = make(inspector, stem)
    with inspector.watch(training.optimizer):
        for _ in range(3):
            training.step()
    view.refresh()
    assert shown(view).step == 3
    assert_says(view, stem, step="step 3")


def test_long_numbers_are_grouped(inspector: nnw.Inspector) -> None:
    view = make(inspector, "activations")
    result = replace(shown(view), step=1_240)
    assert view.caption_text(result).endswith("step 1\u202f240")


def test_an_occlusion_view_warns_of_nan_scores_and_says_where_the_first_is(
    inspector: nnw.Inspector, training: Training
) -> None:
    view = make(inspector, "occlusion")
    shown(view)
    assert not [odd for _text, odd in frame(view)[0]["caption"] if odd]
    with torch.no_grad():
        next(training.model.parameters())[0] = torch.nan
    assert command(view, "refresh") is None
    shown(view)
    positions = view.result.map.computed.numel()
    notes = [
        "NaN scores without a square",
        f"NaN scores at {positions} of {positions} positions, first with the square at row 0, col 0",
    ]
    assert [text for text, odd in frame(view)[0]["caption"] if odd] == notes
    for note in notes:
        assert note in plain(view.caption_text(view.result))
        assert note in in_picture(view)
    infinite = replace(view.result.map, notes=("infinite scores without a square",))
    assert ("infinite scores without a square", False) in view.caption(replace(view.result, map=infinite))


@pytest.mark.parametrize("stem", VIEWS)
def test_before_the_first_picture_a_view_names_its_subject_and_waits(inspector: nnw.Inspector, stem: str) -> None:
    inspector._session.pause(True)
    view = make(inspector, stem)
    inspector._session.paused = False
    header, arrays = frame(view)
    assert arrays == {}
    assert header["state"]["kind"] == "waiting"
    assert header["state"]["actions"] == ["refresh"]
    assert (header["step"], header["caption"]) == (None, [])
    assert header["title"] == {"filters": "0", "occlusion": "Sample 7"}.get(stem, "1")
    with pytest.raises(RuntimeError, match=f"{stem}: expected a result to draw, got none yet"):
        view.figure()


@pytest.mark.parametrize("stem", ["activations", "occlusion"])
def test_a_sample_that_is_not_read_yet_is_waited_for_by_name(training: Training, stem: str) -> None:
    data = list(zip(training.net.inputs, training.net.labels, strict=True))
    with inspecting(training.model, data, probe=[1, 2, 3]) as inspector:
        view = make(inspector, stem)
        old = shown(view)
        inspector.selection.sample = 50
        header, _ = frame(view)
        assert header["state"]["kind"] == "waiting"
        assert header["state"]["text"] == "Sample 50 is read at the next step"
        assert plain(f"Sample {old.sample}") in on_page(view)
        assert "Sample 50" not in on_page(view)
        assert shown(view).sample == 50
        assert frame(view)[0]["state"]["kind"] == "live"
        assert "Sample 50" in on_page(view)


@pytest.mark.parametrize("stem", VIEWS)
def test_while_it_computes_the_caption_stays_that_of_the_picture(inspector: nnw.Inspector, stem: str) -> None:
    view = make(inspector, stem)
    shown(view)
    view.progress(0.3, "Covering 3 of 9 positions")
    state = frame(view)[0]["state"]
    assert (state["kind"], state["progress"], state["actions"]) == ("computing", 0.3, ["cancel"])
    assert_says(view, stem, step="no training watched")
    view.ended()


@pytest.mark.parametrize("stem", VIEWS)
def test_after_a_failure_the_caption_is_that_of_the_last_good_picture(
    inspector: nnw.Inspector, stem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = make(inspector, stem)
    shown(view)

    def fail(_snapshot: Snapshot, _ask: Any) -> Iterator[Any]:
        raise ValueError(MARKUP)
        yield

    monkeypatch.setattr(view, "compute", fail)
    view.refresh()
    answered(view)
    state = frame(view)[0]["state"]
    assert (state["kind"], state["text"], state["error"]) == ("failed", "Failed.", f"ValueError: {MARKUP}")
    assert state["actions"] == ["copy", "retry"]
    assert_says(view, stem, step="no training watched")
    monkeypatch.undo()
    assert command(view, "retry") is None
    shown(view)
    assert frame(view)[0]["state"]["kind"] == "live"


def test_a_failure_during_training_names_its_step_and_says_that_training_goes_on(
    inspector: nnw.Inspector, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = make(inspector, "activations")
    shown(view)

    def fail(_snapshot: Snapshot, _ask: Any) -> Iterator[Any]:
        raise ValueError("made for this test")
        yield

    monkeypatch.setattr(view, "compute", fail)
    with inspector.watch(training.optimizer):
        training.step()
        view.refresh()
        eventually(lambda: training.step() is not None and view.failure is not None, "a failure")
        text = frame(view)[0]["state"]["text"]
    assert re.fullmatch(r"Failed at step \d+\. Training goes on\.", plain(text).replace(" ", " ")), text


@pytest.mark.parametrize("stem", VIEWS)
def test_paused_the_picture_keeps_its_caption_and_picks_wait_for_resume(inspector: nnw.Inspector, stem: str) -> None:
    view = make(inspector, stem)
    view.shown = True
    shown(view)
    assert command(view, "pause") is None
    inspector.selection.update(layer="2", sample=9)
    answered(view)
    header = frame(view)[0]
    assert (header["state"]["kind"], header["state"]["text"]) == ("paused", "Paused")
    assert header["state"]["actions"] == ["resume"]
    inspector.selection.update(layer="1", sample=7)
    assert_says(view, stem, step="no training watched")
    inspector.selection.update(layer="2", sample=9)
    assert command(view, "resume") is None
    result = shown(view)
    assert frame(view)[0]["state"]["kind"] == "live"
    if stem in ("activations", "embedding"):
        assert result.layer == "2"
    if stem == "occlusion":
        assert result.sample == 9


@pytest.mark.parametrize("stem", VIEWS)
def test_a_model_changed_without_a_watch_makes_the_picture_say_so(
    inspector: nnw.Inspector, training: Training, stem: str
) -> None:
    view = make(inspector, stem)
    shown(view)
    training.step()
    state = frame(view)[0]["state"]
    assert (state["kind"], state["text"]) == ("changed", "The model has changed since this picture")
    assert_says(view, stem, step="no training watched")
    assert command(view, "refresh") is None
    shown(view)
    assert frame(view)[0]["state"]["kind"] == "live"


class Closed(nn.Module):
    """Calls its own layers by a function made in `__init__`, which no copy can rebind."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.body = NETS["cnn"].build()
        self.whole = lambda x: self.body(self.norm(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.whole(x)  # type: ignore[no-any-return, no-untyped-call]


@pytest.mark.parametrize("stem", VIEWS)
def test_a_model_that_cannot_be_watched_is_refused_with_the_reason(stem: str) -> None:
    with inspecting(Closed(), (NETS["cnn"].inputs, NETS["cnn"].labels), probe=8) as inspector:
        assert inspector._session.refusal
        view = make(inspector, stem)
        answered(view)
        header, arrays = frame(view)
        assert header["state"]["kind"] == "refused"
        assert header["state"]["text"] == "This model can't be watched."
        assert header["state"]["detail"] == inspector._session.refusal
        assert (arrays, view.result) == ({}, None)
