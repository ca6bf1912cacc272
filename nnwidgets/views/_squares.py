"""Which class and which squares an occlusion map is of: defaults, checks and choices. Knows numbers only."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnwidgets.figures.captions import THIN

MOST_POSITIONS = 600
PATCHES = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64)
FILLS: dict[str, tuple[float | str, str, str]] = {  # choice -> as in `occlusion_map`, in the menu, in the caption
    "zero": (0.0, "0", "0"),
    "mean": ("mean", "mean colour", "the picture's mean"),
    "blur": ("blur", "blurred", "the picture blurred"),
}


def checked_target(target: Any, classes: int | None) -> int:
    """The class asked about. Raises TypeError for what is no whole number, ValueError for what is no class."""
    if classes is None:
        raise ValueError("target: expected a model with class scores, got one without; give Inspector(score_fn=…)")
    if isinstance(target, bool) or not isinstance(target, (int, np.integer)):
        raise TypeError(f"target: expected a class from 0 to {classes - 1}, got {target!r}")
    if not 0 <= target < classes:
        raise ValueError(f"target: expected a class from 0 to {classes - 1}, got {target}")
    return int(target)


def geometry(picture: tuple[int, ...], patch: int | None, stride: int | None) -> tuple[int, int]:
    """Side of the square and stride, with defaults for a picture (height, width).

    >>> geometry((28, 28), None, None), geometry((224, 224), None, None)
    ((7, 1), (56, 8))

    Raises:
        ValueError: either is out of range.
    """
    for name, value in (("patch", patch), ("stride", stride)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer))):
            raise TypeError(f"{name}: expected a whole number of pixels, got {value!r}")
    side = min(picture)
    patch = max(1, side // 4) if patch is None else patch
    if not 1 <= patch <= side:
        raise ValueError(f"patch: expected 1 to {side} (the picture's smaller side), got {patch}")
    if stride is None:
        stride = next(
            step for step in range(1, patch + 1) if step == patch or _positions(picture, patch, step) <= MOST_POSITIONS
        )
    if not 1 <= stride <= patch:
        raise ValueError(
            f"stride: expected 1 to patch ({patch}), got {stride}; pixels between patches would never be covered"
        )
    return patch, stride


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


def _positions(picture: tuple[int, ...], patch: int, stride: int) -> int:
    rows, columns = (-(-(axis - patch) // stride) + 1 for axis in picture)
    return rows * columns
