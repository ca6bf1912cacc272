"""The Activations view: which maps are on the page, sorted, in pages, on one scale or each on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from tests.views.every import EVERY
from tests.views.grids import grid_of, turn, units_of
from tests.views.kinds import CASES, rand
from tests.waiting import command, inspecting, shown


@pytest.fixture(name="wide")
def wide_inspector() -> Any:
    """150 maps of 6×6: the units' means rise, unit 149 - k has max k; units 3 and 7 are dead."""
    model = nn.Sequential(nn.Conv2d(1, 150, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5_400, 2))
    weight, bias = model[0].weight, model[0].bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        weight.zero_()
        bias.copy_(torch.arange(150) / 10 + 0.1)
        weight[:, 0, 0, 0] = -torch.arange(150) / 100
        bias[[3, 7]] = -1.0
    data = (rand(20, 1, 8, 8), torch.arange(20) % 2)
    with inspecting(model, data, probe=8) as inspector:
        inspector.selection.layer = "1"
        yield inspector


def test_more_than_64_units_come_in_pages(wide: nnw.Inspector) -> None:
    view = wide.activations()
    values = shown(view).values.numpy()
    assert units_of(view) == list(range(64))
    assert turn(view, 2) is None
    grid = grid_of(view)
    assert grid["units"] == list(range(128, 150))
    assert grid["page"] == {"index": 2, "count": 3, "text": "129–150 of 150"}
    np.testing.assert_allclose(grid["values"], values[128:], rtol=1e-3)
    assert turn(view, 10_000) is None
    assert grid_of(view)["page"]["index"] == 2
    assert command(view, "click", {"block": "grid", "where": 70}) is None
    grid = grid_of(view)
    assert (grid["page"]["index"], grid["units"].index(70), grid["selected"]) == (1, 6, 70)
    assert wide.selection.unit == 70


@pytest.mark.parametrize("kind", ["activations", "filters"])
def test_a_page_turned_right_after_a_unit_was_picked_stays(wide: nnw.Inspector, kind: str) -> None:
    wide.selection.layer = "0"
    view = wide.view(EVERY[kind])
    shown(view)
    assert command(view, "select", {"unit": 70}) is None
    assert turn(view, 2) is None
    assert units_of(view) == list(range(128, 150))
    assert command(view, "refresh") is None
    shown(view)
    assert units_of(view) == list(range(128, 150))
    assert grid_of(view)["detail"].ndim == 2, "the selected unit is not on this page"


@pytest.mark.parametrize("order", ["mean", "max", "dead"])
def test_maps_are_sorted_as_asked_and_ties_keep_their_order(wide: nnw.Inspector, order: str) -> None:
    wide.selection.unit = 0
    view = wide.activations()
    values = shown(view).values.reshape(150, -1).numpy()
    assert units_of(view) == list(range(64))
    assert command(view, "option", {"name": "sort_by", "value": order}) is None
    key = {"mean": values.mean(1), "max": values.max(1), "dead": (values == 0).all(1).astype(float)}[order]
    expected = sorted(range(150), key=lambda unit: -key[unit])
    selected = grid_of(view)["selected"]
    assert turn(view, 0) is None
    assert units_of(view) == expected[:64]
    grid = grid_of(view)
    assert grid["selected"] == selected == 0
    np.testing.assert_allclose(grid["values"].reshape(64, -1), values[expected[:64]], rtol=1e-3)
    if order == "dead":
        assert [flag for flag in grid["flags"] if flag] == ["dead †", "dead †"]


def test_one_scale_spans_the_layer_and_own_scales_span_each_map(wide: nnw.Inspector) -> None:
    wide.selection.unit = 0
    view = wide.activations()
    values = shown(view).values.reshape(150, -1).numpy()
    scale = grid_of(view)["scale"]
    assert scale == {"lo": 0, "hi": pytest.approx(float(values.max())), "signed": False, "unit": "activation"}
    assert command(view, "option", {"name": "scale", "value": "map"}) is None
    own = grid_of(view)["scale"]
    np.testing.assert_allclose(own["per_tile"], np.stack([np.zeros(64), values[:64].max(1)], 1), rtol=1e-6)
    assert own["selected"] == [0, pytest.approx(float(values[0].max()))]


def test_a_scale_does_not_shrink_within_a_layer() -> None:
    """Else noise on a quiet sample would fill the colours."""
    case = CASES["grey pictures"]
    data = case.data[0].clone()
    data[1] = data[0] / 1_000
    with inspecting(case.model, (data, case.data[1]), probe=8) as inspector:
        view = inspector.activations(layer="1", sample=0)
        shown(view)
        loud = grid_of(view)["scale"]["hi"]
        assert command(view, "select", {"sample": 1}) is None
        assert float(shown(view).values.max()) < loud / 2
        assert grid_of(view)["scale"]["hi"] == loud
