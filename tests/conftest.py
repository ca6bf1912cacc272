"""What every test shares: a seeded generator, the real data, and the rules for skipping.

A test that needs a CUDA device or the real data skips with the reason where they are missing. Under CI (`CI` is set)
the data have to be there: a missing folder fails the test, so that nothing passes by not running.
"""

import os
from pathlib import Path

import pytest
import torch

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_configure() -> None:
    # Two cores, shared with a browser: more threads only fight each other and make times jump.
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(BROWSER_TESTS):
            item.add_marker(pytest.mark.browser)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    if item.get_closest_marker("data"):
        _require_data()


def _require_data() -> Path:
    folder = os.environ.get("NNWIDGETS_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    reason = f"NNWIDGETS_DATA: expected the folder with the real data sets, got {folder or 'nothing'}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def generator() -> torch.Generator:
    """A CPU generator that starts every test from the same state."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the real data sets; skips where it is not set, fails under CI."""
    return _require_data()
