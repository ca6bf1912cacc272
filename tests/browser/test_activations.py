"""The Activations view under the pointer and the keys, against the numbers that Python has."""

from collections.abc import Sequence

import numpy as np
import pytest
from playwright.sync_api import expect

from nnwidgets.blocks.colors import LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.views import NET, GridView, color_of, is_color, value_in

VIEW = """
view = inspector.activations()
view
"""
# Tokens through a recurrent layer: units × time, and no picture.
SEQUENCE = """
class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.read, self.out = nn.Embedding(20, 6), nn.LSTM(6, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, tokens):
        states, _ = self.read(self.embed(tokens))
        return self.out(states[:, -1])

reader = nnw.Inspector(Reader(), (torch.randint(20, (40, 9)), torch.arange(40) % 3))
sequence = reader.activations(layer="read")
sequence
"""
SHAPE = (12, 12)
FIRST, WIDE, HEAD = "features.conv1", "features.wide", "fc"


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> GridView:
    notebook = share_notebook([NET, VIEW, SEQUENCE])
    notebook.finish()
    return GridView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture(autouse=True)
def at_start(view: GridView) -> None:
    """The picture of unit 0 of the first layer for sample 3, whatever the last test left."""
    view.notebook.python(
        f"[inspector.selection.update(layer='{FIRST}', unit=0, sample=3), view.set_trait('sort_by', 'unit'),"
        " view.set_trait('scale', 'layer')] and 0"
    )
    view.until_caption("Sample 3, label three")
    view.notebook.until(lambda: view.title.inner_text() == FIRST and view.selected() == 0, "the start")


def values(view: GridView) -> Sequence[Sequence[Sequence[float]]]:
    shown: Sequence[Sequence[Sequence[float]]] = view.notebook.python("view.result.values.tolist()")
    return shown


def test_hover_tells_the_value_that_python_has(view: GridView) -> None:
    maps = values(view)
    for unit, row, column in [(0, 0, 0), (3, 10, 7), (7, 11, 11)]:
        text = view.hover(view.tile(unit), row, column, SHAPE)
        assert text.startswith(f"unit {unit} · row {row}, col {column} · ")
        assert value_in(text) == pytest.approx(maps[unit][row][column], rel=0.01, abs=1e-3)
    view.notebook.page.mouse.move(0, 0)
    expect(view.tooltip).to_be_hidden()


def test_colours_are_those_of_the_values(view: GridView) -> None:
    maps = np.array(values(view))
    peak = float(np.abs(maps).max())
    for unit, row, column in [(1, 2, 3), (5, 10, 6), (6, 5, 5)]:
        expected = color_of(maps[unit, row, column], -peak, peak, LIGHT.diverging)
        assert is_color(view.cell_pixel(unit, row, column, SHAPE), expected)


def test_a_click_selects_the_unit_everywhere_and_shows_it_large(view: GridView) -> None:
    before = view.picture(view.detail)
    view.tile(6).click()
    view.until("inspector.selection.unit", 6)
    view.until_changed(view.detail, before)
    assert view.selected() == 6
    expect(view.unit.locator(".nnw-label")).to_contain_text("Unit 6")
    text = view.hover(view.detail, 4, 2, SHAPE)
    assert text.startswith("row 4, col 2 · ")
    assert value_in(text) == pytest.approx(values(view)[6][4][2], rel=0.01, abs=1e-3)


def test_a_double_click_enlarges_a_map_over_the_board_and_escape_steps_back(view: GridView) -> None:
    grid = view.picture(view.canvas)
    view.tile(5).dblclick()
    expect(view.label).to_contain_text("unit 5 enlarged")
    view.until_changed(view.canvas, grid)
    view.notebook.page.keyboard.press("Escape")
    expect(view.label).not_to_contain_text("enlarged")
    expect(view.tiles.first).to_be_visible()


def test_keys_walk_units_samples_and_layers(view: GridView) -> None:
    keyboard = view.notebook.page.keyboard
    view.tile(0).click()
    for key, unit in [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 7), ("Home", 0)]:
        keyboard.press(key)
        view.until("inspector.selection.unit", unit)
        assert view.selected() == unit
    keyboard.press("]")
    view.until_caption("Sample 4, label zero")
    keyboard.press("[")
    view.until_caption("Sample 3, label three")
    keyboard.press("}")
    view.until("inspector.selection.layer", "features.relu1")
    view.notebook.until(lambda: view.title.inner_text() == "features.relu1", "the next layer")


def test_the_head_leads_to_the_next_sample_one_by_its_index_and_the_next_wrong_one(view: GridView) -> None:
    samples = view.root.get_by_role("group", name="Sample")
    box = samples.get_by_role("textbox")
    samples.get_by_role("button", name="Next sample").click()
    view.until("inspector.selection.sample", 4)
    expect(box).to_have_value("4")
    samples.get_by_role("button", name="Previous sample").click()
    view.until_caption("Sample 3, label three")
    box.fill("21")
    box.press("Enter")
    view.until_caption("Sample 21, ")
    box.fill("50")
    box.press("Escape")
    expect(box).to_have_value("21")
    box.fill("96")
    box.press("Tab")
    expect(view.state.locator(".nnw-error")).to_contain_text("96")
    expect(box).to_have_value("21")
    samples.get_by_role("button", name="Next wrong").click()
    view.notebook.until(lambda: int(box.input_value()) > 21, "a later sample")
    at = int(box.input_value())
    guesses = "model(pictures).argmax(1)"
    assert view.notebook.python(f"({guesses} != labels)[22 : {at + 1}].tolist()") == [False] * (at - 22) + [True]


def test_the_sample_box_is_large_enough_to_hit_and_moves_with_no_click(view: GridView) -> None:
    samples = view.root.get_by_role("group", name="Sample")
    for width in (1280, 800):
        view.notebook.resize(width, 900)
        box = view.root.bounding_box()
        assert box is not None
        for part in samples.locator("button, input").all():
            size = part.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= 24
            assert box["x"] <= size["x"]
            assert size["x"] + size["width"] <= box["x"] + box["width"]
        before = samples.bounding_box()
        samples.get_by_role("button", name="Next sample").click()
        assert samples.bounding_box() == before
    view.notebook.resize(1280, 900)


@pytest.mark.parametrize(("choice", "statistic"), [("mean", "mean"), ("max", "amax")])
def test_sorting_puts_the_strongest_map_first(view: GridView, choice: str, statistic: str) -> None:
    before = view.picture(view.canvas)
    view.set_option("Sort by", choice)
    view.until_changed(view.canvas, before)
    order = view.notebook.python(f"view.result.values.{statistic}((1, 2)).argsort(descending=True).tolist()")
    assert view.units() == order
    text = view.hover(view.tiles.first.locator(".nnw-grid-frame"), 6, 6, SHAPE)
    assert value_in(text) == pytest.approx(values(view)[order[0]][6][6], rel=0.01, abs=1e-3)


def test_a_scale_of_its_own_for_each_map_changes_the_picture_and_is_said(view: GridView) -> None:
    before = view.picture(view.canvas)
    view.set_option("Scale", "map")
    view.until_changed(view.canvas, before)
    view.until_caption("each map its own scale")
    weakest = np.array(values(view)[3])
    peak = float(np.abs(weakest).max())
    row, column = np.unravel_index(np.abs(weakest).argmax(), SHAPE)
    expected = color_of(float(weakest[row, column]), -peak, peak, LIGHT.diverging)
    assert is_color(view.cell_pixel(3, int(row), int(column), SHAPE), expected)


def test_dead_maps_and_copies_of_the_input_are_marked_and_counted(view: GridView) -> None:
    view.notebook.python("inspector.selection.update(layer='features.relu1')")
    caption = view.until_caption("1 unit never fires (64 samples) †")
    assert "1 like the input ≡" in caption
    expect(view.tiles.nth(2)).to_contain_text("dead †")
    expect(view.tiles.nth(5)).to_contain_text("input ≡")
    view.set_option("Sort by", "dead first")
    view.notebook.until(lambda: view.units()[0] == 2, "the dead unit at the front")


def test_a_wide_layer_has_pages_and_the_selected_unit_opens_its_own(view: GridView) -> None:
    view.notebook.python(f"inspector.selection.update(layer='{WIDE}', unit=0)")
    expect(view.pager).to_contain_text("1–64 of 70")
    view.board.focus()
    view.notebook.page.keyboard.press("PageDown")
    expect(view.pager).to_contain_text("65–70 of 70")
    assert view.units() == list(range(64, 70))
    assert value_in(view.hover(view.tile(66), 4, 4, SHAPE)) == pytest.approx(values(view)[66][4][4], rel=0.01, abs=1e-3)
    view.tile(69).click()
    view.until("inspector.selection.unit", 69)
    view.pager.get_by_role("button", name="Previous page").click()
    expect(view.pager).to_contain_text("1–64 of 70")
    view.notebook.python("inspector.selection.update(unit=67)")
    expect(view.pager).to_contain_text("65–70 of 70")


def test_a_layer_of_numbers_is_a_strip(view: GridView) -> None:
    view.notebook.python(f"inspector.selection.update(layer='{HEAD}')")
    view.until_caption("4 units in index order")
    strip = view.rows
    width = strip.locator("canvas").evaluate("(canvas) => canvas.clientWidth")
    # 88 px of titles, then 28 px for each of the four units.
    view.point(strip.locator("canvas"), (88 + 2.5 * 28) / width, 0.1)
    expect(view.tooltip).to_contain_text("unit 2 · sample 3")
    assert value_in(view.tooltip.inner_text()) == pytest.approx(
        view.notebook.python("view.result.values[2].item()"), rel=0.01
    )
    view.notebook.page.mouse.down()
    view.notebook.page.mouse.up()
    view.until("inspector.selection.unit", 2)


def test_a_recurrent_layer_is_drawn_over_time(view: GridView) -> None:
    root = view.notebook.view(".nnw-view").nth(1)
    other = GridView(view.notebook, root)
    other.until_caption("5 units over 9 positions")
    picture = other.rows.locator("canvas")
    size = picture.evaluate("(canvas) => [canvas.clientWidth, canvas.clientHeight]")
    # Below 6 px of air and beside 88 px of numbers: cells of 28 × 14 px.
    other.point(picture, (88 + 3.5 * 28) / size[0], (6 + 1.5 * 14) / size[1])
    expect(other.tooltip).to_contain_text("unit 1 · position 3")
    expected = view.notebook.python("sequence.result.values[1, 3].item()")
    assert value_in(other.tooltip.inner_text()) == pytest.approx(expected, rel=0.01, abs=1e-3)
