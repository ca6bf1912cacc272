"""The drawing of filters shows kernels, smoothness and its caption."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nnwidgets.analysis import filter_stats
from nnwidgets.analysis.results import FiltersResult
from nnwidgets.figures.filters import draw_filters

Array = NDArray[Any]
Draw = Callable[..., tuple[Array, list[str]]]
CAPTION = "conv1 · 5 filters of 5 × 5 · $w$ · step 1 240"


def of(weight: torch.Tensor) -> FiltersResult:
    return FiltersResult(step=1240, layer="conv1", kind="Conv2d", weight=weight, stats=filter_stats(weight))


@pytest.fixture
def weight(generator: torch.Generator) -> torch.Tensor:
    kernels = torch.randn(5, 1, 5, 5, generator=generator)
    kernels[3] = torch.arange(25.0).reshape(5, 5) / 10
    return kernels


def test_under_each_kernel_stand_its_unit_and_smoothness_and_the_noise_mark(drawn: Draw, weight: torch.Tensor) -> None:
    _, words = drawn(draw_filters, of(weight), caption=CAPTION)

    assert {CAPTION, "0", "4", "0.88", "weight"} <= set(words)
    assert any(word.startswith("‡ ") for word in words)
    largest = f"{weight.abs().max():.3g}"
    assert {largest, f"−{largest}"} <= set(words)


def test_pixels_follow_the_weights(drawn: Draw, weight: torch.Tensor) -> None:
    flipped = weight.clone()
    flipped[0] = -flipped[0]

    before, _ = drawn(draw_filters, of(weight))
    after, _ = drawn(draw_filters, of(flipped))

    assert 0.005 < (before != after).any(-1).mean() < 0.1


def test_three_channels_are_a_colour_picture_with_zero_at_mid_grey(drawn: Draw, generator: torch.Generator) -> None:
    pixels, words = drawn(draw_filters, of(torch.cat([torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)])))

    assert (pixels == 128).all(-1).mean() > 0.01 or (pixels == 127).all(-1).mean() > 0.01
    assert "Mid grey is 0, full colour ±1.00" in words


def test_of_many_channels_one_is_drawn_and_named(drawn: Draw, generator: torch.Generator) -> None:
    weight = torch.randn(4, 6, 3, 3, generator=generator)
    weight[:, 4] *= 10

    strongest, words = drawn(draw_filters, of(weight))
    assert "Each filter's input channel of largest norm, of 6" in words
    fourth, words = drawn(draw_filters, of(weight), channel=4)
    assert "Input channel 4, of 6" in words
    other, _ = drawn(draw_filters, of(weight), channel=0)

    below_the_title = slice(60, None)
    assert (strongest[below_the_title] == fourth[below_the_title]).all()
    assert (other[below_the_title] != fourth[below_the_title]).any()


def test_a_linear_layer_over_pictures_is_drawn_as_pictures(drawn: Draw, generator: torch.Generator) -> None:
    weight = torch.randn(3, 20, generator=generator)
    _, words = drawn(draw_filters, of(weight), picture=(4, 5))
    assert {"0", "1", "2"} <= set(words)
    assert "input" not in words


@pytest.mark.parametrize("shape", [(4, 2, 7), (10, 20), (3, 2, 3, 3, 3), (70, 1, 3, 3)])
def test_every_kind_of_weight_has_a_picture(drawn: Draw, generator: torch.Generator, shape: tuple[int, ...]) -> None:
    pixels, words = drawn(draw_filters, of(torch.randn(shape, generator=generator)), caption=CAPTION)

    assert CAPTION in words
    assert "63" in words or shape[0] != 70
    assert "64" not in words
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
