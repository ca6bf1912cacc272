"""Going back to earlier results of a view by its slider, playing them, and returning to the training."""

import re

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Locator, expect

from nnwidgets.blocks.colors import LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.server import LabServer
from tests.browser.views import NET, GridView, color_of, is_color, value_in

# What the views say of a step is compared with the weights that the loop noted at that step.
SHOW = """
from IPython.display import display
filters = inspector.filters(layer="features.conv1")
activations = inspector.activations(layer="features.conv1", sample=3)
display(filters, activations)
"""
TRAIN = """
import time
from pathlib import Path

optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
weights, biases, convolution = {}, {}, model.features.conv1
print("training", flush=True)
with inspector.watch(optimizer) as watch:
    while not Path("history.stop").exists():
        train(1)
        weights[watch.step_count] = convolution.weight.detach().clone()
        biases[watch.step_count] = convolution.bias.detach().clone()
        time.sleep(0.01)
print("trained")
"""
TRAINING = 2


class Earlier(GridView):
    """A view of filters or activations with the slider under it."""

    @property
    def slider(self) -> Locator:
        return self.root.get_by_role("slider", name="Earlier results")

    @property
    def step(self) -> int:
        found = re.search(r"\bstep ([\d\u202f]+)", self.caption.inner_text())
        return int(found[1].replace("\u202f", "")) if found else -1

    @property
    def kept(self) -> int:
        return 1 + int(self.slider.get_attribute("max") or 0) if self.slider.is_visible() else 0

    @property
    def is_earlier(self) -> bool:
        return "an earlier step" in self.caption.inner_text()

    def until_kept(self, count: int) -> None:
        self.notebook.until(lambda: self.kept >= count, f"{count} results kept")


@pytest.fixture(scope="module")
def views(share_notebook: OpenNotebook) -> tuple[Earlier, Earlier]:
    notebook = share_notebook([NET, SHOW, TRAIN])
    notebook.resize(1280, 1700)  # room for both
    notebook.finish(0, 1)
    notebook.run_cell(TRAINING)
    notebook.until(lambda: "training" in notebook.output(TRAINING), "the training")
    roots = notebook.view(".nnw-view")
    roots.first.scroll_into_view_if_needed()
    return Earlier(notebook, roots.nth(0)), Earlier(notebook, roots.nth(1))


@pytest.fixture(params=["filters", "activations"])
def view(views: tuple[Earlier, Earlier], request: pytest.FixtureRequest) -> Earlier:
    chosen = views[("filters", "activations").index(request.param)]
    chosen.root.scroll_into_view_if_needed()
    return chosen


def pictures(view: Earlier, step: int) -> npt.NDArray[np.float64]:
    """What a view shows of a step (8, height, width), by the weights that the loop noted."""
    weight, bias = view.notebook.python(f"[weights[{step}].tolist(), biases[{step}].tolist()]")
    filters = np.array(weight)[:, 0]
    if "filters" in view.caption.inner_text():
        return filters
    picture = np.pad(np.array(view.notebook.python("pictures[3, 0].tolist()")), 1)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3))
    maps: npt.NDArray[np.float64] = np.einsum("yxij,uij->uyx", windows, filters) + np.array(bias)[:, None, None]
    return maps


def test_back_in_time_it_stays_there_while_the_training_goes_on(view: Earlier) -> None:
    notebook = view.notebook
    view.until_kept(4)
    assert not view.is_earlier
    view.slider.press("Home")
    view.until_caption("an earlier step")
    first, kept = view.step, view.kept
    shown = view.picture(view.canvas)
    expect(view.root.locator(".nnw-kept-text")).to_contain_text("1 of")
    view.until_kept(kept + 2)
    assert view.step == first
    assert (view.picture(view.canvas) == shown).all()
    view.slider.press("End")
    notebook.until(lambda: not view.is_earlier and view.step > first, "the newest")
    step = view.step
    notebook.until(lambda: view.step > step, "the training to be followed again")
    assert notebook.cell_busy(TRAINING)


def test_after_the_training_each_place_shows_its_own_step(view: Earlier, server: LabServer) -> None:
    notebook = view.notebook
    (server.root / "history.stop").touch()
    assert "trained" in notebook.wait_cell(TRAINING)
    notebook.until(lambda: view.step == notebook.python("watch.step_count"), "the final weights")
    view.slider.press("Home")
    view.until_caption("before training · an earlier step")
    steps = [0]
    for _ in range(2):
        view.slider.press("ArrowRight")
        notebook.until(lambda: view.step > steps[-1], "the next one")
        steps.append(view.step)
    steps.pop(0)
    for step in reversed(steps):
        notebook.until(lambda step=step: view.step == step, f"step {step}")  # type: ignore[misc]
        expected = pictures(view, step)
        row, column = 1, 2
        for unit in (0, 4, 7):
            text = view.hover(view.tile(unit), row, column, expected.shape[1:])
            assert value_in(text) == pytest.approx(expected[unit, row, column], rel=0.02, abs=2e-3)
        if step != steps[0]:
            view.slider.press("ArrowLeft")

    # The colours, too, by the scale that the view has under its enlarged unit.
    ends = view.root.locator(".nnw-grid-scale-ends").first.inner_text()
    peak = value_in(ends.replace("+", ""))
    values = pictures(view, steps[0])
    pixel = view.cell_pixel(4, 1, 2, values.shape[1:])
    assert is_color(pixel, color_of(float(values[4, 1, 2]), -peak, peak, LIGHT.diverging))


def test_playing_goes_through_all_of_them_to_the_newest(view: Earlier) -> None:
    notebook = view.notebook
    view.slider.press("End")
    notebook.until(lambda: not view.is_earlier, "the newest")
    newest, kept = view.step, view.kept
    back = min(kept - 1, 3)
    for _ in range(back):
        view.slider.press("ArrowLeft")
    notebook.until(lambda: view.slider.evaluate("(slider) => slider.value") == str(kept - 1 - back), "three back")
    seen: list[int] = []

    def at_the_end() -> bool:
        if not seen or seen[-1] != view.step:
            seen.append(view.step)
        return view.step == newest and not view.is_earlier

    view.root.get_by_role("button", name="Play the earlier results").click()
    notebook.until(at_the_end, "the newest again")
    assert seen == sorted(seen)
    expect(view.root.get_by_role("button", name="Play the earlier results")).to_be_visible()


def test_what_is_shown_of_earlier_is_the_figure_and_ends_with_another_layer(view: Earlier) -> None:
    notebook = view.notebook
    name = "filters" if "filters" in view.caption.inner_text() else "activations"
    view.slider.press("Home")
    view.until_caption("an earlier step")
    assert "an earlier step" in notebook.python(f"{name}.job.laid.words")
    assert notebook.python(f"{name}.displayed is not {name}.result")
    notebook.python(f"[{name}.pin(layer='features.wide', sample=3), {name}.changed()] and 0")
    notebook.until(
        lambda: view.title.inner_text() == "features.wide" and not view.is_earlier, "another layer, as it is now"
    )
    expect(view.slider).to_be_hidden()
