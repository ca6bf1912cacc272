"""The Embedding view: points where the data say, in the colours of their classes; hover, click, lasso, moves."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, EmbeddingView, at, ringed
from tests.browser.views import CLASS_NAMES, NET, View, is_color

# Half of the labels that are off are mended: more wrong predictions were too many to ring.
VIEW = """
labels[5::10] = (labels[5::10] + 3) % 4
inspector = nnw.Inspector(model, (pictures, labels), class_names=["zero", "<b>one</b>", "two", "three"])
inspector.selection.update(sample=3)
view = inspector.embedding(layer="fc", method="pca", points=32)
view
"""
OTHER = """
other = inspector.activations(layer="features.conv1")
other
"""


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW, OTHER])
    notebook.finish()
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture(autouse=True)
def at_start(view: EmbeddingView) -> None:
    """The flat map of the last layer with nothing selected."""
    view.notebook.python(
        "[inspector.selection.update(sample=3, selected=()), view.set_trait('method', 'pca'),"
        " view.set_trait('dims', 2)] and 0"
    )
    view.until_caption("PCA, shows")
    view.notebook.until(
        lambda: (
            view.marks.get_attribute("data-selected") == "0"
            and view.notebook.python("view.result.embedding.positions.shape[1]") == 2
        ),
        "the start",
    )


def test_points_stand_where_the_data_say_in_the_colours_of_their_classes(view: EmbeddingView) -> None:
    points = view.until_in_place()
    assert len(points.alone()) > 8
    assert set(points.labels[points.alone()]) == {0, 1, 2, 3}
    names = view.legend.locator(".nnw-points-legend-name").all_text_contents()
    assert tuple(names) == CLASS_NAMES, "markup in a class name is text"


def test_wrong_predictions_are_ringed_and_counted(view: EmbeddingView) -> None:
    points = view.until_in_place()
    alone = points.alone()
    wrong, right = alone[points.wrong[alone]], alone[~points.wrong[alone]]
    pixels = view.shown()
    assert len(wrong) > 0
    assert np.mean([ringed(pixels, points.xy[row]) for row in wrong]) > 0.7
    assert np.mean([ringed(pixels, points.xy[row]) for row in right]) < 0.1
    expect(view.legend).to_contain_text(f"wrong ({points.wrong.sum()})")
    expect(view.caption).to_contain_text(f"{points.wrong.sum()} wrong, ringed")


def test_hover_shows_picture_label_and_prediction(view: EmbeddingView) -> None:
    points = view.until_in_place()
    row = next(row for row in points.alone() if points.wrong[row])
    index = points.indices[row]
    view.move(*points.xy[row])
    expect(view.marks).to_have_attribute("data-hovered", str(index))
    expect(view.card).to_contain_text(f"Sample {index}")
    expect(view.card).to_contain_text(f"label {CLASS_NAMES[points.labels[row]]}")
    confidence = view.notebook.python(f"view.result.confidence[{row}].item()")
    expect(view.card).to_contain_text(f"predicted {CLASS_NAMES[points.predicted[row]]} ({confidence:.2f})")
    shown = view.picture(view.card.locator("canvas"))
    picture = np.array(view.notebook.python(f"inspector._session.samples.picture({index}).tolist()"))
    assert (shown[..., 0] == picture).all()
    view.notebook.page.mouse.move(0, 0)
    expect(view.card).to_be_hidden()


def test_a_click_selects_the_sample_in_every_other_view(view: EmbeddingView) -> None:
    points = view.until_in_place()
    other = View(view.notebook, view.notebook.view(".nnw-view").nth(1))
    for row in points.alone()[:2]:
        view.move(*points.xy[row])
        view.notebook.page.mouse.down()
        view.notebook.page.mouse.up()
        view.until("inspector.selection.sample", int(points.indices[row]))
        # What nobody sees is not computed: the other view follows when it comes into sight.
        other.root.scroll_into_view_if_needed()
        other.until_caption(f"Sample {points.indices[row]}, label {CLASS_NAMES[points.labels[row]]}")
        view.cloud.scroll_into_view_if_needed()


def test_the_lasso_selects_exactly_the_points_inside(view: EmbeddingView) -> None:
    points = view.until_in_place()
    centre = points.xy[points.labels == 0].mean(axis=0)
    # A circle in the gap between two distances, so that no point lies on the line.
    distances = np.sort(np.linalg.norm(points.xy - centre, axis=1))
    few = distances[4:16]
    radius = float(few[:-1][np.argmax(np.diff(few))] + np.diff(few).max() / 2)
    angles = np.linspace(0, 2 * np.pi, 21)
    view.drag(*[centre + radius * np.array([np.cos(angle), np.sin(angle)]) for angle in angles])
    inside = points.indices[np.linalg.norm(points.xy - centre, axis=1) < radius]
    view.until("sorted(inspector.selection.selected)", sorted(int(index) for index in inside))
    expect(view.strip.tab).to_have_text(f"{len(inside)} selected")
    expect(view.strip.cells.first).to_be_visible()
    view.marks.press("Escape")
    view.until("list(inspector.selection.selected)", [])


def test_the_box_selects_exactly_the_points_inside(view: EmbeddingView) -> None:
    points = view.until_in_place()
    view.marks.press("b")
    edges = np.sort(points.xy[:, 0])
    gaps = np.diff(edges)
    middle = len(edges) // 4 + int(np.argmax(gaps[len(edges) // 4 : 3 * len(edges) // 4]))
    split = (edges[middle] + edges[middle + 1]) / 2
    bottom = view.cloud.evaluate("(cloud) => cloud.clientHeight") - 2
    view.drag((2, 2), (split, bottom))
    inside = points.indices[points.xy[:, 0] < split]
    view.until("sorted(inspector.selection.selected)", sorted(int(index) for index in inside))
    view.marks.press("l")


def test_the_legend_hides_a_class(view: EmbeddingView) -> None:
    points = view.until_in_place()
    row = view.legend.locator(".nnw-points-legend-row").nth(2)
    row.click()
    expect(row).to_have_attribute("aria-checked", "false")
    hidden = [row for row in points.alone() if points.labels[row] == 2]

    def gone() -> bool:
        pixels = view.shown()
        return not any(is_color(at(pixels, points.xy[row]), COLORS[2]) for row in hidden)

    view.notebook.until(gone, "the class to be hidden")
    row.click()
    view.until_in_place()


def test_a_move_ends_where_the_new_data_say(view: EmbeddingView) -> None:
    before = view.until_in_place()
    view.set_option("Method", "t-SNE")
    view.until_caption("t-SNE, perplexity")
    view.until("view.result.embedding.method", "tsne")
    after = view.until_in_place()
    assert np.abs(after.xy - before.xy).max() > 20
    row = after.alone()[0]
    view.move(*after.xy[row])
    expect(view.marks).to_have_attribute("data-hovered", str(after.indices[row]))


def test_three_dimensions_turn_under_a_drag(view: EmbeddingView) -> None:
    view.until_in_place()
    view.root.get_by_role("button", name="3-D", exact=True).click()
    view.until("view.result.embedding.positions.shape[1]", 3)
    view.marks.press("p")
    before = view.shown()
    middle = np.array(before.shape[1::-1]) / 2
    view.drag(middle, middle + np.array([90, 20]))
    after = view.shown()
    assert (before != after).any(axis=-1).sum() > 100
    view.marks.press("l")
