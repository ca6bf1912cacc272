"""Drawing a figure to pixels and reading the words in it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

Drawn = tuple[NDArray[np.uint8], list[str]]
Draw = Callable[..., Drawn]


@pytest.fixture
def drawn() -> Draw:
    """`drawn(function, result, **options)` -> the figure's pixels and its words."""

    def draw(function: Callable[..., Any], result: Any, **options: Any) -> Drawn:
        figure = Figure(figsize=(8, 5), dpi=60, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        function(result, figure, **options)
        canvas.draw()  # type: ignore[no-untyped-call]
        words = [text.get_text().replace("\n", " ") for text in figure.findobj(Text) if text.get_visible()]
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return pixels[..., :3].copy(), [word for word in words if word]

    return draw
