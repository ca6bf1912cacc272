"""Whether and when the compiled loops are loaded. Knows no sums."""

from __future__ import annotations

import functools
import importlib
import logging
from types import ModuleType

__all__ = ["Loops", "compiled", "loaded", "worth_loading"]

Loops = ModuleType | None
_WORTH_LOADING_ABOVE = 400  # points: 500 take 0.06 s a refresh, 0.22 s without
logger = logging.getLogger(__name__)


@functools.cache
def compiled() -> Loops:
    """The compiled loops, None without numba. Takes a second in a process, some more in a new environment's first."""
    try:
        loops = importlib.import_module("nnwidgets.analysis.engine.tsne_loops")
        loops.warm()
    except (ImportError, RuntimeError):  # the latter where numba may not keep on disk what it compiles
        logger.info("t-SNE by torch", exc_info=True)
        return None
    return loops


def worth_loading(points: int) -> Loops:
    """The compiled loops for so many points; None for few."""
    return compiled() if points > _WORTH_LOADING_ABOVE else None


def loaded(points: int) -> Loops:
    """The same, but only if this process has them already, whole: another thread may be at it."""
    return worth_loading(points) if compiled.cache_info().currsize else None
