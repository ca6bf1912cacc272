"""One JupyterLab and one Chromium for all browser tests, and a fresh page and kernel for each notebook."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, expect

from tests.browser.chromium import launch_chromium
from tests.browser.lab import VIEW_S, App, Notebook
from tests.browser.server import LabServer, serve

OpenNotebook = Callable[..., Notebook]

expect.set_options(timeout=1000 * VIEW_S)  # as long as every other wait

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for node in item.listchain():
            node.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with serve(tmp_path_factory.mktemp("jupyter")) as lab_server:
        yield lab_server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launch_chromium() as chromium:
        yield chromium


@pytest.fixture
def open_notebook(request: pytest.FixtureRequest, server: LabServer, browser: Browser) -> Iterator[OpenNotebook]:
    """`open_notebook(cells, kernel="python3", app="lab")` opens a notebook, or one made of these cell sources.

    After the test every page must have a console without errors; a failure leaves its evidence in a folder that the
    report names.
    """
    with _opening(request.node, server, browser) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def share_notebook(request: pytest.FixtureRequest, server: LabServer, browser: Browser) -> Iterator[OpenNotebook]:
    """`open_notebook` for all tests of a module, which leave the notebook to each other."""
    with _opening(request.node, server, browser) as open_one:
        yield open_one


@pytest.fixture(scope="session")
def kernel_with(server: LabServer) -> Callable[[str], str]:
    """`kernel_with("6.31.0")`: the name of a kernel on that version of ipykernel."""
    return server.add_kernel


@contextmanager
def _opening(node: pytest.Item | pytest.Collector, server: LabServer, browser: Browser) -> Iterator[OpenNotebook]:
    """Open notebooks for a test or a module of tests; at the end look at their consoles, and close them."""
    opened: list[Notebook] = []

    def open_one(
        cells: Sequence[str] | nbformat.NotebookNode, *, kernel: str = "python3", app: App = "lab"
    ) -> Notebook:
        name = re.sub(r"\W+", "_", node.name)[:80]
        path = f"{name}_{len(opened)}.ipynb"
        content = cells if isinstance(cells, nbformat.NotebookNode) else _notebook_of(cells, kernel)
        nbformat.write(content, server.root / path)
        notebook = Notebook(browser, server, path)
        opened.append(notebook)
        notebook.open(app=app)
        return notebook

    yield open_one

    errors = [error for notebook in opened for error in notebook.unexpected_errors()]
    failed = node.stash.get(_FAILED, False)
    if errors or failed:
        _keep_evidence(node, opened, server)
    for notebook in opened:
        notebook.close()
    server.end_sessions()
    server.reset_settings()
    assert not errors, "the browser's console shows errors:\n" + "\n".join(errors)


def _notebook_of(cells: Sequence[str], kernel: str) -> nbformat.NotebookNode:
    made: nbformat.NotebookNode = new_notebook(
        cells=[new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
    )
    return made


def _keep_evidence(node: pytest.Item | pytest.Collector, opened: Sequence[Notebook], server: LabServer) -> None:
    base = Path(os.environ.get("NNWIDGETS_ARTIFACTS", Path(tempfile.gettempdir()) / "nnwidgets-browser"))
    folder = base / re.sub(r"\W+", "_", node.name)[:80]
    for notebook in opened:
        notebook.keep_evidence(folder)
    shutil.copy(server.log, folder / "server.log")
    if isinstance(node, pytest.Item):
        node.add_report_section("teardown", "evidence", str(folder))
