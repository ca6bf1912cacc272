"""The notebooks that come with nnwidgets, with trainings as long as a test or a picture needs."""

from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# What each says of how long it trains, and for how many seconds.
TRAINING = {
    "01_quickstart": ("training(seconds={})", 75),
    "02_views": ("until = time.time() + {}", 30),
    "09_your_own_view": ("until = time.time() + {}", 60),
}


def notebook(name: str, *, training_s: int | None = None) -> nbformat.NotebookNode:
    """A notebook as it is in the repository; `training_s` is another length of its training."""
    found: nbformat.NotebookNode = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    if training_s is None:
        return found
    words, seconds = TRAINING[name]
    written, wanted = words.format(seconds), words.format(training_s)
    (cell,) = [cell for cell in found.cells if cell.cell_type == "code" and written in cell.source]
    cell.source = cell.source.replace(written, wanted)
    return found
