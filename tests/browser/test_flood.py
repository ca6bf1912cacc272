"""What must not break page or cell: floods, reloads, views shown twice or closed, failing handlers, restarts."""

import re

from playwright.sync_api import expect

from nnwidgets.blocks.colors import LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.server import LabServer
from tests.browser.views import NET, GridView, color_of, image_of, is_blank, is_color, kept_pictures

VIEW = """
view = inspector.activations(layer="features.relu1")
view
"""
# Frames as fast as two threads make them; each says its number in the title, and only the last one is of ones.
FLOOD = """
import threading, time
from dataclasses import replace
from nnwidgets.display.job import Heading
from nnwidgets.display.kept import Shown

while view.result is None:
    time.sleep(0.05)
first, sent = view.newest, [0, 0]

def laid(value):
    result = replace(first.result, values=torch.full_like(first.result.values, value))
    view.job.kept.add(view.job.kept.about, Shown(result, first.step))
    view.job.lay_out()
    return view.job.laid

def show(picture):
    view.job.laid = replace(picture, heading=Heading(f"frame {sum(sent)}"))
    view.show_picture()

pictures = [laid(0.1), laid(0.2)]

def flood(lane):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        sent[lane] += 1
        show(pictures[sent[lane] % 2])
        view.show_state()

other = threading.Thread(target=flood, args=(0,))
other.start()
print("flooding", flush=True)
flood(1)
other.join()
show(laid(1.0))
print("sent", sum(sent))
"""
TRAIN = """
import time
from pathlib import Path

with inspector.watch(optimizer) as watch:
    print("training", flush=True)
    while not Path("{stop}").exists():
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pictures), labels).backward()
        optimizer.step()
        time.sleep(0.005)
print("trained", watch.step_count)
"""
# Curves laid out as often as they may be while one after the other is made and begins to show on the page, some of them
# under a view that stands there already.
APPEARANCES = """
import threading, time
import numpy as np
from IPython.display import display

random, points = np.random.default_rng(0), None

class Curves(nnw.View):
    name, title = "curves", "Curves"
    late = nnw.number(0, 1, default=0, help="Whether the curves come after the view.", draws=True)

    def needs(self):
        return nnw.measures.Weights("features.conv1")

    def layout(self, result):
        count = points or (1 if self.late else int(random.integers(2, 20)))
        band = None if points else random.normal(size=(2, count))
        lines = {"unit 0": random.normal(size=count), "layer mean": random.normal(size=count)}
        roles = {"unit 0": "main", "layer mean": "mean"}
        return [tuple(nnw.blocks.Lines(np.arange(count), lines, roles=roles, band=band, key=key) for key in "abc")]

views, done = [], threading.Event()

def write():
    while not done.is_set():
        for view in views:
            view.renew_layout()
        time.sleep(0.01)

writer = threading.Thread(target=write)
writer.start()
for turn in range(8):
    views.append(inspector.view(Curves, late=turn % 2))
    display(views[-1])
    time.sleep(0.4)
    views[-1].late = 0
time.sleep(3)
done.set()
writer.join()
points = 23  # more than any before
for view in views:
    view.renew_layout()
"""
CPU_SLOWDOWN = 6


def shown_step(view: GridView) -> int:
    found = re.search(r"\bstep ([\d\u202f]+)", view.caption.inner_text())
    return int(found[1].replace("\u202f", "")) if found else -1


def test_a_flood_leaves_the_cell_its_output_and_the_page_the_newest_frame(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([NET, VIEW, FLOOD, "print('next')"])
    notebook.finish(0, 1)
    view = GridView(notebook, notebook.view(".nnw-view").first)
    view.until_caption("maps of")
    devtools = notebook.page.context.new_cdp_session(notebook.page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    notebook.run_cell(2)
    notebook.until(lambda: "flooding" in notebook.output(2), "the flood")
    view.board.scroll_into_view_if_needed()  # running a cell moved on to it, and what nobody sees gets no frames
    notebook.until(lambda: view.title.inner_text().startswith("frame"), "frames in the middle of the flood")
    assert notebook.cell_busy(2)
    sent = int(notebook.wait_cell(2).split("sent ")[1])
    assert not notebook.cell_busy(2)
    assert sent > 2000, "a flood is more than a page can draw"
    notebook.until(lambda: view.title.inner_text() == f"frame {sent}", "the newest frame")
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    top = notebook.python("[view._peak[1], 1.0]")
    expected = color_of(1.0, 0.0, max(top), LIGHT.ink)
    notebook.until(lambda: is_color(view.cell_pixel(0, 6, 6, (12, 12)), expected), "the pixels of the newest frame")
    notebook.run_cell(3)
    assert "next" in notebook.wait_cell(3)
    # Still in touch: a click comes through, and is answered.
    view.tile(6).click()
    view.until("inspector.selection.unit", 6)


def test_curves_written_while_they_appear_leave_the_console_clean(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([NET, APPEARANCES])
    notebook.finish()
    lines = notebook.page.locator(".nnw-curve .bqplot .curve .line")
    points = "all => all.map((line) => (line.getAttribute('d') ?? '').split(',').length - 1)"
    # The unit and the mean of every figure; the console is looked at when the test has ended.
    notebook.until(lambda: lines.evaluate_all(points).count(23) == 8 * 3 * 2, "the last lines in every figure")


def test_a_page_reloaded_in_a_training_shows_the_kept_picture_and_then_the_live_view(
    open_notebook: OpenNotebook, server: LabServer
) -> None:
    notebook = open_notebook([NET, VIEW, TRAIN.format(stop="reload.stop")])
    notebook.run_all()
    notebook.until(lambda: "training" in notebook.output(2), "the training")
    view = GridView(notebook, notebook.view(".nnw-view").first)
    view.root.scroll_into_view_if_needed()
    notebook.until(lambda: shown_step(view) > 0, "a picture of a step")

    def kept() -> bool:
        notebook.save()
        return not any(is_blank(pixels) for pixels in kept_pictures(notebook, 1))

    notebook.until(kept, "a picture in the saved notebook")
    notebook.page.goto("about:blank")  # the tab is closed, and nobody acknowledges a frame
    notebook.open(busy=True)
    # JupyterLab asks for the widgets of a kernel in its main shell, which answers after the cell.
    image = image_of(notebook, 1)
    image.scroll_into_view_if_needed()
    assert not is_blank(notebook.screen_pixels(image)[..., :3])
    (server.root / "reload.stop").touch()
    view.root.wait_for()
    steps = notebook.python("watch.step_count")
    notebook.until(lambda: shown_step(view) == steps, "the final weights")
    view.tile(6).click()
    view.until("inspector.selection.unit", 6)


def test_a_view_shown_twice_is_alive_in_both_places_until_it_is_closed(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([NET, VIEW, "view", "view.close()"])
    notebook.finish(0, 1, 2)
    views = [GridView(notebook, root) for root in notebook.view(".nnw-view").all()]
    assert len(views) == 2
    for unit, view in ((6, views[0]), (3, views[1])):
        view.root.scroll_into_view_if_needed()
        view.until_caption("maps of")
        view.tile(unit).click()
        view.until("inspector.selection.unit", unit)
        for each in views:
            notebook.until(lambda each=each, unit=unit: each.selected() == unit, "both to follow")  # type: ignore[misc]
    notebook.finish(3)
    expect(notebook.view(".nnw-grid-board")).to_have_count(0)
    assert notebook.python("1 + 1") == 2


def test_a_handler_that_raises_is_said_in_the_view_and_the_next_one_works(open_notebook: OpenNotebook) -> None:
    fail = "working = view.select\ndef fail(**changes): raise RuntimeError('made for this test')\nview.select = fail"
    notebook = open_notebook([NET, VIEW, fail, "view.select = working"])
    notebook.finish(0, 1, 2)
    view = GridView(notebook, notebook.view(".nnw-view").first)
    view.until_caption("maps of")
    view.tile(4).click()
    expect(view.state).to_contain_text("RuntimeError: made for this test")
    notebook.finish(3)
    view.tile(5).click()
    view.until("inspector.selection.unit", 5)
    expect(view.state).to_be_hidden()

    # A new kernel knows nothing of the old views; run again, the cells show new ones.
    notebook.allowed_errors.append("^error: Comm not found for comm id")  # of the dying kernel's last words
    notebook.restart_kernel()
    notebook.finish(0, 1)
    fresh = GridView(notebook, notebook.view(".nnw-view").last)
    fresh.until_caption("maps of")
    fresh.tile(2).click()
    fresh.until("inspector.selection.unit", 2)
