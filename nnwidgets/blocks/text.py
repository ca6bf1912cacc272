"""Plain words in a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.axes import Axes

from nnwidgets.blocks.block import Block
from nnwidgets.blocks.checks import set_field, text_names
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import add_title, say


@dataclass(frozen=True, eq=False)
class Text(Block):
    """Paragraphs of plain text; markup is shown as written.

    Args:
        paragraphs: one string each; a string alone is one paragraph.
        lead: words in bold before the first, such as "How to read.".

    Raises:
        TypeError: no strings.

    >>> Text("Zero is the ground.", "How to read.").paragraphs
    ('Zero is the ground.',)
    """

    kind: ClassVar[str] = "text"

    paragraphs: Sequence[str]
    lead: str = ""

    @property
    def height(self) -> float:
        """Words about how to read a page; a figure has a caption."""
        return 0.0

    def __post_init__(self) -> None:
        paragraphs = (self.paragraphs,) if isinstance(self.paragraphs, str) else self.paragraphs
        set_field(self, "paragraphs", text_names("paragraphs", paragraphs))

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        add_title(axes, self.title, theme, self.note)
        whole = "\n".join(self.paragraphs)
        say(axes, f"{self.lead} {whole}" if self.lead else whole, theme, theme.text)
