"""The drawing of an occlusion map shows importance, probability, prediction and its caption."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from nnwidgets.analysis import occlusion_map
from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.figures.occlusion import draw_occlusion

Array = NDArray[Any]
Draw = Callable[..., tuple[Array, list[str]]]
CAPTION = "Sample 73, label $9$ · 3 × 3 square filled with 0, stride 2, exact · step 1 240"
NAMES = ["cat $1$", "dog", "hen"]


@pytest.fixture
def result(generator: torch.Generator) -> OcclusionResult:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    occlusion = occlusion_map(model, torch.rand(1, 1, 12, 12, generator=generator), patch=3, stride=2)
    return OcclusionResult(step=1240, sample=73, label="9", map=occlusion, layer="", unit=None, target=1, seconds=0.1)


@pytest.fixture
def picture() -> Array:
    return np.linspace(0, 255, 144).reshape(12, 12).astype(np.uint8)


def test_the_words_are_caption_titles_units_and_class_shares(
    drawn: Draw, result: OcclusionResult, picture: Array
) -> None:
    _, words = drawn(draw_occlusion, result, caption=CAPTION, picture=picture, names=NAMES.__getitem__)

    assert {CAPTION, "Probability of dog lost", "p(dog)", "Predicted class", "probability"} <= set(words)
    predicted = result.map.predicted[0]
    for name in set(predicted.flatten().tolist()):
        assert f"{NAMES[name]}  {100 * (predicted == name).double().mean():.0f} %" in words


def test_another_target_is_another_picture(drawn: Draw, result: OcclusionResult, picture: Array) -> None:
    first, _ = drawn(draw_occlusion, result, picture=picture)
    second, words = drawn(draw_occlusion, result, picture=picture, target=2)

    assert (first != second).any(-1).mean() > 0.02
    assert "p(2)" in words


def test_a_colour_picture_and_none_are_drawn(drawn: Draw, result: OcclusionResult, picture: Array) -> None:
    grey, _ = drawn(draw_occlusion, result, picture=picture)
    color, _ = drawn(draw_occlusion, result, picture=np.stack([picture] * 3, -1))
    none, _ = drawn(draw_occlusion, result)

    assert np.abs(grey.astype(int) - color).max() <= 1
    assert (grey != none).any(-1).mean() > 0.02


def test_positions_not_computed_are_hatched_and_the_computed_ones_stay(
    drawn: Draw, result: OcclusionResult, picture: Array
) -> None:
    half = result.map.computed.clone()
    half[:, 3:] = False
    scores = torch.where(half[..., None], result.map.scores, torch.nan)
    part = dataclasses.replace(result, map=dataclasses.replace(result.map, scores=scores, computed=half))

    whole, _ = drawn(draw_occlusion, result, picture=picture)
    partial, _ = drawn(draw_occlusion, part, picture=picture)

    panel = slice(int(0.5 * whole.shape[1]), int(0.7 * whole.shape[1]))  # p(target)
    different = (whole[:, panel] != partial[:, panel]).any(-1).mean(1)
    rows = np.flatnonzero(different > 0.02)
    assert len(rows) > 5
    assert rows.min() > whole.shape[0] * 0.2  # the upper half of the panel is as it was


def test_the_last_square_of_a_row_may_stand_closer(drawn: Draw, generator: torch.Generator) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(130, 3))
    occlusion = occlusion_map(model, torch.rand(1, 1, 13, 10, generator=generator), patch=4, stride=4)
    result = OcclusionResult(step=1, sample=0, label="", map=occlusion, layer="", unit=None, target=0, seconds=0.0)

    _, words = drawn(draw_occlusion, result, caption=CAPTION)

    assert CAPTION in words
