"""The words of a view, as the page and the saved picture have them."""

from __future__ import annotations

import re
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

import nnwidgets as nnw
from nnwidgets.views._display import png_of
from nnwidgets.views._view import View
from tests.waiting import frame

MARKUP = "<b>$x^2$</b>&amp;\\frac{1}{2}"
VIEWS = ("activations", "filters", "occlusion", "embedding")


def make(inspector: nnw.Inspector, stem: str) -> View:
    options: dict[str, dict[str, Any]] = {"occlusion": {"patch": 4, "stride": 4}, "embedding": {"points": 20}}
    view: View = getattr(inspector, stem)(**options.get(stem, {}))
    return view


def words(figure: Figure) -> str:
    """All text of a figure, with its line breaks undone."""
    return re.sub(r"\s+", " ", " · ".join(text.get_text() for text in figure.findobj(Text)))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def on_page(view: View) -> str:
    """What the head of the view says on the page."""
    header, _ = frame(view)
    return plain(" · ".join([header["title"], header["subtitle"], *(text for text, _odd in header["caption"])]))


def in_picture(view: View) -> str:
    figure = view.figure()
    assert png_of(figure).startswith(b"\x89PNG")
    return words(figure)
