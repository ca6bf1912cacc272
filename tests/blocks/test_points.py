"""Points stand in their classes' colours, the wrong ones ringed, names as they are; a page gets only what changed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from nnwidgets.blocks.marks import Groups, Numbers
from nnwidgets.blocks.metadata import SHARE_STEPS, Column, Metadata
from nnwidgets.blocks.points import STEPS, Points
from nnwidgets.display.packing import Packer, Sent

NAMES = ("a$1$", "b", "c<b>")


def points_of(labels: list[int], predicted: list[int], dims: int = 2, **fields: Any) -> Points:
    n = len(labels)
    angles = np.arange(n) * (2 * math.pi / max(n, 1))
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(n)][:dims], 1).astype(np.float32)
    return Points(circle, np.arange(n), np.array(labels), np.array(predicted), **fields)


def figure_of(points: Points, theme: Theme = LIGHT) -> Figure:
    figure = Figure(figsize=(8, 5), dpi=60, layout="constrained", facecolor=theme.surface)
    FigureCanvasAgg(figure)
    points.draw(figure.add_subplot(), theme=theme)
    return figure


def drawn(points: Points, theme: Theme = LIGHT) -> tuple[Any, list[str]]:
    """The figure's pixels and its words."""
    figure = figure_of(points, theme)
    figure.canvas.draw()
    words = [text.get_text().replace("\n", " ") for text in figure.findobj(Text) if text.get_visible()]
    pixels = np.asarray(figure.canvas.buffer_rgba())  # type: ignore[attr-defined]
    return pixels[..., :3].copy(), [word for word in words if word]


def share_of(pixels: Any, color: str) -> int:
    wanted = np.asarray(to_rgb(color)) * 255
    return int((np.abs(pixels.astype(float) - wanted).max(2) < 3).sum())


def points_in(figure: Figure) -> Any:
    return next(each for each in figure.axes[0].collections if isinstance(each, PathCollection))


def filled(figure: Figure) -> list[str]:
    return [to_hex(color) for color in points_in(figure).get_facecolors()]


def by(column: Column, **fields: Any) -> dict[str, Any]:
    return {"metadata": Metadata((column,)), "color": column.name, **fields}


@pytest.mark.parametrize("dims", [2, 3])
def test_points_have_the_colour_of_their_class_and_the_legend_counts_them(dims: int) -> None:
    pixels, words = drawn(points_of([0] * 8 + [2] * 4, [0] * 8 + [2] * 4, dims, class_names=NAMES))
    assert share_of(pixels, LIGHT.classes[0]) > share_of(pixels, LIGHT.classes[2]) > 10
    assert share_of(pixels, LIGHT.classes[1]) == 0
    assert [word for word in words if word in ("a$1$  8", "c<b>  4")] == ["a$1$  8", "c<b>  4"]


@pytest.mark.parametrize("dims", [2, 3])
def test_title_and_note_stand_over_the_points_in_any_number_of_dimensions(dims: int) -> None:
    _, words = drawn(points_of([0] * 3, [0] * 3, dims, title="fc$1$", note="3 samples"))
    assert {"fc$1$", "3 samples"} <= set(words)


def test_axes_with_depth_take_the_place_of_those_given() -> None:
    figure = Figure(figsize=(8, 5))
    grid = figure.add_gridspec(2, 1)
    axes, other = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    points_of([0] * 3, [0] * 3, 3).draw(axes)
    assert len(figure.axes) == 2
    assert axes not in figure.axes
    deep = next(each for each in figure.axes if each is not other)
    assert deep.name == "3d"
    assert deep.get_subplotspec() == grid[0]


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
    n = len(values) + 1
    points = points_of([0] * n, [0] * n, **by(Column("age, years", np.array([*values, math.nan], dtype=float))))
    scale = points.colors
    assert isinstance(scale, Numbers)
    assert (scale.low, scale.high, scale.missing) == (*ends, 1)
    *found, grey = filled(figure_of(points, theme))
    assert grey == theme.secondary
    for color, anchor in zip(found, anchors, strict=True):
        # the table has 257 entries, and seven ways between anchors do not end on entries
        assert np.array(to_rgb(color)) * 255 == pytest.approx(np.array(to_rgb(f"#{anchor}")) * 255, abs=3)


def test_a_scale_has_a_bar_with_its_ends_and_name_and_the_groups_are_gone() -> None:
    age = Column("age, $years$", np.array([20.0, 35.0, math.nan]))
    _, words = drawn(points_of([0, 1, 1], [0, 1, 1], class_names=["cat", "dog"], **by(age)))
    assert {"20.0", "35.0", "age, $years$", "no value  1"} <= set(words)
    assert not {"Class", "cat  1", "dog  2"} & set(words)
    assert {"cat", "dog"} <= set(words), "the clusters keep their names"


def test_groups_are_named_counted_and_coloured_in_their_order() -> None:
    writer = Column("writer", codes=np.array([1, 1, -1, 2], dtype=np.int32), names=("nobody", "Ann", "bob"))
    points = points_of([0] * 4, [0] * 4, **by(writer))
    assert filled(figure_of(points)) == [LIGHT.classes[1], LIGHT.classes[1], LIGHT.secondary, LIGHT.classes[2]]
    _, words = drawn(points)
    assert words == ["writer", "Ann  2", "bob  1", "no value  1"], "what is said of samples need not gather them"


def test_points_are_coloured_by_what_is_asked_for() -> None:
    points = points_of([0, 1, 1, -1], [0, 1, 0, 1], confidence=np.array([1, 0.5, 0.25, 0.75]), loss=np.arange(4.0))
    codes = {
        "class": [0, 1, 1, -1],
        "prediction": [0, 1, 0, 1],
        "correctness": [0, 0, 1, -1],
        "nonsense": [0, 1, 1, -1],
    }
    for name, expected in codes.items():
        groups = replace(points, color=name).colors
        assert isinstance(groups, Groups)
        assert groups.codes.tolist() == expected
    for name, ends in {"loss": (0.0, 3.0), "confidence": (0.0, 1.0)}.items():
        scale = replace(points, color=name).colors
        assert isinstance(scale, Numbers)
        assert (scale.low, scale.high, scale.root) == (*ends, name == "loss")


def test_the_area_of_a_point_grows_from_half_to_four_times_and_the_legend_has_both() -> None:
    loss = np.array([0.0, 1.0, 2.0, *[math.nan] * 4])
    points = points_of([0] * 7, [0, 0, 1, 0, 0, 0, 0], size="loss", loss=loss)
    figure = figure_of(points)
    areas = points_in(figure).get_sizes()
    assert areas / areas[0] * 0.5 == pytest.approx([0.5, 2.25, 4, *[0.5] * 4])
    ring = figure.axes[0].collections[1].get_sizes()  # type: ignore[attr-defined]
    assert ring[0] > areas[2], "a ring lies round its point, however large"
    _, words = drawn(points)
    assert words[-3:] == ["Area: loss", "0", "2.00"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"loss": np.zeros(2)}, r"loss: expected 3 points \(axis 0\), got shape \(2,\)"),
        ({"samples": np.arange(4)}, "samples: expected 3 points"),
        ({"positions": np.zeros((3, 4))}, r"positions: expected finite numbers, \(n, 2\) or \(n, 3\)"),
        ({"positions": np.full((3, 2), np.nan)}, "positions: expected finite numbers"),
        (by(Column("age", np.zeros(2))), r"metadata 'age': expected one value for each of 3 points, got shape \(2,\)"),
        ({"trails": np.zeros((5, 2, 2)), "trail_rows": np.arange(3)}, "trail_rows: expected 2 rows"),
        ({"trails": np.zeros((5, 2, 3)), "trail_rows": np.arange(2)}, "trails: expected 2 axes"),
    ],
)
def test_arrays_of_other_shapes_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(points_of([0] * 3, [0] * 3), **fields)


@pytest.mark.parametrize("n", [10_000, 10_001])
def test_many_points_are_small(n: int) -> None:
    size = float(points_in(figure_of(points_of([0] * n, [0] * n))).get_sizes()[0])
    assert size == pytest.approx(16 if n == 10_000 else 16 * (1.5 / 2.75) ** 2, rel=0.02)


@pytest.mark.parametrize("dims", [2, 3])
def test_wrong_points_are_ringed_and_counted(dims: int) -> None:
    labels = [0] * 12
    right, _ = drawn(points_of([*labels, 1, 2], [*labels, 1, 2], dims))
    wrong, words = drawn(points_of([*labels, 1, 2], [*labels, 2, 1], dims))
    assert "predicted wrong  2" in words
    assert share_of(wrong, LIGHT.text) > share_of(right, LIGHT.text)


@pytest.mark.parametrize(("wrong", "rings"), [(0, 0), (14, 14), (15, 0), (100, 0)])
def test_rings_are_drawn_only_where_fewer_than_15_percent_are_wrong(wrong: int, rings: int) -> None:
    figure = figure_of(points_of([0] * 100, [1] * wrong + [0] * (100 - wrong)))
    further = figure.axes[0].collections[1:]
    assert sum(len(each.get_offsets()) for each in further) == rings  # type: ignore[arg-type, misc]
    words = [text.get_text() for text in figure.findobj(Text)]
    assert (f"predicted wrong  {wrong}" in words) == (rings > 0)
    assert (f"{wrong} of 100 wrong: too many to ring" in words) == (wrong > rings)


def test_points_without_a_label_or_a_prediction_are_not_wrong() -> None:
    assert points_of([0, -1, 1], [1, 1, -1]).wrong.tolist() == [True, False, False]
    assert not Points(np.zeros((2, 2)), np.arange(2), labels=np.array([0, 1])).wrong.any()


def test_no_point_hides_a_ring_in_three_dimensions() -> None:
    n, inks = 3000, []
    cloud = np.random.default_rng(0).standard_normal((n, 3)).astype(np.float32)
    cloud[0] = -0.5 * np.array([0.433, -0.75, 0.5])  # behind the middle, as the eye sees it
    for wrong in ([], [0]):
        predicted = [0 if i in wrong else 1 for i in range(n)]
        pixels, _ = drawn(replace(points_of([1] * n, predicted, 3), positions=cloud))
        inks.append(int((pixels[:, :340].max(axis=2) < 130).sum()))  # a thin ring is nowhere as dark as its ink
    assert inks[0] == 0
    assert inks[1] >= 8


def test_points_without_a_label_are_grey_and_have_no_legend() -> None:
    pixels, words = drawn(points_of([-1] * 12, [-1] * 12))
    assert share_of(pixels, LIGHT.secondary) > 20
    assert words == []


def test_colours_repeat_and_stop_at_the_twenty_largest() -> None:
    labels = [*range(25), 24]
    points = points_of(labels, labels)
    colors = [LIGHT.classes[k % 10] if k < 19 or k == 24 else LIGHT.secondary for k in labels]
    assert filled(figure_of(points)) == colors
    _, words = drawn(points)
    assert "24  2" in words
    assert "18  1" in words
    assert "19  1" not in words
    assert "5 more  5" in words


def test_the_dark_theme_has_its_own_ground_and_colours() -> None:
    pixels, _ = drawn(points_of([0] * 12, [0] * 12), DARK)
    assert share_of(pixels, DARK.surface) > pixels.shape[0] * pixels.shape[1] / 2
    assert share_of(pixels, DARK.classes[0]) > 10


def packed(points: Points) -> dict[str, Any]:
    return points.pack({})


def test_positions_reach_the_page_as_32_000ths_of_a_unit_that_leaves_a_margin() -> None:
    positions = np.array([[3.0, -4.0], [0.5, 1.0]], dtype=np.float32)
    fields = packed(Points(positions, np.array([7, 9])))
    assert fields["positions"].dtype == np.int16
    np.testing.assert_allclose(fields["positions"] * fields["unit"] / STEPS, positions, atol=4 / 30_000)
    assert np.abs(fields["positions"]).max() == round(0.98 * STEPS)
    assert packed(Points(np.zeros((2, 2)), np.array([7, 9])))["positions"].tolist() == [[0, 0], [0, 0]]
    assert packed(Points(np.zeros((0, 2)), np.empty(0)))["positions"].shape == (0, 2)


def test_columns_reach_the_page_to_24_bits_as_rows_of_two_arrays() -> None:
    times = 1_700_000_000.0 + np.arange(4) * 3_607
    columns = (
        Column("writer", codes=np.array([0, -1, 0, 1], dtype=np.int32), names=("Ann", "bob")),
        Column("time", np.array([*times[:3], np.nan])),
        Column("fold", np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1, 0, 1], dtype=np.int32), ("0", "1")),
    )
    fields = packed(points_of([0] * 4, [0] * 4, metadata=Metadata(columns)))
    writer, time, fold = fields["columns"]
    assert json.loads(writer["names"]) == ["Ann", "bob"]
    assert fields["codes"][writer["codes"]].tolist() == [0, -1, 0, 1]
    assert "shares" not in writer
    shares = fields["shares"][time["shares"]]
    assert shares[3] == -1
    found = time["low"] + shares[:3] / SHARE_STEPS * (time["high"] - time["low"])
    assert found.round().tolist() == times[:3].tolist()
    assert (fold["codes"], fold["shares"]) == (1, 1)
    assert fields["shares"].dtype == np.int32


def test_only_what_has_changed_is_sent() -> None:
    packer, page = Packer(), Sent()
    column = Column("age", np.arange(4.0))
    points = points_of([0, 1, 0, 1], [0, 1, 1, 1], loss=np.arange(4.0), metadata=Metadata((column,)), sample=2)

    def sent(block: Points) -> tuple[set[str], set[str]]:
        (entry,), arrays = page.changes(packer.pack([[block]], {}))
        return set(entry["fields"]), {name.split("/")[1] for name in arrays}

    assert sent(points)[1] == {"positions", "samples", "labels", "predicted", "loss", "shares"}
    points = replace(points, selected=np.array([1, 3]))
    assert sent(points) == (set(), {"selected"})
    assert sent(replace(points, sample=3)) == ({"sample"}, set())
    assert sent(replace(points, sample=3, color="age")) == ({"color"}, set())


def test_a_click_names_a_sample_and_a_lasso_all_that_are_to_be_selected() -> None:
    points = points_of([0] * 3, [0] * 3)
    assert points.where({"sample": 2}) == ("sample", 2)
    assert points.where({"samples": [5, 1]}) == ("samples", (5, 1)), "samples elsewhere may be selected, too"
    assert points.where({"samples": []}) == ("samples", ())
    for nonsense in (None, 3, [1], {}, {"sample": -1}, {"sample": True}, {"samples": 3}, {"samples": [1, "2"]},
                     {"samples": [1.0]}, {"sample": 1, "samples": []}, {"row": 1}):  # fmt: skip
        with pytest.raises(ValueError, match="click: expected a sample or samples"):
            points.where(nonsense)


def test_some_of_a_columns_rows_stay_on_its_scale() -> None:
    column = Column("age", np.array([0.0, 5.0, 10.0]))
    part = column.of_rows([1, 0])
    assert part.numbers is not None
    assert (part.numbers.tolist(), part.span) == ([5.0, 0.0], (0.0, 10.0))
    assert [column.text(row) for row in range(3)] == ["0", "5", "10"]
