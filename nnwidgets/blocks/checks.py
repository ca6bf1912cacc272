"""Checks of what blocks are given. Arrays that already fit stay the same object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnwidgets.blocks.block import Array


def set_field(block: object, name: str, value: Any) -> None:
    """Set a field of a frozen dataclass in its `__post_init__`."""
    object.__setattr__(block, name, value)


def numbers(name: str, values: Any, *axes: str, sizes: Sequence[int | None] = ()) -> Array:
    """Real numbers with axes of these names and, where `sizes` says one, of this size; booleans become 0 and 1.

    >>> numbers("values", [[1, 2]], "rows", "columns").shape
    (1, 2)

    Raises:
        TypeError: no numbers.
        ValueError: another shape.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name}: expected an array of numbers, got {type(values).__name__}: {error}") from error
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{name}: expected real numbers, got {array.dtype}; convert them first (`.real`, `.astype(float)`)"
        )
    if array.ndim != len(axes):
        shape = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    for axis, (expected, got) in enumerate(zip(sizes, array.shape, strict=False)):
        if expected is not None and expected != got:
            raise ValueError(f"{name}: expected {expected} {axes[axis]} (axis {axis}), got shape {array.shape}")
    return array


def whole_numbers(name: str, values: Any, *axes: str, sizes: Sequence[int | None] = ()) -> Array:
    """Like `numbers`, but whole ones only; an empty array of any type passes."""
    array = numbers(name, values, *axes, sizes=sizes)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers, got {array.dtype}; convert them with `.astype(int)`")
    return array


def text_names(name: str, values: Any, length: int | None = None) -> tuple[str, ...]:
    """Strings: numbers and other items become text; a single string is refused.

    >>> text_names("names", [0, "cat"])
    ('0', 'cat')

    Raises:
        TypeError: a string or nothing that has items.
        ValueError: not `length` of them.
    """
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name}: expected a sequence of strings, got {values!r}")
    if isinstance(values, tuple) and all(type(each) is str for each in values):
        texts = values
    else:
        texts = tuple(str(each) for each in values)
    if length is not None and len(texts) != length:
        raise ValueError(f"{name}: expected {length}, one for each, got {len(texts)}")
    return texts


def one_of(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise ValueError if `value` is none of the choices."""
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(repr(each) for each in choices)}, got {value!r}")


def choice_of(name: str, value: Any, names: Sequence[str]) -> None:
    """Raise KeyError if `value` is none of the names."""
    if value not in names:
        raise KeyError(f"{name}: expected one of {', '.join(map(repr, names)) or 'none'}, got {value!r}")
