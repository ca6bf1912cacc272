"""A layer's values by unit: one sample's arranged for display, and statistics over units."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from nnwidgets.analysis.results import Layout


def arranged(activation: torch.Tensor, channel_dim: int) -> tuple[Layout, torch.Tensor, str]:
    """One sample's activation (1, …) as maps, strips or a sequence, channels first, and a note on any averaging.

    >>> arranged(torch.zeros(1, 5, 8), 2)[:2][1].shape
    torch.Size([8, 5])
    """
    if activation.ndim == 0:
        return "strips", activation.reshape(1), ""
    sample = activation[0] if activation.ndim > 1 else activation
    if sample.ndim <= 1:
        return "strips", sample.reshape(-1), ""
    sample = sample.movedim(channel_dim - 1, 0)
    if sample.ndim == 2:
        return "sequence", sample, ""
    if sample.ndim == 3:
        return "maps", sample, ""
    extra = tuple(range(1, sample.ndim - 2))
    return "maps", sample.mean(dim=extra), f"mean over {len(extra)} further {'axis' if len(extra) == 1 else 'axes'}"


def over_units(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (steps,), and 10th and 90th percentile (2, steps), of values (steps, units) over the finite units.

    >>> over_units(np.array([[1.0, 3.0], [np.nan, np.nan]]))[0]
    array([ 2., nan])
    """
    mean, band = np.full(len(values), np.nan), np.full((2, len(values)), np.nan)
    finite = np.isfinite(values)
    whole = finite.all(axis=1) & (values.shape[1] > 0)
    if whole.any():
        mean[whole], band[:, whole] = values[whole].mean(axis=1), np.percentile(values[whole], [10, 90], axis=1)
    for row in np.flatnonzero(finite.any(axis=1) & ~whole):
        some = values[row][finite[row]]
        mean[row], band[:, row] = some.mean(), np.percentile(some, [10, 90])
    return mean, band
