"""What an occlusion map asks for, checked: images, square, grid of positions, fill, layers.

Knows the user's arguments and their limits; must not know how any engine computes the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["Fill", "Problem", "pair", "pose"]

Fill = float | Sequence[float] | Tensor | str


@dataclass(frozen=True, eq=False)
class Problem:
    """An occlusion map to compute.

    Attributes:
        images: `(batch, channels, height, width)`, finite, on the model's device.
        patch: height and width of the square, in pixels.
        stride: step between positions, in pixels.
        fill: `(1 or batch, channels, 1, 1)`, what the square is filled with.
        origins: top edges of the squares, and left edges.
        layers: names of the layers whose activity is summed.
        extra: further positional arguments of the model; tensors with the batch's length go with their image.
    """

    images: Tensor
    patch: tuple[int, ...]
    stride: tuple[int, ...]
    fill: Tensor
    origins: tuple[tuple[int, ...], ...]
    layers: tuple[str, ...]
    extra: tuple[Any, ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of positions along each axis."""
        return tuple(len(each) for each in self.origins)


def pose(
    images: Tensor,
    *,
    patch: int | tuple[int, int],
    stride: int | tuple[int, int],
    fill: Fill,
    layers: Sequence[str] | str,
    extra: Any,
    device: torch.device,
) -> Problem:
    """Return the problem, on the device.

    Raises:
        TypeError: images that aren't a floating-point tensor; sizes that aren't integers.
        ValueError: images that aren't `(batch, channels, height, width)`, are empty or hold NaN or infinity; a square
            larger than the images; a stride larger than the square; a fill that doesn't fit the channels.
    """
    _check_images(images)
    height, width = images.shape[2:]
    patch_h, patch_w = pair("patch", patch)
    stride_h, stride_w = pair("stride", stride)
    if patch_h > height or patch_w > width:
        raise ValueError(
            f"patch: expected at most the image size {height} × {width}, got {patch_h} × {patch_w}; "
            "choose a smaller square"
        )
    for step, side in ((stride_h, patch_h), (stride_w, patch_w)):
        if step > side:
            raise ValueError(
                f"stride: expected at most patch ({side}), got {step}; pixels between patches would never be covered"
            )
    moved = images.detach().to(device)
    arguments = tuple(extra) if isinstance(extra, (tuple, list)) else () if extra is None else (extra,)
    return Problem(
        images=moved,
        patch=(patch_h, patch_w),
        stride=(stride_h, stride_w),
        fill=_fill_values(fill, moved),
        origins=(_origins(height, patch_h, stride_h), _origins(width, patch_w, stride_w)),
        layers=(layers,) if isinstance(layers, str) else tuple(layers),
        extra=tuple(value.detach().to(device) if isinstance(value, Tensor) else value for value in arguments),
    )


def pair(name: str, value: object) -> tuple[int, int]:
    """Return a size as (rows, cols); one integer stands for both.

    >>> pair("patch", 3)
    (3, 3)
    """
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    whole = [size for size in sizes if type(size) is int]
    if len(sizes) != 2 or len(whole) != 2:
        raise TypeError(f"{name}: expected an integer or a pair of integers (rows, cols), got {value!r}")
    rows, cols = whole
    if min(rows, cols) < 1:
        raise ValueError(f"{name}: expected at least 1 pixel, got {value!r}")
    return rows, cols


def _origins(size: int, patch: int, stride: int) -> tuple[int, ...]:
    """Return the positions along one axis; the last one touches the border, so that every pixel is covered."""
    last = size - patch
    origins = list(range(0, last + 1, stride))
    return tuple(origins if origins[-1] == last else [*origins, last])


def _check_images(images: Tensor) -> None:
    if not isinstance(images, Tensor):
        raise TypeError(f"images: expected a tensor, got {type(images).__name__}; use torch.as_tensor")
    if not images.is_floating_point():
        raise TypeError(
            f"images: expected floating-point values as in training, got {images.dtype}; try images.float() / 255"
        )
    if images.ndim != 4:
        raise ValueError(
            f"images: expected (batch, channels, height, width), got shape {tuple(images.shape)}; "
            "add a batch axis with images[None]"
        )
    if images.numel() == 0:
        raise ValueError(f"images: expected at least one image with pixels, got shape {tuple(images.shape)}")
    finite = images.isfinite()
    if not bool(finite.all()):
        image, channel, row, col = (~finite).nonzero()[0].tolist()
        value = images[image, channel, row, col].item()
        raise ValueError(
            f"images: expected finite values, got {value} at image {image}, channel {channel}, row {row}, col {col}"
        )


def _fill_values(fill: Fill, images: Tensor) -> Tensor:
    """Return the fill as `(1 or batch, channels, 1, 1)` in the images' dtype."""
    channels = images.shape[1]
    if isinstance(fill, str):
        if fill != "mean":
            raise ValueError(f"fill: expected a number, one number per channel or 'mean', got {fill!r}")
        return images.mean((2, 3), keepdim=True)
    values = torch.as_tensor(fill, dtype=images.dtype, device=images.device).detach()
    if values.numel() not in (1, channels) or math.prod(values.shape) != max(values.shape, default=1):
        raise ValueError(f"fill: expected one number or {channels}, one per channel, got shape {tuple(values.shape)}")
    if not bool(values.isfinite().all()):
        raise ValueError("fill: expected finite values, got NaN or infinity")
    return values.flatten().expand(channels).reshape(1, channels, 1, 1)
