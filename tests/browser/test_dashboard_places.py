"""Two views side by side, tabs in groups or in a menu, tabs that can't be opened, a reload of the page."""

import pytest
from playwright.sync_api import FloatRect, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.dashboard import DashboardOnPage
from tests.browser.embedding import EmbeddingView
from tests.browser.lab import Notebook
from tests.browser.views import NET, GridView

# More views than a row has room for, one of which can't be shown for pictures.
VIEWS = """
class Words(nnw.View):
    def compute(self):
        return self.title

    def layout(self, result):
        return [nnw.blocks.Text(f"This is {result}.")]

def named(name, title, group, reason=""):
    members = {"name": name, "title": title, "group": group, "blocked": lambda self: reason}
    return type(title.replace(" ", ""), (Words,), members)

REASON = "Perplexity needs text, and these samples are pictures"
MORE = [
    named("gradients", "Gradient flow", "Training"),
    named("losses", "Losses of samples", "Training"),
    named("rates", "Learning rates", "Training"),
    named("graph", "Graph of the model", "Model"),
    named("perplexity", "Perplexity", "Model", REASON),
]
"""
SHOW = "dashboard = inspector.dashboard(views=['activations', 'filters', 'occlusion', 'embedding', *MORE])\ndashboard"
REASON = "Perplexity needs text, and these samples are pictures"
CODE = "[type(widget).__name__ for widget in __import__('ipywidgets').widgets.widget._instances.values()]"


@pytest.fixture(scope="module")
def dashboard(share_notebook: OpenNotebook) -> DashboardOnPage:
    notebook = share_notebook([NET, VIEWS, SHOW])
    notebook.finish()
    return DashboardOnPage(notebook)


@pytest.fixture(autouse=True)
def at_start(dashboard: DashboardOnPage) -> None:
    """One view, the activations, on a page that has room for all tabs."""
    dashboard.notebook.resize(1680, 1000)
    if dashboard.second_row.is_visible():
        dashboard.close_second()
    dashboard.tab("Activations").click()
    expect(dashboard.first.locator(".nnw-title")).to_have_class("nnw-title nnw-code")


def boxes(dashboard: DashboardOnPage) -> tuple[FloatRect, FloatRect]:
    """Where the two views stand."""
    first, second = dashboard.first.bounding_box(), dashboard.second.bounding_box()
    assert first is not None
    assert second is not None
    return first, second


def test_two_views_stand_side_by_side_change_places_and_one_closes(dashboard: DashboardOnPage) -> None:
    notebook = dashboard.notebook
    dashboard.beside("Filters")
    expect(dashboard.second.locator(".nnw-caption")).to_contain_text("filters of")
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text("maps of")
    left, right = boxes(dashboard)
    assert left["x"] + left["width"] <= right["x"] + 1
    assert abs(left["width"] - right["width"]) < 2
    assert left["y"] == right["y"]
    assert notebook.python("[dashboard.tab, dashboard.beside]") == ["activations", "filters"]

    # A click in one is seen in the other.
    maps, filters = GridView(notebook, dashboard.first), GridView(notebook, dashboard.second)
    maps.tile(6).click()
    notebook.until(lambda: filters.selected() == 6, "the unit in the view beside")

    # The tab of the one beside: the two change places.
    dashboard.tab("Filters").click()
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text("filters of")
    expect(dashboard.second.locator(".nnw-caption")).to_contain_text("maps of")
    notebook.until(
        lambda: notebook.python("[dashboard.tab, dashboard.beside]") == ["filters", "activations"], "Python to follow"
    )

    # Each row opens its own.
    dashboard.second_tab("Graph of the model")
    expect(dashboard.second).to_contain_text("This is Graph of the model.")
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text("filters of")
    dashboard.close_second()
    expect(dashboard.second_row).to_be_hidden()
    expect(dashboard.open_view).to_have_count(1)
    alone = dashboard.first.bounding_box()
    assert alone is not None
    assert alone["width"] > 1.8 * right["width"], "the view left takes the room of both"


def test_on_a_narrow_page_the_second_view_stands_below_the_first(dashboard: DashboardOnPage) -> None:
    dashboard.beside("Occlusion")
    dashboard.notebook.resize(800, 1000)
    expect(dashboard.second.locator(".nnw-caption")).to_contain_text("positions, stride")
    dashboard.notebook.until(lambda: boxes(dashboard)[1]["y"] > boxes(dashboard)[0]["y"] + 100, "the second below")
    left, right = boxes(dashboard)
    assert left["y"] + left["height"] <= right["y"]
    assert abs(left["width"] - right["width"]) < 2
    fits = "(root) => root.scrollWidth <= root.clientWidth"
    dashboard.notebook.until(lambda: bool(dashboard.root.evaluate(fits)), "nothing to stick out")


def test_views_that_are_not_open_cost_nothing_and_come_back_as_they_were(dashboard: DashboardOnPage) -> None:
    notebook = dashboard.notebook
    dashboard.tab("Filters").click()
    grid = dashboard.grid()
    grid.until_caption("filters of")
    shown = grid.picture(grid.canvas)
    dashboard.tab("Activations").click()
    expect(dashboard.open_view).to_have_count(1)
    notebook.until(
        lambda: notebook.python("[dashboard.views[name].panel.awake for name in ('activations', 'filters')]") == [1, 0],
        "the hidden view to sleep",
    )
    # Hidden, it keeps the width of its place, and what is drawn in it its size.
    widths = dashboard.root.locator(".nnw-view").evaluate_all("(views) => views.map((view) => view.clientWidth)")
    assert max(widths) - min(widths) < 2
    dashboard.tab("Filters").click()
    expect(dashboard.open_view).to_have_count(1)
    assert (grid.picture(grid.canvas) == shown).all(), "at once, without Python"


def test_tabs_that_do_not_fit_are_in_groups_and_a_group_opens_without_its_views(dashboard: DashboardOnPage) -> None:
    row = dashboard.root.locator(".nnw-tab-row").first
    expect(row).to_have_attribute("data-mode", "all")
    order = row.get_by_role("tab").evaluate_all("(tabs) => tabs.map((tab) => tab.textContent)")
    classes = "[view.title for view in dashboard._classes.values()]"
    assert order == dashboard.notebook.python(classes), "group after group"

    dashboard.notebook.resize(1280, 1000)
    expect(row).to_have_attribute("data-mode", "groups")
    row.get_by_role("button", name="Training").click()
    expect(dashboard.tab("Losses of samples")).to_be_visible()
    expect(dashboard.tab("Filters")).to_be_hidden()
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text("maps of")
    dashboard.tab("Losses of samples").click()
    expect(dashboard.first).to_contain_text("This is Losses of samples.")
    dashboard.tab("Losses of samples").press("ArrowRight")
    expect(dashboard.first).to_contain_text("This is Learning rates.")

    dashboard.notebook.resize(640, 1000)
    expect(row).to_have_attribute("data-mode", "menu")
    menu = row.get_by_role("combobox", name="Views")
    expect(menu).to_have_value("rates")
    menu.select_option("graph")
    expect(dashboard.first).to_contain_text("This is Graph of the model.")
    assert menu.locator("option[value=perplexity]").is_disabled()
    assert menu.locator("optgroup").evaluate_all("(groups) => groups.map((group) => group.label)")[-1] == "Model"


def test_a_tab_that_can_not_be_opened_says_why(dashboard: DashboardOnPage) -> None:
    tab = dashboard.tab("Perplexity")
    expect(tab).to_have_attribute("aria-disabled", "true")
    expect(tab).to_have_attribute("title", REASON)
    expect(tab).to_have_attribute("aria-description", REASON)
    tab.click(force=True)
    expect(dashboard.tab("Activations")).to_have_attribute("aria-selected", "true")
    assert dashboard.notebook.python("'perplexity' in dashboard.views") is False


def test_a_reloaded_page_shows_everything_again_from_a_kernel_that_sends_its_code_once(
    open_notebook: OpenNotebook,
) -> None:
    notebook = open_notebook([NET, "dashboard = inspector.dashboard()\ndashboard", "view = inspector.filters()\nview"])
    notebook.resize(1480, 1000)
    notebook.finish()
    dashboard = DashboardOnPage(notebook)
    dashboard.beside("Embedding")
    _see_all(notebook, dashboard)
    # What changes after the first picture is sent alone; the new page has nothing to stand on.
    dashboard.row("features.relu1").click()
    grid = GridView(notebook, dashboard.first)
    grid.tile(6).click()
    grid.until_caption("1 unit never fires (64 samples) †")
    notebook.until(lambda: grid.selected() == 6, "the unit")
    shown = grid.picture(grid.canvas)
    notebook.save()

    notebook.page.goto("about:blank")
    notebook.open()
    assert notebook.python(CODE).count("PageCode") == 1
    _see_all(notebook, dashboard)
    notebook.until(lambda: grid.selected() == 6, "the unit that was selected")
    grid.until_caption("1 unit never fires (64 samples) †")
    notebook.wait_pixels(grid.canvas, lambda now: now.shape == shown.shape and bool((now == shown).all()))
    assert notebook.page.evaluate("() => globalThis.nnwidgetsPages.size") == 1

    # And all of it answers.
    grid.tile(3).click()
    grid.until("inspector.selection.unit", 3)
    notebook.until(lambda: grid.selected() == 3, "the click to be answered")
    dashboard.tab("Occlusion").click()
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text("positions, stride")


def _see_all(notebook: Notebook, dashboard: DashboardOnPage) -> None:
    """The dashboard with both its views, and the view alone below it."""
    dashboard.root.scroll_into_view_if_needed()
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text("maps of")
    expect(dashboard.second.locator(".nnw-caption")).to_contain_text("96 samples")
    cloud = EmbeddingView(notebook, dashboard.second, "dashboard.views['embedding']")
    expect(cloud.marks).to_have_attribute("data-count", "96")
    expect(dashboard.item_of("step")).to_be_visible()
    expect(dashboard.row("features.wide")).to_be_visible()
    alone = notebook.view(".jp-Cell").nth(2).locator(".nnw-view")
    alone.scroll_into_view_if_needed()
    expect(alone.locator(".nnw-caption")).to_contain_text("filters of")
    dashboard.root.scroll_into_view_if_needed()
