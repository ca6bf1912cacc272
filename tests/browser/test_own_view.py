"""A view of the user's own, that of notebook 09, in a dashboard: live, linked with the others, its errors in itself."""

import re

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.dashboard import DashboardOnPage
from tests.browser.embedding import EmbeddingView
from tests.browser.server import ROOT, LabServer
from tests.browser.views import View, value_in

CELLS = [
    cell.source
    for cell in nbformat.read(ROOT / "notebooks" / "09_your_own_view.ipynb", as_version=4).cells
    if cell.cell_type == "code"
]
SETUP, OWN, SHOW, _ = CELLS
# The same view with mistakes to choose from.
FRAGILE = """\
class Fragile(Uncertainty):
    name, title = "fragile", "Fragile"
    compute_fails = nnw.choice("no", "yes", help="Whether compute raises.")
    layout_fails = nnw.choice("no", "yes", help="Whether layout raises.", draws=True)

    def compute(self, predictions):
        if self.compute_fails == "yes":
            raise RuntimeError("made in compute")
        return predictions

    def layout(self, result):
        rows = super().layout(result)
        return [rows[9]] if self.layout_fails == "yes" else rows
"""
IN_COMPUTE, IN_LAYOUT = "made in compute (line 8, in compute)", "(line 13, in layout)"
TRAIN = """
import time
from pathlib import Path

print("training", flush=True)
with inspector.watch(optimizer) as watch:
    while not Path("own.stop").exists():
        rows = torch.randint(len(images), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimizer.step()
        time.sleep(0.005)
print("trained")
"""
SHOW_BOTH = SHOW.replace("Uncertainty]", "Uncertainty, Fragile]")
TRAINING = 4


class OwnView(View):
    """A histogram of the predictions' entropies over a strip of the most uncertain samples."""

    def __init__(self, dashboard: DashboardOnPage) -> None:
        super().__init__(dashboard.notebook, dashboard.root.locator(".nnw-first"))
        self.bars = self.root.locator(".nnw-histogram-plot")
        self.canvas = self.bars.locator("canvas")
        self.strip = self.root.locator(".nnw-strip-cell:not([hidden])")

    @property
    def step(self) -> int:
        found = re.search(r"\bstep ([\d\u202f]+)", self.caption.inner_text())
        return int(found[1].replace("\u202f", "")) if found else -1

    def point_at_bin(self, share: float) -> str:
        """Point at a place of the axis; what the tooltip says of the bin there."""
        width = self.bars.evaluate("(bars) => bars.clientWidth")
        # Beside 44 px of numbers, 8 px from the right.
        self.point(self.bars, (44 + share * (width - 52)) / width, 0.5)
        self.tooltip.wait_for()
        return self.tooltip.inner_text()

    def click_bin(self, share: float) -> None:
        self.point_at_bin(share)
        self.notebook.page.mouse.down()
        self.notebook.page.mouse.up()


@pytest.fixture(scope="module")
def dashboard(share_notebook: OpenNotebook) -> DashboardOnPage:
    """In the middle of a training, the view beside the embedding."""
    notebook = share_notebook([SETUP, OWN, FRAGILE, SHOW_BOTH, TRAIN])
    notebook.resize(1480, 1100)
    notebook.finish(0, 1, 2, 3)
    dashboard = DashboardOnPage(notebook)
    dashboard.beside("Embedding")
    notebook.run_cell(TRAINING)
    notebook.until(lambda: "training" in notebook.output(TRAINING), "the training")
    dashboard.root.scroll_into_view_if_needed()
    return dashboard


@pytest.fixture(autouse=True)
def at_start(dashboard: DashboardOnPage) -> None:
    dashboard.tab("Uncertainty").click()
    expect(dashboard.first.locator(".nnw-title")).to_have_text("Uncertainty")


def embedding(dashboard: DashboardOnPage) -> EmbeddingView:
    return EmbeddingView(dashboard.notebook, dashboard.second, "dashboard.views['embedding']")


def selected(marks: Locator) -> int:
    return int(marks.get_attribute("data-selected") or 0)


def test_it_is_live_while_the_cell_trains(dashboard: DashboardOnPage) -> None:
    notebook, view = dashboard.notebook, OwnView(dashboard)
    view.until_caption("1000 of 1797 samples")
    notebook.until(lambda: view.step > 0, "a step in the caption")
    before, step = view.picture(view.canvas), view.step
    view.until_changed(view.canvas, before)
    notebook.until(lambda: view.step > step, "a later step")
    assert notebook.cell_busy(TRAINING)
    expect(view.strip.first).to_be_visible()
    assert "value" in view.point_at_bin(0.02)


def test_an_option_is_a_control_that_draws_anew(dashboard: DashboardOnPage) -> None:
    notebook, view = dashboard.notebook, OwnView(dashboard)
    bins = re.compile(r": (\d+) bins")

    def shown() -> int:
        found = bins.search(view.bars.get_attribute("aria-label") or "")
        return int(found[1]) if found else 0

    notebook.until(lambda: shown() == 30, "30 bins")
    slider = view.root.get_by_role("slider", name="Bins")
    slider.press("End")
    notebook.until(lambda: shown() == 60, "60 bins")
    slider.press("Home")
    notebook.until(lambda: shown() == 10, "10 bins")


def test_a_click_on_a_bar_selects_its_samples_in_the_view_beside_it(dashboard: DashboardOnPage) -> None:
    notebook, view, beside = dashboard.notebook, OwnView(dashboard), embedding(dashboard)
    beside.until_caption("samples")
    notebook.until(lambda: beside.marks.get_attribute("data-count") == "500", "the map")
    # The model becomes sure of most digits: the first bin is never empty.
    notebook.until(lambda: value_in(view.point_at_bin(0.02).split("·")[1]) > 0, "a bin with samples")
    view.click_bin(0.02)
    notebook.until(lambda: selected(beside.marks) > 0, "marks in the embedding")
    expect(beside.strip.tab).to_contain_text("selected")
    assert notebook.cell_busy(TRAINING)


def test_an_error_in_it_shows_in_it_and_all_else_goes_on(dashboard: DashboardOnPage) -> None:
    notebook = dashboard.notebook
    dashboard.tab("Fragile").click()
    expect(dashboard.first.locator(".nnw-title")).to_have_text("Fragile")
    view = OwnView(dashboard)
    notebook.until(lambda: view.step > 0, "a picture")

    for label, words in (("Compute fails", IN_COMPUTE), ("Layout fails", IN_LAYOUT)):
        view.set_option(label, "yes")
        expect(view.state).to_contain_text(words)
        expect(view.state).to_contain_text("Training goes on.")
        expect(view.canvas).to_be_visible()  # the last good picture
        step = int(value_in(dashboard.item("step")))
        beside = embedding(dashboard)
        notebook.until(lambda step=step: int(value_in(dashboard.item("step"))) > step, "the training to go on")  # type: ignore[misc]
        expect(beside.state).not_to_contain_text("Failed")
        view.set_option(label, "no")
        expect(view.state).to_be_hidden()
    step = view.step
    notebook.until(lambda: view.step > step, "the view to go on")

    view.set_option("Compute fails", "yes")
    expect(view.state).to_contain_text("Failed at step")
    dashboard.tab("Activations").click()
    maps = dashboard.first.locator(".nnw-caption")
    expect(maps).to_contain_text("maps of")
    first = maps.inner_text()
    notebook.until(lambda: maps.inner_text() != first, "the other tab to go on")
    dashboard.tab("Fragile").click()
    view.set_option("Compute fails", "no")
    expect(view.state).to_be_hidden()


def test_what_was_clicked_after_the_training_is_just_what_lies_in_the_bin(
    dashboard: DashboardOnPage, server: LabServer
) -> None:
    notebook, view, beside = dashboard.notebook, OwnView(dashboard), embedding(dashboard)
    (server.root / "own.stop").touch()
    assert "trained" in notebook.wait_cell(TRAINING)
    steps = notebook.python("watch.step_count")
    notebook.until(lambda: view.step == steps, "the final weights")
    own = "dashboard.views['uncertainty']"
    counts = notebook.python(f"{own}.job.laid.rows[0][0].counts[0].tolist()")
    place = max(range(len(counts)), key=counts.__getitem__)
    view.click_bin((place + 0.5) / len(counts))
    members = sorted(notebook.python(f"{own}.job.laid.rows[0][0].members_in({place}).tolist()"))
    assert len(members) == counts[place]
    view.until("sorted(inspector.selection.selected)", members)
    notebook.until(lambda: selected(beside.marks) == len(members), "all of them selected in the view beside")

    # Also one by one, from the strip.
    view.strip.nth(1).click()
    sample = notebook.python(f"int({own}.job.laid.rows[1][0].samples[1])")
    view.until("inspector.selection.sample", sample)
    assert notebook.python("list(inspector.selection.selected)") == [sample]


def test_a_layout_that_fails_without_a_training_is_said_until_it_works_again(dashboard: DashboardOnPage) -> None:
    dashboard.tab("Fragile").click()
    view = OwnView(dashboard)
    view.set_option("Layout fails", "yes")
    expect(view.state).to_contain_text(IN_LAYOUT)
    expect(view.state).not_to_contain_text("Training goes on.")
    view.set_option("Layout fails", "no")
    expect(view.state).to_be_hidden()
