"""Going back to earlier maps of an embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nnwidgets.views._kept_maps import MOST
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.waiting import command, frame, inspecting, shown


def test_the_slider_shows_earlier_maps_with_their_step_and_its_end_the_newest() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = inspector.embedding(method="pca")
        first = shown(view)
        assert frame(view)[0]["kept"] is None
        for step in range(1, 5):
            moved = replace(
                first.embedding, positions=torch.full_like(first.embedding.positions, float(step)).cumsum(0)
            )
            view.show(replace(first, step=step, embedding=moved))
        assert frame(view)[0]["kept"] == {
            "index": 4,
            "positions": [0, 1, 2, 3, 4],
            "text": "step 4 · map 5 of 5 kept",
        }
        newest = frame(view)[1]["positions"]

        assert command(view, "map", {"position": 0}) is None
        header, arrays = frame(view)
        assert header["kept"]["index"] == 0
        assert header["step"] == first.step
        assert header["caption"][-1] == ["an earlier map", True]
        assert view.header()["caption"] == [tuple(part) for part in header["caption"]], "a state tells the same"
        assert not np.array_equal(arrays["positions"], newest)
        view.show(replace(first, step=9))
        assert frame(view)[0]["kept"]["index"] == 0, "what is looked at stays while newer maps come"

        for following in (None, 5, 999):
            assert command(view, "map", {"position": 0}) is None
            assert command(view, "map", {"position": following}) is None
            assert frame(view)[0]["step"] == 9, "the newest, and those not kept yet, follow the training"
        for nonsense in (-1, True, "1", 1.0, [1]):
            assert "position: expected" in str(command(view, "map", {"position": nonsense}))
        for nothing in (None, {}, 3, {"page": 1}):
            assert "map: expected an object with a position" in str(command(view, "map", nothing))


@pytest.mark.parametrize(("place", "step"), [(40, 40), (41, 42)])
def test_a_map_asked_for_by_what_the_slider_told_is_found_after_others_were_thinned_away(place: int, step: int) -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view: EmbeddingView = inspector.embedding(method="pca")
        first = replace(shown(view), step=0)
        for at in range(MOST):
            view.show(replace(first, step=at))
        told = frame(view)[0]["kept"]["positions"]
        view.show(replace(first, step=MOST))
        assert frame(view)[0]["kept"]["positions"][place:] != told[place:], "every other one is gone"
        assert command(view, "map", {"position": told[place]}) is None
        header = frame(view)[0]
        assert header["step"] == step, "itself, or the next one kept"
        assert header["kept"]["positions"][header["kept"]["index"]] == step


def test_maps_are_thinned_evenly_and_another_layer_begins_anew() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view: EmbeddingView = inspector.embedding(method="pca")
        first = shown(view)
        for step in range(1, 4 * MOST):
            view.show(replace(first, step=step))
        kept = frame(view)[0]["kept"]
        assert len(kept["positions"]) <= MOST
        assert kept["text"].endswith(" kept, thinned evenly")
        assert command(view, "map", {"position": kept["positions"][len(kept["positions"]) // 2]}) is None
        assert abs(frame(view)[0]["step"] - 2 * MOST) < MOST / 2
        view.show(replace(first, layer=inspector.layers[-1], step=1000))
        assert frame(view)[0]["kept"] is None
