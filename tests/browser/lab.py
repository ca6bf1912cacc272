"""Notebooks in a real JupyterLab page, driven by its commands and never by clicks on its buttons.

Cells are counted from 0. Every wait ends with an error that says what it waited for; nothing sleeps for a fixed time.
"""

import ast
import base64
import io
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator

from tests.browser.server import LabServer

Pixels = npt.NDArray[np.uint8]
App = Literal["lab", "doc", "notebook"]

OPEN_S = 120.0
CELL_S = 180.0
VIEW_S = 60.0
POLL_MS = 50

# What Notebook 7.6 reports about itself, with an empty notebook too.
NOTEBOOK_7_ERRORS = (
    r"^uncaught: .*\(reading 'schema'\)",
    r"^uncaught: (Error: )?Command 'filebrowser:open-path' not registered",
)

# Playwright hands on what an error says; where it came from is what one wants to know.
_ERRORS_WITH_STACKS = """
    const plain = console.error;
    console.error = (...parts) => plain(...parts.map((part) => (part instanceof Error ? String(part.stack) : part)));
"""

# In the page: `panel` is the notebook in front, `cell(i)` its i-th cell.
_PAGE = """
    const app = window.jupyterapp;
    const panel = app?.shell?.currentWidget;
    const cell = (index) => panel.content.widgets[index];
"""


class Notebook:
    """One notebook in one page of its own."""

    def __init__(self, browser: Browser, server: LabServer, path: str) -> None:
        self.path = path
        self.console: list[str] = []
        self.errors: list[str] = []
        self.allowed_errors: list[str] = []
        self._server = server
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.set_default_timeout(VIEW_S * 1000)
        self.page.add_init_script(_ERRORS_WITH_STACKS)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error.stack or error}"))

    # Opening and saving

    def open(self, *, app: App = "lab", kernel: bool = True, busy: bool = False) -> None:
        """Load the page and wait for the notebook, and with `kernel` for an idle kernel if it is not `busy`.

        `app`: JupyterLab, JupyterLab showing nothing but the notebook ("doc"), or Notebook 7.
        """
        place = f"notebooks/{self.path}?" if app == "notebook" else f"{app}/tree/{self.path}?reset&"
        if app == "notebook":
            self.allowed_errors.extend(NOTEBOOK_7_ERRORS)
        self.page.goto(f"{self._server.url}{place}token={self._server.token}")
        self._wait("panel?.content?.widgets?.length > 0 && panel.context.isReady", "the notebook to open", OPEN_S)
        if not kernel:
            self.page.locator(".jp-Dialog button", has_text="No Kernel").click()
            self.page.locator(".jp-Dialog").wait_for(state="detached")
        if app == "lab":
            self._run_in_page("app.shell.collapseLeft()")
        if kernel and not busy:
            self.wait_idle()

    def save(self) -> None:
        """Save what the notebook shows now; outputs may come while that is written."""
        self._run_in_page("await app.commands.execute('docmanager:save')")

    def reopen(self, *, kernel: bool = True) -> None:
        """Save, end the kernel, and load the page again; without `kernel` as a reader who has none sees it."""
        if not kernel:  # a notebook that names a kernel or a language starts it, one that names none asks first
            for key in ("kernelspec", "language_info"):
                self._run_in_page(f"panel.context.model.deleteMetadata('{key}')")
        self.save()
        self.page.goto("about:blank")
        self._server.end_sessions()
        self.open(kernel=kernel)

    def saved(self) -> nbformat.NotebookNode:
        """The notebook file as it lies on the disk."""
        content: nbformat.NotebookNode = nbformat.read(self._server.root / self.path, as_version=4)
        return content

    def close(self) -> None:
        self.page.close()

    # Running

    def run_cell(self, index: int) -> None:
        """Start a cell and return at once."""
        self._start([index], f"panel.content.activeCellIndex = {index}; command = 'notebook:run-cell'")

    def run_all(self) -> None:
        """Start "Run All" and return at once."""
        count = int(self._run_in_page("return panel.content.widgets.length"))
        self._start(list(range(count)), "command = 'notebook:run-all-cells'")

    def finish(self, *cells: int) -> None:
        """Run these cells, each after the end of the one before; all cells by default."""
        for index in cells or range(int(self._run_in_page("return panel.content.widgets.length"))):
            self.run_cell(index)
            self.wait_cell(index)

    def wait_cell(self, index: int, *, timeout_s: float = CELL_S, may_fail: bool = False) -> str:
        """Wait for the end of a cell that was started; returns its output, raises what it raised."""
        ended = f"(cell({index}).model.executionCount !== null && cell({index}).model.executionState === 'idle')"
        self._wait(f"{ended} || window.nnwTestRunning === 0", f"cell {index} to end", timeout_s)
        output = self.output(index)
        failed = self._run_in_page(f"return {_OUTPUTS % index}.some((output) => output.output_type === 'error')")
        if not may_fail:
            assert not failed, f"cell {index} raised:\n{output}"
            assert self._run_in_page(f"return {ended}"), f"cell {index}: expected it to run, but a cell before failed"
        return output

    def cell_busy(self, index: int) -> bool:
        """Whether the cell is started and not ended: the prompt shows `[*]`."""
        return bool(self._run_in_page(f"return cell({index}).model.executionState === 'running'"))

    def output(self, index: int) -> str:
        """The text of a cell's outputs so far: streams, plain texts and tracebacks."""
        parts = self._run_in_page(f"""return {_OUTPUTS % index}.map((output) => [
            output.text, output.data?.['text/plain'], output.traceback].flat().filter(Boolean).join('\\n'))""")
        return re.sub(r"\x1b\[[0-9;]*m", "", "".join(parts))

    def wait_idle(self, *, timeout_s: float = OPEN_S) -> None:
        connected = "panel.sessionContext.isReady && panel.sessionContext.session?.kernel?.status === 'idle'"
        self._wait(f"panel && {connected}", "the kernel to be idle", timeout_s)

    def python(self, expression: str) -> Any:
        """What an expression is worth in the kernel between cells; it must be JSON."""
        asked = json.dumps(f"__import__('json').dumps({expression})")
        answer = self._run_in_page(f"""
            const content = {{ code: "", silent: true, store_history: false, user_expressions: {{ value: {asked} }} }};
            const reply = await panel.sessionContext.session.kernel.requestExecute(content).done;
            return reply.content.user_expressions.value""")
        assert answer["status"] == "ok", f"{expression}: {answer['ename']}: {answer['evalue']}"
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def interrupt(self) -> None:
        self._run_in_page("await panel.sessionContext.session.kernel.interrupt()")

    def restart_kernel(self) -> None:
        self._run_in_page("await panel.sessionContext.session.kernel.restart()")
        self.wait_idle()

    # Looking

    def view(self, css: str) -> Locator:
        """What the selector finds in this notebook."""
        return self.page.locator(f".jp-NotebookPanel {css}")

    def canvas_pixels(self, canvas: Locator) -> Pixels:
        """The (height, width, 4) RGBA pixels of a 2-D canvas, in its own resolution."""
        height, width, encoded = canvas.evaluate(_READ_CANVAS)
        return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)

    def screen_pixels(self, part: Locator | None = None, *, style: str = "") -> Pixels:
        """The (height, width, 4) RGBA pixels as the screen shows them, WebGL and texts too; of the page by default.

        `style` is a style sheet for this picture.
        """
        picture = Image.open(io.BytesIO((part or self.page).screenshot(animations="disabled", style=style)))
        return np.asarray(picture.convert("RGBA"), dtype=np.uint8)

    def wait_pixels(self, canvas: Locator, accept: Callable[[Pixels], bool], *, timeout_s: float = VIEW_S) -> Pixels:
        """The first pixels of a 2-D canvas that `accept` takes."""
        taken: list[Pixels] = []

        def look() -> bool:
            taken[:] = [self.canvas_pixels(canvas)]
            return accept(taken[0])

        self.until(look, "the expected pixels", timeout_s=timeout_s)
        return taken[0]

    def until(self, condition: Callable[[], bool], what: str, *, timeout_s: float = VIEW_S) -> None:
        """Ask again until the condition holds; the page goes on in between."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if condition():
                return
            self.page.wait_for_timeout(POLL_MS)
        raise AssertionError(f"{what}: not seen within {timeout_s:.0f} s")

    def theme(self, name: Literal["light", "dark"]) -> None:
        title = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[name]
        self._run_in_page(f"await app.commands.execute('apputils:change-theme', {{ theme: '{title}' }})")
        light = "true" if name == "light" else "false"
        # JupyterLab removes its splash a while later, and trips over a second change that comes before.
        settled = f"document.body.dataset.jpThemeLight === '{light}' && !document.getElementById('jupyterlab-splash')"
        self._wait(settled, f"the {name} theme", VIEW_S)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the page in CSS pixels."""
        self.page.set_viewport_size({"width": width, "height": height})

    def screenshot(self, path: Path, *, part: Locator | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        (part or self.page).screenshot(path=path)

    # When something went wrong

    def unexpected_errors(self) -> list[str]:
        """Errors of the browser's console that no pattern of `allowed_errors` takes."""
        return [error for error in self.errors if not any(re.search(known, error) for known in self.allowed_errors)]

    def keep_evidence(self, folder: Path) -> None:
        """Write the screenshot, the console and the notebook as the page holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        name = Path(self.path).stem
        (folder / f"{name}.console.txt").write_text("\n".join([*self.console, *self.errors]))
        try:
            self.screenshot(folder / f"{name}.png")
            content = self._run_in_page("return JSON.stringify(panel.context.model.toJSON(), null, 1)")
            (folder / f"{name}.ipynb").write_text(content)
        except Error as error:  # a crashed page has no picture, and the test's own failure matters more
            (folder / f"{name}.no-evidence.txt").write_text(str(error))

    def _on_console(self, message: ConsoleMessage) -> None:
        text = f"{message.type}: {message.text} ({message.location.get('url', '')})"
        self.console.append(text)
        if message.type == "error":
            self.errors.append(text)

    def _start(self, cells: Sequence[int], choose_command: str) -> None:
        # The reply sets a new count: until then the cell has not ended, whatever its state says.
        self._run_in_page(f"""
            let command;
            for (const index of {list(cells)})
                if (cell(index).model.type === 'code') cell(index).model.executionCount = null;
            {choose_command};
            window.nnwTestRunning = (window.nnwTestRunning ?? 0) + 1;
            app.commands.execute(command).finally(() => {{ window.nnwTestRunning -= 1; }});
        """)

    def _run_in_page(self, body: str) -> Any:
        late = f"new Promise((_, late) => setTimeout(() => late(new Error('no answer of the page')), {CELL_S * 1000}))"
        return self.page.evaluate(f"() => Promise.race([(async () => {{ {_PAGE} {body} }})(), {late}])")

    def _wait(self, condition: str, what: str, timeout_s: float) -> None:
        try:
            self.page.wait_for_function(
                f"() => {{ {_PAGE} return Boolean({condition}); }}", polling=POLL_MS, timeout=timeout_s * 1000
            )
        except Error as error:
            raise AssertionError(f"{what}: not seen within {timeout_s:.0f} s") from error


_OUTPUTS = "(cell(%d).model.outputs?.toJSON() ?? [])"

_READ_CANVAS = """(canvas) => {
    const context = canvas.getContext('2d');
    if (!context) throw new Error('not a 2-D canvas');
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let start = 0; start < data.length; start += 32768)
        text += String.fromCharCode(...data.subarray(start, start + 32768));
    return [height, width, btoa(text)];
}"""
