"""A layer's output as (samples, channels, positions …), whatever its own arrangement is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from nnwidgets.analysis.engine.layer_calls import LayerInfo


@dataclass(frozen=True, eq=False)
class Arranged:
    """values (n, channels, positions …), real.

    of: "samples": row i is sample i.   "all": a single row that is the same for all samples.   "rows": a single row
    whose positions belong to several samples, as the tokens that an expert got; which to which is not known.
    """

    values: Tensor
    of: Literal["samples", "all", "rows"]


def by_sample(value: Tensor, layer: LayerInfo, samples: int) -> Arranged:
    """The output of a layer for so many samples. A view of `value` where that is possible.

    Complex values are shown by their magnitude. Rows of a nested tensor are set one after the other.

    Raises:
        ValueError: the layer's axes are not known (`LayerInfo.unclear`).

    >>> lstm = LayerInfo("lstm", "LSTM", (9, 2, 7), call=1, channel_dim=2, batch_dim=1)
    >>> by_sample(torch.zeros(9, 5, 7), lstm, 5).values.shape
    torch.Size([5, 7, 9])
    """
    if layer.unclear:
        raise ValueError(layer.unclear)
    if value.is_nested:
        return _rows(torch.cat(list(value.unbind())), -1)
    value = value.to_dense() if value.layout is not torch.strided else value
    value = value.abs() if value.is_complex() else value
    channel, batch = layer.channel_dim, layer.batch_dim
    if value.ndim != len(layer.shape) and layer.shape:
        raise ValueError(f"layer {layer.name!r}: expected {len(layer.shape)} axes as at first, got {value.ndim}")
    if batch is not None and value.shape[batch] == samples * layer.per_sample:
        return Arranged(_by_axes(value, layer, samples), "samples")
    if batch is None and layer.per_sample == 1 and value.shape == layer.shape:
        alone = value[None]
        return Arranged(alone.movedim(channel + 1, 1) if channel is not None else alone.reshape(1, 1), "all")
    return _rows(value, channel if channel is not None else value.ndim)


def _by_axes(value: Tensor, layer: LayerInfo, samples: int) -> Tensor:
    """(n, channels, positions …) of an output with an axis of samples."""
    batch, channel = layer.batch_dim or 0, layer.channel_dim
    if layer.per_sample > 1:
        sizes = (-1, samples) if layer.sample_inner else (samples, -1)
        value = value.unflatten(batch, sizes)
        channel = channel + 1 if channel is not None and channel > batch else channel
        batch += layer.sample_inner
    if channel is None:
        return value.movedim(batch, 0)[:, None]
    return value.movedim((batch, channel), (0, 1))


def _rows(value: Tensor, channel: int) -> Arranged:
    """All entries of a unit in one row."""
    units = value.movedim(channel, 0) if channel < value.ndim else value[None]
    return Arranged(units.flatten(1)[None] if units.ndim > 1 else units[None, :, None], "rows")
