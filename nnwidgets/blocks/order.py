"""In what order values stand."""

from __future__ import annotations

import numpy as np

from nnwidgets.blocks.block import Array


def order_of(values: Array, *, descending: bool = True) -> Array:
    """(n,) int32: places of the values from the largest or the smallest on; ties stay in order, NaN comes last.

    >>> order_of(np.array([1.0, np.nan, 3.0, -np.inf, 3.0])).tolist()
    [2, 4, 0, 3, 1]
    """
    if values.dtype.kind in "iu":
        values = values.astype(np.int64)
    return np.lexsort((-values if descending else values, np.isnan(values))).astype(np.int32)
