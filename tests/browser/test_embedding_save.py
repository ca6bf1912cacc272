"""Files saved from the Embedding view hold what is shown: a picture, a drawing, a table."""

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from playwright.sync_api import expect

from nnwidgets.blocks.colors import DARK
from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, EmbeddingView, at
from tests.browser.views import CLASS_NAMES, NET, is_color

# A sample that can't be read stays beside the map: no lines lead from it over the points.
VIEW = """
inspector._session.samples._left_out.add(inspector.selection.sample)
ages = 20 + torch.arange(96) / 3
view = inspector.embedding(layer="fc", method="pca", points=32, metadata={
    "writer": [("Ann", "=bob", "")[i % 3] for i in range(96)], "age, years": ages,
})
view
"""
# Colours of the points in what `figure()` draws, red, green and blue from 0 to 255.
DRAWN = "(255 * view.figure().axes[0].collections[0].get_facecolors()[:, :3]).tolist()"
SVG = "{http://www.w3.org/2000/svg}"
SEEN = 0.7  # of the points that lie alone: some are under the names of classes


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW])
    notebook.finish(0, 1)
    view = EmbeddingView(notebook, notebook.view(".nnw-view").first)
    view.until_caption("PCA, shows")
    view.until_in_place()
    return view


def saved(view: EmbeddingView, offer: str) -> tuple[str, bytes]:
    """Name and contents of the file that an offer of the menu leads to; chosen by keys alone."""
    view.root.get_by_text("Save", exact=True).press("Enter")
    with view.notebook.page.expect_download() as waiting:
        view.root.get_by_role("button", name=offer).press("Enter")
    expect(view.root.get_by_role("button", name=offer)).to_be_hidden()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_the_picture_shows_every_point_where_the_screen_does_and_a_caption(view: EmbeddingView) -> None:
    name, content = saved(view, "Image (PNG)")
    assert name == "embedding-fc.png"
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    size = view.cloud.evaluate("(cloud) => [cloud.clientHeight, cloud.clientWidth]")
    assert size[1] + 200 <= picture.shape[1] <= size[1] + 250, "the legend stands beside the map"
    assert size[0] + 16 <= picture.shape[0] <= size[0] + 80, "the caption has a line or some below the map"
    assert view.in_place(picture[: size[0], : size[1]], view.map()) > SEEN
    legend = picture[: size[0], size[1] + 10 :]
    for color in COLORS[:4]:
        assert (np.abs(legend - color).max(axis=2) < 3).sum() > 40, "a swatch for each class"
    caption = picture[size[0] :]
    assert (np.abs(caption.astype(int) - picture[2, 2]).max(axis=2) > 60).sum() > 100
    assert is_color(picture[2, 2], [255, 255, 255]), "a picture has its ground"


def test_the_drawing_has_a_circle_for_each_point_and_its_names_are_text(view: EmbeddingView) -> None:
    name, content = saved(view, "Vector (SVG)")
    assert name == "embedding-fc.svg"
    drawing = ElementTree.fromstring(content)
    points = view.map()
    circles = drawing.findall(f".//{SVG}g[@class='points']/{SVG}circle")
    drawn = np.array([[float(circle.get(axis, "nan")) for axis in ("cx", "cy")] for circle in circles])
    assert drawn == pytest.approx(points.xy, abs=0.05)
    for circle, label in zip(circles, points.labels, strict=True):
        assert np.array(to_rgb(circle.get("fill", ""))) * 255 == pytest.approx(COLORS[label], abs=1)
    assert not drawing.findall(f".//{SVG}g[@class='rings']"), "too many are wrong"
    key = [text.text or "" for text in drawing.findall(f".//{SVG}g[@class='legend']/{SVG}text")]
    assert key[:3] == ["Class", "n", "wrong"]
    rows = [
        [name, str((points.labels == k).sum()), str(points.wrong[points.labels == k].sum())]
        for k, name in enumerate(CLASS_NAMES)
    ]
    assert [key[at : at + 3] for at in range(3, 15, 3)] == rows
    assert key[15:] == [f"{points.wrong.sum()} of 32 wrong: too many to ring"]
    names = [text.text for text in drawing.findall(f".//{SVG}g[@class='names']/{SVG}text")]
    assert "<b>one</b>" in names
    assert set(names) <= set(CLASS_NAMES)
    title = drawing.findtext(f"{SVG}title") or ""
    assert title.startswith("Layer fc · sampled 32 of 96 samples")


@pytest.mark.parametrize("by", ["age, years", "loss", "writer"])
def test_the_drawing_has_the_colours_of_the_figure_and_their_legend(view: EmbeddingView, by: str) -> None:
    index = view.notebook.python("view.result.indices.tolist()")[5]
    view.notebook.python(f"inspector.selection.update(sample={index})")
    view.set_option("Colour by", by)
    view.until("view.color", by)
    expect(view.legend).to_contain_text(by)
    drawing = ElementTree.fromstring(saved(view, "Vector (SVG)")[1])
    circles = drawing.findall(f".//{SVG}g[@class='points']/{SVG}circle")
    fills = np.array([to_rgb(circle.get("fill", "")) for circle in circles]) * 255
    # Losses come to 11 bits, so that one may take the next colour of 257.
    assert fills == pytest.approx(np.array(view.notebook.python(DRAWN)), abs=3)
    key = [text.text or "" for text in drawing.findall(f".//{SVG}g[@class='legend']/{SVG}text")]
    assert f"sample {index}" in key
    if by == "writer":
        assert key[:7:3] == ["writer", "=bob", "Ann"]
    else:
        assert key[0] == {"loss": "loss, root scale"}.get(by, by)
        bar = drawing.findall(f".//{SVG}g[@class='legend']/{SVG}rect")
        assert bar[0].get("fill") == "#b6e1dd"
        assert bar[-1].get("fill") == "#1d1948"
    ring = drawing.find(f".//{SVG}g[@class='sample']/{SVG}circle")
    assert ring is not None
    assert (ring.get("cx"), ring.get("cy")) == (circles[5].get("cx"), circles[5].get("cy"))
    view.set_option("Colour by", "class")


def test_the_table_says_what_python_has_of_the_points_that_are_not_hidden(view: EmbeddingView) -> None:
    indices = view.notebook.python("view.result.indices.tolist()")
    view.notebook.python(f"inspector.selection.update(selected={tuple(indices[:3])})")
    view.notebook.until(lambda: view.marks.get_attribute("data-selected") == "3", "the selection")
    hidden = view.legend.locator(".nnw-points-legend-row").nth(2)
    hidden.click()
    expect(hidden).to_have_attribute("aria-checked", "false")
    name, content = saved(view, "Data (CSV)")
    hidden.click()
    view.notebook.python("inspector.selection.update(selected=())")
    assert name == "embedding-fc.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    fields = "indices", "labels", "predicted", "loss", "confidence"
    lists = [view.notebook.python(f"view.result.{field}.tolist()") for field in fields]
    positions = np.array(view.notebook.python("view.result.embedding.positions.tolist()"))
    shown = [row for row, label in enumerate(lists[1]) if label != 2]
    assert 0 < len(shown) < len(lists[0])
    assert [int(row["index"]) for row in rows] == [lists[0][row] for row in shown]
    places = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    assert places == pytest.approx(positions[shown], abs=np.abs(positions).max() / 60_000)
    for row, at_row in zip(rows, shown, strict=True):
        label, predicted = lists[1][at_row], lists[2][at_row]
        assert (row["label"], row["label_name"]) == (str(label), CLASS_NAMES[label])
        assert (row["predicted"], row["predicted_name"]) == (str(predicted), CLASS_NAMES[predicted])
        # half precision and four digits
        assert float(row["loss"]) == pytest.approx(lists[3][at_row], rel=1e-3)
        assert float(row["confidence"]) == pytest.approx(lists[4][at_row], rel=1e-3)
        assert row["selected"] == str(int(lists[0][at_row] in indices[:3]))
        assert row["wrong"] == str(int(label != predicted))
        assert row["writer"] == ("Ann", "'=bob", "")[int(row["index"]) % 3]
        assert float(row["age, years"]) == pytest.approx(20 + int(row["index"]) / 3, abs=1e-5)


def test_the_picture_shows_every_point_in_dark_too(view: EmbeddingView) -> None:
    view.notebook.theme("dark")
    _, content = saved(view, "Image (PNG)")
    view.notebook.theme("light")
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    points = view.map()
    rows = points.alone()
    colors = [np.array(to_rgb(DARK.classes[points.labels[row]])) * 255 for row in rows]
    assert picture[2, 2].max() < 40
    assert (
        np.mean([is_color(at(picture, points.xy[row]), color) for row, color in zip(rows, colors, strict=True)]) > SEEN
    )


def test_escape_closes_the_menu_and_leaves_the_selection(view: EmbeddingView) -> None:
    view.notebook.python("inspector.selection.update(selected=(1, 2))")
    button = view.root.get_by_text("Save", exact=True)
    button.press("Enter")
    offer = view.root.get_by_role("button", name="Image (PNG)")
    expect(offer).to_be_visible()
    offer.press("Escape")
    expect(offer).to_be_hidden()
    expect(button).to_be_focused()
    assert view.notebook.python("list(inspector.selection.selected)") == [1, 2]
    view.notebook.python("inspector.selection.update(selected=())")
