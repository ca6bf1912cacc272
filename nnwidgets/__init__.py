"""See inside a PyTorch model in the notebook that trains it, while it trains.

>>> import nnwidgets
>>> "Inspector" in dir(nnwidgets)
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnwidgets import analysis
    from nnwidgets.inspector import Inspector
    from nnwidgets.selection import Selection
    from nnwidgets.shadow import UnsupportedModelError
    from nnwidgets.views.row import row

__version__ = "0.1.0"
__all__ = ["Inspector", "Selection", "UnsupportedModelError", "analysis", "row"]

_HOME = {
    "Inspector": "nnwidgets.inspector",
    "Selection": "nnwidgets.selection",
    "UnsupportedModelError": "nnwidgets.shadow",
    "row": "nnwidgets.views.row",
}


def __getattr__(name: str) -> Any:
    """Import public names at first use, so that `import nnwidgets` costs no widget stack."""
    if name == "analysis":
        return importlib.import_module("nnwidgets.analysis")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'nnwidgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
