"""Every notebook runs from top to bottom in a real kernel."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CELL_S = 600
START_S = 120


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The executed notebook; raises `CellExecutionError` with the traceback of the first cell that failed."""
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=CELL_S, startup_timeout=START_S, resources={"metadata": {"path": folder}})
    # A thread of its own: Playwright, when its tests run in the same session, keeps an event loop in this one.
    with ThreadPoolExecutor(1) as executor:
        executed: nbformat.NotebookNode = executor.submit(asyncio.run, client.async_execute()).result()
    return executed


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(NOTEBOOKS.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("NNWIDGETS_DEMO_SECONDS", "5")  # training loops long enough to watch, not longer
    executed = execute(path, tmp_path)
    code_cells = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    assert code_cells, f"{path.name}: expected code"
    assert all(cell.execution_count is not None for cell in code_cells)
