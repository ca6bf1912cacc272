"""Blocks as a matplotlib figure: rows below each other, the blocks of a row side by side, the caption above."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure, SubFigure

from nnwidgets.blocks.block import Block
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import add_caption


def draw_rows(
    rows: Sequence[Sequence[Block]], figure: Figure | SubFigure, *, caption: str, theme: Theme = LIGHT
) -> None:
    """Draw the blocks into an empty figure, or part of one. Blocks without height are for the page only."""
    add_caption(figure, caption, theme)
    drawn = [[block for block in row if block.height > 0] for row in rows]
    drawn = [row for row in drawn if row]
    if not drawn:
        return
    heights = [max(block.height for block in row) for row in drawn]
    grid = figure.add_gridspec(len(drawn), 1, height_ratios=heights)
    for at, row in enumerate(drawn):
        places = grid[at].subgridspec(1, len(row))
        for column, block in enumerate(row):
            block.draw(figure.add_subplot(places[column]), theme=theme)
