"""What the page asks: clicks select for every view, blocks tell their state, cards say what is known of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import nnwidgets as nnw
from nnwidgets import blocks
from nnwidgets.blocks.grid import Grid
from tests.nets import NETS
from tests.views.every import Uncertainty
from tests.waiting import answered, command, decoded, inspecting, page, shown, tell


class Clicks(nnw.View):
    """Notes what was clicked, and selects all that can be selected."""

    name, title = "clicks", "Clicks"

    def compute(self) -> str:
        self.clicks: list[tuple[str, tuple[Any, ...]]] = []
        return "anything"

    def layout(self, result: Any) -> Sequence[Any]:
        return [
            Grid(np.zeros((3, 2, 2)), selected=0),
            (blocks.Bars(np.ones(2), ["a", "b"], key="left"), blocks.Bars(np.ones(1), ["a"], key="right")),
            blocks.Text("Nothing to click."),
        ]

    def clicked(self, block: blocks.Block, *where: Any) -> nnw.Select | None:
        self.clicks.append((block.name, where))
        if block.name == "left":
            return nnw.Select(layer="1", unit=2, sample=5, target=1, selected=(3, 4))
        return nnw.Select(unit=where[0]) if block.name == "grid" else None

    def card_lines(self, result: Any, sample: int) -> Sequence[tuple[str, str]]:
        return [("known as", f"number {sample}"), ("nothing", "")]


@pytest.fixture(name="view")
def view_(inspector: nnw.Inspector) -> Clicks:
    view = inspector.view(Clicks)
    shown(view)
    return view


def click(view: nnw.View, block: str, where: Any) -> str | None:
    return command(view, "click", {"block": block, "where": where})


def test_a_click_is_told_by_block_and_place_and_selects_for_all(inspector: nnw.Inspector, view: Clicks) -> None:
    other = inspector.activations()
    assert click(view, "right", 0) is None
    assert click(view, "left", 1) is None
    assert view.clicks == [("right", (0,)), ("left", (1,))]
    chosen = inspector.selection
    assert (chosen.layer, chosen.unit, chosen.sample, chosen.target, chosen.selected) == ("1", 2, 5, 1, (3, 4))
    assert (shown(other).layer, shown(other).sample) == ("1", 5)


def test_select_leaves_alone_what_it_does_not_name(inspector: nnw.Inspector, view: Clicks) -> None:
    inspector.selection.update(layer="0", sample=3, target=2, selected=[1])
    assert click(view, "grid", 2) is None
    chosen = inspector.selection
    assert (chosen.layer, chosen.unit, chosen.sample, chosen.target, chosen.selected) == ("0", 2, 3, 2, (1,))


def test_the_page_may_unselect_unit_and_target(inspector: nnw.Inspector, view: Clicks) -> None:
    inspector.selection.update(unit=1, target=2, selected=[1])
    assert command(view, "select", {"unit": None, "target": None, "selected": []}) is None
    assert (inspector.selection.unit, inspector.selection.target, inspector.selection.selected) == (None, None, ())


def test_a_click_beside_a_block_or_on_one_without_places_is_refused(view: Clicks) -> None:
    assert "expected a whole number from 0 to 1, got 2" in str(click(view, "left", 2))
    assert click(view, "text", 0) == "click: expected a block with places to click, got text"
    assert click(view, "nowhere", 0) == "block: expected one on show in the clicks view, got 'nowhere'"
    assert view.clicks == []


def test_a_block_keeps_the_state_that_the_page_told_over_new_results(view: Clicks) -> None:
    assert command(view, "block_state", {"block": "grid", "state": {"page": 0, "selected": 0}}) is None
    assert "state: expected" in str(command(view, "block_state", {"block": "text", "state": {"page": 0}}))
    assert command(view, "refresh") is None
    answered(view)
    assert view.job.states == {"grid": {"page": 0, "selected": 0}}


def card(view: nnw.View, index: int) -> tuple[dict[str, Any], dict[str, Any]]:
    sent: list[Any] = []
    own, view.panel.send = view.panel.send, lambda content, buffers=(): sent.append((content, buffers))
    try:
        message = {"kind": "command", "request": 5, "name": "card", "value": {"index": index}}
        view.panel._receive(view.panel, message, [])
    finally:
        view.panel.send = own
    ((content, buffers),) = (each for each in sent if each[0]["kind"] == "reply")
    assert content["request"] == 5
    return decoded(content, buffers)


def test_a_card_has_label_the_views_own_lines_and_the_picture(inspector: nnw.Inspector, view: Clicks) -> None:
    header, arrays = card(view, 7)
    label = str(int(NETS["cnn"].labels[7]))
    assert header == {"title": "Sample 7", "lines": [["label", label], ["known as", "number 7"]], "index": 7}
    np.testing.assert_array_equal(arrays["picture"], inspector._session.samples.picture(7))


def test_a_card_of_a_sample_without_picture_and_label_has_none() -> None:
    net = NETS["mlp"]
    with inspecting(net.build(), net.inputs, probe=8) as inspector:
        view = inspector.view(Clicks)
        shown(view)
        assert card(view, 3) == (
            {"title": "Sample 3", "lines": [["known as", "number 3"]], "index": 3},
            {},
        )


def test_a_click_on_a_users_histogram_selects_the_samples_of_its_bin(inspector: nnw.Inspector) -> None:
    view = inspector.view(Uncertainty, bins=3)
    _, _, entropy, indices = shown(view)
    counts = page(view)["histogram"]["counts"][0].tolist()
    assert sum(counts) == 20
    for bin, count in enumerate(counts):
        assert click(view, "histogram", bin) is None
        chosen = inspector.selection.selected
        assert len(chosen) == count
        edges = np.linspace(float(entropy.min()), float(entropy.max()), 4)
        inside = [int(i) for i, e in zip(indices, entropy.double(), strict=True) if edges[bin] <= e <= edges[bin + 1]]
        assert set(chosen) <= set(inside)


def test_steps_go_round_the_samples(inspector: nnw.Inspector, view: Clicks) -> None:
    inspector.selection.sample = 0
    assert command(view, "step_sample", {"by": -1}) is None
    assert inspector.selection.sample == len(NETS["cnn"].inputs) - 1


def test_pause_resume_refresh_and_cancel_are_done_in_silence(inspector: nnw.Inspector, view: Clicks) -> None:
    assert command(view, "pause") is None
    assert inspector._session.paused
    assert command(view, "resume") is None
    assert not inspector._session.paused
    for name in ("refresh", "retry", "cancel"):
        assert command(view, name) is None
    assert tell(view.panel, {"kind": "command", "request": 1, "name": "error", "value": "made for this test"}) == []
