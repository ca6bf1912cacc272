"""What the fields of measures may be. Checked where a measure is made, so that the view that made it says its line."""

from __future__ import annotations

import operator
from typing import Any


def checked_layer(layer: Any) -> str:
    """The name of a layer, which need not exist. Raises TypeError for what is no name, such as the layer itself."""
    if not isinstance(layer, str):
        raise TypeError(f"layer: expected a name, one of inspector.layers, got {type(layer).__name__}")
    return layer


def checked_whole(name: str, value: Any, *, least: int, what: str) -> int:
    """A whole number. Raises TypeError for what is none, ValueError below `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: expected {what}, got {value!r} ({type(value).__name__})")
    number = operator.index(value)
    if number < least:
        raise ValueError(f"{name}: expected {what}, at least {least}, got {number}")
    return number


def checked_samples(samples: Any) -> tuple[int, ...]:
    """Indices as a tuple, so that equal measures are equal. Raises TypeError for what is no sequence of whole numbers.

    Those of a tuple are checked where they are read: a view may ask for 100 000 at every click.
    """
    if isinstance(samples, tuple):
        return samples
    try:
        if isinstance(samples, (str, bytes)):
            raise TypeError
        return tuple(operator.index(each) for each in samples)
    except TypeError:
        one = f"; one sample is ({samples},)" if isinstance(samples, int) and not isinstance(samples, bool) else ""
        said = f"{samples!r} ({type(samples).__name__})"
        raise TypeError(f"samples: expected a sequence of indices, got {said}{one}") from None
