"""A layer's values by unit: one sample's arranged for display, and statistics over units."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nnwidgets.analysis.engine.by_sample import by_sample
from nnwidgets.analysis.engine.layer_calls import LayerInfo
from nnwidgets.analysis.results import Layout

Response: TypeAlias = tuple[Layout, Tensor, str]
"""How one sample's values are shown, the values on the CPU, float32, and a note on what was done to them."""


def response(activation: Tensor, layer: LayerInfo) -> Response:
    """One sample's activation as maps (channels, height, width), strips (channels,) or sequence (channels, positions).

    Raises ValueError where units and positions can't be told apart (`by_sample`).

    >>> import torch
    >>> lstm = LayerInfo("lstm", "LSTM", (8, 2, 5), call=1, channel_dim=2, batch_dim=1)
    >>> response(torch.zeros(8, 1, 5), lstm)[:2][1].shape
    torch.Size([5, 8])
    """
    found = by_sample(activation.detach(), layer, 1)
    sample = found.values[0].float().cpu().clone()
    notes = [
        "the same for all samples" if found.of == "all" else "",
        "magnitude of complex values" if activation.is_complex() else "",
    ]
    if sample.ndim > 3:
        extra = sample.ndim - 3
        sample = sample.mean(dim=tuple(range(1, sample.ndim - 2)))
        notes.append(f"mean over {extra} further {'axis' if extra == 1 else 'axes'}")
    layout: Layout = "strips" if sample.ndim == 1 else "sequence" if sample.ndim == 2 else "maps"
    return layout, sample, ", ".join(filter(None, notes))


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
