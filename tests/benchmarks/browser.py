"""A notebook in a real JupyterLab and Chromium, for benchmarks that end on the screen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser.chromium import launch_chromium
from tests.browser.lab import Notebook
from tests.browser.server import serve

PAGE = (1280, 1600)  # high enough that a view and the cell under it are both in sight


@contextmanager
def open_notebook(cells: Sequence[str]) -> Iterator[Notebook]:
    """A page with these cells and an idle kernel; page, kernel and server are gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, launch_chromium() as browser:
        path = "benchmark.ipynb"
        spec = {"name": "python3", "display_name": "python3", "language": "python"}
        content = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": spec})
        nbformat.write(content, server.root / path)
        notebook = Notebook(browser, server, path)
        notebook.open()
        notebook.resize(*PAGE)
        try:
            yield notebook
        finally:
            notebook.close()
            server.end_sessions()
