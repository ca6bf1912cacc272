"""Clicks while a cell trains: "Run All", on every kind of kernel; pictures follow at once and say their step."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Notebook, Pixels
from tests.browser.server import NEWEST

# Picture k is dark but for column k % 8. The layer `mirror` shows the picture as it is and never learns, so the pixels
# of its map say which sample they are of; the maps of `learned` change with every step.
NET = """
import time
from pathlib import Path

import torch
from torch import nn

import nnwidgets as nnw

labels = torch.arange(64) % 8
pictures = torch.zeros(64, 1, 8, 8)
pictures[torch.arange(64), 0, :, labels] = 1.0

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.learned = nn.Conv2d(1, 6, 3, padding=1)
        self.mirror = nn.Conv2d(1, 1, 1).requires_grad_(False)
        self.head = nn.Linear(6 * 64, 8)
        nn.init.ones_(self.mirror.weight)
        nn.init.zeros_(self.mirror.bias)

    def forward(self, x):
        hidden = self.learned(x).relu()
        self.mirror(x)
        return self.head(hidden.flatten(1))

torch.manual_seed(0)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
inspector = nnw.Inspector(model, (pictures, labels))
"""
TRAIN = """
print("started", flush=True)
end = time.monotonic() + 300
with inspector.watch(optimizer) as watch:
    while time.monotonic() < end and not Path("FOLDER/stop").exists():
        rows = torch.randint(64, (16,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pictures[rows]), labels[rows]).backward()
        optimizer.step()
        Path("FOLDER/written").write_text(str(watch.step_count))
        Path("FOLDER/written").replace("FOLDER/steps")  # so that nobody reads half of it, interrupted or not
        POLL
print("trained")
"""
SHOW, TRAINING, NEXT = 1, 2, 3
START_S = 240.0


class Training:
    """A notebook whose third cell trains until `end()`, and the view of activations in it."""

    def __init__(self, notebook: Notebook, folder: Path) -> None:
        self.notebook = notebook
        self._folder = folder
        view = notebook.view(".nnw-view").filter(visible=True).first
        self.title = view.locator(".nnw-title")
        self.caption = view.locator(".nnw-caption")
        self.board = view.locator(".nnw-grid-board [role=grid]").filter(visible=True)
        self.canvas = self.board.locator("canvas")

    def start(self) -> None:
        """Returns when the view shows a step of the training."""
        self.notebook.run_all()
        self.notebook.until(lambda: "started" in self.notebook.output(TRAINING), "the training", timeout_s=START_S)
        self.notebook.until(lambda: self.shown("step") > 0, "a picture of the training", timeout_s=START_S)

    def shown(self, what: str) -> int:
        """The number after "step" or "sample" in the caption, -1 without one."""
        found = re.search(rf"\b{what} ([\d\s]*\d)", self.caption.inner_text().lower()) if self.title.count() else None
        return int(re.sub(r"\s", "", found[1])) if found else -1

    @property
    def steps(self) -> int:
        """How many steps the loop has made."""
        return int((self._folder / "steps").read_text())

    def follows(self, act: Callable[[], None], *, layer: str, sample: int) -> None:
        """Do something to the page; asserts that the view follows while the cell runs, with weights of now."""
        before = self.steps
        act()
        self.notebook.until(
            lambda: (
                self.title.inner_text() == layer
                and self.shown("sample") == sample
                and self.shown("step") >= before
                and mirrored(self.notebook.canvas_pixels(self.canvas)) == sample % 8
            ),
            f"layer {layer}, sample {sample} at step {before} or later",
        )
        assert self.notebook.cell_busy(TRAINING)

    def end(self) -> None:
        (self._folder / "stop").touch()
        assert "trained" in self.notebook.wait_cell(TRAINING)


def mirrored(pixels: Pixels) -> int | None:
    """The dark column in the only map of `mirror`, None if this is another picture."""
    row = pixels[len(pixels) // 2]
    painted = row[row[:, 3] > 0, :3]
    dark = np.flatnonzero(painted.mean(axis=1) < 100)
    if len(np.unique(painted, axis=0)) != 2 or not len(dark):
        return None
    return int(8 * dark.mean() / len(painted))


@pytest.fixture
def train(open_notebook: OpenNotebook, kernel_with: Callable[[str], str], tmp_path: Path) -> Callable[..., Training]:
    """`train(ipykernel, show="inspector", poll=False)`: a notebook in the middle of its training."""

    def start(ipykernel: str, *, show: str = "inspector", poll: bool = False) -> Training:
        kernel = "python3" if ipykernel == "installed" else kernel_with(ipykernel)
        cell = TRAIN.replace("FOLDER", str(tmp_path)).replace("POLL", "watch.poll()" if poll else "")
        training = Training(open_notebook([NET, show, cell, "print('next')"], kernel=kernel), tmp_path)
        training.start()
        return training

    return start


@pytest.mark.parametrize("ipykernel", ["6.31.0", "7.3.0", "installed", pytest.param(NEWEST, marks=pytest.mark.soak)])
def test_the_dashboard_answers_while_a_cell_trains(train: Callable[..., Training], ipykernel: str) -> None:
    training = train(ipykernel, poll=ipykernel == "6.31.0")
    notebook, sample = training.notebook, training.shown("sample")
    assert training.title.inner_text() == "learned"
    assert mirrored(notebook.canvas_pixels(training.canvas)) is None

    training.follows(notebook.view("[role=treeitem][data-name=mirror]").click, layer="mirror", sample=sample)
    training.follows(lambda: training.board.press("]"), layer="mirror", sample=sample + 1)
    badge = notebook.view(".nnw-status .nnw-badge")
    notebook.until(lambda: "You can click while it trains" in badge.inner_text(), "the badge")

    assert notebook.output(NEXT) == ""
    training.end()
    assert "next" in notebook.wait_cell(NEXT)


@pytest.mark.parametrize("ipykernel", ["6.31.0", "installed"])
def test_a_view_alone_answers_while_a_cell_trains(train: Callable[..., Training], ipykernel: str) -> None:
    training = train(ipykernel, show="inspector.activations()", poll=ipykernel == "6.31.0")
    sample = training.shown("sample")
    training.follows(lambda: training.board.press("}"), layer="mirror", sample=sample)
    training.follows(lambda: training.board.press("]"), layer="mirror", sample=sample + 1)
    training.end()


def test_on_ipykernel_6_without_poll_the_view_follows_and_says_that_clicks_wait(train: Callable[..., Training]) -> None:
    training = train("6.31.0")
    notebook, sample = training.notebook, training.shown("sample")
    notebook.view(".nnw-status").scroll_into_view_if_needed()  # what nobody sees asks for nothing
    badge = notebook.view(".nnw-status .nnw-badge")
    notebook.until(lambda: "Clicks are answered after this cell" in badge.inner_text(), "the badge")

    step, pixels = training.shown("step"), notebook.canvas_pixels(training.canvas)
    notebook.wait_pixels(training.canvas, lambda now: now.shape != pixels.shape or bool((now != pixels).any()))
    notebook.until(lambda: training.shown("step") > step, "a later step")
    notebook.view("[role=treeitem][data-name=mirror]").click()
    clicked_at = training.steps
    notebook.until(lambda: training.shown("step") > clicked_at, "a step after the click")
    assert training.title.inner_text() == "learned"
    assert notebook.cell_busy(TRAINING)

    training.end()
    notebook.wait_pixels(training.canvas, lambda now: mirrored(now) == sample % 8)
    notebook.until(badge.is_hidden, "the end of the badge")


def test_an_interrupted_training_leaves_its_own_traceback_and_views_that_answer(train: Callable[..., Training]) -> None:
    training = train("installed")
    notebook, sample = training.notebook, training.shown("sample")
    notebook.interrupt()
    output = notebook.wait_cell(TRAINING, may_fail=True)
    assert "KeyboardInterrupt" in output
    assert "nnwidgets/" not in output.replace("nnwidgets/training/hooks.py", ""), "more than our hook in the traceback"
    steps = training.steps
    notebook.view("[role=treeitem][data-name=mirror]").click()
    notebook.until(
        lambda: (
            training.title.inner_text() == "mirror"
            and mirrored(notebook.canvas_pixels(training.canvas)) == sample % 8
            and abs(training.shown("step") - steps) <= 1
        ),
        "an answer after the interrupt, of the last step",
    )
    assert notebook.python("inspector._session.watch is None or inspector._session.watch.closed")
    notebook.run_cell(NEXT)
    assert "next" in notebook.wait_cell(NEXT)


def test_polling_keeps_ordinary_widgets_alive_and_outputs_apart(
    open_notebook: OpenNotebook, kernel_with: Callable[[str], str]
) -> None:
    """A page holds back a widget's second change for ever if it never hears that the first was handled."""
    toggle = "import ipywidgets, time\nfrom nnwidgets.display.poll import poll\nbox = ipywidgets.Checkbox(); box"
    loop = """
seen = []
box.observe(lambda change: (seen.append(change.new), print("in a handler", flush=True)), "value")
print("started", flush=True)
end = time.monotonic() + 120
while len(seen) < 3 and time.monotonic() < end:
    poll()
print(seen)
"""
    notebook = open_notebook([toggle, loop, "print('next')"], kernel=kernel_with("6.31.0"))
    notebook.run_all()
    notebook.until(lambda: "started" in notebook.output(1), "the busy cell", timeout_s=START_S)
    for count in (1, 2, 3):
        notebook.view("input[type=checkbox]").click()
        notebook.until(lambda: notebook.output(1).count("in a handler") == count, f"change {count}")  # noqa: B023
    assert "[True, False, True]" in notebook.wait_cell(1)
    assert notebook.wait_cell(2).strip() == "next"
