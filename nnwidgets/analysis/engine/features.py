"""Activations as one row of features per sample; large maps are averaged."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def features(activation: Tensor, *, limit: int = 4096) -> tuple[Tensor, str | None]:
    """One float32 row per sample (n, features), and a note if maps were pooled.

    `activation`: (n, channels, positions…). Above `limit` features the maps are average-pooled to the largest size that
    fits, at least one pixel; they may then have at most three position axes.

    >>> x, note = features(torch.ones(2, 64, 16, 16))
    >>> tuple(x.shape), note
    ((2, 4096), 'maps of 16×16 averaged to 8×8')
    """
    x = activation.detach().to(torch.float32)
    if x.ndim == 0:
        raise ValueError("activation: expected (n, channels, …), got a single number")
    channels, sizes = (x.shape[1] if x.ndim > 1 else 1), tuple(x.shape[2:])
    if not sizes or channels * math.prod(sizes) <= limit:
        return _rows(x), None
    if len(sizes) > 3:
        raise ValueError(
            f"activation: expected at most 3 position axes, got shape {tuple(x.shape)}; flatten some first"
        )
    stride = 2
    while channels * math.prod(-(-size // stride) for size in sizes) > limit and stride < max(sizes):
        stride += 1
    pooled = tuple(-(-size // stride) for size in sizes)
    note = f"maps of {'×'.join(map(str, sizes))} averaged to {'×'.join(map(str, pooled))}"
    for axis, size in enumerate(pooled, start=2):
        rows = x.movedim(axis, -1)
        x = torch.nn.functional.adaptive_avg_pool1d(rows.flatten(1, -2), size).reshape(*rows.shape[:-1], size)
        x = x.movedim(-1, axis)
    return _rows(x), note


def _rows(x: Tensor) -> Tensor:
    """`x` (n, …) as (n, features). A size of -1 would fail without samples."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))
