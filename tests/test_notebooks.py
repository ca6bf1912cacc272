"""Every notebook runs from top to bottom in a real kernel."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks import NOTEBOOKS, notebook

CELL_S = 600
START_S = 120
TRAINING_S = 5  # long enough to watch


def execute(content: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The executed notebook; raises `CellExecutionError` with the traceback of the first cell that failed."""
    client = NotebookClient(content, timeout=CELL_S, startup_timeout=START_S, resources={"metadata": {"path": folder}})
    # A thread of its own: Playwright, when its tests run in the same session, keeps an event loop in this one.
    with ThreadPoolExecutor(1) as executor:
        executed: nbformat.NotebookNode = executor.submit(asyncio.run, client.async_execute()).result()
    return executed


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
def test_a_notebook_runs_from_top_to_bottom(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(NOTEBOOKS.parent), os.environ.get("PYTHONPATH", "")]))
    executed = execute(notebook(name, training_s=TRAINING_S), tmp_path)
    code_cells = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    assert code_cells, f"{name}: expected code"
    assert all(cell.execution_count is not None for cell in code_cells)
