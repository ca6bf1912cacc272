"""Takes the README's pictures of the quickstart in a real JupyterLab, in the middle of its training."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from tests.browser.chromium import launch_chromium
from tests.browser.lab import Notebook
from tests.browser.server import ROOT, LabServer, serve

QUICKSTART = ROOT / "notebooks" / "01_quickstart.ipynb"
PICTURES = ROOT / "notebooks" / "pictures"
TRAINING_S = 120
# Long enough for curves with a shape, and for every view to have been refreshed.
SETTLED_MS = 20_000
# Each tab with a layer that has something to show there.
TABS = {"Activations": "relu2", "Filters": "conv1", "Occlusion": "relu2", "Embedding": "relu3"}
FIRST = "Activations"
TAB_MS = {"Activations": 3000, "Filters": 3000, "Occlusion": 6000, "Embedding": 25_000}
SIZES = {"": (1480, 1400), "-narrow": (820, 1800)}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> None:
    """Write `dashboard-light.png` and its likes, one for each tab, theme and width."""
    os.environ["NNWIDGETS_DEMO_SECONDS"] = str(TRAINING_S)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, launch_chromium() as browser:
        for theme in THEMES:
            photograph(browser, server, theme)


def photograph(browser: Browser, server: LabServer, theme: Literal["light", "dark"]) -> None:
    path = f"quickstart-{theme}.ipynb"
    shutil.copy(QUICKSTART, server.root / path)
    notebook = Notebook(browser, server, path)
    notebook.open()
    notebook.theme(theme)
    notebook.run_all()
    dashboard = notebook.view(".nnw-dashboard").first
    dashboard.wait_for()
    dashboard.scroll_into_view_if_needed()  # "Run All" has gone to the last cell
    notebook.page.wait_for_timeout(SETTLED_MS)
    for size, (width, height) in SIZES.items():
        notebook.resize(width, height)
        for tab, layer in TABS.items():
            dashboard.get_by_role("tab", name=tab).first.click()
            if not size:
                dashboard.get_by_role("treeitem", name=layer).first.click()
            notebook.page.wait_for_timeout(TAB_MS[tab])
            name = "dashboard" if tab == FIRST else f"dashboard-{tab.lower()}"
            notebook.screenshot(PICTURES / f"{name}-{theme}{size}.png", part=dashboard)
    notebook.close()
    server.end_sessions()


if __name__ == "__main__":
    main()
