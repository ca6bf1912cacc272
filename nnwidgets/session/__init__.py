"""What the views of one inspector share. Knows no widget."""

from nnwidgets.session.attach import attach
from nnwidgets.session.session import MEMORY_SHARES, Session, Status

__all__ = ["MEMORY_SHARES", "Session", "Status", "attach"]
