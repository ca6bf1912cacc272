"""Ways of selected samples over the kept maps of an embedding."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import nnwidgets as nnw
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.views.embedding.caption import MOST
from tests.nets import NETS
from tests.views.test_embedding_points import caption_of, points_of
from tests.views.test_kept_maps import keep, look
from tests.waiting import command, inspecting, shown


def view_with_maps(inspector: nnw.Inspector, maps: int, points: int) -> tuple[EmbeddingView, torch.Tensor]:
    """A view that keeps maps of steps 1 to `maps`, and where the points were on all kept, (maps, n, 2)."""
    generator = torch.Generator().manual_seed(1)
    view = inspector.embedding(method="pca", points=points)
    first = shown(view)
    ways = [first.embedding.positions]
    for step in range(1, maps + 1):
        # each map larger than the one before, so that scales differ
        ways.append(step * torch.randn(ways[0].shape, generator=generator))
        keep(view, replace(first, embedding=replace(first.embedding, positions=ways[-1])), step)
    return view, torch.stack(ways)


def test_trails_lead_over_all_kept_maps_to_the_one_shown() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view, ways = view_with_maps(inspector, 5, 20)
        indices = view.result.indices.tolist()
        elsewhere = next(index for index in range(40) if index not in indices)
        inspector.selection.update(selected=(indices[7], indices[2], elsewhere))
        assert points_of(view).trails is None, "nothing is sent that is not asked for"
        assert command(view, "option", {"name": "trails", "value": True}) is None
        assert caption_of(view).endswith("trails of 2 of 3 selected over 6 maps")
        block = points_of(view)
        assert block.trails is not None
        assert block.trail_rows is not None
        assert block.trail_rows.tolist() == [7, 2]
        assert block.trails == pytest.approx(ways[:, [7, 2]].numpy())
        assert look(view, 3) is None
        assert points_of(view).trails == pytest.approx(ways[:4, [7, 2]].numpy())
        inspector.selection.update(selected=())
        empty = points_of(view).trails
        assert empty is not None
        assert empty.shape == (4, 0, 2)
        assert caption_of(view).endswith("trails of selected points: none is selected")
        command(view, "option", {"name": "trails", "value": False})
        assert points_of(view).trails is None


def test_no_trail_leads_from_a_pca_to_a_tsne(small: nnw.Inspector) -> None:
    view, _ = view_with_maps(small, 2, 20)
    result = view.result
    keep(view, replace(result, embedding=replace(result.embedding, method="tsne", perplexity=5.0)), 3)
    small.selection.update(selected=(int(result.indices[0]),))
    view.trails = True
    ways = points_of(view).trails
    assert ways is not None
    assert len(ways) == 1
    assert caption_of(view).endswith("trails of 1 selected over 1 map")


def test_of_many_selected_points_some_are_followed_and_the_caption_says_so() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    n = MOST + 40
    inputs, labels = net.inputs[:8].repeat(n // 8, 1, 1, 1), net.labels[:8].repeat(n // 8)
    with inspecting(net.build(), (inputs, labels), probe=8) as inspector:
        view, _ = view_with_maps(inspector, 2, n)
        inspector.selection.update(selected=tuple(range(n)))
        view.trails = True
        rows = points_of(view).trail_rows
        assert rows is not None
        assert len(set(rows.tolist())) == MOST
        assert {int(rows[0]), int(rows[-1])} == {0, n - 1}
        assert f"trails of {MOST} of {n} selected over 3 maps" in caption_of(view)
