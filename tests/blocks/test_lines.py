"""Curves: their roles and colours, their values of now, what is drawn."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from nnwidgets.blocks import Lines
from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from tests.blocks.conftest import Drawn
from tests.blocks.reading import words_of

X = np.arange(5.0)


def test_a_line_alone_is_the_one_looked_for_and_others_take_class_colours() -> None:
    alone = Lines(X, {"loss": X})
    three = Lines(X, {"a": X, "mean": X, "b": X}, {"mean": "mean"})

    assert alone.color_of("loss", LIGHT) == LIGHT.brand
    assert [three.color_of(name, LIGHT) for name in three.lines] == [LIGHT.classes[0], LIGHT.text, LIGHT.classes[1]]


def test_values_of_now_are_the_last_ones_in_words() -> None:
    lines = Lines(X, {"unit 3": X + 0.5, "mean": X * np.nan}, {"unit 3": "main", "mean": "mean"}, format="loss")

    assert lines.now() == [("unit 3", "main", "4.5000"), ("mean", "mean", "NaN")]
    assert Lines(X[:0], {"a": X[:0]}).now() == []


def test_limits_span_all_that_is_finite_and_drawn() -> None:
    lines = Lines(X, {"a": X}, band=np.stack([X - 7, X]), others=np.array([[1, 2, np.inf, np.nan, 9.0]]))

    assert lines.limits() == (-7.0, 9.0)
    assert Lines(X, {"a": X}, log=True).limits() == (1.0, 4.0)
    assert Lines(X, {"a": X * np.nan}).limits() == (0.0, 1.0)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_bands_and_legend_are_drawn(drawn: Drawn, theme: Theme) -> None:
    lines = Lines(
        X,
        {"unit 3": X, "$mean$": 2 * X},
        {"unit 3": "main", "$mean$": "mean"},
        band=np.stack([X - 1, X + 1]),
        band_name="10–90 % of units",
        others=np.stack([X + 3, X + 4, X + 5]),
        unit="activation",
        title="Mean",
    )

    axes = drawn(lines, theme=theme)

    drawn_lines = {line.get_label(): line for line in axes.lines}
    assert (np.asarray(drawn_lines["unit 3"].get_ydata()) == X).all()
    assert (drawn_lines["unit 3"].get_color(), drawn_lines["unit 3"].get_linewidth()) == (theme.brand, 2.0)
    assert drawn_lines["$mean$"].get_color() == theme.text
    assert len(axes.lines) == 5
    assert sum(isinstance(each, PolyCollection) for each in axes.collections) == 1
    words = words_of(axes)
    assert {"unit 3", "$mean$", "10–90 % of units", "step", "activation"} <= set(words)
    assert "Mean   unit 3 4.00   $mean$ 8.00" in words


def test_why_there_is_nothing_to_draw_is_said(drawn: Drawn) -> None:
    assert words_of(drawn(Lines(X[:0], {"a": X[:0]}, empty="Nothing logged"))) == ["Nothing logged"]
    assert words_of(drawn(Lines(X, {"a": X}, empty="dead has no meaning here"))) == ["dead has no meaning here"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": np.zeros((2, 2))}, ValueError, r"x: expected shape \(n,\)"),
        ({"lines": {"a": np.zeros(3)}}, ValueError, r"lines\['a'\]: expected 5 n"),
        ({"lines": [X]}, TypeError, r"lines: expected \(n,\) values by name"),
        ({"band": np.zeros((3, 5))}, ValueError, "band: expected 2 edges"),
        ({"others": np.zeros((2, 4))}, ValueError, "others: expected 5 n"),
        ({"roles": {"b": "main"}}, KeyError, "roles: expected one of 'a', got 'b'"),
        ({"roles": {"a": "loud"}}, ValueError, "expected one of 'main', 'mean', 'class'"),
        ({"format": "x"}, ValueError, "format: expected one of"),
    ],
)
def test_bad_input_is_refused_with_words(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Lines(**{"x": X, "lines": {"a": X}, **change})


def test_bqplot_draws_them_so_no_page_gets_them_as_a_block() -> None:
    with pytest.raises(TypeError, match="bqplot draws them"):
        Lines(X, {"a": X}).pack({})
