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
from nnwidgets.display.kept import Shown
from nnwidgets.display.view import Strong, View
from tests.nets import NETS, Training
from tests.views.every import EVERY, make
from tests.views.reading import MARKUP, caption_of, in_picture, odd_parts, on_page, plain
from tests.waiting import answered, command, eventually, frame, inspecting, page, shown, unanswered


def expected(view: View, *, step: str) -> list[str]:
    """What the words of a view have to contain; its result is of layer "1", sample 7."""
    own: dict[str, list[str]] = {
        "activations": ["1", "Sample 7", "label 2", "4 maps of 6 × 6", "one scale for the layer"],
        "filters": ["0", "4 filters of 3 × 3", "one scale for the layer", "1 has no filters"],
        "occlusion": ["Sample 7", "label 2", "4 × 4 square is covered with zero", "stride 4, exact"],
        "embedding": ["1", "sampled 20 of 96 samples", "t-SNE", "axes have no unit"],
        "uncertainty": ["Uncertainty", "entropy of 20 samples"],
    }
    return [step, "eval mode", view.heading(view.result).title, *own.get(view.name, [])]


def assert_says(view: View, *, step: str) -> None:
    """The page, the caption and the drawn picture each say all of it."""
    on_show, caption, picture = on_page(view), caption_of(view), in_picture(view)
    for part in expected(view, step=step):
        part = plain(part)
        assert part in on_show, (part, on_show)
        assert part in caption, (part, caption)
        assert part in picture, (part, picture)
    header, blocks = frame(view)[0], page(view)
    if header["title_is_code"]:
        assert caption.startswith(f"Layer {view.result.layer}")
        assert header["title"] == view.result.layer
    for block in blocks.values():
        if block["kind"] == "grid" and block["column"]:
            assert block["detail_title"] == f"Unit {block['selected']}"
    if view.name == "occlusion":
        assert f"Map {view.result.unit} of `1`" in [panel["title"] for panel in blocks["heat"]["panels"]]


@pytest.mark.parametrize("name", EVERY)
def test_a_live_picture_without_a_watch_says_that_no_training_is_watched(inspector: nnw.Inspector, name: str) -> None:
    view = make(inspector, name)
    shown(view)
    assert frame(view)[0]["state"]["kind"] == "live"
    assert_says(view, step="current weights")


@pytest.mark.parametrize("name", EVERY)
def test_a_live_picture_names_the_step_of_its_weights(inspector: nnw.Inspector, training: Training, name: str) -> None:
    view = make(inspector, name)
    with inspector.watch(training.optimizer):
        for _ in range(3):
            training.step()
    view.refresh()
    shown(view)
    assert view.newest is not None
    assert (view.newest.step, frame(view)[0]["step"]) == (3, 3)
    assert_says(view, step="step 3")


def test_long_numbers_are_grouped(inspector: nnw.Inspector) -> None:
    view = make(inspector, "activations")
    view.job.kept.add(view.question(), Shown(shown(view), 1_240))
    view.job.lay_out()
    assert frame(view)[0]["caption"][-1][0] == "step 1\u202f240"


def test_an_occlusion_view_refuses_nan_scores_and_tells_of_infinite_ones(
    inspector: nnw.Inspector, training: Training
) -> None:
    view = make(inspector, "occlusion")
    shown(view)
    assert odd_parts(view) == []
    with torch.no_grad():
        next(training.model.parameters())[0] = torch.nan
    assert command(view, "refresh") is None
    answered(view)
    assert view.failure is not None
    assert "scores of sample 7: expected finite values, got NaN" in view.failure[0]
    infinite = replace(view.result.map, notes=("infinite scores without a square",))
    parts = view.caption(replace(view.result, map=infinite))
    assert "infinite scores without a square" in [part for part in parts if not isinstance(part, Strong)]


@pytest.mark.parametrize("name", EVERY)
def test_before_the_first_picture_a_view_names_its_subject_and_waits(inspector: nnw.Inspector, name: str) -> None:
    with unanswered(inspector):
        view = make(inspector, name)
    header, arrays = frame(view)
    assert arrays == {}
    assert header["state"]["kind"] == "computing"
    assert header["state"]["text"] == f"{view.asked_for()}: next in line"
    assert header["state"]["actions"] == ["cancel"]
    assert (header["step"], header["caption"]) == (None, [])
    assert header["title"] == view.heading(None).title
    assert header["blocks"] == []
    with pytest.raises(RuntimeError, match=f"{name}: expected a result to draw, got none yet"):
        view.figure()


@pytest.mark.parametrize("name", ["activations", "occlusion"])
def test_a_sample_that_is_not_read_yet_is_waited_for_by_name(training: Training, name: str) -> None:
    data = list(zip(training.net.inputs, training.net.labels, strict=True))
    with inspecting(training.model, data, probe=[1, 2, 3]) as inspector:
        view = make(inspector, name)
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


@pytest.mark.parametrize("name", EVERY)
def test_while_it_computes_the_caption_stays_that_of_the_picture(inspector: nnw.Inspector, name: str) -> None:
    view = make(inspector, name)
    shown(view)
    view.job.running = (0.3, "Covering 3 of 9 positions")
    state = frame(view)[0]["state"]
    assert (state["kind"], state["progress"], state["actions"]) == ("computing", 0.3, ["cancel"])
    assert_says(view, step="current weights")


@pytest.mark.parametrize("name", EVERY)
def test_after_a_failure_the_caption_is_that_of_the_last_good_picture(
    inspector: nnw.Inspector, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = make(inspector, name)
    shown(view)

    def fail(*_measured: Any) -> Iterator[Any]:
        raise ValueError(MARKUP)
        yield

    monkeypatch.setattr(view, "compute", fail)
    view.refresh()
    answered(view)
    state = frame(view)[0]["state"]
    assert (state["kind"], state["text"], state["error"]) == ("failed", "Failed.", f"ValueError: {MARKUP}")
    assert state["actions"] == ["copy", "retry"]
    assert_says(view, step="current weights")
    monkeypatch.undo()
    assert command(view, "retry") is None
    shown(view)
    assert frame(view)[0]["state"]["kind"] == "live"


def test_a_failure_during_training_names_its_step_and_says_that_training_goes_on(
    inspector: nnw.Inspector, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = make(inspector, "activations")
    shown(view)

    def fail(*_measured: Any) -> Any:
        raise ValueError("made for this test")

    monkeypatch.setattr(view, "compute", fail)
    with inspector.watch(training.optimizer):
        training.step()
        view.refresh()
        eventually(lambda: training.step() is not None and view.failure is not None, "a failure")
        text = frame(view)[0]["state"]["text"]
    assert re.fullmatch(r"Failed at step \d+\. Training goes on\.", plain(text).replace(" ", " ")), text


@pytest.mark.parametrize("name", EVERY)
def test_paused_clicks_are_answered_and_the_state_says_so(inspector: nnw.Inspector, name: str) -> None:
    view = make(inspector, name)
    view.shown = True
    shown(view)
    assert command(view, "pause") is None
    inspector.selection.update(layer="2", sample=9)
    answered(view)
    header = frame(view)[0]
    assert (header["state"]["kind"], header["state"]["text"]) == ("paused", "Paused")
    assert header["state"]["actions"] == ["resume"]
    result = shown(view)
    if name in ("activations", "embedding"):
        assert result.layer == "2"
    if name in ("activations", "occlusion"):
        assert result.sample == 9
    assert command(view, "resume") is None
    assert shown(view) is not None
    assert frame(view)[0]["state"]["kind"] == "live"


@pytest.mark.parametrize("name", EVERY)
def test_a_model_changed_without_a_watch_makes_the_picture_say_so(
    inspector: nnw.Inspector, training: Training, name: str
) -> None:
    view = make(inspector, name)
    shown(view)
    training.step()
    state = frame(view)[0]["state"]
    assert (state["kind"], state["text"]) == ("changed", "The model has changed since this picture")
    assert_says(view, step="current weights")
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


@pytest.mark.parametrize("name", EVERY)
def test_a_model_that_cannot_be_watched_is_refused_with_the_reason(name: str) -> None:
    with inspecting(Closed(), (NETS["cnn"].inputs, NETS["cnn"].labels), probe=8) as inspector:
        assert inspector._session.unsupported_reason
        view = make(inspector, name)
        answered(view)
        header, arrays = frame(view)
        assert header["state"]["kind"] == "refused"
        assert header["state"]["text"] == "This model can't be watched."
        assert header["state"]["detail"] == inspector._session.unsupported_reason
        assert (arrays, view.result, header["options"]) == ({}, None, [])
