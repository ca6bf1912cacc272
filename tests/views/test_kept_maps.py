"""Going back to earlier maps of an embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
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
        count = frame(view)[0]["kept"]["count"]
        assert frame(view)[0]["kept"] == {
            "index": count - 1,
            "count": count,
            "text": f"step 4 · map {count} of {count} kept",
        }
        newest = frame(view)[1]["positions"]

        assert command(view, "page", {"page": 0}) is None
        header, arrays = frame(view)
        assert header["kept"]["index"] == 0
        assert header["step"] == first.step
        assert header["caption"][-1] == ["an earlier map", True]
        assert view.header()["caption"] == [tuple(part) for part in header["caption"]], "a state tells the same"
        assert not np.array_equal(arrays["positions"], newest)
        view.show(replace(first, step=9))
        assert frame(view)[0]["kept"]["index"] == 0, "what is looked at stays while newer maps come"

        assert command(view, "page", {"page": count}) is None
        assert frame(view)[0]["step"] == 9
        for nonsense in ({"page": -1}, {"page": 999}, {"page": True}, None):
            assert "page: expected" in str(command(view, "page", nonsense))


def test_maps_are_thinned_evenly_and_another_layer_begins_anew() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view: EmbeddingView = inspector.embedding(method="pca")
        first = shown(view)
        for step in range(1, 4 * MOST):
            view.show(replace(first, step=step))
        kept = frame(view)[0]["kept"]
        assert kept["count"] <= MOST
        assert kept["text"].endswith(" kept, thinned evenly")
        assert command(view, "page", {"page": kept["count"] // 2}) is None
        assert abs(frame(view)[0]["step"] - 2 * MOST) < MOST / 2
        view.show(replace(first, layer=inspector.layers[-1], step=1000))
        assert frame(view)[0]["kept"] is None
