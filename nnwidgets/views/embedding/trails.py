"""The ways on which selected samples came to their places: which are drawn, and what the caption says of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnwidgets.words import count, plural

MOST = 200  # trails; more are a tangle


def followed(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows whose trails are drawn: all, or of more than 200 as many, evenly chosen.

    >>> len(followed(np.arange(900)))
    200
    """
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]


def trails_text(drawn: int, selected: int, maps: int) -> str:
    """What the caption says of so many trails over so many maps.

    >>> trails_text(2, 3, 6), trails_text(0, 0, 6)
    ('trails of 2 of 3 selected over 6 maps', 'trails of selected points: none is selected')
    """
    if not selected:
        return "trails of selected points: none is selected"
    of = f" of {count(selected)}" if drawn < selected else ""
    return f"trails of {count(drawn)}{of} selected over {plural(maps, 'map')}"
