"""Looks that Python and the page share: colours, signs, limits. `python -m nnwidgets.blocks.typescript` writes them
to js/src/kernel/looks.ts, so that each is decided here and nowhere else."""

from __future__ import annotations

from typing import Final

from nnwidgets import words

# Anchors of the maps, evenly spaced, hex colours. Zero is the ground: the first of INK, the middle of DIVERGING.
INK: Final = {
    "light": "f2f4f4 b6e1dd 7cc9cb 3eafbe 1890b3 0570a5 174f94 223171 1d1948",
    "dark": "111111 182a51 22447e 2360a7 1082b8 19a4c4 48c5c8 8fe3cb d4fddb",
}
DIVERGING: Final = {
    "light": "163c89 2b69b2 5a9bd5 a9d0ee f2f4f4 efcca5 df9353 b65a1f 7c2707",
    "dark": "92ddfb 53a7d9 2d6ea7 1a395f 111111 542d14 9d551f d58c3f facd78",
}
GROUND: Final = {"light": "#f2f4f4", "dark": "#111111"}
# Ten colours that any common colour blindness tells apart; they repeat beyond ten.
CLASSES: Final = {
    "light": "1eabfa fa9609 a30505 7f2dc2 0e8b97 e0520e 939165 8d5652 525366 9fb0bb",
    "dark": "63a6e7 f8ba12 dd4867 b936f2 4fdbf0 fa896b ebfa8e b67405 9a93a6 c8e3da",
}
# The tints of heat over a picture, in both themes: the picture is its own ground.
LOST: Final = (224, 149, 47)
GAINED: Final = (83, 167, 217)
HEAT_DARKENS: Final = 0.55

THIN: Final = words.THIN
MINUS: Final = words.MINUS
ELLIPSIS: Final = words.ELLIPSIS

MOST_GROUPS: Final = 20  # with colours of their own: ten repeat too often beyond to be read
MOST_RINGED: Final = 0.15  # of the points may be wrong; rings round more hide what they should show
LEAST_AREA: Final = 0.5  # of a point, in areas of one of the usual size
MOST_AREA: Final = 4.0
MOST_ROWS: Final = 1000  # of a table on a page
