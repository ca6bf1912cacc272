"""The dashboard in the window of a laptop, 1280 × 900: whole, still, and with nothing too small to hit."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.dashboard import DashboardOnPage
from tests.browser.embedding import EmbeddingView
from tests.browser.views import NET

ROOM_PX = 788  # of a notebook's height in that window
TARGET_PX = 24  # WCAG 2.5.8
TABS = {"Activations": "maps of", "Filters": "filters of", "Embedding": "t-SNE", "Occlusion": "positions, stride"}
TOO_SMALL = """(dashboard, least) => [...dashboard.querySelectorAll(
        "button, select, input, summary, [role=tab], [role=treeitem], [role=switch], [role=separator]")]
    .filter((target) => target.checkVisibility({ visibilityProperty: true }))
    .map((target) => [target.className, target.getBoundingClientRect()])
    .filter(([, { width, height }]) => width > 0 && (width < least || height < least))
    .map(([name, { width, height }]) => `${name}: ${width} × ${height}`)"""
# Words that are wider than their box and have no ellipsis, and boxes that reach out of the dashboard.
CLIPPED = """(dashboard) => {
    const right = dashboard.getBoundingClientRect().right;
    return [...dashboard.querySelectorAll(".nnw-view.nnw-first *")]
        .filter((part) => part.checkVisibility({ visibilityProperty: true }) && !part.closest(".nnw-unseen, svg"))
        .filter((part) => part.getBoundingClientRect().right > right + 1
            || (part.matches("button, .nnw-points-number") && part.scrollWidth > part.clientWidth + 1
                && getComputedStyle(part).textOverflow !== "ellipsis"))
        .map((part) => `${part.className}: ${part.textContent}`);
}"""


@pytest.fixture(scope="module")
def dashboard(share_notebook: OpenNotebook) -> DashboardOnPage:
    notebook = share_notebook([NET, "dashboard = inspector.dashboard()\ndashboard"], app="doc")
    notebook.finish()
    return DashboardOnPage(notebook)


@pytest.fixture(autouse=True)
def at_start(dashboard: DashboardOnPage) -> Iterator[None]:
    dashboard.notebook.python("inspector.selection.update(layer='features.relu1', sample=3, selected=[])")
    yield
    dashboard.notebook.resize(1280, 900)


def open_tab(dashboard: DashboardOnPage, title: str) -> None:
    dashboard.tab(title).click()
    expect(dashboard.first.locator(".nnw-caption")).to_contain_text(TABS[title])


def embedding(dashboard: DashboardOnPage) -> EmbeddingView:
    open_tab(dashboard, "Embedding")
    view = EmbeddingView(dashboard.notebook, dashboard.first, "dashboard.views['embedding']")
    expect(view.near.cells).to_have_count(10)
    return view


def box(part: Locator) -> FloatRect:
    found = part.bounding_box()
    assert found is not None
    return found


def places(dashboard: DashboardOnPage, view: EmbeddingView) -> dict[str, FloatRect]:
    """Where the parts of the embedding stand within the dashboard."""
    top = box(dashboard.root)["y"]
    parts = {
        "map": view.cloud,
        "tabs": view.near.tab.locator(".."),
        "caption": dashboard.first.locator(".nnw-caption"),
        "dashboard": dashboard.root,
    }
    return {name: {**(rect := box(part)), "y": rect["y"] - top} for name, part in parts.items()}


@pytest.mark.parametrize("title", TABS)
def test_a_laptop_shows_the_dashboard_whole(dashboard: DashboardOnPage, title: str) -> None:
    open_tab(dashboard, title)
    assert box(dashboard.root)["height"] <= ROOM_PX
    assert dashboard.root.evaluate(CLIPPED) == []


@pytest.mark.parametrize("dims", [2, 3])
def test_the_embedding_fits_with_a_selection_in_both_dimensions(dashboard: DashboardOnPage, dims: int) -> None:
    view = embedding(dashboard)
    dashboard.notebook.python(f"setattr({view.name}, 'dims', {dims})")
    expect(view.marks).to_have_attribute("data-count", "96")
    dashboard.notebook.python("inspector.selection.update(selected=range(20))")
    expect(view.strip.tab).to_have_text("20 selected")
    assert box(dashboard.root)["height"] <= ROOM_PX
    assert box(view.cloud)["height"] >= 300
    dashboard.notebook.python(f"setattr({view.name}, 'dims', 2)")


@pytest.mark.parametrize("title", TABS)
def test_a_narrow_window_clips_nothing(dashboard: DashboardOnPage, title: str) -> None:
    dashboard.notebook.resize(800, 900)
    open_tab(dashboard, title)
    assert dashboard.root.evaluate(CLIPPED) == []


def test_nothing_moves_when_something_is_chosen(dashboard: DashboardOnPage) -> None:
    view = embedding(dashboard)
    before = places(dashboard, view)
    dashboard.notebook.python("inspector.selection.update(selected=[3, 4, 5])")
    expect(view.strip.tab).to_have_text("3 selected")
    assert places(dashboard, view) == before, "samples were selected"
    view.near.tab.click()
    assert places(dashboard, view) == before, "the other tab was opened"
    dashboard.notebook.python("inspector.selection.update(sample=7)")
    expect(view.near.tab).to_have_text("Nearest to #7")
    assert places(dashboard, view) == before, "another sample was looked at"
    dashboard.row("features.wide").click()
    expect(view.near.title).to_have_text("Nearest in features.wide")
    assert places(dashboard, view) == before, "another layer was chosen"
    open_tab(dashboard, "Activations")
    embedding(dashboard)
    assert places(dashboard, view) == before, "another view was looked at"


def test_nearest_and_selected_are_tabs_for_pointer_and_keys(dashboard: DashboardOnPage) -> None:
    view = embedding(dashboard)
    expect(view.near.tab).to_have_text("Nearest to #3")
    dashboard.notebook.python("inspector.selection.update(selected=[3, 4, 5])")
    expect(view.strip.tab).to_have_attribute("aria-selected", "true")
    expect(view.strip.cells.first).to_be_visible()
    expect(view.near.cells.first).to_be_hidden()
    view.strip.tab.press("ArrowLeft")
    expect(view.near.tab).to_be_focused()
    expect(view.near.cells.first).to_be_visible()
    expect(view.strip.cells.first).to_be_hidden()
    view.strip.tab.click()
    expect(view.strip.cells.first).to_be_visible()


@pytest.mark.parametrize("title", TABS)
def test_everything_to_click_is_large_enough(dashboard: DashboardOnPage, title: str) -> None:
    open_tab(dashboard, title)
    assert dashboard.root.evaluate(TOO_SMALL, TARGET_PX) == []
