"""The Occlusion view: the crosshair's numbers, its options, progress and cancelling, the heat over the picture."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Notebook
from tests.browser.views import CLASS_NAMES, NET, View, value_in

VIEW = """
view = inspector.occlusion(sample=3, patch=4, stride=2)
view
"""
# A net that takes its time with every picture, so that there is something to see of the progress and to cancel.
SLOW = """
import time

class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4 * 144, 4)

    def forward(self, x):
        time.sleep(0.1 * len(x))
        return self.fc(self.conv(x).relu().flatten(1))

slow = nnw.Inspector(Slow(), (pictures, labels), probe=4)
patient = slow.occlusion(patch=4, stride=2)
patient
"""
# One that takes its time with what is asked of it, and trains beside that.
THINKING = """
from pathlib import Path

class Thinking(Slow):
    def forward(self, x):
        time.sleep(0 if self.training else 0.02 * len(x))
        return self.fc(self.conv(x).relu().flatten(1))

thinking = Thinking()
watched = nnw.Inspector(thinking, (pictures, labels), probe=4)
growing = watched.occlusion(sample=3, patch=4, stride=1)
growing
"""
LOOP = """
print("started", flush=True)
learning, end = torch.optim.SGD(thinking.parameters(), lr=0.01), time.monotonic() + 200
with watched.watch(learning, budget=0.5) as watch:
    while time.monotonic() < end and not Path("FOLDER/stop").exists():
        learning.zero_grad()
        nn.functional.cross_entropy(thinking(pictures[:16]), labels[:16]).backward()
        learning.step()
print("trained")
"""
# Rows and columns of the table under the pictures.
SCORE, SUM, CLASS = 0, 1, 2
UNCOVERED, COVERED = 0, 1


class OcclusionView(View):
    """The four figures and the table."""

    def __init__(self, notebook: Notebook, root: Locator) -> None:
        super().__init__(notebook, root)
        self.stage = root.locator(".nnw-heat-stage")
        self.place = root.locator(".nnw-heat-table thead th").first

    def panel(self, name: str) -> Locator:
        """One of p, map, class."""
        return self.root.locator(".nnw-heat-panel").nth(("p", "map", "class").index(name))

    def panel_title(self, name: str) -> Locator:
        return self.panel(name).locator(".nnw-heat-title")

    def frame(self, name: str) -> Locator:
        """One of overlay, p, map, class."""
        figure = self.root.locator(".nnw-heat-overlay") if name == "overlay" else self.panel(name)
        return figure.locator(".nnw-heat-frame")

    def canvas(self, name: str) -> Locator:
        return self.frame(name).locator("canvas")

    def cell(self, row: int, column: int) -> str:
        return self.root.locator(".nnw-heat-table tbody tr").nth(row).locator("td").nth(column).inner_text()

    def point_square(self, figure: str, row: int, column: int, *, patch: int, size: int = 12) -> None:
        """Point at the square whose top left pixel is (row, column)."""
        self.point(self.frame(figure), (column + patch / 2) / size, (row + patch / 2) / size)
        expect(self.place).to_contain_text(f"row {row}, col {column}")

    def array(self, expression: str) -> npt.NDArray[np.float64]:
        return np.array(self.notebook.python(f"({expression}).tolist()"))

    def until_done(self, patch: int, stride: int, squares: int) -> None:
        self.until_caption(f"{squares}\u202f×\u202f{squares} positions, stride {stride}")
        self.until_caption(f"{patch}\u202f×\u202f{patch} square")
        self.until("view.result.map.done", True)


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> OcclusionView:
    notebook = share_notebook([NET, VIEW, SLOW])
    notebook.finish(0, 1)
    return OcclusionView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture(autouse=True)
def at_start(view: OcclusionView) -> None:
    """The probability of class 3 of sample 3, and the square free."""
    view.notebook.python(
        "[inspector.selection.update(layer='features.relu1', target=3), view.set_trait('kind', 'probability'),"
        " view.set_trait('patch', 4), view.set_trait('stride', 2)] and 0"
    )
    view.until_done(4, 2, 5)
    expect(view.panel_title("p")).to_have_text("p(three)")
    view.stage.press("Escape")


def test_the_table_under_the_crosshair_has_the_scores_of_python(view: OcclusionView) -> None:
    chances, sums = (
        view.array("view.result.map.probabilities[0]"),
        view.array("view.result.map.layer_sums[view.result.layer][0][..., view.result.unit]"),
    )
    clean = view.array("view.result.map.clean_probabilities[0]")
    for figure, i, j in [("p", 0, 0), ("map", 4, 2), ("class", 2, 3), ("overlay", 4, 4)]:
        view.point_square(figure, 2 * i, 2 * j, patch=4)
        assert value_in(view.cell(SCORE, UNCOVERED)) == pytest.approx(clean[3], abs=0.006)
        assert value_in(view.cell(SCORE, COVERED)) == pytest.approx(chances[i, j, 3], abs=0.006)
        assert value_in(view.cell(SUM, COVERED)) == pytest.approx(sums[i, j], rel=0.01)
        best = int(chances[i, j].argmax())
        words = view.cell(CLASS, COVERED)
        assert words.startswith(f"{CLASS_NAMES[best]} ("), "markup in a class name is text"
        assert value_in(words.rpartition("(")[2]) == pytest.approx(chances[i, j, best], abs=0.006)


def test_the_tooltip_tells_the_value_of_each_figure(view: OcclusionView) -> None:
    chances = view.array("view.result.map.probabilities[0]")
    view.point_square("p", 8, 2, patch=4)
    expect(view.tooltip).to_contain_text("square at row 8, col 2 · probability")
    assert value_in(view.tooltip.inner_text()) == pytest.approx(chances[4, 1, 3], abs=0.006)
    lost = view.array("view.result.map.importance(3, kind='probability')[0]")
    view.point(view.frame("overlay"), 5.5 / 12, 10.5 / 12)
    expect(view.tooltip).to_contain_text("pixel row 10, col 5 · probability lost")
    assert value_in(view.tooltip.inner_text()) == pytest.approx(lost[10, 5], abs=0.006)


def test_a_click_fixes_the_square_and_keys_move_it(view: OcclusionView) -> None:
    view.point_square("p", 2, 2, patch=4)
    view.notebook.page.mouse.down()
    view.notebook.page.mouse.up()
    expect(view.place).to_have_text("Fixed at row 2, col 2")
    view.point(view.frame("p"), 0.9, 0.9)
    expect(view.place).to_have_text("Fixed at row 2, col 2")
    for key, place in [("ArrowRight", (2, 4)), ("ArrowDown", (4, 4)), ("ArrowLeft", (4, 2)), ("ArrowUp", (2, 2))]:
        view.stage.press(key)
        expect(view.place).to_contain_text(f"row {place[0]}, col {place[1]}")
    chance = view.notebook.python("view.result.map.probabilities[0, 1, 1, 3].item()")
    assert value_in(view.cell(SCORE, COVERED)) == pytest.approx(chance, abs=0.006)
    view.stage.press("Escape")
    expect(view.place).to_contain_text("Square at")


def test_another_target_changes_picture_title_and_table(view: OcclusionView) -> None:
    before = view.picture(view.canvas("p"))
    view.set_option("Target", "<b>one</b>")
    view.until("inspector.selection.target", 1)
    view.until_changed(view.canvas("p"), before)
    expect(view.panel_title("p")).to_have_text("p(<b>one</b>)")
    view.point_square("p", 4, 4, patch=4)
    chance = view.notebook.python("view.result.map.probabilities[0, 2, 2, 1].item()")
    assert value_in(view.cell(SCORE, COVERED)) == pytest.approx(chance, abs=0.006)


def test_logits_replace_probabilities(view: OcclusionView) -> None:
    before = view.picture(view.canvas("overlay"))
    view.root.get_by_role("button", name="logit").click()
    view.until_caption("Logit of three lost")
    view.until_changed(view.canvas("overlay"), before)
    view.point_square("p", 8, 0, patch=4)
    logit = view.notebook.python("view.result.map.scores[0, 4, 0, 3].item()")
    assert value_in(view.cell(SCORE, COVERED)) == pytest.approx(logit, rel=0.01)


def test_patch_and_stride_make_another_grid(view: OcclusionView) -> None:
    view.set_option("Patch", "6\u202fpx")
    view.until_done(6, 2, 4)
    view.set_option("Stride", "3\u202fpx")
    view.until_done(6, 3, 3)
    assert view.notebook.python("[view.patch, view.stride, *view.result.map.scores.shape[1:3]]") == [6, 3, 3, 3]
    view.point_square("p", 6, 3, patch=6)
    chance = view.notebook.python("view.result.map.probabilities[0, 2, 1, 3].item()")
    assert value_in(view.cell(SCORE, COVERED)) == pytest.approx(chance, abs=0.006)


def test_the_fill_can_be_chosen(view: OcclusionView) -> None:
    view.set_option("Cover with", "blur")
    view.until("view.result.fill == 'blur' and view.result.map.done", True)
    view.until_caption("covered with the picture blurred")
    view.point_square("p", 4, 0, patch=4)
    chance = view.notebook.python("view.result.map.probabilities[0, 2, 0, 3].item()")
    assert value_in(view.cell(SCORE, COVERED)) == pytest.approx(chance, abs=0.006)


def test_opacity_fades_the_heat_to_the_picture_itself(view: OcclusionView) -> None:
    slider = view.root.locator(".nnw-heat-opacity input")
    before = view.picture(view.canvas("overlay"))
    slider.fill("0")
    bare = view.until_changed(view.canvas("overlay"), before)
    picture = np.array(view.notebook.python("inspector._session.samples.picture(3).tolist()"), dtype=float)
    height, width = bare.shape[:2]
    rows, columns = (((np.arange(12) + 0.5) / 12 * size).astype(int) for size in (height, width))
    assert np.abs(bare[rows][:, columns, :3] - picture[..., None]).max() <= 1
    slider.fill("85")
    view.notebook.wait_pixels(view.canvas("overlay"), lambda now: bool((now == before).all()))


def test_the_summed_layer_can_be_chosen(view: OcclusionView) -> None:
    before = view.picture(view.canvas("map"))
    view.set_option("Map of", "features.pool")
    view.until("view.result.layer", "features.pool")
    view.until_changed(view.canvas("map"), before)
    expect(view.panel_title("map")).to_contain_text("of features.pool")
    view.set_option("Map of", "as selected")
    view.until("view.result.layer", "features.relu1")


def test_progress_is_shown_and_can_be_cancelled(view: OcclusionView) -> None:
    notebook = view.notebook
    notebook.finish(2)
    view = OcclusionView(notebook, notebook.view(".nnw-view").nth(1))
    view.root.scroll_into_view_if_needed()
    progress = view.state.get_by_role("progressbar")
    progress.wait_for()
    expect(view.state).to_contain_text("of 25 positions")
    notebook.until(lambda: 0 < int(progress.get_attribute("aria-valuenow") or 0) < 100, "some of the way")
    view.state.get_by_role("button", name="Cancel").click()
    expect(progress).to_be_hidden()
    view.until_caption("partial: hatched is not computed yet")
    computed = notebook.python("int(patient.result.map.computed.sum())")
    assert 0 < computed < 25
    # Asked again it starts anew and gets to the end.
    notebook.python("patient.refresh()")
    view.notebook.until(lambda: notebook.python("patient.result.map.done"), "the whole map")
    expect(view.caption).not_to_contain_text("partial")


def test_a_map_grows_and_follows_while_a_cell_trains(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    notebook = open_notebook([NET, SLOW, THINKING, LOOP.replace("FOLDER", str(tmp_path))])
    notebook.run_all()
    notebook.until(lambda: "started" in notebook.output(3), "the training", timeout_s=120)
    view = OcclusionView(notebook, notebook.view(".nnw-view").last)
    view.set_option("Patch", "6\u202fpx")
    # How far it is stands in the caption's place, over a picture that grows.
    expect(view.state).to_contain_text(re.compile("Covering [1-9].* of 49 positions"), timeout=60_000)
    partial = view.picture(view.canvas("map"))
    view.until_changed(view.canvas("map"), partial)
    expect(view.caption).to_contain_text("6\u202f×\u202f6 square", timeout=60_000)
    expect(view.caption).not_to_contain_text("partial", timeout=60_000)
    expect(view.caption).to_contain_text("7\u202f×\u202f7 positions, stride 1, exact")
    step = shown_step(view)
    notebook.until(lambda: shown_step(view) > step, "a map of a later step", timeout_s=60)
    expect(view.caption).to_contain_text("exact")
    assert notebook.cell_busy(3)
    (tmp_path / "stop").touch()
    assert "trained" in notebook.wait_cell(3)


def shown_step(view: OcclusionView) -> int:
    found = re.search(r"step ([\d\s]*\d)", view.caption.inner_text())
    return int(re.sub(r"\s", "", found[1])) if found else -1
