"""The sample looked at is among the points of a map, also where these are a part of the dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

import nnwidgets as nnw
from nnwidgets.analysis.embedding import MOST
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.views.embedding.chosen import Chosen
from tests.nets import NETS
from tests.views.test_embedding_points import caption_of, points_of
from tests.views.test_kept_maps import keep
from tests.waiting import inspecting, shown

N = 96


@pytest.fixture(name="inspector")
def inspector_() -> Iterator[nnw.Inspector]:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:N], net.labels[:N]), probe=8) as inspector:
        yield inspector


def beside(view: EmbeddingView, at: int = 0) -> int:
    """A sample that is not on the map."""
    on = set(shown(view).indices.tolist())
    return [index for index in range(N) if index not in on][at]


@pytest.mark.parametrize("options", [{"method": "pca"}, {"method": "tsne"}, {"method": "tsne", "dims": 3}])
def test_a_sample_takes_the_place_of_one_of_its_class_and_all_others_stay(
    inspector: nnw.Inspector, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOST, 3, 30)
    view = inspector.embedding(points=30, **options)
    before = shown(view)
    sample = beside(view)
    inspector.selection.update(sample=sample)
    after = shown(view)
    moved = (before.indices != after.indices).nonzero().reshape(-1).tolist()
    assert len(moved) == 1
    assert after.indices[moved[0]] == sample
    assert torch.equal(before.labels, after.labels), "as many of each class"
    block = points_of(view)
    assert block.sample == sample
    assert block.near is not None
    assert "sampled 30 of 96 samples ≈, 10 per class" in caption_of(view)


def test_a_click_on_the_map_leaves_it_as_it_is_until_another_sample_comes(inspector: nnw.Inspector) -> None:
    view = inspector.embedding(points=30, method="pca")
    first = shown(view)
    one, other = beside(view), beside(view, -1)
    inspector.selection.update(sample=one)
    map_ = shown(view)
    clicked = next(index for index in map_.indices.tolist() if index != one)
    inspector.selection.update(sample=clicked)
    assert shown(view) is map_
    inspector.selection.update(sample=other)
    assert {one, other} & set(shown(view).indices.tolist()) == {other}
    gone = set(first.indices.tolist()) - set(view.result.indices.tolist())
    inspector.selection.update(sample=gone.pop())
    assert shown(view).indices.tolist() == first.indices.tolist()


def test_metadata_of_a_sample_that_comes_in_are_those_given(inspector: nnw.Inspector) -> None:
    places, writers = torch.arange(N), [f"writer {index % 7}" for index in range(N)]
    view = inspector.embedding(points=30, method="pca", metadata={"place": places, "writer": writers})
    sample = beside(view)
    places.zero_()
    writers.clear()
    inspector.selection.update(sample=sample)
    result = shown(view)
    lines = dict(view.card_lines(result, sample))
    assert (lines["place"], lines["writer"]) == (str(sample), f"writer {sample % 7}")
    view.color = "place"
    colors: Any = points_of(view).colors
    assert colors.values.tolist() == result.indices.tolist()


def test_trails_follow_samples_and_not_rows(inspector: nnw.Inspector) -> None:
    view = inspector.embedding(points=30, method="pca")
    first = shown(view)
    keep(view, replace(first, indices=first.indices.flip(0)), 1)
    selected = int(first.indices[4])
    keep(view, first, 2)
    inspector.selection.update(selected=(selected,))
    view.trails = True
    ways = points_of(view).trails
    assert ways is not None
    positions = first.embedding.positions
    assert ways[-2:, 0] == pytest.approx(torch.stack([positions[25], positions[4]]).numpy())
    guest = beside(view)
    row = (first.indices != first.indices[4]).nonzero()[0]
    indices = first.indices.clone()
    indices[row] = guest
    keep(view, replace(first, indices=indices), 3)
    inspector.selection.update(selected=(selected, guest))
    assert caption_of(view).endswith("trails of 2 selected over 1 map"), "only the last map holds both"


def test_a_sample_that_cannot_be_read_leaves_the_map_alone(inspector: nnw.Inspector) -> None:
    samples = inspector._session.samples
    chosen = Chosen((1, 2, 3), samples)
    assert chosen.holding(2) == (1, 2, 3)
    samples._left_out.add(50)
    assert chosen.holding(50) == (1, 2, 3)
    assert 51 in chosen.holding(51)


def test_without_labels_the_nearest_index_makes_room() -> None:
    with inspecting(torch.nn.Linear(3, 2), torch.randn(N, 3), probe=8) as inspector:
        assert Chosen((0, 40, 80), inspector._session.samples).holding(50) == (0, 50, 80)
