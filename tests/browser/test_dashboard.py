"""The dashboard: tabs, layers, status, pause and refresh, narrow pages and both themes."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from nnwidgets.blocks.colors import DARK, LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.dashboard import DashboardOnPage
from tests.browser.server import LabServer
from tests.browser.views import NET, color_of, is_color, value_in

DASHBOARD = "dashboard = inspector.dashboard()\ndashboard"
TRAIN = """
import time
from pathlib import Path

with inspector.watch(optimizer) as watch:
    while not Path("dashboard.stop").exists():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(pictures), labels)
        loss.backward()
        optimizer.step()
        watch.log(loss=loss)
        time.sleep(0.01)
final = loss.item()
"""
# Rows whose name reaches into the counts beside it.
OVERPRINTED = """(layers) => [...layers.querySelectorAll("[role=treeitem]:not(.nnw-layer-group)")]
    .filter((row) => row.children[0].getBoundingClientRect().right > row.children[1].getBoundingClientRect().left)
    .map((row) => row.dataset.name)"""
# Group after group: three views of layers, one of predictions.
TABS = ("Activations", "Filters", "Embedding", "Occlusion")


@pytest.fixture(scope="module")
def dashboard(share_notebook: OpenNotebook) -> DashboardOnPage:
    notebook = share_notebook([NET, DASHBOARD, TRAIN])
    notebook.finish(0, 1)
    return DashboardOnPage(notebook)


@pytest.fixture(autouse=True)
def at_start(dashboard: DashboardOnPage) -> Iterator[None]:
    """The first layer in the first tab, on a wide and light page."""
    dashboard.notebook.python("inspector.selection.update(layer='features.conv1', sample=3)")
    dashboard.tab("Activations").click()
    expect(dashboard.open_view).to_have_count(1)
    expect(dashboard.open_view.locator(".nnw-title")).to_have_text("features.conv1")
    yield
    dashboard.notebook.resize(1280, 900)
    dashboard.notebook.theme("light")


def test_tabs_open_their_view_by_pointer_and_keys(dashboard: DashboardOnPage) -> None:
    words = ("maps of", "filters of", "samples", "positions, stride")
    for name, expected in zip(TABS, words, strict=True):
        dashboard.tab(name).click()
        expect(dashboard.open_view).to_have_count(1)
        expect(dashboard.open_view.locator(".nnw-caption")).to_contain_text(expected)
        assert dashboard.notebook.python("dashboard.tab") == name.lower()
    dashboard.tab("Occlusion").press("ArrowLeft")
    expect(dashboard.tab("Embedding")).to_have_attribute("aria-selected", "true")
    dashboard.tab("Embedding").press("Home")
    expect(dashboard.tab("Activations")).to_have_attribute("aria-selected", "true")


def test_the_layer_list_is_a_tree_for_pointer_and_keys(dashboard: DashboardOnPage) -> None:
    shown = dashboard.root.locator("[role=treeitem]:not(.nnw-layer-group)").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.name)"
    )
    assert shown == dashboard.notebook.python("list(inspector.layers)")
    dashboard.row("features.wide").click()
    dashboard.until_layer("features.wide")
    expect(dashboard.open_view.locator(".nnw-title")).to_have_text("features.wide")
    dashboard.row("features.wide").press("ArrowDown")
    dashboard.until_layer("features.relu2")
    dashboard.row("features.relu2").press("ArrowLeft")
    group = dashboard.row("features")
    group.press("ArrowLeft")
    expect(group).to_have_attribute("aria-expanded", "false")
    expect(dashboard.row("features.conv1")).to_be_hidden()
    group.press("Enter")
    expect(dashboard.row("features.conv1")).to_be_visible()
    group.press("End")
    dashboard.until_layer("fc")


def test_the_layer_list_counts_units_and_the_dead(dashboard: DashboardOnPage) -> None:
    dashboard.refresh.click()
    expect(dashboard.row("features.relu1").locator(".nnw-layer-units")).to_have_text("8")
    expect(dashboard.row("features.relu1").locator(".nnw-layer-dead")).to_have_text("1†")


def test_a_narrow_page_has_a_dropdown_of_layers(dashboard: DashboardOnPage) -> None:
    dashboard.notebook.resize(800, 900)
    picker = dashboard.root.locator(".nnw-layer-picker")
    expect(picker).to_be_visible()
    expect(dashboard.root.locator(".nnw-layer-list")).to_be_hidden()
    picker.locator("select").select_option("features.pool")
    dashboard.until_layer("features.pool")
    picker.get_by_role("button", name="Next layer").click()
    dashboard.until_layer("fc")
    fits = "(root) => root.scrollWidth <= root.clientWidth"
    dashboard.notebook.until(lambda: bool(dashboard.root.evaluate(fits)), "nothing to stick out")


def test_the_layer_list_stands_beside_the_views_of_a_laptop_and_its_edge_moves(dashboard: DashboardOnPage) -> None:
    page, root = dashboard.notebook.page, dashboard.root
    layers, edge = root.locator(".nnw-layers"), root.get_by_role("separator", name="Width of the layer list")
    width = "(element) => element.offsetWidth"
    dashboard.notebook.resize(1030, 900)
    dashboard.notebook.until(lambda: 800 <= root.evaluate(width) <= 880, "the dashboard of a laptop")
    expect(dashboard.row("features.conv1")).to_be_visible()
    assert 148 <= layers.evaluate(width) <= 164
    dashboard.notebook.until(lambda: layers.evaluate(OVERPRINTED) == [], "no name over a count")

    edge.press("ArrowRight")
    before = layers.evaluate(width)
    box = edge.bounding_box()
    assert box is not None
    assert box["width"] >= 24
    page.mouse.move(box["x"] + 12, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 112, box["y"] + 200, steps=4)
    page.mouse.up()
    assert layers.evaluate(width) == before + 100
    for _ in range(20):
        edge.press("ArrowLeft")
    assert layers.evaluate(width) == 148
    assert layers.evaluate(OVERPRINTED) == []
    edge.dblclick()


def test_both_themes_draw_the_same_values_in_their_own_colours(dashboard: DashboardOnPage) -> None:
    view = dashboard.grid()
    view.until_caption("Sample 3")
    view.until("dashboard.views['activations'].result.layer", "features.conv1")
    maps = np.array(dashboard.notebook.python("dashboard.views['activations'].result.values.tolist()"))
    peak = float(np.abs(maps).max())
    # The unit with the bias of -100 is the strongest by far: its colour is that of the scale's lower end.
    unit, row, column = (int(axis) for axis in np.unravel_index(np.abs(maps).argmax(), maps.shape))
    value = float(maps[unit, row, column])
    for name, theme in (("light", LIGHT), ("dark", DARK), ("light", LIGHT)):
        dashboard.notebook.theme("dark" if name == "dark" else "light")
        expected = color_of(value, -peak, peak, theme.diverging)
        dashboard.notebook.until(
            lambda expected=expected: is_color(view.cell_pixel(unit, row, column, (12, 12)), expected),  # type: ignore[misc]
            f"the colours of the {name} theme",
        )


def test_status_pause_resume_and_refresh_follow_a_training(dashboard: DashboardOnPage, server: LabServer) -> None:
    notebook, caption = dashboard.notebook, dashboard.grid().caption

    def shown_step() -> int:
        text = caption.inner_text()
        return int(value_in(text.rpartition("step ")[2])) if "step " in text else -1

    step = dashboard.root.locator(".nnw-item[data-name=step]")
    expect(dashboard.pause).to_be_hidden()
    expect(step).not_to_contain_text("training ended")
    notebook.run_cell(2)
    notebook.until(lambda: shown_step() > 0, "a step in the caption")
    first = shown_step()
    notebook.until(lambda: shown_step() > first, "a later step")
    dashboard.pause.click()
    state = dashboard.open_view.locator(".nnw-state")
    expect(state).to_contain_text("Paused at step")
    expect(dashboard.pause).to_have_text("Resume")
    paused = shown_step()
    before = int(value_in(dashboard.item("step")))
    assert notebook.cell_busy(2), "the training goes on"
    state.get_by_role("button", name="Resume").click()
    expect(dashboard.pause).to_have_text("Pause")
    notebook.until(lambda: shown_step() > paused, "a step after the pause")
    notebook.until(lambda: int(value_in(dashboard.item("step"))) > before, "the status to go on")
    expect(dashboard.root.locator(".nnw-item[data-name=cost]")).to_contain_text("of 5")
    (server.root / "dashboard.stop").touch()
    notebook.wait_cell(2)
    expect(step).to_contain_text("training ended")
    expect(dashboard.pause).to_be_hidden()

    steps, loss = notebook.python("[watch.step_count, final]")
    notebook.until(lambda: int(value_in(dashboard.item("step"))) == steps, "the last step in the status")
    notebook.until(lambda: shown_step() == steps, "the final weights on show")
    assert value_in(dashboard.item("loss")) == pytest.approx(loss, rel=0.01)
    assert value_in(dashboard.item("memory").replace("MB", "")) > 0

    # Without a watch nobody follows the weights: the view says so, and Refresh takes them.
    canvas = dashboard.grid().canvas
    old = notebook.canvas_pixels(canvas)
    notebook.python("[parameter.detach().mul_(-0.5) for parameter in model.parameters()] and 0")
    dashboard.tab("Filters").click()
    dashboard.tab("Activations").click()
    dashboard.refresh.click()
    dashboard.grid().until_changed(canvas, old)
    expect(state).to_be_hidden()
