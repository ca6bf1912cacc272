"""The Filters view: weights in signed colours, one channel at a time, and how smooth they are."""

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import expect

from nnwidgets.blocks.colors import LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.views import NET, GridView, color_of, is_color, value_in

# Three layers of filters: on grey pictures, on the eight maps before them, and on coloured pictures.
VIEWS = """
deep = nn.Sequential(nn.Conv2d(1, 8, 7), nn.ReLU(), nn.Conv2d(8, 5, 3), nn.Flatten(), nn.Linear(5 * 16, 4))
with torch.no_grad():
    deep[2].weight[3] = 0.0
    deep[2].weight[3, 6] = 1.0
inspector = nnw.Inspector(deep, (pictures, labels))
view = inspector.filters()
view
"""
COLOURED = """
rgb = nn.Sequential(nn.Conv2d(3, 6, 5), nn.Flatten(), nn.Linear(6 * 64, 4))
with torch.no_grad():
    rgb[0].weight[0] = 0.0
    rgb[0].weight[0, 0] = 1.0
other = nnw.Inspector(rgb, (pictures.repeat(1, 3, 1, 1), labels))
coloured = other.filters()
coloured
"""


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> GridView:
    notebook = share_notebook([NET, VIEWS, COLOURED])
    notebook.finish()
    return GridView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture(autouse=True)
def at_start(view: GridView) -> None:
    """Unit 0 of the first layer, whatever the last test left."""
    view.notebook.python(
        "[inspector.selection.update(layer='0', unit=0), view.set_trait('sort_by', 'unit'),"
        " view.set_trait('scale', 'layer'), view.set_trait('channel', -1)] and 0"
    )
    view.until_caption("8 filters of 7\u202f×\u202f7")
    view.notebook.until(lambda: view.selected() == 0 and view.units() == list(range(8)), "the start")


def weight(view: GridView) -> npt.NDArray[np.float64]:
    return np.array(view.notebook.python("view.result.weight.tolist()"))


def test_hover_tells_the_weight_and_its_colour_tells_the_sign(view: GridView) -> None:
    filters = weight(view)[:, 0]
    peak = float(np.abs(filters).max())
    for place in (filters.argmax(), filters.argmin()):
        unit, row, column = (int(axis) for axis in np.unravel_index(place, filters.shape))
        value = float(filters[unit, row, column])
        text = view.hover(view.tile(unit), row, column, (7, 7))
        assert text.startswith(f"unit {unit} · row {row}, col {column} · ")
        assert value_in(text) == pytest.approx(value, rel=0.02, abs=1e-4)
        pixel = view.cell_pixel(unit, row, column, (7, 7))
        assert is_color(pixel, color_of(value, -peak, peak, LIGHT.diverging))
        assert np.sign(float(pixel[0]) - float(pixel[2])) == np.sign(value), "orange above zero, blue below"


def test_smoothness_stands_under_every_filter(view: GridView) -> None:
    smooth = view.notebook.python("view.result.stats.smoothness.tolist()")
    shown = view.tiles.locator(".nnw-grid-figure").all_inner_texts()
    assert [value_in(text) for text in shown] == pytest.approx(smooth, abs=0.006)
    expect(view.root.locator(".nnw-block-text")).to_contain_text("How to read.")


@pytest.mark.parametrize("statistic", ["smoothness", "norm"])
def test_sorting_follows_the_statistic(view: GridView, statistic: str) -> None:
    before = view.picture(view.canvas)
    view.set_option("Sort by", statistic)
    view.until_changed(view.canvas, before)
    values = f"view.result.stats.{statistic}"
    assert view.units() == view.notebook.python(f"{values}.argsort(descending=True).tolist()")


def test_a_click_shows_the_filter_large_and_keys_walk_on(view: GridView) -> None:
    before = view.picture(view.detail)
    view.tile(4).click()
    view.until("inspector.selection.unit", 4)
    view.until_changed(view.detail, before)
    norm = view.notebook.python("view.result.stats.norm[4].item()")
    facts = view.unit.locator(".nnw-label")
    expect(facts).to_contain_text("Unit 4")
    assert value_in(facts.inner_text()) == pytest.approx(norm, abs=0.006)
    view.notebook.page.keyboard.press("ArrowLeft")
    view.until("inspector.selection.unit", 3)


def test_a_scale_of_its_own_for_each_filter_is_said(view: GridView) -> None:
    before = view.picture(view.canvas)
    view.set_option("Scale", "filter")
    view.until_changed(view.canvas, before)
    view.until_caption("each filter its own scale")


def test_the_channel_picker_shows_the_kernels_of_that_input(view: GridView) -> None:
    view.notebook.python("inspector.selection.update(layer='2', unit=3)")
    view.until_caption("5 filters of 3\u202f×\u202f3, 8 input channels")
    # All of filter 3 is in channel 6, so that is the one of its largest norm.
    expect(view.root.locator(".nnw-control", has_text="Channel")).to_be_visible()
    assert value_in(view.hover(view.tile(3), 1, 1, (3, 3))) == pytest.approx(1.0)
    before = view.picture(view.canvas)
    view.set_option("Channel", "2")
    view.until_changed(view.canvas, before)
    view.until_caption("channel 2")
    filters = weight(view)[:, 2]
    for unit in (0, 3, 4):
        shown = value_in(view.hover(view.tile(unit), 2, 0, (3, 3)))
        assert shown == pytest.approx(filters[unit, 2, 0], rel=0.02, abs=1e-4)


def test_a_layer_without_weights_shows_those_before_it(view: GridView) -> None:
    view.notebook.python("inspector.selection.update(layer='1')")
    expect(view.root.locator(".nnw-subtitle")).to_contain_text("has no filters")
    expect(view.title).to_have_text("0")


def test_filters_of_coloured_pictures_are_coloured(view: GridView) -> None:
    coloured = GridView(view.notebook, view.notebook.view(".nnw-view").nth(1))
    coloured.until_caption("as colours, zero is mid grey")
    filters = np.array(view.notebook.python("coloured.result.weight.tolist()"))
    text = coloured.hover(coloured.tile(0), 2, 2, (5, 5))
    red, green, blue = (float(part.replace("\u2212", "-")) for part in text.split("col 2 · ")[1].split(", "))
    assert (red, green, blue) == pytest.approx(tuple(filters[0, :, 2, 2]), abs=0.02)
    pixel = coloured.cell_pixel(0, 2, 2, (5, 5))
    assert is_color(pixel, (255, 128, 128)), "red is at its most, the others are zero"
