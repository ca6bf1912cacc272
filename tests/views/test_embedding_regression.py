"""A map of a regression: its points coloured by target, prediction and error; and of samples without any label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nnwidgets as nnw
from nnwidgets.blocks.marks import Numbers
from nnwidgets.blocks.metadata import Column
from nnwidgets.blocks.strip import Strip
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.views.embedding.regression import error_text, exact_lines
from tests.views.reading import in_picture, plain
from tests.waiting import command, inspecting, page, shown

N = 60


class Squeezed(nn.Module):
    """One number for each sample, without an axis for it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.net(x)[:, 0]
        return out


def model_of(kind: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "squeezed":
        return Squeezed()
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3 if kind == "autoencoder" else 1))


def data_of(kind: str) -> Any:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(N, 3, generator=generator)
    y = 10 + 2 * x[:, 0]
    if kind == "list":
        return [(x[k], float(y[k])) for k in range(N)]
    return x, y[:, None] if kind == "column" else y


@pytest.fixture(name="regression", params=["column", "squeezed", "list"])
def regression_(request: pytest.FixtureRequest) -> Iterator[tuple[nnw.Inspector, nn.Module]]:
    model = model_of(request.param)
    with inspecting(model, data_of(request.param), probe=8) as inspector:
        yield inspector, model


def offered(choices: Any) -> list[str]:
    return [name for name, _ in choices]


def colors_of(view: EmbeddingView) -> Any:
    points: Any = view.layout(view.displayed)[0]
    return points.colors


def test_points_can_be_coloured_and_sized_by_target_prediction_and_error(regression: Any) -> None:
    inspector, model = regression
    view = inspector.embedding(points=20, method="pca", metadata={"place": torch.arange(N)})
    assert offered(view.color_choices()) == ["target", "prediction", "error", "place"]
    assert offered(view.size_choices()) == ["equal", "target", "prediction", "error", "place"]
    assert view.color == "target"
    result = shown(view)
    rows = result.indices
    x = torch.randn(N, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        predicted = model(x[rows]).reshape(-1)
    target = 10 + 2 * x[rows, 0]
    expected = {"target": target, "prediction": predicted, "error": (predicted - target).abs()}
    for name, values in expected.items():
        view.color = name
        colors = colors_of(view)
        assert isinstance(colors, Numbers)
        assert colors.name == name
        np.testing.assert_allclose(colors.values, values.numpy(), rtol=1e-6)
        assert name in in_picture(view), "the bar has its name"
    low, high = colors_of(view).low, colors_of(view).high
    assert (low, high) == (0.0, pytest.approx(float(expected["error"].max())))


def test_target_and_prediction_have_one_scale_and_it_only_grows(regression: Any) -> None:
    inspector, model = regression
    view = inspector.embedding(points=20, method="pca")
    shown(view)
    view.color = "prediction"
    before = colors_of(view)
    assert before.low < before.values.min() + 1e-6
    assert before.high == pytest.approx(float(shown(view).targets.max()))
    view.color = "target"
    assert (colors_of(view).low, colors_of(view).high) == (before.low, before.high)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    inspector.refresh()
    shown(view)
    after = colors_of(view)
    assert (after.low, after.high) == (min(before.low, 0.0), before.high)


def test_the_card_has_exact_values_and_no_label_and_the_caption_says_what_the_error_is(regression: Any) -> None:
    inspector, _ = regression
    view = inspector.embedding(points=20, method="pca")
    result = shown(view)
    sample, target = int(result.indices[3]), float(result.targets[3])
    lines = dict(view.card_lines(result, sample))
    assert list(lines) == ["target", "prediction", "error"]
    assert float(plain(lines["target"])) == pytest.approx(target, rel=1e-6)
    mean = float((result.outputs - result.targets).abs().mean())
    assert f"error is |prediction − target|, {mean:.2f} on average" in " · ".join(view.caption(result))
    assert "labels" not in page(view)["embedding"] or set(page(view)["embedding"]["labels"].tolist()) == {-1}


def test_the_selected_lie_in_the_strip_by_falling_error(regression: Any) -> None:
    inspector, _ = regression
    view = inspector.embedding(points=20, method="pca")
    result = shown(view)
    inspector.selection.update(selected=tuple(result.indices[:5].tolist()))
    strip = view.layout(view.displayed)[2]
    assert isinstance(strip, Strip)
    order = (result.outputs - result.targets).abs()[:5].argsort(descending=True)
    assert strip.samples.tolist() == result.indices[:5][order].tolist()
    assert strip.note.startswith("largest error first · target · ")


def test_names_of_a_regression_are_taken_only_there(regression: Any) -> None:
    inspector, _ = regression
    with pytest.raises(ValueError, match="got 'error'"):
        inspector.embedding(points=20, metadata={"error": torch.arange(N)})
    with inspecting(model_of("autoencoder"), (torch.randn(N, 3), torch.arange(N) % 3), probe=8) as other:
        assert "error" in offered(other.embedding(points=20, metadata={"error": torch.arange(N)}).color_choices())


def test_a_model_without_a_number_for_each_sample_has_targets_alone() -> None:
    with inspecting(model_of("autoencoder"), data_of("autoencoder"), probe=8, score_fn=None) as inspector:
        view = inspector.embedding(points=20, method="pca")
        assert offered(view.color_choices()) == ["target"]


def test_without_labels_nothing_that_needs_them_is_offered_or_said() -> None:
    with inspecting(model_of("column"), torch.randn(N, 3), probe=8) as inspector:
        view = inspector.embedding(points=20, method="pca")
        shown(view)
        assert offered(view.color_choices()) == []
        assert offered(view.size_choices()) == ["equal"]
        assert "color" not in [option["name"] for option in view.option_specs()]
        assert not [word for word in ("Class", "no value", "label", "wrong") if word in in_picture(view)]
        assert view.card_lines(view.displayed, int(view.result.indices[0])) == []
    with inspecting(model_of("autoencoder"), torch.randn(N, 3), probe=8) as inspector:
        view = inspector.embedding(points=20, method="pca")
        assert offered(view.color_choices()) == ["prediction", "confidence"]
        assert view.color == "prediction"
        assert command(view, "option", {"name": "color", "value": "loss"}) is not None


def test_numbers_that_are_not_finite_are_no_value_and_counted() -> None:
    column = Column("error", np.array([2.0, np.nan, np.nan]))
    assert error_text(column) == "error is |prediction − target|, 2.00 on average, without 2 that are not finite"
    assert exact_lines([Column("target", np.array([0.1234567891, np.nan]))], 0) == [("target", "0.1234568")]
    assert exact_lines([column], 1) == [("error", "")]
