"""Takes the README's pictures of the quickstart in a real JupyterLab: of its minute, and of each view in its middle."""

import io
import tempfile
import time
from pathlib import Path
from typing import Literal

import nbformat
from PIL import Image
from playwright.sync_api import Browser, Locator

from tests.browser.chromium import launch_chromium
from tests.browser.lab import Notebook
from tests.browser.server import LabServer, serve
from tests.notebooks import NOTEBOOKS, notebook

PICTURES = NOTEBOOKS / "pictures"
TRAINING_S = 150
# Long enough for curves with a shape, and for every view to have been refreshed.
SETTLED_MS = 20_000
# Each tab with a layer that has something to show there.
TABS = {"Activations": "relu2", "Filters": "conv1", "Occlusion": "relu2", "Embedding": "relu3"}
FIRST = "Activations"
TAB_MS = {"Activations": 3000, "Filters": 3000, "Occlusion": 6000, "Embedding": 25_000}
SIZES = {"": (1480, 1400), "-narrow": (820, 1800)}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


# The moving picture: what is clicked how many seconds after the training began, and how it is made small.
CLICKS = ((8, "tab", "Filters"), (22, "tab", "Embedding"), (24, "treeitem", "relu3"), (48, "tab", "Occlusion"))
FILM_S, FRAME_S, FILM_WIDTH, COLORS, MOST_BYTES = 60, 1.5, 900, 96, 2_000_000
FRAME_MS = 500


def main() -> None:
    """Write `quickstart.gif`, and `dashboard-light.png` and its likes, one for each tab, theme and width."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, launch_chromium() as browser:
        film(browser, server)
        for theme in THEMES:
            photograph(browser, server, theme)


def begun(browser: Browser, server: LabServer, name: str) -> tuple[Notebook, Locator]:
    """The quickstart after "Run All", and its dashboard."""
    nbformat.write(notebook("01_quickstart", training_s=TRAINING_S), server.root / name)
    page = Notebook(browser, server, name)
    page.open(app="doc")
    page.run_all()
    dashboard = page.view(".nnw-dashboard").first
    dashboard.wait_for()
    return page, dashboard


def ended(page: Notebook, server: LabServer) -> None:
    page.close()
    server.end_sessions()


def film(browser: Browser, server: LabServer) -> None:
    page, dashboard = begun(browser, server, "film.ipynb")
    frames: list[Image.Image] = []
    start, clicks = time.monotonic(), list(CLICKS)
    while (now := time.monotonic() - start) < FILM_S:
        if clicks and clicks[0][0] <= now:
            _, role, name = clicks.pop(0)
            dashboard.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        taken = Image.open(io.BytesIO(page.page.screenshot())).convert("RGB")
        size = (FILM_WIDTH, round(FILM_WIDTH * taken.height / taken.width))
        frames.append(taken.resize(size, Image.Resampling.LANCZOS).quantize(COLORS, dither=Image.Dither.NONE))
        page.page.wait_for_timeout(max(0.0, 1000 * (start + FRAME_S * len(frames) - time.monotonic())))
    path = PICTURES / "quickstart.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise RuntimeError(f"{path.name}: expected at most {MOST_BYTES} bytes, got {path.stat().st_size}")
    ended(page, server)


def photograph(browser: Browser, server: LabServer, theme: Literal["light", "dark"]) -> None:
    page, dashboard = begun(browser, server, f"quickstart-{theme}.ipynb")
    page.theme(theme)
    page.page.wait_for_timeout(SETTLED_MS)
    for size, (width, height) in SIZES.items():
        page.resize(width, height)
        for tab, layer in TABS.items():
            dashboard.get_by_role("tab", name=tab).first.click()
            if not size:
                dashboard.get_by_role("treeitem", name=layer).first.click()
            page.page.wait_for_timeout(TAB_MS[tab])
            name = "dashboard" if tab == FIRST else f"dashboard-{tab.lower()}"
            page.screenshot(PICTURES / f"{name}-{theme}{size}.png", part=dashboard)
    ended(page, server)


if __name__ == "__main__":
    main()
