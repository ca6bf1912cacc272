"""Colours and sizes of points: groups by plain loops, numbers between their ends."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from nnwidgets.blocks.looks import LEAST_AREA, MOST_AREA, MOST_GROUPS
from nnwidgets.blocks.marks import Groups, Numbers

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@THEMES
def test_points_take_the_colour_of_their_group_and_grey_without_one(theme: Theme) -> None:
    groups = Groups("letter", np.array([0, 2, -1, 2]), ["a", "b", "c"])

    expected = [theme.classes[0], theme.classes[2], theme.secondary, theme.classes[2]]
    assert groups.colors(theme).tolist() == [list(to_rgb(color)) for color in expected]
    assert (groups.counts.tolist(), groups.missing) == ([1, 0, 2], 1)


def test_of_many_groups_the_largest_have_colours() -> None:
    sizes = np.arange(30) % 7 + 1
    groups = Groups("many", np.repeat(np.arange(30), sizes), [str(i) for i in range(30)])

    largest = sorted(range(30), key=lambda group: (-sizes[group], group))[:MOST_GROUPS]
    assert groups.coloured.tolist() == sorted(largest)


@pytest.mark.parametrize(
    ("values", "ends"),
    [([1.0, 3.0], (1.0, 3.0)), ([-1.0, 3.0, np.nan], (-3.0, 3.0)), ([np.nan, np.inf], (0.0, 0.0)), ([2.0], (2.0, 2.0))],
)
def test_a_scale_spans_its_values_and_is_symmetric_about_zero(values: list[float], ends: tuple[float, float]) -> None:
    scale = Numbers.of("loss", np.array(values))

    assert (scale.low, scale.high) == ends


@THEMES
def test_numbers_take_colours_and_areas_between_the_ends(theme: Theme) -> None:
    scale = Numbers("loss", np.array([0.0, 1.0, 4.0, 9.0, np.nan]), 0.0, 4.0)

    colors = scale.colors(theme)
    assert colors[0].tolist() == list(theme.mark_ink(0.0)[:3])
    assert (colors[2] == colors[3]).all()
    assert colors[4].tolist() == list(to_rgb(theme.secondary))
    quarter = LEAST_AREA + 0.25 * (MOST_AREA - LEAST_AREA)
    assert scale.areas().tolist() == [LEAST_AREA, quarter, MOST_AREA, MOST_AREA, LEAST_AREA]
    rooted = Numbers("loss", scale.values, 0.0, 4.0, root=True).colors(theme)
    assert rooted[1].tolist() == list(theme.mark_ink(128)[:3])
