"""Which squares an occlusion map is of: defaults, checks and choices, and why there are none. Knows no model."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_fill import fill_values
from nnwidgets.data import Samples
from nnwidgets.words import THIN

MOST_POSITIONS = 600
PATCHES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)


def geometry(picture: tuple[int, ...], patch: Any, stride: Any) -> tuple[int, int]:
    """Side of the square and stride, with defaults for a picture (height, width).

    >>> geometry((28, 28), None, None), geometry((224, 224), None, None)
    ((7, 1), (56, 8))
    """
    for name, value in (("patch", patch), ("stride", stride)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer))):
            raise TypeError(f"{name}: expected a whole number of pixels, got {value!r}")
    side = min(picture)
    patch = max(1, side // 4) if patch is None else int(patch)
    if not 1 <= patch <= side:
        raise ValueError(f"patch: expected 1 to {side} (the picture's smaller side), got {patch}")
    if stride is None:
        fits = (step for step in range(1, patch) if _positions(picture, patch, step) <= MOST_POSITIONS)
        stride = next(fits, patch)
    if not 1 <= stride <= patch:
        raise ValueError(
            f"stride: expected 1 to patch ({patch}), got {stride}; pixels between patches would never be covered"
        )
    return patch, int(stride)


def squares_on(images: Tensor, patch: int, stride: int, fill: float | str) -> dict[str, Any]:
    """Arguments of `occlusion_steps` for squares on pictures (n, channels, height, width), or (n, height, width).

    Without an axis of channels `occlusion_steps` takes rows for channels, and would average or blur each by itself.
    """
    if images.ndim == 4:
        return {"patch": patch, "stride": stride, "fill": fill}
    filled = fill_values(fill, images[:, None], (patch, patch))[:, 0].expand_as(images)
    return {"patch": (patch, patch), "stride": (stride, stride), "fill": filled}


def patch_choices(picture: tuple[int, ...], patch: int) -> list[tuple[int, str]]:
    """Sides to choose from, the one in use among them.

    >>> [side for side, _ in patch_choices((6, 8), 1)]
    [1, 2, 3, 4, 5, 6]
    """
    sides = sorted({side for side in PATCHES if side <= min(picture)} | {patch})
    return [(side, f"{side}{THIN}px") for side in sides]


def stride_choices(patch: int, stride: int) -> list[tuple[int, str]]:
    """Strides to choose from, the one in use among them.

    >>> [step for step, _ in stride_choices(12, 10)]
    [1, 2, 3, 4, 5, 6, 7, 8, 10, 12]
    """
    return [(step, f"{step}{THIN}px") for step in sorted({*range(1, min(patch, 8) + 1), patch, stride})]


def no_pictures(samples: Samples) -> str:
    """Why inputs that are no pictures have no squares, and what covers them."""
    batch = samples.batch(samples.probe_indices[:1])
    first = next(iter((*batch.args, *batch.kwargs.values())), None)
    shape = tuple(first.shape[1:]) if isinstance(first, Tensor) else ()
    kind = {"vector": "vectors", "sequence": "sequences", "tokens": "tokens"}.get(samples.input_kind, "inputs")
    what = f"these are {kind}{f' of shape {shape}' if shape else ''}"
    if kind != "inputs" and len(shape) == 1:
        return f"Squares need inputs that are pictures; {what}, which inspector.occlusion() covers one value at a time"
    covered = kind == "sequences" or (kind == "inputs" and len(shape) == 4)
    instead = "; nnwidgets.analysis.occlusion_map covers such inputs" if covered else ""
    return (
        "Occlusion needs pictures, rows of a table, texts or series of one channel; "
        f"{what}{instead}. to_image= draws samples and does not change this"
    )


def _positions(picture: tuple[int, ...], patch: int, stride: int) -> int:
    rows, columns = (-(-(axis - patch) // stride) + 1 for axis in picture)
    return rows * columns
