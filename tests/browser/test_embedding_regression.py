"""The Embedding view of a regression: a colour bar instead of classes, exact values in the card."""

import numpy as np
import pytest
from playwright.sync_api import expect

from nnwidgets.blocks.colors import LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import EmbeddingView, at
from tests.browser.views import color_of, is_color, value_in

NET = """
from collections import OrderedDict

import torch
from torch import nn

import nnwidgets as nnw

torch.manual_seed(0)
x = torch.randn(40, 3)
model = nn.Sequential(OrderedDict(fc=nn.Linear(3, 4), act=nn.Tanh(), out=nn.Linear(4, 1)))
inspector = nnw.Inspector(model, (x, 100 + 10 * x[:, 0]))
"""
VIEW = """
view = inspector.embedding(layer="fc", method="pca", points=40)
view
"""


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW])
    notebook.finish()
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


def test_points_have_the_colours_of_their_errors_between_the_ends_of_the_bar(view: EmbeddingView) -> None:
    view.until_caption("PCA, shows")
    choice = view.root.locator(".nnw-control", has_text="Colour by").locator("select")
    assert choice.locator("option").all_inner_texts() == ["target", "prediction", "error"]
    choice.select_option(label="error")
    bar = view.legend.locator(".nnw-points-color-key")
    expect(bar).to_contain_text("error")
    view.until("view.color", "error")
    errors = np.array(view.notebook.python("(view.result.outputs - view.result.targets).abs().tolist()"))
    low, high = (
        value_in(text) for text in (bar.locator("span").first.inner_text(), bar.locator("span").last.inner_text())
    )
    assert low == 0
    assert high == pytest.approx(errors.max(), rel=0.01)
    points = view.map()

    def colored() -> float:
        pixels = view.shown()
        fits = [
            is_color(at(pixels, points.xy[row]), color_of(errors[row], 0, errors.max(), LIGHT.mark_ink))
            for row in points.alone()
        ]
        return float(np.mean(fits))

    view.notebook.until(lambda: colored() > 0.8, "the colours of the errors")


def test_nothing_is_said_of_classes_and_the_card_is_exact(view: EmbeddingView) -> None:
    expect(view.legend.get_by_role("switch")).to_have_count(0)
    for words in ("Class", "wrong", "Only wrong", "no value"):
        expect(view.legend.get_by_text(words, exact=True).filter(visible=True)).to_have_count(0)
    expect(view.caption).to_contain_text("error is |prediction − target|")
    points = view.map()
    row = int(points.alone()[0])
    view.move(*points.xy[row])
    exact = view.notebook.python(f"view.card_lines(view.result, {points.indices[row]})")
    assert [name for name, _ in exact] == ["target", "prediction", "error"]
    for name, value in exact:
        expect(view.card).to_contain_text(f"{name} {value}")
    expect(view.card).not_to_contain_text("label")
