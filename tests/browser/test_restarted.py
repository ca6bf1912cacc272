"""A kernel that was restarted: what its cells showed stays in place and says what to do."""

import numpy as np
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.dashboard import DashboardOnPage
from tests.browser.views import NET, GridView

DASHBOARD = "dashboard = inspector.dashboard()\ndashboard"


def test_a_restarted_kernel_leaves_the_pictures_as_they_were_and_says_what_to_do(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([NET, DASHBOARD])
    notebook.finish()
    dashboard = DashboardOnPage(notebook)
    grid = dashboard.grid()
    grid.until_caption("maps of")
    dashboard.root.scroll_into_view_if_needed()  # what nobody sees is sent nothing
    expect(grid.state).to_be_hidden()
    expect(dashboard.row("features.conv1")).to_be_visible()
    picture = grid.picture(grid.canvas)
    before = [part.bounding_box() for part in (dashboard.root, dashboard.first, grid.canvas)]

    notebook.allowed_errors.append("^error: Comm not found for comm id")  # of the dying kernel's last words
    notebook.restart_kernel()
    expect(grid.state).to_contain_text("The kernel restarted. Run this cell again.", timeout=10_000)
    after = [part.bounding_box() for part in (dashboard.root, dashboard.first, grid.canvas)]
    for old, new in zip(before, after, strict=True):
        assert old is not None
        assert new is not None
        assert new["width"] == old["width"]
        assert new["height"] >= old["height"]
    expect(dashboard.row("features.conv1")).to_be_visible()
    assert np.array_equal(grid.picture(grid.canvas), picture)
    marks = dashboard.root.evaluate(
        "(root) => [root, ...root.querySelectorAll('*')].filter((e) =>"
        " getComputedStyle(e, '::before').content.includes('\\uf127')).length"
    )
    assert marks == 0

    notebook.finish(0, 1)
    fresh = GridView(notebook, notebook.view(".nnw-view.nnw-first"))
    fresh.until_caption("maps of")
    expect(fresh.state).to_be_hidden()
