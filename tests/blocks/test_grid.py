"""The grid block: which tiles a page gets, on what scale and how small; what it says when clicked; how it is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from nnwidgets.blocks import tiles
from nnwidgets.blocks.block import Array
from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from nnwidgets.blocks.grid import Grid
from tests.blocks.conftest import Drawn
from tests.blocks.reading import words_of


@pytest.fixture
def maps() -> Array:
    return np.random.default_rng(0).random((150, 6, 5), dtype=np.float32)


# --- pages ---


def test_more_than_64_units_come_in_pages(maps: Array) -> None:
    grid = Grid(maps)
    assert grid.pack({})["units"] == list(range(64))
    fields = grid.pack({"page": 2, "selected": None})
    assert fields["units"] == list(range(128, 150))
    assert fields["page"] == {"index": 2, "count": 3, "text": "129–150 of 150"}
    np.testing.assert_array_equal(fields["values"], maps[128:])
    assert grid.pack({"page": 9, "selected": None})["page"]["index"] == 2
    assert "page" not in Grid(maps[:64]).pack({})


def test_the_page_is_that_of_the_selected_unit_until_it_is_turned_for_this_unit(maps: Array) -> None:
    grid = Grid(maps, selected=70)
    assert grid.pack({})["page"]["index"] == 1
    assert grid.pack({"page": 2, "selected": 70})["page"]["index"] == 2
    assert grid.pack({"page": 2, "selected": 3})["page"]["index"] == 1
    assert grid.pack({"page": 0, "selected": None})["page"]["index"] == 1


def test_tiles_come_in_display_order_with_their_own_words(maps: Array) -> None:
    order = np.random.default_rng(1).permutation(150)
    words: dict[str, Any] = {
        name: [f"{name} {unit}" for unit in range(150)] for name in ("labels", "figures", "flags", "described")
    }
    grid = Grid(maps, order=order, selected=int(order[100]), **words)
    fields = grid.pack({})
    assert fields["units"] == order[64:128].tolist()
    np.testing.assert_array_equal(fields["values"], maps[order[64:128]])
    for name in words:
        assert fields[name] == [f"{name} {unit}" for unit in order[64:128]]
    assert fields["detail_title"] == f"Unit labels {order[100]}"


def test_an_order_may_leave_units_out(maps: Array) -> None:
    fields = Grid(maps, order=np.array([7, 3]), selected=100).pack({})
    assert (fields["units"], fields["selected"]) == ([7, 3], 100)
    np.testing.assert_array_equal(fields["values"], maps[[7, 3]])
    np.testing.assert_array_equal(fields["detail"], maps[100])


def test_tiles_that_are_all_on_the_page_stay_the_same_array(maps: Array) -> None:
    """A page is not sent again what stays the same object."""
    few = maps[:10]
    assert Grid(few, selected=3).pack({})["values"] is Grid(few, selected=4).pack({})["values"] is few


def test_the_enlarged_unit_is_sent_only_when_the_page_does_not_have_it(maps: Array) -> None:
    assert "detail" not in Grid(maps, selected=70).pack({})
    np.testing.assert_array_equal(Grid(maps, selected=70).pack({"page": 0, "selected": 70})["detail"], maps[70])
    large = np.ones((3, 200, 100))
    assert Grid(large, selected=1).pack({})["detail"].shape == (200, 100)
    assert "detail" not in Grid(large, selected=1, column=False).pack({})


def test_values_that_are_left_out_are_not_sent(maps: Array) -> None:
    fields = Grid(maps[:3]).pack({})
    left_out = {"labels", "figures", "flags", "described", "selected", "picture", "dead", "page", "detail"}
    assert not left_out & set(fields)
    assert fields["detail_title"] == ""


# --- large maps ---


def area_means(maps: Array, factor: int) -> Array:
    """By a plain loop."""
    n, height, width = maps.shape[:3]
    rows, columns = -(-height // factor), -(-width // factor)
    means = np.zeros((n, rows, columns, *maps.shape[3:]))
    for row in range(rows):
        for column in range(columns):
            cell = maps[:, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
            means[:, row, column] = cell.astype(np.float64).mean(axis=(1, 2))
    return means


@pytest.mark.parametrize(("size", "factor"), [((96, 96), 1), ((97, 20), 2), ((200, 100), 3), ((50, 289), 4)])
@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-6), (np.float64, 1e-12), (np.float16, 1e-3)])
def test_maps_are_reduced_by_area_mean_and_it_is_said(
    size: tuple[int, int], factor: int, dtype: Any, atol: float
) -> None:
    large = np.random.default_rng(2).random((3, *size)).astype(dtype)
    grid = Grid(large)
    fields = grid.pack({})
    assert fields["size"] == list(size)
    np.testing.assert_allclose(fields["values"], area_means(large, factor), rtol=0, atol=atol)
    assert grid.reduction == (f"drawn at 1/{factor} by area mean" if factor > 1 else "")


def test_colours_are_reduced_as_colours() -> None:
    large = np.random.default_rng(3).integers(0, 256, (2, 100, 100, 3), dtype=np.uint8)
    reduced = Grid(large).pack({})["values"]
    assert reduced.dtype == np.uint8
    np.testing.assert_array_equal(reduced, area_means(large, 2).round())


def test_one_value_that_is_not_finite_shows_in_its_cell_alone() -> None:
    large = np.ones((1, 100, 100), dtype=np.float32)
    large[0, 3, 5] = np.nan
    assert np.argwhere(np.isnan(Grid(large).pack({})["values"])).tolist() == [[0, 1, 2]]


# --- scales ---


def test_one_scale_spans_all_units_also_those_on_other_pages(maps: Array) -> None:
    scale = Grid(maps).pack({})["scale"]
    assert scale == {"lo": 0.0, "hi": float(maps.max()), "signed": False, "unit": "activation"}


def test_a_scale_of_its_own_spans_each_tile(maps: Array) -> None:
    grid = Grid(maps, per_tile=True, selected=140)
    scale = grid.pack({"page": 0, "selected": 140})["scale"]
    np.testing.assert_array_equal(scale["per_tile"], [[0.0, maps[unit].max()] for unit in range(64)])
    assert scale["selected"] == [0.0, maps[140].max()] == list(grid.ends(140))
    assert Grid(maps).ends(140) == (0.0, maps.max())


@pytest.mark.parametrize("signed", [False, True])
def test_negative_values_put_zero_into_the_middle(maps: Array, signed: bool) -> None:
    below = maps - (0.75 if not signed else 0.0)
    peak = float(np.abs(below).max())
    assert Grid(below, signed=signed).ends() == (-peak, peak)
    low, high = Grid(below, signed=signed, per_tile=True).ends(5)
    assert (low, high) == (-high, np.abs(below[5]).max())


def test_a_floor_keeps_the_scale_from_shrinking_and_a_peak_fixes_it(maps: Array) -> None:
    assert Grid(maps, floor=7.0).ends() == (0.0, 7.0)
    assert Grid(maps, floor=1e-9).ends() == (0.0, maps.max())
    assert Grid(maps, floor=7.0, peak=0.5).ends() == (0.0, 0.5)
    assert Grid(maps - 1, peak=0.5).ends() == (-0.5, 0.5)


def test_values_that_are_not_finite_do_not_reach_the_scale() -> None:
    values = np.array([[[1.0, np.nan]], [[np.inf, 2.0]], [[-np.inf, np.nan]]])
    assert Grid(values).ends() == (0.0, 2.0)
    assert [Grid(values, per_tile=True).ends(unit) for unit in range(3)] == [(0, 1), (0, 2), (0, 0)]


def test_colours_have_a_scale_when_the_value_of_full_colour_is_known() -> None:
    colours = np.zeros((2, 3, 3, 3), dtype=np.uint8)
    assert "scale" not in Grid(colours).pack({})
    scale = Grid(colours, peak=0.5, unit="weight", per_tile=True).pack({})["scale"]
    assert scale == {"lo": -0.5, "hi": 0.5, "signed": True, "unit": "weight"}


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3), (1, 1, 1)])
def test_empty_and_tiny_layers_have_a_page_and_a_drawing(drawn: Drawn, shape: tuple[int, ...]) -> None:
    grid = Grid(np.zeros(shape))
    assert grid.pack({})["scale"]["hi"] == 0.0
    drawn(grid)


def test_strips_and_sequences_are_sent_whole(maps: Array) -> None:
    rows = maps[:2].reshape(2, -1)
    strips = Grid(rows, layout="strips", row_titles=["sample 3", "mean"], selected=29, dead=rows[0] > 0.5)
    fields = strips.pack({})
    assert fields["values"] is rows
    assert (fields["row_titles"], fields["detail_title"]) == (["sample 3", "mean"], "Unit 29")
    assert not {"units", "page", "size", "detail"} & set(fields)
    assert fields["scale"]["hi"] == rows.max()
    with pytest.raises(ValueError, match="selected"):
        Grid(rows, layout="strips", selected=30)
    assert Grid(rows, layout="sequence", signed=True).pack({})["scale"]["lo"] == -rows.max()


# --- what the page says ---


def test_a_click_names_a_unit(maps: Array) -> None:
    assert Grid(maps).where(149) == (149,)
    assert Grid(maps[0], layout="strips").where(4) == (4,)
    for nonsense in (150, -1, True, 1.0, "1", None, [1], {"unit": 1}):
        with pytest.raises(ValueError, match="unit: expected a whole number from 0 to 149"):
            Grid(maps).where(nonsense)
    with pytest.raises(ValueError, match="click"):
        Grid(maps, column=False).where(0)


def test_the_page_turned_to_is_checked(maps: Array) -> None:
    grid = Grid(maps)
    for state in ({"page": 2, "selected": 70}, {"page": 0, "selected": None}):
        assert grid.state_from(state) == state
    # Of a layer that was on show before.
    assert grid.pack(grid.state_from({"page": 40, "selected": 3_000}))["page"]["index"] == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        1,
        {},
        {"page": 1},
        {"page": -1, "selected": None},
        {"page": "1", "selected": None},
        {"page": 1, "selected": "x"},
        {"page": 1, "selected": None, "more": 1},
        {"page": 10**30, "selected": 1},
    ],
)
def test_a_page_that_makes_no_sense_is_refused(maps: Array, nonsense: Any) -> None:
    with pytest.raises(ValueError, match=r"state|page|selected"):
        Grid(maps).state_from(nonsense)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": "rows"}, "layout: expected one of maps, strips, sequence, got 'rows'"),
        ({"values": np.zeros((3, 4))}, r"values: expected \(n, height, width\)"),
        ({"values": np.zeros((3, 4, 4, 3))}, "of uint8 for maps, got .* of float64"),
        ({"layout": "strips"}, r"values: expected \(rows, n\) for strips"),
        ({"labels": ["a"]}, "labels: expected one for each of the 3 units, got 1"),
        ({"dead": np.zeros(2)}, "dead: expected one for each of the 3 units, got 2"),
        ({"selected": 3}, "selected: expected a whole number from 0 to 2, got 3"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grid(**{"values": np.zeros((3, 4, 5)), **change})


def test_values_that_are_no_array_are_refused() -> None:
    with pytest.raises(TypeError, match="values: expected a NumPy array, got list"):
        Grid([[1.0]])  # type: ignore[arg-type]


# --- drawing ---


def pictures(axes: Axes) -> list[Array]:
    return [np.ma.getdata(np.ma.asarray(image.get_array())) for image in axes.images]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_tiles_are_drawn_in_order_on_one_scale_with_labels_figures_and_flags(
    drawn: Drawn, maps: Array, theme: Theme
) -> None:
    flags, figures = ["", "dead †", "", ""], ["0.10", "", "‡ 0.02", "0.30"]
    order = np.array([2, 0, 1, 3])
    grid = Grid(maps[:4], order=order, flags=flags, figures=figures, title="Maps $x_1$", note="by mean")
    axes = drawn(grid, theme=theme)
    for shown, unit in zip(pictures(axes), order, strict=True):
        np.testing.assert_array_equal(shown, maps[unit])
    assert {image.get_clim() for image in axes.images} == {(0.0, float(maps[:4].max()))}
    assert {image.get_cmap().name for image in axes.images} == {theme.ink.name}
    lefts = [image.get_extent()[0] for image in axes.images]
    assert lefts == sorted(lefts)
    said = words_of(axes)
    assert [word for word in said if word in "2013"][:4] == ["2", "0", "1", "3"]
    assert {"Maps $x_1$", "by mean", "dead †", "0.10", "‡ 0.02", "activation"} <= set(said)


def test_of_many_units_the_first_64_in_display_order_are_drawn_and_it_is_said(drawn: Drawn, maps: Array) -> None:
    axes = drawn(Grid(maps, order=np.arange(150)[::-1]))
    assert len(axes.images) == 64
    np.testing.assert_array_equal(pictures(axes)[0], maps[149])
    assert "first 64 of 150" in words_of(axes)
    assert "first 64 of 64" not in words_of(drawn(Grid(maps[:64])))


def test_tiles_with_scales_of_their_own_are_drawn_as_shares(drawn: Drawn, maps: Array) -> None:
    values = maps[:3] - 0.5
    axes = drawn(Grid(values, per_tile=True, noun="map"))
    for shown, own in zip(pictures(axes), values, strict=True):
        np.testing.assert_allclose(shown, own / np.abs(own).max(), rtol=1e-6)
    assert {image.get_clim() for image in axes.images} == {(-1.0, 1.0)}
    assert "share of each map’s largest activation" in words_of(axes)


def test_colours_are_drawn_as_they_are_over_a_grey_scale_bar(drawn: Drawn) -> None:
    colours = np.random.default_rng(4).integers(0, 256, (2, 3, 3, 3), dtype=np.uint8)
    axes = drawn(Grid(colours, peak=0.5, unit="weight"))
    for shown, own in zip(pictures(axes), colours, strict=True):
        np.testing.assert_array_equal(shown, own)
    assert {"−0.500", "0", "0.500", "weight"} <= set(words_of(axes))
    assert "activation" not in words_of(drawn(Grid(colours)))


def test_values_that_are_not_finite_are_hatched(drawn: Drawn, maps: Array) -> None:
    broken = maps[:4].copy()
    broken[1, 0, 0], broken[2, 3, 3] = np.nan, np.inf
    hatched = [patch for patch in drawn(Grid(broken)).patches if patch.get_hatch()]
    assert [to_hex(patch.get_edgecolor()) for patch in hatched] == [LIGHT.error] * 2
    assert not [patch for patch in drawn(Grid(maps[:4])).patches if patch.get_hatch()]


def test_strips_have_their_titles_and_marks_at_dead_units(drawn: Drawn) -> None:
    rows = np.random.default_rng(5).random((2, 40))
    dead = np.zeros(40, dtype=bool)
    dead[[7, 31]] = True
    axes = drawn(Grid(rows, layout="strips", row_titles=("sample 3", "probe mean"), dead=dead))
    for shown, own in zip(pictures(axes), rows, strict=True):
        np.testing.assert_array_equal(shown, own[None])
    assert {"sample 3", "probe mean", "16", "32", "activation"} <= set(words_of(axes))
    (marks,) = (each for each in axes.collections if isinstance(each, LineCollection))
    assert [segment[0][0] for segment in marks.get_segments()] == [7, 31]
    assert not drawn(Grid(rows, layout="strips")).collections


def test_sequences_have_positions_across_and_units_down(drawn: Drawn, maps: Array) -> None:
    axes = drawn(Grid(maps[0], layout="sequence", signed=True, unit="weight", row_titles=("input",)))
    np.testing.assert_array_equal(pictures(axes)[0], maps[0])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("input", "unit")
    assert axes.images[0].get_clim() == (-maps[0].max(), maps[0].max())
    assert drawn(Grid(maps[0], layout="sequence")).get_xlabel() == "position"


def test_a_page_with_a_unit_is_the_page_it_is_on() -> None:
    order = np.random.default_rng(6).permutation(1000)
    for unit in range(0, 1000, 37):
        assert unit in tiles.page_of(order, tiles.page_with(order, unit))[0]
