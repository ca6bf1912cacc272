"""See inside a PyTorch model in the notebook that trains it, while it trains.

>>> import nnwidgets
>>> "Inspector" in dir(nnwidgets)
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnwidgets import analysis, blocks, callbacks, measures
    from nnwidgets.display.job import Heading, Strong
    from nnwidgets.display.options import choice, number
    from nnwidgets.display.row import row
    from nnwidgets.display.selecting import Select
    from nnwidgets.display.view import View
    from nnwidgets.inspector import Inspector
    from nnwidgets.measures.measure import Progress
    from nnwidgets.selection import Selection
    from nnwidgets.shadow import UnsupportedModelError

__version__ = "0.1.0"
__all__ = [
    "Heading",
    "Inspector",
    "Progress",
    "Select",
    "Selection",
    "Strong",
    "UnsupportedModelError",
    "View",
    "analysis",
    "blocks",
    "callbacks",
    "choice",
    "measures",
    "number",
    "row",
]

_HOME = {
    "Heading": "nnwidgets.display.job",
    "Inspector": "nnwidgets.inspector",
    "Progress": "nnwidgets.measures.measure",
    "Select": "nnwidgets.display.selecting",
    "Selection": "nnwidgets.selection",
    "Strong": "nnwidgets.display.job",
    "UnsupportedModelError": "nnwidgets.shadow",
    "View": "nnwidgets.display.view",
    "choice": "nnwidgets.display.options",
    "number": "nnwidgets.display.options",
    "row": "nnwidgets.display.row",
}
_MODULES = ("analysis", "blocks", "callbacks", "measures")


def __getattr__(name: str) -> Any:
    """Import public names at first use, so that `import nnwidgets` costs no widget stack."""
    if name in _MODULES:
        return importlib.import_module(f"nnwidgets.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'nnwidgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
