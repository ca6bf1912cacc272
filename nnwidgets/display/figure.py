"""Blocks as a matplotlib figure: rows below each other, the blocks of a row side by side, the caption above."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure, SubFigure

from nnwidgets.blocks.block import Block
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import add_caption

WIDTH, HEIGHT, CAPTION = 8.0, 2.6, 0.8  # inches: of a figure, of a row of height 1, of the caption


def figure_of(rows: Sequence[Sequence[Block]], *, caption: str) -> Figure:
    """A figure as high as its rows need."""
    heights = [max((block.height for block in row), default=0.0) for row in rows]
    figure = Figure(figsize=(WIDTH, CAPTION + HEIGHT * max(1.0, sum(heights))), layout="constrained")
    draw_rows(rows, figure, caption=caption)
    return figure


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
