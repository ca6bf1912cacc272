"""The drawing of an embedding shows every point in its class's colour, the wrong ones ringed, and names as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from nnwidgets.analysis.embedding import Embedding
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.colors import DARK, LIGHT
from nnwidgets.figures.embedding import draw_embedding

Draw = Callable[..., tuple[Any, list[str]]]
CAPTION = "fc1 · 3 of 10 samples · t-SNE, axes have no unit · step 1 240"


def result_of(labels: list[int], predicted: list[int], dims: int = 2) -> EmbeddingResult:
    n = len(labels)
    angles = torch.arange(n) * (2 * math.pi / n)
    circle = torch.stack([angles.cos(), angles.sin(), torch.zeros(n)][:dims], 1)
    nothing = torch.full((n,), math.nan)
    return EmbeddingResult(
        1240, "fc1", Embedding(circle, 0.3, "tsne"), torch.arange(n), torch.tensor(labels), torch.tensor(predicted),
        nothing, nothing, 10,
    )  # fmt: skip


def share_of(pixels: Any, color: str) -> int:
    wanted = np.asarray(to_rgb(color)) * 255
    return int((np.abs(pixels.astype(float) - wanted).max(2) < 3).sum())


@pytest.mark.parametrize("dims", [2, 3])
def test_points_have_the_colour_of_their_class_and_the_legend_counts_them(drawn: Draw, dims: int) -> None:
    result = result_of([0] * 8 + [2] * 4, [0] * 8 + [2] * 4, dims)
    pixels, words = drawn(draw_embedding, result, caption=CAPTION, names=["a$1$", "b", "c<b>"].__getitem__)
    assert share_of(pixels, LIGHT.classes[0]) > share_of(pixels, LIGHT.classes[2]) > 10
    assert share_of(pixels, LIGHT.classes[1]) == 0
    assert [word for word in words if word in ("a$1$  8", "c<b>  4")] == ["a$1$  8", "c<b>  4"]
    assert CAPTION in words


def test_wrong_points_are_ringed_and_counted(drawn: Draw) -> None:
    right, _ = drawn(draw_embedding, result_of([0, 1, 2], [0, 1, 2]))
    wrong, words = drawn(draw_embedding, result_of([0, 1, 2], [0, 2, 1]))
    assert "predicted wrong  2" in words
    assert share_of(wrong, LIGHT.text) > share_of(right, LIGHT.text)


def test_points_without_a_label_are_grey_and_have_no_legend(drawn: Draw) -> None:
    pixels, words = drawn(draw_embedding, result_of([-1] * 12, [-1] * 12))
    assert share_of(pixels, LIGHT.secondary) > 20
    assert words == []


def test_colours_repeat_and_the_legend_stops_at_twenty(drawn: Draw) -> None:
    _, words = drawn(draw_embedding, result_of(list(range(25)), list(range(25))))
    assert "19  1" in words
    assert "20  1" not in words
    assert "and 5 more" in words


def test_the_dark_theme_has_its_own_ground_and_colours(drawn: Draw) -> None:
    pixels, _ = drawn(draw_embedding, result_of([0] * 12, [0] * 12), theme=DARK)
    assert share_of(pixels, DARK.surface) > pixels.shape[0] * pixels.shape[1] / 2
    assert share_of(pixels, DARK.classes[0]) > 10
