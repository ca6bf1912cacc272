"""Reading what matplotlib drew."""

from matplotlib.axes import Axes
from matplotlib.text import Text


def words_of(axes: Axes) -> list[str]:
    """All words in the axes, of the axes' own, of those within and of tables."""
    texts = [text for text in axes.findobj(Text) if isinstance(text, Text)]
    texts += [cell.get_text() for table in axes.tables for cell in table.get_celld().values()]
    return [text.get_text() for text in texts if text.get_visible() and text.get_text()]
