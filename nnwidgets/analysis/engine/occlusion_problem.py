"""Check the arguments of an occlusion map: images, patch, grid of positions, fill, layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from nnwidgets.analysis.engine.layer_calls import LayerInfo, Layers, layer_infos, layer_tuple
from nnwidgets.analysis.engine.occlusion_fill import Fill, fill_values

# Number of axes of the images -> the axes that a patch can have, the default first.
_AXES = {3: (("step",), ("channel", "step")), 4: (("row", "col"),), 5: (("slice", "row", "col"),)}


@dataclass(frozen=True, eq=False)
class Problem:
    """An occlusion map to compute.

    images: `(batch, channels, *size)`, finite, on the model's device; `size` is (length,), (height, width) or (depth,
    height, width).
    axes: names of the axes that the patch covers: the last ones of the images. So `patch`, its sides, `stride` and
    `origins`, where patches begin.
    fill: `(1 or batch, channels, *size)`, where each size may be 1: what replaces the patch.
    layers: names of the layers to sum.
    extra: further positional arguments of the model; tensors as long as the batch are split with the images.
    arranged: how the output of each of the layers is arranged.
    """

    images: Tensor
    axes: tuple[str, ...]
    patch: tuple[int, ...]
    stride: tuple[int, ...]
    fill: Tensor
    origins: tuple[tuple[int, ...], ...]
    layers: tuple[str, ...]
    extra: tuple[Any, ...]
    arranged: Mapping[str, LayerInfo] = field(default_factory=dict)

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of positions along each axis."""
        return tuple(len(each) for each in self.origins)

    @property
    def size(self) -> tuple[int, ...]:
        """Size of the images along each axis."""
        return tuple(self.images.shape[-len(self.axes) :])

    def arguments(self) -> list[Any]:
        """Copies of the model's positional arguments, which it may write to."""
        return [each.clone() if isinstance(each, Tensor) else each for each in (self.images, *self.extra)]

    def squares(self, image: Tensor, place: Tensor) -> Tensor:
        """Return what replaces the patch in pictures, `(n, channels, *patch)`, channels last.

        `image` `(n,)` and `place` `(n, 2)`, as in `DenseEngine.evaluate`, are on the CPU.
        """
        shown = image if len(self.fill) > 1 else torch.zeros_like(image)
        if self.fill.shape[2:].numel() == 1:
            squares = self.fill[shown].expand(-1, -1, *self.patch)
            return squares.contiguous(memory_format=torch.channels_last)
        rows, cols = (
            torch.tensor(origins)[place[:, axis]][:, None] + torch.arange(side)
            for axis, (origins, side) in enumerate(zip(self.origins, self.patch, strict=True))
        )
        return self.fill[shown[:, None, None], :, rows[:, :, None], cols[:, None]].permute(0, 3, 1, 2)


def parse_problem(
    images: Tensor,
    *,
    patch: int | tuple[int, ...],
    stride: int | tuple[int, ...],
    fill: Fill,
    layers: Layers,
    extra: Any,
    device: torch.device,
    gaps: bool = False,
) -> Problem:
    """Return the checked problem on the device, with copies of images and fill. Raises what `occlusion_map` does."""
    _check_images(images)
    sides = sizes("patch", patch, _AXES[images.ndim])
    axes = next(names for names in _AXES[images.ndim] if len(names) == len(sides))
    steps = sizes("stride", stride, (axes,))
    size = tuple(images.shape[-len(axes) :])
    if any(side > whole for side, whole in zip(sides, size, strict=True)):
        raise ValueError(
            f"patch: expected at most the image size {_times(size)}, got {_times(sides)}; choose a smaller patch"
        )
    for step, side in zip(steps, sides, strict=True):
        if step > side and not gaps:
            raise ValueError(
                f"stride: expected at most patch ({side}), got {step}; pixels between patches would never be covered, "
                "which gaps=True allows"
            )
    moved = images.detach().to(device, copy=True)
    arguments = tuple(extra) if isinstance(extra, (tuple, list)) else () if extra is None else (extra,)
    return Problem(
        images=moved,
        axes=axes,
        patch=sides,
        stride=steps,
        fill=fill_values(fill, moved, sides[-(images.ndim - 2) :]),
        origins=tuple(_origins(*each) for each in zip(size, sides, steps, strict=True)),
        layers=layer_tuple(layers),
        arranged={each.name: each for each in layer_infos(layers)},
        extra=tuple(value.detach().to(device) if isinstance(value, Tensor) else value for value in arguments),
    )


def sizes(name: str, value: object, ways: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
    """Return one size per axis. `ways`: axes that a patch can have; a single integer stands for all of the first.

    >>> sizes("patch", 3, (("row", "col"),)), sizes("patch", (2, 5), (("step",), ("channel", "step")))
    ((3, 3), (2, 5))
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * len(ways[0])
    whole = tuple(int(size) for size in given if isinstance(size, Integral) and not isinstance(size, bool))
    if len(whole) != len(given) or len(given) not in map(len, ways):
        meant = " or ".join("({})".format(", ".join(f"{axis}s" for axis in way)) for way in ways)
        raise TypeError(f"{name}: expected an integer or integers {meant}, got {value!r}")
    if min(whole) < 1:
        raise ValueError(f"{name}: expected at least 1, got {value!r}")
    return whole


def _origins(size: int, patch: int, stride: int) -> tuple[int, ...]:
    """Return the origins along one axis; the last patch touches the border."""
    last = size - patch
    origins = list(range(0, last + 1, stride))
    return tuple(origins if origins[-1] == last else [*origins, last])


def _check_images(images: Tensor) -> None:
    if not isinstance(images, Tensor):
        raise TypeError(f"images: expected a tensor, got {type(images).__name__}; use torch.as_tensor")
    if not images.is_floating_point():
        repair = "images.float() / 255" if images.dtype == torch.uint8 else "images.float()"
        if images.is_complex():
            repair = "images.abs(), or real and imaginary part as channels"
        raise TypeError(f"images: expected floating-point values as in training, got {images.dtype}; try {repair}")
    if images.ndim not in _AXES:
        raise ValueError(
            "images: expected (batch, channels, height, width), (batch, channels, length) or (batch, channels, depth, "
            f"height, width), got shape {tuple(images.shape)}; add a batch axis with images[None]"
        )
    if images.numel() == 0:
        raise ValueError(f"images: expected at least one image with pixels, got shape {tuple(images.shape)}")
    finite = images.isfinite()
    if not bool(finite.all()):
        at = (~finite).nonzero()[0].tolist()
        names = ("image", "channel", *_AXES[images.ndim][0])
        where = ", ".join(f"{axis} {index}" for axis, index in zip(names, at, strict=True))
        raise ValueError(f"images: expected finite values, got {images[tuple(at)].item()} at {where}")


def _times(numbers: tuple[int, ...]) -> str:
    return " × ".join(map(str, numbers))
