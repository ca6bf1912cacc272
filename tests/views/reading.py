"""The words of a view, as the page and the saved picture have them."""

from __future__ import annotations

import re

from matplotlib.figure import Figure
from matplotlib.text import Text

from nnwidgets.display.saved_picture import png_of
from nnwidgets.display.view import View
from tests.waiting import frame

MARKUP = "<b>$x^2$</b>&amp;\\frac{1}{2}"


def words(figure: Figure) -> str:
    """All text of a figure, with its line breaks undone."""
    return re.sub(r"\s+", " ", " · ".join(text.get_text() for text in figure.findobj(Text)))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def on_page(view: View) -> str:
    """What the head of the view says on the page."""
    header, _ = frame(view)
    return plain(" · ".join([header["title"], header["subtitle"], *(text for text, _odd in header["caption"])]))


def caption_of(view: View) -> str:
    """The heading and the caption of the picture on show, in one line."""
    assert view.job.laid is not None
    return plain(view.job.laid.words)


def odd_parts(view: View) -> list[str]:
    """What stands out in the caption."""
    return [text for text, odd in frame(view)[0]["caption"] if odd]


def in_picture(view: View) -> str:
    figure = view.figure()
    assert png_of(figure).startswith(b"\x89PNG")
    return words(figure)
