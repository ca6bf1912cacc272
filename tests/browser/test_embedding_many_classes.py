"""The Embedding view of a hundred classes: all grey until some are picked in the legend."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from playwright.sync_api import expect

from nnwidgets.blocks.colors import LIGHT
from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, EmbeddingView, Map, at
from tests.browser.views import is_color

NET = """
from collections import OrderedDict

import torch
from torch import nn

import nnwidgets as nnw

torch.manual_seed(0)
model = nn.Sequential(OrderedDict(fc=nn.Linear(4, 4), out=nn.Linear(4, 100)))
inspector = nnw.Inspector(model, (torch.randn(100, 4), torch.arange(100)))
"""
VIEW = """
view = inspector.embedding(layer="fc", method="pca", points=100)
view
"""
GREY = np.array(to_rgb(LIGHT.secondary)) * 255


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW])
    notebook.finish()
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


def colors_are(view: EmbeddingView, points: Map, picked: dict[int, int]) -> bool:
    """Whether the points of these classes have the colours in these places, and nearly all others are grey."""
    pixels = view.shown()

    def right(row: int) -> bool:
        slot = picked.get(int(points.labels[row]))
        return bool(is_color(at(pixels, points.xy[row]), GREY if slot is None else COLORS[slot]))

    alone = points.alone()
    chosen = [row for row in alone if int(points.labels[row]) in picked]
    return len(chosen) == len(picked) and all(map(right, chosen)) and float(np.mean([*map(right, alone)])) > 0.8


def test_classes_are_coloured_by_picking_them(view: EmbeddingView) -> None:
    view.until_caption("PCA, shows")
    points = view.map()
    line = view.legend.get_by_text("Pick classes to colour them")
    expect(line).to_be_visible()
    view.notebook.until(lambda: colors_are(view, points, {}), "all points grey")
    by_turn: dict[int, list[int]] = {}
    for row in points.alone():
        by_turn.setdefault(int(points.labels[row]) % 10, []).append(int(points.labels[row]))
    turn, (first, second, *_) = next((turn, sorted(each)) for turn, each in by_turn.items() if len(each) > 1)
    switches = view.legend.get_by_role("switch")
    switches.nth(first).click()
    view.notebook.until(lambda: colors_are(view, points, {first: turn}), "one class in colour")
    switches.nth(second).click()
    other = 0 if turn else 1
    view.notebook.until(lambda: colors_are(view, points, {first: turn, second: other}), "two classes in two colours")
    view.legend.get_by_role("button", name="Pick none").click()
    view.notebook.until(lambda: colors_are(view, points, {}), "all points grey again")
    expect(line).to_be_visible()
