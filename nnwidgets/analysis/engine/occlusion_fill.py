"""What covers a part of an image: a number, one per channel, the image's mean, the blurred image, or other images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Fill = float | Sequence[float] | Tensor | str

_SIGMAS = 4  # per side of the patch; 6e-5 of a Gaussian is beyond them


def fill_values(fill: Fill, images: Tensor, blur: tuple[int, ...]) -> Tensor:
    """Return what covers the images, in their dtype: `(1 or batch, channels, *size)`, with sizes of the images or 1.

    `fill` and errors are those of `occlusion_map`; `blur`: side of the patch along each axis, which sets the width of
    "blur".
    """
    if isinstance(fill, str):
        if fill == "mean":
            return images.mean(tuple(range(2, images.ndim)), keepdim=True)
        if fill == "blur":
            return blurred(images, blur)
        raise ValueError(f"fill: expected a number, one per channel, images, 'mean' or 'blur', got {fill!r}")
    try:
        values = fill.detach() if isinstance(fill, Tensor) else torch.as_tensor(fill, dtype=images.dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"fill: expected a number, one per channel, images, 'mean' or 'blur', got {fill!r}") from error
    if values.is_complex() or values.dtype == torch.bool:
        raise TypeError(f"fill: expected real numbers, got {values.dtype}")
    values = _shaped(values, images).to(images, copy=True)
    if not bool(values.isfinite().all()):
        raise ValueError(f"fill: expected finite values in {images.dtype}, got NaN or infinity")
    return values


def blurred(images: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return images `(batch, channels, *size)` blurred along their last axes, each channel separately.

    By a Gaussian of sigma = side / 4, cut at 4 sigma, which is `side` pixels in each direction, and scaled to sum 1.
    The last pixel is repeated beyond the border. Summed in float64.

    >>> (1000 * blurred(torch.tensor([[[0.0, 0.0, 1.0, 1.0, 1.0]]]), (2,))).round().tolist()
    [[[0.0, 107.0, 893.0, 1000.0, 1000.0]]]
    """
    values = images.double()
    for axis, side in enumerate(sides, start=images.ndim - len(sides)):
        away = torch.arange(side + 1, dtype=torch.float64) * _SIGMAS / max(side, 1)
        gauss = torch.exp(-(away**2) / 2)
        weights = (gauss / (2 * gauss.sum() - gauss[0])).tolist()
        size, lines = values.shape[axis], values.movedim(axis, -1)
        flat = F.pad(lines.reshape(1, -1, size), (side, side), mode="replicate")
        total = weights[0] * flat[..., side : side + size]
        for shift, weight in enumerate(weights[1:], start=1):
            total += weight * (flat[..., side - shift :][..., :size] + flat[..., side + shift :][..., :size])
        values = total.reshape(lines.shape).movedim(-1, axis)
    return values.to(images.dtype).contiguous()


def _shaped(values: Tensor, images: Tensor) -> Tensor:
    """Return the fill with the axes of the images."""
    batch, channels, *size = images.shape
    ones = [1] * len(size)
    if values.numel() in (1, channels) and math.prod(values.shape) == max(values.shape, default=1):
        return values.flatten().expand(channels).reshape(1, channels, *ones)
    if values.shape[:2] in ((1, channels), (batch, channels)) and list(values.shape[2:]) in (size, ones):
        return values
    raise ValueError(
        f"fill: expected one number, {channels} (one per channel) or shape {tuple(images.shape)}, "
        f"got shape {tuple(values.shape)}"
    )
