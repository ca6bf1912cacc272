"""How the inner loops are compiled by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numpy.typing import NDArray

__all__ = ["Array", "any_order", "in_order"]

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def any_order(function: Function) -> Function:
    """Compile loops over contiguous rows. Sums may be reordered, so that they are vectorised."""
    return cast(Function, njit(nogil=True, cache=True, error_model="numpy", fastmath=True)(function))


def in_order(function: Function) -> Function:
    """Compile loops over scattered values. Sums keep their order: vectorised gathers would be slower than loads."""
    compiled = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "arcp"})(function)
    return cast(Function, compiled)
