"""The colour maps: zero is the ground, lightness runs one way, signed values are symmetric."""

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from nnwidgets.blocks.colors import DARK, LIGHT, Theme, heat

Array = NDArray[np.float64]
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def lightness(rgb: Array) -> Array:
    """CIE L*, which is not the space that the maps are made in."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    light: Array = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    return light


@THEMES
def test_zero_is_the_ground_in_both_maps(theme: Theme) -> None:
    assert to_hex(theme.ink(0.0)) == theme.ground
    assert to_hex(theme.diverging(0.5)) == theme.ground


@THEMES
def test_lightness_moves_away_from_the_ground_at_every_step(theme: Theme) -> None:
    away = 1 if theme is DARK else -1
    ink = lightness(theme.ink(np.linspace(0, 1, 257))[:, :3])
    diverging = lightness(theme.diverging(np.linspace(0, 1, 257))[:, :3])

    assert (away * np.diff(ink) > 0).all()
    assert (away * np.diff(diverging[128:]) > 0).all()
    assert (away * np.diff(diverging[:129]) < 0).all()


def test_maps_go_through_their_anchors() -> None:
    anchors = ["f2f4f4", "b6e1dd", "7cc9cb", "3eafbe", "1890b3", "0570a5", "174f94", "223171", "1d1948"]

    assert [to_hex(LIGHT.ink(i * 32)) for i in range(9)] == [f"#{anchor}" for anchor in anchors]


@THEMES
def test_signed_values_are_blue_below_and_orange_above_zero(theme: Theme) -> None:
    low, high = theme.diverging(0.25)[:3], theme.diverging(0.75)[:3]

    assert low[2] > low[0]
    assert high[0] > high[2]


@THEMES
def test_class_colours_differ_from_each_other_and_from_the_ground(theme: Theme) -> None:
    colors = np.array([to_rgb(color) for color in (*theme.classes, theme.ground)])
    distances = np.linalg.norm(colors[:, None] - colors[None], axis=-1) + np.eye(len(colors))

    assert len(theme.classes) == 10
    assert distances.min() > 0.15


def test_heat_tints_what_was_lost_and_leaves_zero_and_nan_grey() -> None:
    picture, values = np.full((1, 4), 0.5), np.array([[0.0, 2.0, -2.0, np.nan]])

    nothing, lost, gained, unknown = heat(picture, values, largest=2.0)[0]

    assert nothing.tolist() == unknown.tolist() == [0.5 * (1 - 0.55 * 0.85)] * 3
    assert lost[0] > lost[2]
    assert gained[2] > gained[0]
