"""Occlusion of rows, texts and series: which view, its numbers, what it shows, its refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from torch import Tensor, nn

from nnwidgets.analysis import feature_occlusion
from nnwidgets.blocks import Bars, Matrix
from nnwidgets.measures import ModelAtStep, Progress
from nnwidgets.views.occlusion import FeatureOcclusionView, OcclusionView
from nnwidgets.views.occlusion.features import FeatureOcclusionResult
from tests.waiting import answered, command, inspecting, shown

X = torch.randn(40, 5, generator=torch.Generator().manual_seed(1))
Y = torch.arange(40) % 3
IDS = torch.randint(30, (40, 7), generator=torch.Generator().manual_seed(2))
NAMES = ["cat", "dog", "fox"]


class Text(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(30, 6), nn.Linear(6, 3)

    def forward(self, ids: Tensor) -> Tensor:
        scores: Tensor = self.head(self.embed(ids).mean(1))
        return scores


def table() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))


def blocks_of(view: Any) -> tuple[Bars, Matrix]:
    shown(view)
    ((bars, matrix),) = view.layout(view.result)
    return bars, matrix


@pytest.mark.parametrize("fill", ["mean", "zero"])
def test_bars_and_matrix_have_the_numbers_of_the_analysis(fill: str) -> None:
    net = table()
    with inspecting(net, (X, Y), probe=20, class_names=NAMES) as inspector:
        view: Any = inspector.occlusion(sample=7)
        assert isinstance(view, FeatureOcclusionView)
        view.fill = fill
        bars, matrix = blocks_of(view)
        result = view.result
        assert result.sample == 7
        assert result.samples[1:] == tuple(each for each in inspector._session.samples.probe_indices if each != 7)[:15]
        probe = X[list(inspector._session.samples.probe_indices)]
        rows = X[list(result.samples)]
        value = probe.mean(0) if fill == "mean" else 0.0
        lost = feature_occlusion(net, rows, fill=value).lost(Y[list(result.samples)], kind="probability")
        np.testing.assert_allclose(bars.values, lost[0], atol=1e-6)
        np.testing.assert_allclose(matrix.values, lost, atol=1e-6)
        assert bars.names[2] == f"x2 = {float(X[7, 2]):.3g}".replace("-", "−")
        assert matrix.rows[0] == f"7 · {NAMES[int(Y[7])]}"


def test_target_and_kind_are_laid_out_anew_and_nothing_is_computed() -> None:
    with inspecting(table(), (X, Y), probe=8, class_names=NAMES) as inspector:
        view: Any = inspector.occlusion(sample=3)
        before = shown(view)
        assert command(view, "option", {"name": "target", "value": 2}) is None
        view.kind = "logit"
        bars, matrix = blocks_of(view)
        assert view.result is before
        covered = before.covered
        np.testing.assert_allclose(bars.values, (covered.clean[0, 2] - covered.scores[0, :, 2]), atol=1e-6)
        assert bars.title == "Logit of fox lost, sample 3"
        assert all(name.endswith("fox") for name in matrix.rows)


def test_a_row_of_the_matrix_selects_its_sample() -> None:
    with inspecting(table(), (X, Y), probe=8) as inspector:
        view: Any = inspector.occlusion()
        _, matrix = blocks_of(view)
        select = view.clicked(matrix, *matrix.where([3, 1]))
        assert select.sample == view.result.samples[3]


def test_tokens_are_covered_by_a_token() -> None:
    torch.manual_seed(0)
    net = Text()
    with inspecting(net, (IDS, Y), probe=8) as inspector:
        view: Any = inspector.occlusion(sample=2)
        view.fill = 5
        bars, _ = blocks_of(view)
        lost = feature_occlusion(net, IDS[2:3], fill=5).lost(Y[2:3], kind="probability")[0]
        np.testing.assert_allclose(bars.values, lost, atol=1e-6)
        assert (bars.order, bars.names[1]) == ("given", f"1: id {int(IDS[2, 1])}")
        assert any("replaced by token 5" in text for text in view.caption(view.result))
        with pytest.raises(traitlets.TraitError, match="fill: expected the id of a token, 0 or more, got -1"):
            view.fill = -1


def test_names_are_checked_and_shown() -> None:
    with inspecting(table(), (X, Y), probe=8) as inspector:
        view: Any = inspector.occlusion(names=["a", "b", "c", "d", "e"])
        _, matrix = blocks_of(view)
        assert list(matrix.columns) == ["a", "b", "c", "d", "e"]
        with pytest.raises(ValueError, match="names: expected 5, one for each value, got 2"):
            inspector.occlusion(names=["a", "b"])
        with pytest.raises(TypeError, match="patch"):
            inspector.occlusion(patch=2)


def test_the_bars_come_first_and_a_whole_one_stays_until_the_next_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnwidgets.analysis.occluded_features._SLICE_S", 0.0)
    with inspecting(table(), (X, Y), probe=20) as inspector:
        view: Any = inspector.occlusion()
        model = ModelAtStep(view.run.shadow.module, view.run.samples.batch(view.needs()[0].samples), None)
        made = list(view.compute(model))
        results = [each for each in made if isinstance(each, FeatureOcclusionResult)]
        assert any(isinstance(each, Progress) for each in made)
        assert len(results) > 1
        assert bool(results[0].covered.computed[0].all())
        assert not results[0].covered.done
        assert results[-1].covered.done
        shown(view)
        made = list(view.compute(model))
        assert [each for each in made if each is not None] == made[-1:]


def test_nan_is_refused() -> None:
    net = table()
    with torch.no_grad():
        next(net.parameters())[0] = torch.nan
    with inspecting(net, (X, Y), probe=8) as inspector:
        view = inspector.occlusion()
        answered(view)
        assert view.result is None
        assert view.failure is not None
        assert "expected finite values, got NaN" in view.failure[0]


def test_data_that_are_neither_pictures_nor_rows_are_refused_before_a_tab_is_opened() -> None:
    net = nn.Sequential(nn.Conv1d(3, 4, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3))
    with inspecting(net, (torch.rand(20, 3, 12), Y[:20]), probe=4) as inspector:
        reason = inspector.dashboard()._reasons["occlusion"]
        assert reason.startswith("Occlusion needs pictures, rows of a table")
        assert "(3, 12)" in reason
    regression = nn.Sequential(nn.Linear(5, 1))
    with inspecting(regression, (X, torch.rand(40)), probe=4) as inspector:
        assert inspector.dashboard()._reasons["occlusion"].startswith("Occlusion needs class scores")


def test_pictures_have_the_view_of_squares() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    with inspecting(net, (torch.rand(20, 1, 8, 8), Y[:20]), probe=4) as inspector:
        assert isinstance(inspector.occlusion(), OcclusionView)
