"""The strips under an embedding: the samples nearest to one in a layer's own space, and the selected ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nnwidgets as nnw
from nnwidgets.analysis import capture
from nnwidgets.blocks.strip import Strip
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.words import number
from tests.nets import NETS
from tests.views.test_embedding_points import points_of
from tests.views.test_kept_maps import keep
from tests.waiting import answered, command, inspecting, shown


def strips(view: EmbeddingView) -> tuple[Strip, Strip]:
    """The nearest samples and the selected ones, as they are on show now."""
    answered(view)
    _, nearest, selected = view.layout(view.displayed)
    assert isinstance(nearest, Strip)
    assert isinstance(selected, Strip)
    return nearest, selected


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_list_is_what_all_distances_in_float64_say(method: str) -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    model = net.build()
    with inspecting(model, (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        layer = inspector.layers[-1]
        view = inspector.embedding(layer=layer, method=method, points=40)
        result = shown(view)
        indices = result.indices.tolist()
        inspector.selection.update(sample=indices[11])
        near, _ = strips(view)
        x = capture(model, net.inputs[indices], layers=[layer])[layer].double().flatten(1)
        distances = torch.cdist(x, x)[11]
        distances[11] = torch.inf
        nearest = distances.argsort()[:10]
        assert near.title == f"Nearest in {layer}"
        assert near.samples.tolist() == [indices[row] for row in nearest]
        assert points_of(view).near is not None
        assert points_of(view).near.tolist() == nearest.tolist(), "lines lead to them"  # type: ignore[union-attr]
        assert result.embedding.distances[11].tolist() == pytest.approx(distances[nearest].tolist(), rel=1e-4)
        assert list(near.values) == [number(each) for each in result.embedding.distances[11].tolist()]
        picture = inspector._session.samples.picture(int(near.samples[3]))
        assert picture is not None
        assert near.pictures is not None
        assert np.array_equal(near.pictures[3], picture)
        positions = result.embedding.positions.double()
        apart = torch.cdist(positions, positions)[11]
        apart[11] = torch.inf
        both = set(nearest.tolist()) & set(apart.argsort()[:10].tolist())
        assert near.note.endswith(f"Euclidean distance · {len(both)} of 10 also nearest on the map")


def test_a_sample_beside_the_map_and_a_map_without_neighbours_have_words_for_it() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = inspector.embedding(method="pca", points=20)
        before = shown(view)
        indices = before.indices.tolist()
        inspector.selection.update(sample=next(index for index in range(40) if index not in indices))
        shown(view)
        assert len(strips(view)[0].samples) == 10, "it has come to the map"
        keep(view, before, 1)
        near, _ = strips(view)
        assert (len(near.samples), near.pictures) == (0, None)
        assert near.empty == f"Sample {inspector.selection.sample} is not on this map"
        assert points_of(view).near is None
        inspector.selection.update(sample=indices[0])
        assert len(strips(view)[0].samples) == 10
        result = view.result
        keep(view, replace(result, embedding=replace(result.embedding, neighbours=None, distances=None)), 2)
        assert strips(view)[0].empty == "Shown with the next map"


def test_a_click_on_a_strip_looks_at_the_sample_that_stands_there(small: nnw.Inspector) -> None:
    view = small.embedding(method="pca", points=24)
    indices = shown(view).indices.tolist()
    small.selection.update(sample=indices[0], selected=tuple(indices[:5]))
    near, selected = strips(view)
    assert command(view, "click", {"block": "selected", "where": 2}) is None
    assert small.selection.sample == selected.samples[2]
    small.selection.update(sample=indices[0])
    strips(view)
    assert command(view, "click", {"block": "nearest", "where": 4}) is None
    assert small.selection.sample == near.samples[4]
    assert "position: expected" in str(command(view, "click", {"block": "nearest", "where": 10}))


def test_a_click_on_a_point_looks_at_its_sample_and_a_lasso_selects(small: nnw.Inspector) -> None:
    view = small.embedding(method="pca", points=24)
    indices = shown(view).indices.tolist()
    assert command(view, "click", {"block": "embedding", "where": {"sample": indices[3]}}) is None
    assert small.selection.sample == indices[3]
    assert command(view, "click", {"block": "embedding", "where": {"samples": indices[4:7]}}) is None
    assert small.selection.selected == tuple(indices[4:7])
    assert command(view, "click", {"block": "embedding", "where": {"samples": []}}) is None
    assert small.selection.selected == ()
    assert "click: expected a sample or samples" in str(command(view, "click", {"block": "embedding", "where": 3}))
    assert "expected a whole number from 0 to 29" in str(
        command(view, "click", {"block": "embedding", "where": {"sample": 30}})
    )


def test_the_strip_says_what_colours_the_points_if_that_is_more_than_their_classes(small: nnw.Inspector) -> None:
    writers = ["Ann" if index % 2 else "" for index in range(30)]
    view = small.embedding(method="pca", points=24, metadata={"writer": writers, "age": np.arange(30) + 0.25})
    result = shown(view)
    indices = result.indices.tolist()
    small.selection.update(selected=tuple(indices[:3]))
    order = result.loss[:3].argsort(descending=True).tolist()
    said = {
        "writer": ("writer", [writers[indices[row]] or "no value" for row in order]),
        "age": ("age", [number(indices[row] + 0.25) for row in order]),
        "loss": ("loss", [f"{float(result.loss[row]):.4f}" for row in order]),
        "confidence": ("probability", [f"{float(result.confidence[row]):.2f}" for row in order]),
    }
    for by, (name, values) in said.items():
        view.color = by
        _, strip = strips(view)
        assert (strip.value_name, list(strip.values)) == (name, values)
        assert strip.note == f"highest loss first · label → predicted · {name} · shown in every view"
    for by in ("class", "prediction", "correctness"):
        view.color = by
        _, strip = strips(view)
        assert (strip.value_name, list(strip.values)) == ("", [])


def test_with_nothing_selected_words_say_how_to_select(small: nnw.Inspector) -> None:
    view = small.embedding(method="pca", points=24)
    shown(view)
    _, strip = strips(view)
    assert (strip.tab, len(strip.samples)) == ("0 selected", 0)
    assert strip.empty.startswith("Nothing selected\n")
    assert strip.selection


def test_all_selected_samples_reach_the_page_and_the_strip_holds_the_worst(small: nnw.Inspector) -> None:
    view = small.embedding(points=20, method="pca")
    result = shown(view)
    small.selection.update(selected=range(30))
    _, strip = strips(view)
    selected = points_of(view).selected
    assert selected is not None
    assert selected.tolist() == list(range(30))
    worst = result.indices[result.loss.argsort(descending=True, stable=True)][:12].tolist()
    assert strip.samples[:12].tolist() == worst
    assert sorted(strip.samples.tolist()) == list(range(30))
    assert (len(strip.labels), strip.more, strip.tab) == (12, 18, "30 selected")
    assert "selected" not in view.header()["selection"], "it may be all samples, and every view sends this header"
