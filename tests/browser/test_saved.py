"""What a saved notebook shows to a reader without a kernel, in JupyterLab and in Notebook 7."""

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Notebook
from tests.browser.views import NET, GridView

PRIVATE = "private = inspector.activations(layer='features.conv1', save_picture=False)\nprivate"
PICTURED = (
    "view = inspector.activations(layer='features.conv1')\nview",
    "row = nnw.row(inspector.filters(layer='features.conv1'), inspector.embedding(layer='fc', method='pca'))\nrow",
    "dashboard = inspector.dashboard()\ndashboard",
)
# Words of a matplotlib figure, subfigures included.
WORDS = "' '.join(text.get_text() for text in view.figure().findobj(__import__('matplotlib').text.Text))"


def kept_pictures(notebook: Notebook, cell: int) -> list[npt.NDArray[np.uint8]]:
    """The PNGs in the outputs of a cell of the saved file, as pixels."""
    bundles = [output.get("data", {}) for output in notebook.saved().cells[cell].outputs]
    files = [base64.b64decode(data["image/png"]) for data in bundles if "image/png" in data]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), dtype=np.uint8) for file in files]


def is_blank(pixels: npt.NDArray[np.uint8]) -> bool:
    return min(pixels.shape[:2]) < 100 or float(pixels.std()) < 5


def until_kept(notebook: Notebook) -> None:
    """Save until every picture that is to be kept is in the file."""

    def kept() -> bool:
        notebook.save()
        pictures = [kept_pictures(notebook, cell) for cell in range(2, 2 + len(PICTURED))]
        return all(len(found) == 1 and not is_blank(found[0]) for found in pictures)

    notebook.until(kept, "the pictures in the saved notebook", timeout_s=120)


def image_of(notebook: Notebook, cell: int) -> Locator:
    return notebook.view(".jp-Cell").nth(cell).locator(".jp-OutputArea-output img")


def expect_pictures(notebook: Notebook) -> None:
    """Every picture is on the screen, with something in it."""
    for cell in range(2, 2 + len(PICTURED)):
        image = image_of(notebook, cell)
        image.scroll_into_view_if_needed()
        expect(image).to_be_visible()
        assert not is_blank(notebook.screen_pixels(image)[..., :3])
    expect(image_of(notebook, 1)).to_have_count(0)


def test_a_saved_notebook_shows_its_pictures_without_a_kernel(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([NET, PRIVATE, *PICTURED])
    notebook.finish()
    # A view that nobody has seen yet has nothing to keep.
    for view in notebook.view(".nnw-view").filter(visible=True).all():
        view.scroll_into_view_if_needed()
    until_kept(notebook)
    for cell in range(2, 2 + len(PICTURED)):
        expect(image_of(notebook, cell)).to_be_hidden()
    assert kept_pictures(notebook, 1) == [], "a private view leaves no picture"
    words = notebook.python(WORDS)
    caption = notebook.python("view.caption_text(view.result)")
    assert "features.conv1" in words
    assert all(part in words.replace("\n", " ") for part in caption.split(" · ")), "the caption is in the picture"

    notebook.reopen(kernel=False)
    expect_pictures(notebook)
    notebook.open(app="notebook", kernel=False)
    expect_pictures(notebook)


def test_notebook_7_runs_the_same_views(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook([NET, PICTURED[0]], app="notebook")
    notebook.finish()
    view = GridView(notebook, notebook.view(".nnw-view").first)
    view.until_caption("Sample")
    before = view.picture(view.detail)
    view.tile(6).click()
    view.until("inspector.selection.unit", 6)
    view.until_changed(view.detail, before)
    expect(image_of(notebook, 1)).to_be_hidden()
