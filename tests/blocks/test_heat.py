"""The heat block: what a page gets of a picture with heat and of its panels, what a click says, and how it is drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgba
from matplotlib.image import AxesImage
from matplotlib.text import Text

from nnwidgets.blocks import Heat, Panel, Squares
from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.colors import DARK, LIGHT, Theme, heat
from nnwidgets.blocks.squares import class_slots
from nnwidgets.words import number
from tests.blocks.reading import words_of

Drawn = Callable[..., Axes]
NAMES = ["cat $1$", "dog", "hen"]
ROWS, COLS = (0, 2, 4, 6, 7), (0, 2, 4)  # 3 × 3 squares on 10 × 7 pixels; the last one of a column stands closer


@pytest.fixture
def picture() -> Array:
    return np.linspace(0, 255, 70).reshape(10, 7).astype(np.uint8)


@pytest.fixture
def block(rng: np.random.Generator, picture: Array) -> Heat:
    classes = np.array([[1, 1, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 2]])
    return Heat(
        rng.normal(size=(10, 7)),
        "probability lost",
        -2.0,
        4.0,
        picture=picture,
        decimals=2,
        squares=Squares(ROWS, COLS, (3, 3)),
        panels=[
            Panel("p(dog)", rng.random((5, 3)), 0.9, unit="probability", decimals=2),
            Panel("Map 3 of `conv`", 5000 * rng.random((5, 3)), 2500.0, unit="summed activity", high=5000.0),
            Panel("Predicted class", rng.random((5, 3)), 0.9, classes=classes, class_without=1, names=NAMES),
        ],
        title="Probability of dog lost",
        note="average over all squares",
        clickable=True,
    )


def plain(block: Heat, **changes: Any) -> Heat:
    """The picture alone."""
    return dataclasses.replace(block, squares=None, panels=(), **changes)


# --- what a page gets ---


def test_a_picture_alone_sends_its_values_and_nothing_of_squares(block: Heat, picture: Array) -> None:
    fields = plain(block, decimals=None).pack({})
    assert fields["picture"] is picture
    assert (fields["title"], fields["unit"], fields["low"], fields["high"]) == (block.title, block.unit, -2.0, 4.0)
    assert not {"squares", "cells", "classes", "computed", "decimals"} & set(fields)
    assert fields["panels"] == []


def test_cells_begin_with_the_value_without_a_square_and_keep_the_digits_of_each_panel(
    block: Heat, sent: Callable[[Block], dict[str, Any]]
) -> None:
    fields = sent(block)
    assert fields["cells"].shape == (3, 16)
    for row, panel in enumerate(block.panels):
        np.testing.assert_allclose(fields["cells"][row], np.append(panel.without, panel.values), rtol=1e-6)
    (classes,) = fields["classes"]
    assert block.panels[2].classes is not None
    np.testing.assert_array_equal(classes, [1, *block.panels[2].classes.ravel()])
    assert fields["squares"] == {"rows": list(ROWS), "cols": list(COLS), "size": [3, 3]}


def test_words_of_panels_leave_out_what_they_have_not(block: Heat) -> None:
    first, second, third = block.pack({})["panels"]
    assert (first["decimals"], first["label"], first["legend"]) == (2, "p(dog)", [])
    assert "decimals" not in second
    assert second["title"] == "Map 3 of `conv`"
    assert second["label"] == "Map 3 of conv"
    assert third["shows_classes"]


def test_the_legend_has_the_shares_of_known_positions_the_largest_first() -> None:
    classes = np.array([[2, 2, 2], [0, -1, -1]])
    panel = Panel("", np.zeros((2, 3)), 0.0, classes=classes, class_without=1, names=NAMES)
    assert panel.legend == ((2, "hen", 0.75), (0, "cat $1$", 0.25), (1, "dog", 0.0))
    nothing = dataclasses.replace(panel, classes=np.full((2, 3), -1), class_without=-1)
    assert nothing.legend == ()


def test_numbers_that_are_not_finite_reach_the_page(block: Heat, sent: Callable[[Block], dict[str, Any]]) -> None:
    broken = Panel("p", np.full((5, 3), np.nan), float("nan"))
    assert np.isnan(sent(dataclasses.replace(block, panels=[broken]))["cells"]).all()


def test_classes_of_a_legend_share_no_colour_while_one_is_free() -> None:
    assert class_slots([9, 7, 0], 10) == {9: 9, 7: 7, 0: 0}
    assert len(set(class_slots([3, 13, 23, 4], 10).values())) == 4
    assert class_slots([0, 1, 2], 2)[2] == 0


# --- what a click says ---


def test_a_click_says_a_position_or_a_pixel(block: Heat) -> None:
    assert block.where(["position", 4, 2]) == ("position", 4, 2)
    assert plain(block).where(["pixel", 9, 6]) == ("pixel", 9, 6)


@pytest.mark.parametrize(
    "value", [None, 3, [], ["pixel", 0, 0], ["position", 5, 0], ["position", 0, 3], ["position", True, 0]]
)
def test_a_place_that_is_none_is_refused(block: Heat, value: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        block.where(value)


def test_a_block_that_no_view_asks_takes_no_clicks(block: Heat) -> None:
    with pytest.raises(ValueError, match="clickable"):
        dataclasses.replace(block, clickable=False).where(["position", 0, 0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"values": np.zeros(3)}, r"values: expected shape \(height, width\), got \(3,\)"),
        ({"picture": np.zeros((10, 8))}, r"picture: expected shape \(10, 7\) or \(10, 7, 3\) like the values"),
        ({"squares": None}, "squares: expected the positions that the panels' values belong to"),
        ({"panels": [Panel("p", np.zeros((3, 5)), 0.0)]}, r"values: expected 5 rows \(axis 0\), got shape \(3, 5\)"),
    ],
)
def test_shapes_that_do_not_go_together_are_told(block: Heat, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(block, **changes)


# --- how it is drawn ---


def panels_of(axes: Axes) -> list[Axes]:
    """The overlay's axes and those of the panels."""
    return [each for each in axes.child_axes if isinstance(each, Axes) and each.get_title(loc="left")]


def hatches(axes: Axes) -> dict[str, int]:
    """Hatched rectangles in the axes by colour."""
    found = [each for each in axes.collections if isinstance(each, PolyCollection) and each.get_hatch()]
    return {to_hex(np.asarray(each.get_edgecolor())[0]): len(each.get_paths()) for each in found}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_words_are_titles_units_ends_and_class_shares(drawn: Drawn, block: Heat, theme: Theme) -> None:
    axes = drawn(block, theme=theme)
    words = set(words_of(axes))
    assert {"Probability of dog lost", "p(dog)", "Map 3 of conv", "Predicted class", "probability"} <= words
    assert {"probability lost, average over all squares", number(-2.0), number(4.0), number(5000.0)} <= words
    assert {"dog  80 %", "cat $1$  13 %", "hen  7 %"} <= words
    assert not any(text.get_parse_math() for text in axes.findobj(Text) if "$" in text.get_text())


def test_the_overlay_is_the_picture_under_its_heat(drawn: Drawn, block: Heat, picture: Array) -> None:
    for alone in (False, True):
        axes = drawn(plain(block) if alone else block)
        overlay = axes if alone else panels_of(axes)[0]
        image = next(each for each in overlay.images if isinstance(each, AxesImage))
        expected = heat(picture / 255, block.values, largest=4.0, opacity=0.85)
        np.testing.assert_allclose(np.asarray(image.get_array()), expected)
        assert overlay.get_title(loc="left") == block.title


def test_a_colour_picture_is_drawn_in_its_grey_and_none_is_black(drawn: Drawn, block: Heat, picture: Array) -> None:
    def shown(**changes: Any) -> Array:
        return np.asarray(drawn(plain(block, **changes)).images[0].get_array())

    np.testing.assert_allclose(shown(picture=np.stack([picture] * 3, -1)), shown(), atol=1e-12)
    np.testing.assert_array_equal(shown(picture=None), shown(picture=np.zeros_like(picture)))


def test_each_position_is_drawn_at_its_squares_centre(drawn: Drawn, block: Heat) -> None:
    panel = panels_of(drawn(block))[1]
    (mesh,) = (each for each in panel.collections if isinstance(each, QuadMesh))
    corners = np.asarray(mesh.get_coordinates())
    # Centres at 1.5, 3.5, 5.5, 7.5 and 8.5 pixels from the top: cells meet half way; a pixel's own centre is whole.
    np.testing.assert_allclose(corners[:, 0, 1], np.array([0.5, 2.5, 4.5, 6.5, 8.0, 9.0]) - 0.5)
    np.testing.assert_allclose(corners[0, :, 0], np.array([0.5, 2.5, 4.5, 6.5]) - 0.5)
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).ravel(), block.panels[0].values.ravel())
    assert (panel.get_xlim(), panel.get_ylim()) == ((-0.5, 6.5), (9.5, -0.5))


def test_the_unchanged_class_is_pale(drawn: Drawn, block: Heat) -> None:
    panel = panels_of(drawn(block))[3]
    (mesh,) = (each for each in panel.collections if isinstance(each, QuadMesh))
    colors = np.asarray(mesh.get_facecolor()).reshape(5, 3, 4)
    np.testing.assert_allclose(colors[0, 0], to_rgba(LIGHT.classes[1], 0.3))
    np.testing.assert_allclose(colors[0, 2], to_rgba(LIGHT.classes[0], 1.0))


def test_a_signed_panel_is_symmetric_about_zero(drawn: Drawn, block: Heat) -> None:
    signed = dataclasses.replace(block.panels[0], low=-1.0, high=0.5)
    panel = panels_of(drawn(dataclasses.replace(block, panels=[signed])))[1]
    (mesh,) = (each for each in panel.collections if isinstance(each, QuadMesh))
    assert mesh.get_clim() == (-1.0, 1.0)
    assert mesh.get_cmap() is LIGHT.diverging


def test_what_is_not_computed_is_hatched_in_grey_and_what_is_not_finite_as_an_error(drawn: Drawn, block: Heat) -> None:
    assert [hatches(each) for each in panels_of(drawn(block))] == [{}] * 4
    computed = np.ones((5, 3), dtype=bool)
    computed[3:] = False
    values = np.where(computed, block.panels[0].values, np.nan)
    values[0, 0] = np.inf
    first = dataclasses.replace(block.panels[0], values=values)
    partial = dataclasses.replace(block, panels=[first, *block.panels[1:]], computed=computed)
    _, *panels = (hatches(each) for each in panels_of(drawn(partial)))
    assert panels == [{LIGHT.secondary: 2, LIGHT.error: 1}, {LIGHT.secondary: 2}, {LIGHT.secondary: 2}]


def test_pixels_without_a_value_are_hatched_over_the_picture(drawn: Drawn, block: Heat) -> None:
    values = block.values.copy()
    values[2, 1:4] = np.nan
    values[2, 6] = np.nan
    assert list(hatches(drawn(plain(block, values=values))).values()) == [2]


def test_one_square_alone_fills_its_own_place() -> None:
    rows, cols = Squares((2,), (0, 4), (4, 2)).edges
    assert (rows.tolist(), cols.tolist()) == ([2.0, 6.0], [-1.0, 3.0, 7.0])
