"""The drawing of activations shows its data, its flags and its caption."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from nnwidgets.analysis import activation_stats
from nnwidgets.analysis.results import ActivationsResult
from nnwidgets.figures.activations import draw_activations
from nnwidgets.figures.colors import DARK, LIGHT, Theme

Array = NDArray[Any]
Draw = Callable[..., tuple[Array, list[str]]]
CAPTION = "Sample 3, label $x_1$ <b> · 5 maps of 6 × 6 · step 1 240"


@pytest.fixture
def result(generator: torch.Generator) -> ActivationsResult:
    pictures = torch.rand(4, 1, 6, 6, generator=generator)
    maps = torch.rand(4, 5, 6, 6, generator=generator)
    maps[:, 1], maps[:, 2] = 0, pictures[:, 0]
    stats = activation_stats(maps, inputs=pictures)
    return ActivationsResult(
        step=1240,
        layer="relu1",
        kind="ReLU",
        sample=3,
        label="x",
        layout="maps",
        values=maps[3],
        stats=stats,
        scores=None,
    )


def test_the_words_are_caption_units_flags_and_scale(drawn: Draw, result: ActivationsResult) -> None:
    _, words = drawn(draw_activations, result, caption=CAPTION)

    assert {CAPTION, "0", "1", "2", "3", "4", "dead †", "≡", "activation"} <= set(words)
    assert words.count("dead †") == words.count("≡") == 1
    assert f"{result.values.max():.3g}" in words


def test_pixels_follow_the_data_and_only_where_it_changed(drawn: Draw, result: ActivationsResult) -> None:
    changed = dataclasses.replace(result, values=result.values.clone())
    changed.values[4, 0, 0] = 0.0 if result.values[4, 0, 0] > 0.3 else 0.7

    before, _ = drawn(draw_activations, result)
    again, _ = drawn(draw_activations, result)
    after, _ = drawn(draw_activations, changed)

    assert (before == again).all()
    different = (before != after).any(-1)
    assert 0 < different.mean() < 0.01


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_dead_map_looks_like_the_ground(drawn: Draw, result: ActivationsResult, theme: Theme) -> None:
    dead = dataclasses.replace(result, values=torch.zeros(5, 6, 6))

    pixels, _ = drawn(draw_activations, dead, theme=theme)

    ground = (np.array(to_rgb(theme.ground)) * 255).round()
    share = (np.abs(pixels - ground).max(-1) <= 1).mean()
    assert share > 0.1
    assert (pixels[0, 0] == (np.array(to_rgb(theme.surface)) * 255).round()).all()


def test_values_that_are_not_finite_are_hatched_in_the_error_colour(drawn: Draw, result: ActivationsResult) -> None:
    broken = dataclasses.replace(result, values=result.values.clone())
    broken.values[0] = float("nan")

    def redness(pixels: Array) -> int:
        return int(((pixels[..., 0] > 180) & (pixels[..., 1] < 120) & (pixels[..., 2] < 120)).sum())

    assert redness(drawn(draw_activations, result)[0]) == 0
    assert redness(drawn(draw_activations, broken)[0]) > 50


@pytest.mark.parametrize("signed", [False, True])
def test_vectors_are_strips_with_the_probe_mean_and_marks_at_dead_units(drawn: Draw, signed: bool) -> None:
    values = torch.rand(6, 40, generator=torch.Generator().manual_seed(1)) - (0.5 if signed else 0.0)
    values[:, 7] = 0
    stats = activation_stats(values)
    strips = ActivationsResult(
        step=None, layer="fc", kind="Linear", sample=3, label="x", layout="strips", values=values[0], stats=stats,
        scores=None,
    )  # fmt: skip

    pixels, words = drawn(draw_activations, strips, caption=CAPTION)
    plain, fewer = drawn(draw_activations, dataclasses.replace(strips, stats=None), caption=CAPTION)

    assert {CAPTION, "sample 3", "probe mean", "16", "32", "activation"} <= set(words)
    assert "probe mean" not in fewer
    assert (pixels != plain).any()
    flag = np.abs(pixels - np.array(to_rgb(LIGHT.flag)) * 255).max(-1) < 40
    assert flag.any()
    ends = [word for word in words if word.startswith("−0.4")]
    assert bool(ends) == signed


def test_sequences_have_time_across_and_units_down(drawn: Draw) -> None:
    sequence = ActivationsResult(
        step=5, layer="rnn", kind="LSTM", sample=0, label="", layout="sequence", values=torch.randn(4, 9), stats=None,
        scores=None,
    )  # fmt: skip

    _, words = drawn(draw_activations, sequence, caption=CAPTION)

    assert {CAPTION, "time", "unit", "activation"} <= set(words)
