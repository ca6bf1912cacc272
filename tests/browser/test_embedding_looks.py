"""Points in the colours and sizes that the data say, with a legend of them; points found by a search."""

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.colors import Colormap, to_rgb
from playwright.sync_api import expect

from nnwidgets.blocks.colors import DARK, LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, RING, EmbeddingView, Map, at
from tests.browser.views import NET, color_of, is_color, value_in

VIEW = """
inspector.selection.update(sample=3)
places = torch.arange(96)
signed = places / 24 - 1.0
signed[4::5] = torch.nan
view = inspector.embedding(layer="fc", method="pca", points=32, metadata={
    "writer": [("Ann", "bob", "")[i % 3] for i in range(96)], "signed": signed, "place": places,
})
view
"""
GREY = np.array(to_rgb(LIGHT.secondary)) * 255
BRAND = np.array(to_rgb("#1976d2")) * 255


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW])
    notebook.finish(0, 1)
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture(autouse=True)
def at_start(view: EmbeddingView) -> None:
    """Coloured by class, equal in size, with nothing selected or searched."""
    view.root.get_by_label("Search", exact=True).fill("")
    view.notebook.python(
        "[inspector.selection.update(sample=3, selected=()), view.set_trait('color', 'class'),"
        " view.set_trait('size', 'equal')] and 0"
    )
    view.until_caption("PCA, shows")
    view.until_in_place()


def colors_on_screen(view: EmbeddingView, expected: list[npt.NDArray[np.float64]]) -> Map:
    """Wait until the centres of the points that stand alone have these colours; names hide a few."""
    points = view.map()
    rows = points.alone()

    def right() -> bool:
        pixels = view.shown()
        return float(np.mean([is_color(at(pixels, points.xy[row]), expected[row]) for row in rows])) > 0.8

    view.notebook.until(right, "the points in their colours")
    return points


def ramp(values: list[float], low: float, high: float, colors: Colormap) -> list[npt.NDArray[np.float64]]:
    return [color_of(value, low, high, colors) if np.isfinite(value) else GREY for value in values]


@pytest.mark.parametrize("by", ["prediction", "correctness", "writer"])
def test_groups_have_the_colours_of_the_legend_and_their_switches_hide_them(view: EmbeddingView, by: str) -> None:
    view.set_option("Colour by", by)
    points = view.map()
    groups = {
        "prediction": points.predicted,
        "correctness": points.wrong.astype(int),
        "writer": np.array([(0, 1, -1)[index % 3] for index in points.indices]),
    }[by]
    colors_on_screen(view, [COLORS[group] if group >= 0 else GREY for group in groups])
    names = view.legend.locator(".nnw-points-legend-name").all_text_contents()
    assert names == {"prediction": names, "correctness": ["correct", "wrong"], "writer": ["Ann", "bob"]}[by]
    expect(view.legend.locator(".nnw-points-legend-head > span").first).to_have_text(
        {"prediction": "Prediction", "correctness": "Correctness", "writer": "writer"}[by]
    )
    counts = view.legend.locator(".nnw-points-legend-row > .nnw-points-number:nth-child(3)").all_inner_texts()
    assert [value_in(words) for words in counts] == [np.sum(groups == group) for group in range(len(names))]
    if by == "writer":
        expect(view.legend).to_contain_text(f"no value ({np.sum(groups < 0)})")
    row = view.legend.locator(".nnw-points-legend-row").first
    row.click()
    hidden = [each for each in points.alone() if groups[each] == 0]

    def gone() -> bool:
        pixels = view.shown()
        return len(hidden) > 0 and not any(is_color(at(pixels, points.xy[each]), COLORS[0]) for each in hidden)

    view.notebook.until(gone, "the group to be hidden")
    row.click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_loss_goes_from_nothing_to_the_highest_and_the_bar_says_so(view: EmbeddingView, theme: str) -> None:
    view.set_option("Colour by", "loss")
    losses = view.notebook.python("view.result.loss.tolist()")
    roots = np.sqrt(losses).tolist()
    if theme == "dark":
        view.notebook.theme("dark")
        colors_on_screen(view, ramp(roots, 0, max(roots), DARK.mark_ink))
        assert is_color(view.shown()[3, 3], np.array(to_rgb(DARK.ground)) * 255)
        view.notebook.theme("light")
        return
    colors_on_screen(view, ramp(roots, 0, max(roots), LIGHT.mark_ink))
    low, name, high = view.legend.locator(".nnw-points-color-key span").all_inner_texts()
    assert (low, name) == ("0", "loss, root scale")
    assert value_in(high) == pytest.approx(max(losses), rel=0.01)
    expect(view.legend.locator(".nnw-points-legend-row")).to_have_count(4)


def test_numbers_of_both_signs_have_a_true_zero_and_missing_ones_are_grey(view: EmbeddingView) -> None:
    view.set_option("Colour by", "signed")
    values = view.notebook.python("[float(signed[i]) if signed[i] == signed[i] else None for i in view.result.indices]")
    missing = sum(value is None for value in values)
    assert missing > 3
    highest = view.notebook.python("signed[view.result.indices].nan_to_num().abs().max().item()")
    numbers = [np.nan if value is None else value for value in values]
    colors_on_screen(view, ramp(numbers, -highest, highest, LIGHT.mark_diverging))
    low, name, high = view.legend.locator(".nnw-points-color-key span").all_inner_texts()
    assert name == "signed"
    assert value_in(high) == -value_in(low) == pytest.approx(highest, rel=0.01)
    expect(view.legend).to_contain_text(f"no value ({missing})")


def test_the_area_of_a_point_grows_with_its_number(view: EmbeddingView) -> None:
    points = view.map()
    view.set_option("Size by", "place")
    shares = (points.indices - points.indices.min()) / np.ptp(points.indices)
    radii = 2.75 * np.sqrt(0.5 + 3.5 * shares)
    apart = np.linalg.norm(points.xy[:, None] - points.xy[None], axis=-1) + 99 * np.eye(len(points.xy))
    rows = np.flatnonzero(apart.min(axis=1) > 14)
    assert len(rows) > 3

    def right() -> bool:
        pixels = view.shown()
        expected = np.pi * (radii[rows] - 0.375) ** 2  # within the point's edge
        found = np.array([near(pixels, points.xy[row], 0, 8, COLORS[points.labels[row]]).sum() for row in rows])
        return float(np.mean(np.abs(found / expected - 1) < 0.3)) > 0.7

    view.notebook.until(right, "the points in their sizes")
    low, name, high = view.legend.locator(".nnw-points-size-key span").all_inner_texts()
    assert (value_in(low), name, value_in(high)) == (points.indices.min(), "place", points.indices.max())


@pytest.mark.parametrize("query", ["#{index}", "{index}", "TWO", "ann"])
def test_a_search_rings_what_fits_and_enter_selects_it(view: EmbeddingView, query: str) -> None:
    points, pixels = view.map(), view.shown()
    # Those that no name hides.
    rows = np.array([row for row in points.alone() if is_color(at(pixels, points.xy[row]), COLORS[points.labels[row]])])
    index = next(int(points.indices[row]) for row in rows[2:] if points.indices[row] != 3)
    fits = {
        "TWO": (points.labels == 2) | (points.predicted == 2),
        "ann": points.indices % 3 == 0,
    }.get(query, points.indices == index)
    view.marks.press("/")
    field = view.root.get_by_label("Search", exact=True)
    expect(field).to_be_focused()
    view.notebook.page.keyboard.type(query.format(index=index))
    expect(view.root.locator(".nnw-points-finder-count")).to_have_text(f"{fits.sum()} of 32 match")

    def rung() -> list[int]:
        pixels = view.shown()
        return [row for row in rows if points.indices[row] != 3 and blue_round(pixels, points.xy[row])]

    found = [row for row in rows if points.indices[row] != 3 and fits[row]]
    assert found
    view.notebook.until(lambda: rung() == found, "rings round what was found", timeout_s=10)
    field.press("Enter")
    view.until("sorted(inspector.selection.selected)", sorted(int(each) for each in points.indices[fits]))
    expect(view.root.get_by_text(f"{fits.sum()} selected", exact=True)).to_be_visible()
    field.press("Escape")
    expect(field).to_have_value("")
    expect(view.root.locator(".nnw-points-finder-count")).to_have_text("")
    view.until("len(inspector.selection.selected)", int(fits.sum()))
    field.press("Escape")
    expect(view.marks).to_be_focused()


def near(
    pixels: npt.NDArray[np.uint8], place: npt.NDArray[np.float64], low: float, high: float, color: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """Which of the pixels whose middle is `low` to `high` px off a place are nearly of a colour."""
    left, top = (max(int(axis - high) - 1, 0) for axis in place)
    part = pixels[top : top + int(2 * high) + 4, left : left + int(2 * high) + 4]
    rows, columns = np.indices(part.shape[:2])
    distance = np.hypot(left + columns + 0.5 - place[0], top + rows + 0.5 - place[1])
    ring = part[(distance >= low) & (distance <= high), :3].astype(float)
    within: npt.NDArray[np.bool_] = np.abs(ring - np.asarray(color)).max(axis=1) < 90
    return within


def blue_round(pixels: npt.NDArray[np.uint8], place: npt.NDArray[np.float64]) -> bool:
    """Whether there is a ring of the brand's blue round a point."""
    return bool(near(pixels, place, RING - 0.7, RING + 0.7, BRAND).mean() > 0.5)


def test_letters_typed_into_the_search_choose_no_tool(view: EmbeddingView) -> None:
    view.marks.press("/")
    view.notebook.page.keyboard.type("pb f")
    expect(view.root.get_by_role("button", name="lasso", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(view.root.get_by_label("Search", exact=True)).to_have_value("pb f")


def test_the_card_says_what_the_user_says_of_the_sample(view: EmbeddingView) -> None:
    points = view.map()
    row = next(row for row in points.alone() if points.indices[row] % 3 == 1 and points.indices[row] % 5 != 4)
    index = int(points.indices[row])
    view.move(*points.xy[row])
    expect(view.card).to_contain_text("writer bob")
    expect(view.card).to_contain_text(f"place {index}")
    expect(view.card).to_contain_text("predicted")
    box, line = view.card.bounding_box(), view.card.locator(".nnw-sample-lines > div").last.bounding_box()
    assert box is not None
    assert line is not None
    assert line["y"] + line["height"] <= box["y"] + box["height"], "no line is cut off"
