"""Occlusion of a table's rows and of a text on the page: bars, the matrix, a click, the width of a laptop."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Notebook
from tests.browser.views import View

TABLE = """
import torch
from torch import nn
import nnwidgets as nnw

torch.manual_seed(0)
rows = torch.randn(150, 4)
kinds = (rows[:, 0] > 0).long() + (rows[:, 2] > 1).long()
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(200):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(rows), kinds).backward()
    optimizer.step()
inspector = nnw.Inspector(net, (rows, kinds), class_names=["setosa", "versicolor", "virginica"])
view = inspector.occlusion(names=["sepal length", "sepal width", "petal length", "petal width"])
view
"""
TEXT = """
class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm, self.head = nn.Embedding(50, 8), nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, ids):
        return self.head(self.lstm(self.embed(ids))[0][:, -1])

ids = torch.randint(50, (80, 24))
texts = nnw.Inspector(Text(), (ids, ids[:, 20] % 2))
texts.dashboard(tab="occlusion")
"""


@pytest.fixture(scope="module")
def notebook(share_notebook: OpenNotebook) -> Notebook:
    notebook = share_notebook([TABLE, TEXT])
    notebook.finish()
    return notebook


def test_a_row_of_a_table_has_its_bars_and_a_click_in_the_matrix_another(notebook: Notebook) -> None:
    view = View(notebook, notebook.view(".nnw-view").first)
    view.root.scroll_into_view_if_needed()
    view.until_caption("One feature at a time replaced by its mean over 64 samples")
    expect(view.root).to_contain_text("Probability of")
    bars = view.root.locator(".nnw-bars")
    expect(bars).to_contain_text("sepal length")
    assert notebook.python("len(view.result.samples)") == 16
    matrix = view.root.locator(".nnw-matrix canvas").first
    box = matrix.bounding_box()
    assert box is not None
    matrix.click(position={"x": box["width"] / 2, "y": box["height"] * 3.5 / 16})
    sample = notebook.python("inspector.selection.sample")
    assert sample in notebook.python("list(view.result.samples)")
    expect(view.root).to_contain_text(re.compile(f"lost, sample {sample}"))


@pytest.mark.parametrize("width", [1280, 800])
def test_a_text_fits_the_width_of_the_page(notebook: Notebook, width: int) -> None:
    notebook.resize(width, 900)
    dashboard = notebook.view(".nnw-dashboard").last
    dashboard.scroll_into_view_if_needed()
    expect(dashboard).to_contain_text("24 tokens of 16 samples, exact")
    inner = dashboard.evaluate("(box) => [box.scrollWidth, box.clientWidth]")
    assert inner[0] <= inner[1]
