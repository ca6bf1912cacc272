"""Going back to earlier maps of an embedding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.display.kept import MOST, Shown
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.views.test_embedding_points import points_of
from tests.waiting import answered, command, inspecting, shown


def keep(view: EmbeddingView, result: EmbeddingResult, step: int) -> None:
    """As if the view had come to this result."""
    view.job.kept.add(view.job.kept.about, Shown(replace(result, step=step), step))
    view.job.lay_out()


def look(view: EmbeddingView, position: Any) -> str | None:
    """What the page's slider asks for; the error, if any."""
    error = command(view, "kept", {"position": position})
    answered(view)
    return error


def test_the_slider_shows_earlier_maps_with_their_step_and_its_end_the_newest() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = inspector.embedding(method="pca")
        first = shown(view)
        assert view.header()["kept"] is None
        for step in range(1, 5):
            moved = replace(
                first.embedding, positions=torch.full_like(first.embedding.positions, float(step)).cumsum(0)
            )
            keep(view, replace(first, embedding=moved), step)
        kept = view.header()["kept"]
        assert (kept["index"], kept["positions"]) == (4, [0, 1, 2, 3, 4])
        assert kept["text"] == "step 4 · 5 of 5 kept"
        newest = points_of(view).positions

        assert look(view, 0) is None
        header = view.header()
        assert header["kept"]["index"] == 0
        assert header["step"] == first.step
        assert header["caption"][-1] == ("an earlier step", True)
        assert view.displayed is first
        assert view.result is not first
        assert not np.array_equal(points_of(view).positions, newest)
        keep(view, first, 9)
        assert view.header()["kept"]["index"] == 0, "what is looked at stays while newer maps come"

        for following in (None, 5, 999):
            assert look(view, 0) is None
            assert look(view, following) is None
            assert view.header()["step"] == 9, "the newest, and those not kept yet, follow the training"
        for nonsense in (-1, True, "1", 1.0, [1]):
            assert "position: expected" in str(look(view, nonsense))


@pytest.mark.parametrize(("place", "step"), [(40, 40), (41, 42)])
def test_a_map_asked_for_by_what_the_slider_told_is_found_after_others_were_thinned_away(place: int, step: int) -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = inspector.embedding(method="pca")
        first = shown(view)
        for at in range(MOST):
            keep(view, first, at)
        told = view.header()["kept"]["positions"]
        keep(view, first, MOST)
        assert view.header()["kept"]["positions"][place:] != told[place:], "every other one is gone"
        assert look(view, told[place]) is None
        header = view.header()
        assert header["step"] == step, "itself, or the next one kept"
        assert header["kept"]["positions"][header["kept"]["index"]] == step


def test_maps_are_thinned_evenly_and_another_layer_begins_anew() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = inspector.embedding(method="pca")
        first = shown(view)
        for step in range(1, 4 * MOST):
            keep(view, first, step)
        kept = view.header()["kept"]
        assert len(kept["positions"]) <= MOST
        assert kept["text"].endswith(" kept, thinned evenly")
        assert look(view, kept["positions"][len(kept["positions"]) // 2]) is None
        assert abs(view.header()["step"] - 2 * MOST) < MOST / 2
        inspector.selection.update(layer=inspector.layers[-1])
        assert shown(view).layer == inspector.layers[-1]
        assert view.header()["kept"] is None


def test_a_map_of_another_layer_is_held_until_the_next_is_ready_and_named_as_what_it_is() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = inspector.embedding(method="pca")
        before = shown(view).layer
        with inspector._session.worker.held():
            inspector.selection.update(layer=inspector.layers[-1])
            assert view.header()["title"] == before
        shown(view)
        assert view.header()["title"] == inspector.layers[-1]
