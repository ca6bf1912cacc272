"""A click in one view is answered by all; pinned views stay; options change what is asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

import nnwidgets as nnw
from nnwidgets.display.dashboard import Dashboard
from tests.views.every import EVERY, make_all
from tests.views.kinds import model_and_data
from tests.waiting import answered, command, frame, page, shown, tell


@pytest.mark.parametrize("clicked", EVERY)
def test_what_is_picked_in_one_view_is_answered_by_all(small: nnw.Inspector, clicked: str) -> None:
    views = make_all(small)
    assert command(views[clicked], "select", {"layer": "2", "sample": 9, "target": 2}) is None
    results = {name: shown(view) for name, view in views.items()}
    assert (results["activations"].layer, results["activations"].sample) == ("2", 9)
    assert results["filters"].layer == "0"
    assert results["embedding"].layer == "2"
    occlusion = results["occlusion"]
    assert (occlusion.layer, occlusion.sample, occlusion.target) == ("2", 9, 2)
    assert {frame(view)[0]["selection"]["sample"] for view in views.values()} == {9}


def test_the_dashboard_shares_the_selection_of_all_views(small: nnw.Inspector) -> None:
    alone, dashboard = small.activations(), small.dashboard()
    assert isinstance(dashboard, Dashboard)
    replies = tell(dashboard.panel, {"kind": "command", "request": 1, "name": "select", "value": {"layer": "3"}})
    assert replies == []
    assert shown(alone).layer == "3"
    tab = dashboard.views["activations"]
    tab.refresh()
    assert shown(tab).layer == "3"
    assert dashboard._header("layers")["selected"] == "3"


def test_a_unit_picked_among_filters_is_one_of_the_layer_that_has_them(small: nnw.Inspector) -> None:
    small.selection.layer = "2"
    view = small.filters()
    shown(view)
    assert command(view, "select", {"unit": 2}) is None
    assert (small.selection.layer, small.selection.unit) == ("0", 2)
    shown(view)
    assert page(view)["grid"]["selected"] == 2


def test_a_pinned_view_stays_until_something_is_picked_in_it(small: nnw.Inspector) -> None:
    pinned, free = small.activations(layer="0", sample=3), small.activations()
    small.selection.update(layer="4", sample=5)
    assert (shown(pinned).layer, shown(pinned).sample) == ("0", 3)
    assert (shown(free).layer, shown(free).sample) == ("4", 5)
    # Selected already, so that no notification comes; picked here all the same.
    assert command(pinned, "select", {"sample": 5}) is None
    assert shown(pinned).sample == 5
    assert command(pinned, "select", {"unit": 1}) is None
    assert (small.selection.layer, small.selection.unit, shown(pinned).layer) == ("0", 1, "0")
    assert command(pinned, "step_sample", {"by": -6}) is None
    assert shown(pinned).sample == 29
    assert command(pinned, "step_layer", {"by": 1}) is None
    assert shown(pinned).layer == "1"
    assert small.selection.layer == "1"


def test_stepping_goes_round_the_samples_and_stops_at_the_last_layer(small: nnw.Inspector) -> None:
    view = small.activations()
    small.selection.update(sample=29, layer="3")
    assert command(view, "step_sample", {"by": 1}) is None
    assert command(view, "step_layer", {"by": 5}) is None
    assert (shown(view).sample, shown(view).layer) == (0, "4")


def test_options_change_what_is_asked(small: nnw.Inspector) -> None:
    embedding, occlusion = small.embedding(points=20), small.occlusion(patch=4, stride=2, sample=1)
    assert (shown(embedding).embedding.method, shown(occlusion).map.patch) == ("tsne", (4, 4))
    assert command(embedding, "option", {"name": "method", "value": "pca"}) is None
    assert command(embedding, "option", {"name": "dims", "value": 3}) is None
    assert (shown(embedding).embedding.method, shown(embedding).embedding.positions.shape) == ("pca", (20, 3))
    assert page(embedding)["embedding"]["positions"].shape == (20, 3)
    assert command(occlusion, "option", {"name": "patch", "value": 2}) is None
    assert (shown(occlusion).map.patch, shown(occlusion).map.stride) == ((2, 2), (2, 2))
    assert command(occlusion, "option", {"name": "kind", "value": "logit"}) is None
    answered(occlusion)
    logits = page(occlusion)["heat"]["cells"][0, 1:].reshape(4, 4)
    np.testing.assert_allclose(logits, shown(occlusion).map.scores[0][..., occlusion.target], rtol=1e-6)
    assert command(occlusion, "option", {"name": "map_layer", "value": "1"}) is None
    assert shown(occlusion).layer == "1"
    assert command(occlusion, "option", {"name": "target", "value": 2}) is None
    assert occlusion.target == small.selection.target == 2
    told = {option["name"]: option["value"] for option in frame(occlusion)[0]["options"]}
    assert (told["target"], told["kind"]) == (2, "logit")


def test_a_trait_set_in_python_is_an_option_too(small: nnw.Inspector) -> None:
    view = small.embedding(points=20)
    view.method = "pca"
    assert shown(view).embedding.method == "pca"


def test_the_card_of_a_point_says_label_prediction_and_loss(small: nnw.Inspector) -> None:
    view = small.embedding(points=20, layer="4")
    result = shown(view)
    index = int(result.indices[3])
    (reply,) = tell(view.panel, {"kind": "command", "request": 5, "name": "card", "value": {"index": index}})
    lines = dict(reply["header"]["lines"])
    model, (inputs, labels) = model_and_data("grey pictures")
    model.eval()
    with torch.no_grad():
        scores = model(inputs[index : index + 1])[0]
    assert lines["label"] == ["cat", "dog", "fox"][int(labels[index])]
    assert lines["predicted"].startswith(["cat", "dog", "fox"][int(scores.argmax())])
    assert float(lines["loss"]) == pytest.approx(
        float(functional.cross_entropy(scores[None], labels[index : index + 1])), abs=1e-4
    )
    assert [each["name"] for each in reply["arrays"]] == ["picture"]
