"""The Filters view: which filters are on the page, their order, their planes, and how they came about."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

import nnwidgets as nnw
from nnwidgets import analysis
from nnwidgets.blocks.lines import Lines
from tests.nets import Training
from tests.views.grids import grid_of, units_of
from tests.views.kinds import CASES, model_and_data
from tests.views.reading import caption_of
from tests.waiting import answered, command, frame, inspecting, page, shown


@pytest.mark.parametrize("order", ["smoothness", "norm"])
def test_filters_are_sorted_by_what_stands_under_them(order: str) -> None:
    case = CASES["grey pictures"]
    with inspecting(case.model, case.data, probe=8) as inspector:
        view = inspector.filters(layer="0")
        result = shown(view)
        assert command(view, "option", {"name": "sort_by", "value": order}) is None
        key = {"smoothness": analysis.filter_smoothness(result.weight), "norm": result.weight.flatten(1).norm(dim=1)}
        assert units_of(view) == key[order].argsort(descending=True).tolist()


def test_colour_filters_are_grey_at_zero_and_other_channels_can_be_picked() -> None:
    with inspecting(*model_and_data("RGB pictures"), probe=8) as inspector:
        view = inspector.filters(layer="stem")
        weight = shown(view).weight
        grid = grid_of(view)
        assert grid["values"].shape == (4, 3, 3, 3)
        peak = float(weight.abs().max())
        expected = (128 + 127 * weight.movedim(1, -1) / peak).clip(0, 255).numpy().astype(np.uint8)
        np.testing.assert_allclose(grid["values"].astype(int), expected.astype(int), atol=1)
        assert "channel" not in [option["name"] for option in frame(view)[0]["options"]]
    with inspecting(*model_and_data("pictures of five channels"), probe=8) as inspector:
        view = inspector.filters(layer="0")
        weight = shown(view).weight.numpy()
        assert command(view, "option", {"name": "channel", "value": 3}) is None
        np.testing.assert_allclose(grid_of(view)["values"], weight[:, 3], rtol=1e-3, atol=1e-4)
        assert "channel 3" in caption_of(view)


def test_the_film_shows_the_selected_filter_at_kept_steps_the_newest_last(
    inspector: nnw.Inspector, training: Training
) -> None:
    view = inspector.filters(layer="0")
    view.shown = True
    session, then = inspector._session, []
    assert "film" not in page(answered(view)), "one step is no film"
    with inspector.watch(training.optimizer):
        for _ in range(3):
            training.step()
            session.worker.request(session.probe)
            view.refresh()
            shown(view)
            weight = training.model.get_submodule("0").weight
            assert isinstance(weight, Tensor)
            then.append(weight.detach().clone())
    assert command(view, "select", {"unit": 2}) is None
    film = page(answered(view))["film"]
    assert film["title"].startswith("Unit 2")
    newest = film["values"][-1]
    np.testing.assert_allclose(newest, then[-1][2, 0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(film["values"][-2], then[-2][2, 0], rtol=1e-3, atol=1e-4)
    assert not film["column"], "looked at, not selected"
    assert "click: expected" in str(command(view, "click", {"block": "film", "where": 0}))


def test_curves_follow_the_selected_filter_beside_the_layer(inspector: nnw.Inspector, training: Training) -> None:
    view = inspector.filters(layer="0")
    shown(view)
    session = inspector._session
    with inspector.watch(training.optimizer):
        for _ in range(3):
            training.step()
            session.worker.request(session.probe)
            answered(view)
    inspector.selection.update(layer="0", unit=3)
    answered(view)
    curves = {block.name: block for block in blocks_of(view) if isinstance(block, Lines)}
    record = session.record.probe.items
    for name, line in curves.items():
        own = [float(getattr(probe.filters["0"], name)[3]) for probe in record]
        np.testing.assert_allclose(line.lines["unit 3"], own, rtol=1e-6)
        assert list(line.x) == [probe.step for probe in record]
    assert set(curves) == {"smoothness", "norm"}
    mean = [float(torch.as_tensor(probe.filters["0"].norm).mean()) for probe in record]
    np.testing.assert_allclose(curves["norm"].lines["layer mean"], mean, rtol=1e-6)


def blocks_of(view: nnw.View) -> Iterator[nnw.blocks.Block]:
    assert view.job.laid is not None
    for row in view.job.laid.rows:
        yield from row
