"""A small net with every kind of layer, and what a test does with the views of it: point, read, compare colours."""

import base64
import io
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.colors import Colormap
from PIL import Image
from playwright.sync_api import Locator

from tests.browser.lab import Notebook, Pixels

# Rows 3k to 3k + 2 of a picture of class k are bright; samples 0, 5, 10 … carry a wrong label. In `features.relu1`
# unit 2 is dead on all samples and unit 5 is the picture itself. `features.wide` has more units than a page holds.
NET = """
from collections import OrderedDict

import torch
from torch import nn

import nnwidgets as nnw

torch.manual_seed(0)
labels = torch.arange(96) % 4
pictures = 0.6 * torch.rand(96, 1, 12, 12)
for picture, label in zip(pictures, labels):
    picture[0, 3 * label : 3 * label + 3] += 0.6
labels[::5] = (labels[::5] + 1) % 4

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(OrderedDict(
            conv1=nn.Conv2d(1, 8, 3, padding=1), relu1=nn.ReLU(),
            wide=nn.Conv2d(8, 70, 1), relu2=nn.ReLU(), pool=nn.MaxPool2d(2),
        ))
        self.fc = nn.Linear(70 * 36, 4)
        with torch.no_grad():
            self.features.conv1.bias[2] = -100.0
            self.features.conv1.weight[5] = 0.0
            self.features.conv1.weight[5, 0, 1, 1] = 1.0
            self.features.conv1.bias[5] = 0.0

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))

model = Net()
optimizer = torch.optim.Adam(model.fc.parameters(), lr=1e-3)

def train(steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(pictures), labels)
        loss.backward()
        optimizer.step()

train(10)
inspector = nnw.Inspector(model, (pictures, labels), class_names=["zero", "<b>one</b>", "two", "three"])
"""
CLASS_NAMES = ("zero", "<b>one</b>", "two", "three")
# A channel more or less of 255 for rounding, and what half precision takes.
COLOR_TOLERANCE = 6


def value_in(text: str) -> float:
    """The last number of a text as a view writes it.

    >>> value_in("unit 3 · row 4, col 5 · −1.2e−5")
    -1.2e-05
    """
    plain = re.sub(r"\u202f(?=\d)", "", text).replace("\u2212", "-")
    return float(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", plain)[-1])


def color_of(value: float, low: float, high: float, colors: Colormap) -> npt.NDArray[np.float64]:
    """The RGB (3,), 0 to 255, of a value on a scale."""
    return np.asarray(colors((value - low) / (high - low))[:3]) * 255


def is_color(pixel: npt.NDArray[np.uint8], expected: Sequence[float] | npt.NDArray[np.float64]) -> bool:
    return bool(np.abs(pixel[:3].astype(float) - np.asarray(expected)).max() <= COLOR_TOLERANCE)


def kept_pictures(notebook: Notebook, cell: int) -> list[npt.NDArray[np.uint8]]:
    """The PNGs in the outputs of a cell of the saved file, as pixels."""
    bundles = [output.get("data", {}) for output in notebook.saved().cells[cell].outputs]
    files = [base64.b64decode(data["image/png"]) for data in bundles if "image/png" in data]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), dtype=np.uint8) for file in files]


def is_blank(pixels: npt.NDArray[np.uint8]) -> bool:
    return min(pixels.shape[:2]) < 100 or float(pixels.std()) < 5


def image_of(notebook: Notebook, cell: int) -> Locator:
    return notebook.view(".jp-Cell").nth(cell).locator(".jp-OutputArea-output img")


class View:
    """One view on the page of a notebook."""

    def __init__(self, notebook: Notebook, root: Locator) -> None:
        self.notebook = notebook
        self.root = root
        self.title = root.locator(".nnw-title")
        self.caption = root.locator(".nnw-caption")
        self.tooltip = root.locator(".nnw-tooltip")
        self.state = root.locator(".nnw-state")

    def until_caption(self, words: str) -> str:
        """Wait until the caption has these words, and return it all."""
        self.notebook.until(lambda: words in self.caption.inner_text(), f"a caption with {words!r}")
        return self.caption.inner_text()

    def until(self, expression: str, expected: object) -> None:
        """Wait until an expression has a value in Python."""
        self.notebook.until(lambda: self.notebook.python(expression) == expected, f"{expression} == {expected!r}")

    def set_option(self, label: str, choice: str) -> None:
        """Choose in a dropdown, or press a button of a toggle."""
        control = self.root.locator(".nnw-control", has=self.notebook.page.get_by_text(label, exact=True))
        control.locator("select, button").first.wait_for(state="attached")
        dropdown = control.locator("select")
        if dropdown.count():
            dropdown.select_option(label=choice)
        else:
            control.get_by_role("button", name=choice, exact=True).click()

    def point(self, part: Locator, column: float, row: float) -> None:
        """Move the pointer to a place inside an element, as shares of its width and height."""
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box is not None
        self.notebook.page.mouse.move(box["x"] + column * box["width"], box["y"] + row * box["height"])

    def picture(self, canvas: Locator) -> Pixels:
        return self.notebook.canvas_pixels(canvas)

    def until_changed(self, canvas: Locator, before: Pixels) -> Pixels:
        """The first pixels of a canvas that differ from those before."""
        return self.notebook.wait_pixels(canvas, lambda now: now.shape != before.shape or bool((now != before).any()))


class GridView(View):
    """The units of a layer in a view: activations or filters."""

    def __init__(self, notebook: Notebook, root: Locator) -> None:
        super().__init__(notebook, root)
        grid = root.locator(".nnw-block[data-key=grid]")  # not the film of one filter, which is a grid, too
        self.label = grid.locator(".nnw-grid-board > .nnw-label")
        self.board = grid.locator(".nnw-grid-tiles")
        self.rows = grid.locator(".nnw-grid-rows").filter(visible=True)
        self.canvas = self.board.locator("canvas")
        self.unit = grid.locator(".nnw-grid-unit")
        self.detail = self.unit.locator("canvas")
        self.pager = grid.locator(".nnw-grid-pager")
        self.tiles = self.board.locator(".nnw-grid-tile:not([hidden])")

    def units(self) -> list[int]:
        """The units on show, in the order of their tiles."""
        return [int(text) for text in self.tiles.locator(".nnw-grid-tile-label > span:first-child").all_inner_texts()]

    def tile(self, unit: int) -> Locator:
        """The picture of a unit, without its label."""
        self.notebook.until(lambda: unit in self.units(), f"unit {unit} on the page")
        return self.tiles.nth(self.units().index(unit)).locator(".nnw-grid-frame")

    def selected(self) -> int:
        return int(self.board.locator("[aria-selected=true] .nnw-grid-tile-label > span:first-child").inner_text())

    def hover(self, part: Locator, row: int, column: int, shape: Sequence[int]) -> str:
        """What the tooltip says for a cell of a picture (height, width)."""
        self.point(part, (column + 0.5) / shape[1], (row + 0.5) / shape[0])
        self.tooltip.wait_for()
        return self.tooltip.inner_text()

    def cell_pixel(self, unit: int, row: int, column: int, shape: Sequence[int]) -> npt.NDArray[np.uint8]:
        """The colour of a cell of a unit's tile on the canvas."""
        frame, board = self.tile(unit).bounding_box(), self.canvas.bounding_box()
        assert frame is not None
        assert board is not None
        x = frame["x"] - board["x"] + frame["width"] * (column + 0.5) / shape[1]
        y = frame["y"] - board["y"] + frame["height"] * (row + 0.5) / shape[0]
        pixel: npt.NDArray[np.uint8] = self.picture(self.canvas)[int(y), int(x)]
        return pixel
