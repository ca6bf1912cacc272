"""What views are made of: each block is the data of one drawing, which the page and matplotlib draw alike.

>>> from nnwidgets import blocks
>>> blocks.Bars([0.9, 0.4], ["cat", "dog"], unit="probability").where(1)
(1,)
"""

from nnwidgets.blocks.bars import Bars
from nnwidgets.blocks.block import Block
from nnwidgets.blocks.grid import Grid
from nnwidgets.blocks.heat import Heat
from nnwidgets.blocks.histogram import Histogram, Mark, Ridges
from nnwidgets.blocks.lines import Lines
from nnwidgets.blocks.matrix import Matrix
from nnwidgets.blocks.metadata import Metadata
from nnwidgets.blocks.points import Points
from nnwidgets.blocks.squares import Panel, Squares
from nnwidgets.blocks.strip import Strip
from nnwidgets.blocks.table import Table
from nnwidgets.blocks.text import Text
from nnwidgets.blocks.verdicts import Verdict, Verdicts

__all__ = [
    "Bars",
    "Block",
    "Grid",
    "Heat",
    "Histogram",
    "Lines",
    "Mark",
    "Matrix",
    "Metadata",
    "Panel",
    "Points",
    "Ridges",
    "Squares",
    "Strip",
    "Table",
    "Text",
    "Verdict",
    "Verdicts",
]
