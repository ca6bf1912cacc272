"""Blocks drawn by matplotlib and packed for the page."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nnwidgets.blocks import Block
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.display.wire import encoded, finite_json

Drawn = Callable[..., Axes]
Sent = Callable[[Block], dict[str, Any]]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def drawn() -> Drawn:
    """`drawn(block)` -> the axes it was drawn into, after a whole figure was rendered."""

    def draw(block: Block, *, theme: Theme = LIGHT) -> Axes:
        figure = Figure(figsize=(8, 5), dpi=60, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        block.draw(axes, theme=theme)
        canvas.draw()  # type: ignore[no-untyped-call]
        return axes

    return draw


@pytest.fixture
def sent() -> Sent:
    """`sent(block)` -> its fields as a page decodes them: JSON values, and arrays from the bytes of the wire."""

    def send(block: Block) -> dict[str, Any]:
        decoded: dict[str, Any] = {}
        for name, value in block.pack({}).items():
            if not isinstance(value, np.ndarray):
                # As JSON: what can't be written fails here.
                decoded[name] = json.loads(json.dumps(finite_json(value)))
                continue
            array = encoded(value, exact=name.startswith(block.exact))
            flat = np.frombuffer(array.buffer, array.spec["dtype"]).reshape(array.spec["shape"])
            decoded[name] = flat if array.spec["scale"] == 1 else flat * array.spec["scale"]
        return decoded

    return send
