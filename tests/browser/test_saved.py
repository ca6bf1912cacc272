"""What a saved notebook shows to a reader without a kernel, in JupyterLab and in Notebook 7."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Notebook
from tests.browser.views import NET, GridView, image_of, is_blank, kept_pictures

PRIVATE = "private = inspector.activations(layer='features.conv1', save_picture=False)\nprivate"
PICTURED = (
    "view = inspector.activations(layer='features.conv1')\nview",
    "row = nnw.row(inspector.filters(layer='features.conv1'), inspector.embedding(layer='fc', method='pca'))\nrow",
    "dashboard = inspector.dashboard()\ndashboard",
)
# Words of a matplotlib figure, subfigures included.
WORDS = "' '.join(text.get_text() for text in view.figure().findobj(__import__('matplotlib').text.Text))"


def until_kept(notebook: Notebook) -> None:
    """Save until every picture that is to be kept is in the file."""

    def kept() -> bool:
        notebook.save()
        pictures = [kept_pictures(notebook, cell) for cell in range(2, 2 + len(PICTURED))]
        return all(len(found) == 1 and not is_blank(found[0]) for found in pictures)

    notebook.until(kept, "the pictures in the saved notebook", timeout_s=120)


# The words on the screen before a picture, in place of JupyterLab's own.
SAID = """(image) => {
    const before = image.closest('.jp-OutputArea-child').previousElementSibling.querySelector('.jp-OutputArea-output');
    const { content, fontSize } = getComputedStyle(before, '::after');
    return [before.textContent, getComputedStyle(before).fontSize, content, fontSize];
}"""


def expect_pictures(notebook: Notebook) -> None:
    """Every picture is on the screen, with something in it, and says what it is."""
    for cell in range(2, 2 + len(PICTURED)):
        image = image_of(notebook, cell)
        image.scroll_into_view_if_needed()
        expect(image).to_be_visible()
        assert not is_blank(notebook.screen_pixels(image)[..., :3])
        theirs, size, ours, our_size = image.evaluate(SAID)
        assert "widget" in theirs
        assert size == "0px"
        assert "run this cell" in ours
        assert float(our_size.removesuffix("px")) > 10
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
    caption = notebook.python("view.job.laid.words")
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
    view.tile(2).click()
    view.until("inspector.selection.unit", 2)
    view.until_changed(view.detail, before)
    expect(image_of(notebook, 1)).to_be_hidden()
