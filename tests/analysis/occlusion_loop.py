"""Occlusion as a plain loop: one covered image at a time through the model as it is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from nnwidgets.analysis import OcclusionMap

Place = tuple[int, ...]


def origins(size: int, patch: int, stride: int) -> list[int]:
    every = list(range(0, size - patch + 1, stride))
    return every if every[-1] == size - patch else [*every, size - patch]


def positions(found: OcclusionMap) -> Iterator[tuple[Place, tuple[slice, ...]]]:
    """Index into the grid, and the pixels that are covered there."""
    for place in itertools.product(*(range(len(each)) for each in found.origins)):
        starts = [each[at] for each, at in zip(found.origins, place, strict=True)]
        yield place, tuple(slice(start, start + side) for start, side in zip(starts, found.patch, strict=True))


def covered(images: Tensor, pixels: tuple[slice, ...], fill: Tensor | float) -> Tensor:
    copy = images.clone()
    at: tuple[Any, ...] = (..., *pixels)
    copy[at] = torch.as_tensor(fill, dtype=images.dtype).expand_as(images)[at]
    return copy


def one_by_one(
    model: nn.Module, images: Tensor, found: OcclusionMap, fill: Tensor | float = 0.0, *extra: Tensor
) -> Tensor:
    """The model's own output `(batch, *grid, classes)`, each of a batch of one."""
    outputs = []
    with torch.no_grad():
        for _, pixels in positions(found):
            pictures = covered(images, pixels, fill)
            outputs += [model(*(each[n : n + 1] for each in (pictures, *extra))) for n in range(len(images))]
    grid = [len(each) for each in found.origins]
    return torch.cat(outputs).reshape(*grid, len(images), -1).movedim(-2, 0)


def importance_by_pixel(found: OcclusionMap, target: int) -> Tensor:
    """Mean of clean - covered over the computed patches that hold a pixel, pixel by pixel; NaN where there is none."""
    out = torch.full((len(found.clean), *found.image_size), math.nan, dtype=torch.float64)
    for n, *pixel in itertools.product(*map(range, out.shape)):
        drops = [
            float(found.clean[n, target] - found.scores[(n, *place)][target])
            for place, pixels in positions(found)
            if bool(found.computed[(n, *place)])
            and all(part.start <= at < part.stop for part, at in zip(pixels, pixel, strict=True))
        ]
        if drops:
            out[(n, *pixel)] = sum(drops) / len(drops)
    return out
