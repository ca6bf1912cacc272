"""What a newcomer does: opens the quickstart as `make demo` does, chooses "Run All", and does nothing else."""

import hashlib
import time

import pytest
from playwright.sync_api import Locator

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Notebook
from tests.notebooks import notebook

# The dashboard is on the page so long after "Run All", most of it for the imports of torch and the widgets.
SHOWN_S = 45.0
TRAINING_S = 75
ENDED_S = SHOWN_S + TRAINING_S + 30
PICTURES, SMOOTH = 5, 0.4
_SMOOTHNESS = "[float(v) for v in inspector._session.record.series('filters', 'conv1', 'layer_mean')[1]]"


@pytest.mark.browser
@pytest.mark.slow
def test_run_all_shows_a_network_that_learns(open_notebook: OpenNotebook) -> None:
    page = open_notebook(notebook("01_quickstart"), app="doc")
    began = time.monotonic()
    page.run_all()
    dashboard = page.view(".nnw-dashboard")
    dashboard.wait_for(timeout=1000 * SHOWN_S)
    tiles = dashboard.locator(".nnw-grid-tiles canvas").first
    tiles.wait_for()
    last = len(notebook("01_quickstart").cells) - 1
    page.until(lambda: page.cell_busy(last), "the training to begin")
    seen: set[str] = set()
    while page.cell_busy(last) and time.monotonic() < began + ENDED_S:
        assert_wholly_in_view(page, dashboard)
        seen.add(hashlib.sha256(page.canvas_pixels(tiles).tobytes()).hexdigest())
        page.page.wait_for_timeout(1000)
    page.wait_cell(last)
    assert time.monotonic() - began < ENDED_S
    assert len(seen) > PICTURES, f"expected more than {PICTURES} pictures during the training, saw {len(seen)}"
    smoothness = page.python(_SMOOTHNESS)
    assert smoothness[-1] > SMOOTH, smoothness
    assert smoothness[0] < smoothness[len(smoothness) // 8] < smoothness[-1], smoothness


def assert_wholly_in_view(page: Notebook, dashboard: Locator) -> None:
    box, around = dashboard.bounding_box(), page.view(".jp-WindowedPanel-outer").bounding_box()
    assert box is not None
    assert around is not None
    top, bottom = around["y"], around["y"] + around["height"]
    assert top - 1 <= box["y"], f"the dashboard begins {top - box['y']:.0f} px above the page"
    assert box["y"] + box["height"] <= bottom + 1, f"it ends {box['y'] + box['height'] - bottom:.0f} px below the page"
