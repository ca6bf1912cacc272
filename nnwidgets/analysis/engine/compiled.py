"""Load the compiled loops of t-SNE, where numba is installed and they are worth the time."""

from __future__ import annotations

import functools
import importlib
import logging
from types import ModuleType

Loops = ModuleType | None
_WORTH_LOADING_ABOVE = 400  # points: 500 take 0.06 s per refresh, and 0.22 s without the loops
logger = logging.getLogger(__name__)


@functools.cache
def compiled() -> Loops:
    """The compiled loops; None without numba. The first call takes a second, longer in a new environment."""
    try:
        loops = importlib.import_module("nnwidgets.analysis.engine.tsne_loops")
        loops.warm()
    except (ImportError, RuntimeError):  # RuntimeError: numba cannot write its cache
        logger.info("t-SNE by torch", exc_info=True)
        return None
    return loops


def worth_loading(points: int) -> Loops:
    """The compiled loops; None if there are too few points to be worth it."""
    return compiled() if points > _WORTH_LOADING_ABOVE else None


def loaded(points: int) -> Loops:
    """The same, but only if this process has already loaded them completely; another thread may be loading."""
    return worth_loading(points) if compiled.cache_info().currsize else None
