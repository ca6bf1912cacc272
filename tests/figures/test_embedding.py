"""The drawing of an embedding shows every point in its class's colour, the wrong ones ringed, and names as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from nnwidgets.analysis.embedding import Embedding
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.colors import DARK, LIGHT, Theme
from nnwidgets.figures.embedding import draw_embedding
from nnwidgets.figures.marks import Groups, Numbers

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


def points_in(figure: Figure) -> PathCollection:
    return next(each for each in figure.axes[0].collections if isinstance(each, PathCollection))


def filled(figure: Figure) -> list[str]:
    return [to_hex(color) for color in points_in(figure).get_facecolors()]  # type: ignore[attr-defined]


# Between these a scale's colours lie, on the light and the dark ground; the ground's own is left out.
INK = ["b6e1dd", "7cc9cb", "3eafbe", "1890b3", "0570a5", "174f94", "223171", "1d1948"]
DIVERGING = ["92ddfb", "53a7d9", "2d6ea7", "1a395f", "542d14", "9d551f", "d58c3f", "facd78"]


@pytest.mark.parametrize(
    ("values", "ends", "theme", "anchors"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], (0, 7), LIGHT, INK),
        ([2, 2, 9], (2, 9), LIGHT, [INK[0], INK[0], INK[7]]),
        ([-7, -5, -3, -1, 1, 3, 5, 7], (-7, 7), DARK, DIVERGING),
        ([-7, 1, 3], (-7, 7), DARK, [DIVERGING[0], DIVERGING[4], DIVERGING[5]]),
        ([4, 4, 4], (4, 4), LIGHT, INK[:1] * 3),
    ],
)
def test_numbers_are_coloured_along_the_scale_of_the_page_and_those_missing_are_grey(
    values: list[int], ends: tuple[int, int], theme: Theme, anchors: list[str]
) -> None:
    scale = Numbers.of("age, years", np.array([*values, math.nan], dtype=float))
    assert (scale.low, scale.high, scale.missing) == (*ends, 1)
    figure = Figure(layout="constrained")
    draw_embedding(result_of([0] * (len(values) + 1), [0] * (len(values) + 1)), figure, color=scale, theme=theme)
    *found, grey = filled(figure)
    assert grey == theme.secondary
    for color, anchor in zip(found, anchors, strict=True):
        # the table has 257 entries, and seven ways between anchors do not end on entries
        assert np.array(to_rgb(color)) * 255 == pytest.approx(np.array(to_rgb(f"#{anchor}")) * 255, abs=3)


def test_a_scale_has_a_bar_with_its_ends_and_name_and_the_groups_are_gone(drawn: Draw) -> None:
    scale = Numbers.of("age, $years$", np.array([20.0, 35.0, math.nan]))
    _, words = drawn(draw_embedding, result_of([0, 1, 1], [0, 1, 1]), color=scale, names=["cat", "dog"].__getitem__)
    assert {"20.0", "35.0", "age, $years$", "no value  1"} <= set(words)
    assert not {"Class", "cat  1", "dog  2"} & set(words)
    assert {"cat", "dog"} <= set(words), "the clusters keep their names"


def test_groups_are_named_counted_and_coloured_in_their_order(drawn: Draw) -> None:
    groups = Groups("writer", np.array([1, 1, -1, 2]), ["nobody", "Ann", "bob"])
    result = result_of([0] * 4, [0] * 4)
    figure = Figure(layout="constrained")
    draw_embedding(result, figure, color=groups)
    assert filled(figure) == [LIGHT.classes[1], LIGHT.classes[1], LIGHT.secondary, LIGHT.classes[2]]
    _, words = drawn(draw_embedding, result, color=groups)
    assert words == ["Ann", "bob", "writer", "Ann  2", "bob  1", "no value  1"]


def test_the_area_of_a_point_grows_from_half_to_four_times_and_the_legend_has_both(drawn: Draw) -> None:
    size = Numbers.of("loss", np.array([0.0, 1.0, 2.0, math.nan]), low=0.0)
    result = result_of([0] * 4, [0, 0, 1, 0])
    figure = Figure(layout="constrained")
    draw_embedding(result, figure, size=size)
    areas = points_in(figure).get_sizes()
    assert areas / areas[0] * 0.5 == pytest.approx([0.5, 2.25, 4, 0.5])
    ring = figure.axes[0].collections[1].get_sizes()  # type: ignore[attr-defined]
    assert ring[0] > areas[2], "a ring lies round its point, however large"
    _, words = drawn(draw_embedding, result, size=size)
    assert words[-3:] == ["Area: loss", "0", "2.00"]


@pytest.mark.parametrize("option", ["color", "size"])
def test_numbers_of_other_points_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option}: expected one for each of the 3 points of the map, got 2"):
        draw_embedding(result_of([0] * 3, [0] * 3), Figure(), **{option: Numbers.of("loss", np.zeros(2))})  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [10_000, 10_001])
def test_many_points_are_small(n: int) -> None:
    figure = Figure()
    draw_embedding(result_of([0] * n, [0] * n), figure)
    assert float(points_in(figure).get_sizes()[0]) == pytest.approx(
        16 if n == 10_000 else 16 * (1.5 / 2.75) ** 2, rel=0.02
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_wrong_points_are_ringed_and_counted(drawn: Draw, dims: int) -> None:
    right, _ = drawn(draw_embedding, result_of([0, 1, 2], [0, 1, 2], dims))
    wrong, words = drawn(draw_embedding, result_of([0, 1, 2], [0, 2, 1], dims))
    assert "predicted wrong  2" in words
    assert share_of(wrong, LIGHT.text) > share_of(right, LIGHT.text)


def test_no_point_hides_a_ring_in_three_dimensions(drawn: Draw) -> None:
    n, inks = 3000, []
    cloud = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    cloud[0] = -0.5 * torch.tensor([0.433, -0.75, 0.5])  # behind the middle, as the eye sees it
    for wrong in ([], [0]):
        result = result_of([1] * n, [0 if i in wrong else 1 for i in range(n)], 3)
        result.embedding.positions[:] = cloud
        pixels, _ = drawn(draw_embedding, result)
        inks.append(int((pixels[:, :340].max(axis=2) < 130).sum()))  # a thin ring is nowhere as dark as its ink
    assert inks[0] == 0
    assert inks[1] >= 8


def test_points_without_a_label_are_grey_and_have_no_legend(drawn: Draw) -> None:
    pixels, words = drawn(draw_embedding, result_of([-1] * 12, [-1] * 12))
    assert share_of(pixels, LIGHT.secondary) > 20
    assert words == []


def test_colours_repeat_and_stop_at_the_twenty_largest(drawn: Draw) -> None:
    labels = [*range(25), 24]
    result = result_of(labels, labels)
    figure = Figure(layout="constrained")
    draw_embedding(result, figure)
    colors = [LIGHT.classes[k % 10] if k < 19 or k == 24 else LIGHT.secondary for k in labels]
    assert filled(figure) == colors
    _, words = drawn(draw_embedding, result)
    assert "24  2" in words
    assert "18  1" in words
    assert "19  1" not in words
    assert "5 more  5" in words


def test_the_dark_theme_has_its_own_ground_and_colours(drawn: Draw) -> None:
    pixels, _ = drawn(draw_embedding, result_of([0] * 12, [0] * 12), theme=DARK)
    assert share_of(pixels, DARK.surface) > pixels.shape[0] * pixels.shape[1] / 2
    assert share_of(pixels, DARK.classes[0]) > 10
