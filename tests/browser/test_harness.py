"""Proves the harness itself, with a widget of its own: pages, clicks during a busy cell, pixels, themes, saving."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.server import NEWEST

WIDGET = """
import anywidget, time

class Square(anywidget.AnyWidget):
    _esm = '''
    function render({ model, el }) {
        const canvas = document.createElement("canvas");
        canvas.className = "square";
        canvas.width = canvas.height = 20;
        const draw = (color) => {
            const context = canvas.getContext("2d");
            context.fillStyle = color;
            context.fillRect(0, 0, 20, 20);
        };
        draw("rgb(255, 0, 0)");
        canvas.addEventListener("click", () => model.send({ kind: "click" }));
        const receive = (message) => draw(message.color);
        model.on("msg:custom", receive);
        el.append(canvas);
        return () => model.off("msg:custom", receive);
    }
    export default { render };
    '''
    clicks = 0

    def open(self):
        super().open()
        # ipykernel 7.4 sends messages for a busy kernel to its blocked shell; trust the browser's choice instead.
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, default: default
        self.on_msg(self.clicked)

    def clicked(self, widget, content, buffers):
        self.clicks += 1
        self.send({"color": "rgb(0, 0, 255)"})

square = Square()
square
"""
BUSY = """
print("started", flush=True)
end = time.monotonic() + 60
while square.clicks == 0 and time.monotonic() < end:
    sum(range(1000))
print("clicks:", square.clicks)
"""
BLUE = (0, 0, 255, 255)


@pytest.mark.parametrize("ipykernel", ["installed", "7.3.0", pytest.param(NEWEST, marks=pytest.mark.soak)])
def test_a_click_is_handled_while_a_cell_is_busy(
    open_notebook: OpenNotebook, kernel_with: Callable[[str], str], ipykernel: str
) -> None:
    kernel = "python3" if ipykernel == "installed" else kernel_with(ipykernel)
    notebook = open_notebook([WIDGET, BUSY], kernel=kernel)
    notebook.run_all()
    notebook.until(lambda: "started" in notebook.output(1), "the busy cell")
    square = notebook.view("canvas.square")
    assert (notebook.canvas_pixels(square)[10, 10] == (255, 0, 0, 255)).all()
    assert notebook.cell_busy(1)

    def answered() -> bool:
        square.click()  # again: what is sent while JupyterLab sets a subshell up waits behind the cell
        return bool((notebook.canvas_pixels(square)[10, 10] == BLUE).all())

    notebook.until(answered, "an answer")
    assert "clicks: 0" not in notebook.wait_cell(1)
    assert not notebook.cell_busy(1)


def test_on_ipykernel_6_a_click_waits_for_the_end_of_the_cell(
    open_notebook: OpenNotebook, kernel_with: Callable[[str], str]
) -> None:
    versions = "import ipykernel; print(ipykernel.__version__)"
    sleep = "print('started', flush=True); time.sleep(3); print('clicks:', square.clicks)"
    notebook = open_notebook([versions, WIDGET, sleep], kernel=kernel_with("6.31.0"))
    notebook.run_all()
    notebook.until(lambda: "started" in notebook.output(2), "the busy cell")
    square = notebook.view("canvas.square")
    square.click()
    assert "clicks: 0" in notebook.wait_cell(2)
    notebook.wait_pixels(square, lambda pixels: bool((pixels[10, 10] == BLUE).all()))
    assert "6.31.0" in notebook.wait_cell(0)


def test_a_failing_cell_is_reported_with_its_traceback(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(["1 / 0", "print('never')"])
    notebook.run_all()
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        notebook.wait_cell(0)
    with pytest.raises(AssertionError, match="a cell before failed"):
        notebook.wait_cell(1)


def test_errors_of_the_console_are_collected(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(["pass"])
    notebook.page.evaluate("() => console.error('made for this test')")
    notebook.until(lambda: bool(notebook.unexpected_errors()), "the console error")
    assert "made for this test" in notebook.unexpected_errors()[0]
    notebook.allowed_errors.append("made for this test")
    assert notebook.unexpected_errors() == []


def test_themes_and_sizes_change_what_is_on_the_screen(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    notebook = open_notebook(["pass"])
    notebook.theme("dark")
    dark = notebook.screen_pixels()[..., :3].mean()
    notebook.theme("light")
    light = notebook.screen_pixels()[..., :3].mean()
    assert dark < 100 < light
    notebook.resize(760, 600)
    assert notebook.screen_pixels().shape[:2] == (600, 760)
    notebook.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 1000


def test_a_saved_notebook_reopens_without_a_kernel(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(["print('kept')"])
    notebook.finish(0)
    notebook.reopen(kernel=False)
    assert notebook.output(0).strip() == "kept"
    assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session") is None
    assert notebook.saved().cells[0].outputs[0].text.strip() == "kept"


def test_notebook_7_runs_the_same_cells(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([WIDGET], app="notebook")
    notebook.finish(0)
    square = notebook.view("canvas.square")
    square.click()
    pixels = notebook.wait_pixels(square, lambda pixels: bool((pixels[10, 10] == BLUE).all()))
    assert np.unique(pixels.reshape(-1, 4), axis=0).shape == (1, 4)
