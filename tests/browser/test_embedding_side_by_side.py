"""Two embeddings in a row: one selection for both, an older step in one, and the nearest samples of each's layer."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import KEEP, EmbeddingView
from tests.browser.views import NET

VIEW = """
left = inspector.embedding(layer="fc", method="pca", points=32)
right = inspector.embedding(layer="features.relu1", method="pca", points=32)
nnw.row(left, right)
"""
KEPT = f"""{KEEP}
for each in (left, right):
    each._missed_the_end = lambda: False  # the steps are made up: no training reached them

def turn(step):  # by a quarter
    for each in (left, right):
        keep(each, step, each.result.embedding.positions.flip(1) * torch.tensor([1.0, -1.0]))
    return 0

turn(1)
"""


@pytest.fixture(scope="module")
def pair(share_notebook: OpenNotebook) -> tuple[EmbeddingView, EmbeddingView]:
    notebook = share_notebook([NET, VIEW, KEPT])
    notebook.finish(0, 1)
    views = notebook.view(".nnw-view")
    left, right = (EmbeddingView(notebook, views.nth(place), name) for place, name in enumerate(("left", "right")))
    for each in (left, right):
        each.until_caption("PCA, shows")
    return left, right


def test_both_stand_whole_in_half_the_width(pair: tuple[EmbeddingView, EmbeddingView]) -> None:
    boxes = [each.root.bounding_box() for each in pair]
    first, second = (box for box in boxes if box is not None)
    assert first["x"] + first["width"] <= second["x"] + 1
    assert abs(first["y"] - second["y"]) < 2
    for each in pair:
        assert each.root.evaluate("(root) => root.scrollWidth - root.clientWidth") <= 1
        assert min(each.size) > 150
        each.until_in_place()


def test_what_a_lasso_takes_in_one_is_selected_in_the_other(pair: tuple[EmbeddingView, EmbeddingView]) -> None:
    left, right = pair
    points = left.until_in_place()
    left.press("l")
    split = float(np.median(points.xy[:, 0])) + 0.5
    height = left.size[1]
    left.drag([2, 2], [split, 2], [split, height - 2], [2, height - 2], [2, 2])
    inside = points.xy[:, 0] < split
    left.selects(points, inside)
    expect(right.marks).to_have_attribute("data-selected", str(inside.sum()))
    expect(right.strip.tab).to_contain_text(f"{inside.sum()} selected")
    right.press("Escape")
    left.until("list(inspector.selection.selected)", [])
    expect(left.marks).to_have_attribute("data-selected", "0")


def test_one_lists_the_nearest_of_its_own_layer_and_a_click_looks_at_one(
    pair: tuple[EmbeddingView, EmbeddingView],
) -> None:
    left, right = pair
    listed = []
    for each, layer in ((left, "fc"), (right, "features.relu1")):
        each.notebook.python("inspector.selection.update(sample=int(left.result.indices[3])) or 0")
        expect(each.near.title).to_contain_text(layer)
        expect(each.near.cells).to_have_count(10)
        listed.append(each.near.indices())
    indices = np.array(left.notebook.python("left.result.indices.tolist()"))
    fc = np.array(left.notebook.python(f"nnw.analysis.capture(model, pictures[{indices.tolist()}])['fc'].tolist()"))
    apart = np.linalg.norm(fc - fc[3], axis=1)
    expected = indices[np.argsort(apart)[1:11]].tolist()
    assert listed[0] == expected
    assert listed[1] != listed[0]
    left.near.tab.click()
    left.near.cells.nth(1).click()
    left.until("inspector.selection.sample", expected[1])


def test_one_is_held_at_an_earlier_step_while_the_other_follows(pair: tuple[EmbeddingView, EmbeddingView]) -> None:
    left, right = pair
    first = left.map()
    left.notebook.finish(2)
    for each in pair:
        expect(each.root.locator(".nnw-kept-text")).to_contain_text(" · 2 of 2 kept")
    left.root.locator(".nnw-kept .nnw-range").press("Home")
    left.until_caption("an earlier step")
    left.notebook.python("[turn(2), turn(3)] and 0")
    expect(right.root.locator(".nnw-kept-text")).to_contain_text(" · 4 of 4 kept")
    expect(left.root.locator(".nnw-kept-text")).to_contain_text(" · 1 of 4 kept")
    assert "an earlier step" not in right.caption.inner_text()
    right.until_in_place()
    left.until_at(first)
