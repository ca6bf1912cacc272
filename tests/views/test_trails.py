"""Ways of selected samples over the kept maps of an embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nnwidgets as nnw
from nnwidgets.views._embedding_frame import POSITION_RANGE
from nnwidgets.views._trails import MOST
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.waiting import command, frame, inspecting, shown


def view_with_maps(inspector: nnw.Inspector, maps: int, points: int) -> tuple[EmbeddingView, torch.Tensor]:
    """A view that keeps maps of steps 1 to `maps`, and where the points were on all kept, (maps, n, 2)."""
    generator = torch.Generator().manual_seed(1)
    view: EmbeddingView = inspector.embedding(method="pca", points=points)
    first = shown(view)
    ways = [first.embedding.positions]
    for step in range(1, maps + 1):
        # each map larger than the one before, so that scales differ
        ways.append(step * torch.randn(ways[0].shape, generator=generator))
        view.show(replace(first, step=step, embedding=replace(first.embedding, positions=ways[-1])))
    return view, torch.stack(ways)


def drawn(view: EmbeddingView) -> tuple[np.ndarray, np.ndarray]:
    """Trails (maps, rows, dims) in the units of the results, and whose they are."""
    made = view._trails_frame()
    assert made is not None
    return np.asarray(made.arrays["trails"]) * made.header["unit"] / POSITION_RANGE, np.asarray(made.arrays["rows"])


def test_trails_lead_over_all_kept_maps_to_the_one_shown() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view, ways = view_with_maps(inspector, 5, 20)
        indices = view.result.indices.tolist()
        elsewhere = next(index for index in range(40) if index not in indices)
        inspector.selection.update(selected=(indices[7], indices[2], elsewhere))
        assert command(view, "option", {"name": "trails", "value": True}) is None
        assert frame(view)[0]["caption"][-1][0] == "trails of 2 of 3 selected over 6 maps"
        trails, rows = drawn(view)
        assert rows.tolist() == [7, 2]
        assert trails == pytest.approx(ways[:, [7, 2]].numpy(), abs=float(ways.abs().max()) / 30_000)
        command(view, "map", {"position": 3})
        trails, _ = drawn(view)
        assert trails == pytest.approx(ways[:4, [7, 2]].numpy(), abs=float(ways.abs().max()) / 30_000)
        inspector.selection.update(selected=())
        assert drawn(view)[0].shape == (4, 0, 2)
        assert frame(view)[0]["caption"][-1] == ["trails of selected points: none is selected", True]
        command(view, "option", {"name": "trails", "value": False})
        made = view._trails_frame()
        assert made is not None
        assert made.arrays == {}, "nothing is sent that is not asked for"


def test_of_many_selected_points_some_are_followed_and_the_caption_says_so() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    n = MOST + 40
    inputs, labels = net.inputs[:8].repeat(n // 8, 1, 1, 1), net.labels[:8].repeat(n // 8)
    with inspecting(net.build(), (inputs, labels), probe=8) as inspector:
        view, _ = view_with_maps(inspector, 2, n)
        inspector.selection.update(selected=tuple(range(n)))
        view.trails = True
        _, rows = drawn(view)
        assert len(set(rows.tolist())) == MOST
        assert {int(rows[0]), int(rows[-1])} == {0, n - 1}
        assert f"trails of {MOST} of {n} selected over 3 maps" in [text for text, _ in frame(view)[0]["caption"]]
