"""What the drawings have in common: pictures through their scale, scale bars, names and numbers at axes."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from nnwidgets.blocks import drawing
from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from tests.blocks.reading import words_of

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@pytest.fixture
def axes() -> Axes:
    figure = Figure(figsize=(4, 3), dpi=60)
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@pytest.mark.parametrize(
    ("values", "signed", "ends"),
    [
        ([0.0, 2.0], None, (0.0, 2.0)),
        ([-3.0, 2.0], None, (-3.0, 3.0)),
        ([1.0, 2.0], True, (-2.0, 2.0)),
        ([np.nan, np.inf, 5.0], None, (0.0, 5.0)),
        ([0.0, 0.0], None, (0.0, 1.0)),
        ([], None, (0.0, 1.0)),
    ],
)
def test_a_scale_runs_from_zero_or_is_symmetric(
    values: list[float], signed: bool | None, ends: tuple[float, float]
) -> None:
    scale = drawing.Scale.of(np.array(values), "weight", signed=signed)

    assert (scale.low, scale.high) == ends


@THEMES
@pytest.mark.parametrize("low", [0.0, -2.0])
def test_values_are_shown_in_the_map_of_their_scale(axes: Axes, theme: Theme, low: float) -> None:
    values = np.array([[0.0, 1.0], [2.0, np.nan]])

    drawing.show(axes, values, drawing.Scale(low, 2.0, "weight"), theme)

    (image,) = axes.images
    assert image.get_cmap() is (theme.diverging if low < 0 else theme.ink)
    assert image.get_clim() == (low, 2.0)
    np.testing.assert_array_equal(np.ma.filled(np.ma.asarray(image.get_array()), np.nan), values)
    (hatch,) = axes.patches
    assert (hatch.get_hatch(), hatch.get_edgecolor()) == ("////", to_rgba(theme.error))


def test_values_that_are_all_finite_are_not_hatched(axes: Axes) -> None:
    drawing.show(axes, np.ones((2, 2)), drawing.Scale(0.0, 1.0, "weight"), LIGHT)

    assert not axes.patches


@pytest.mark.parametrize(("low", "labels"), [(0.0, ["0", "2.00"]), (-2.0, ["−2.00", "0", "2.00"])])
def test_a_scale_bar_has_both_ends_zero_and_a_unit(axes: Axes, low: float, labels: list[str]) -> None:
    drawing.scale_bar(axes, drawing.Scale(low, 2.0, "weight"), LIGHT)

    (bar,) = axes.child_axes
    assert [label.get_text() for label in bar.get_xticklabels()] == labels
    assert bar.get_xlabel() == "weight"


def test_names_at_an_axis_are_thinned_and_shortened(axes: Axes) -> None:
    names = [f"block{i}.conv$_{i}$.weight" for i in range(100)]

    drawing.name_ticks(axes.yaxis, names, LIGHT, most=10, letters=10)

    assert list(axes.get_yticks()) == list(range(0, 100, 10))
    assert axes.get_yticklabels()[1].get_text() == "block…ight"


def test_words_are_text_and_fit(axes: Axes) -> None:
    drawing.say(axes, "$x$ " * 100, LIGHT)
    axes.figure.canvas.draw()

    (words,) = words_of(axes)
    assert words.startswith("$x$ $x$")
    assert max(map(len, words.split("\n"))) <= drawing.letters_across(axes)


def test_numbers_at_axes_are_in_the_projects_format(axes: Axes) -> None:
    drawing.plain_axes(axes, LIGHT, x="step", y="loss", grid="y")
    axes.set_xlim(0, 4000)
    axes.set_xticks([0, 2000])
    axes.figure.canvas.draw()

    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "2\u202f000"]
    assert {"step", "loss"} <= set(words_of(axes))


def test_a_caption_is_broken_into_lines() -> None:
    figure = Figure(figsize=(4, 3), dpi=60)

    drawing.add_caption(figure, "Sample 3 · $5 maps$ · step 1 240 · " * 5, LIGHT)

    title = figure.get_suptitle()
    assert title.replace("\n", " ").startswith("Sample 3 · $5 maps$")
    assert title.count("\n") >= 2
