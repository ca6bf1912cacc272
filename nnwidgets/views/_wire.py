"""How arrays and messages look between Python and the browser. Knows bytes; knows no widget, no model.

A frame is a JSON header and named arrays. An array travels little-endian, in C order, as narrow as its
values allow; floats go as float16 beside a power-of-two `scale`, which keeps 11 significant bits at any magnitude,
or as float32 where a frame says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Header = dict[str, Any]
Array = npt.NDArray[Any]

KEEP = ("uint8", "int16", "uint16", "int32")
LARGEST_EXPONENT = 1023


@dataclass(frozen=True)
class Frame:
    """What one channel of a panel shows: "picture" is everything, "state" the header's common part only.

    exact: the names of arrays of floats that keep 24 significant bits, as somebody will read the numbers.
    """

    header: Header
    arrays: Mapping[str, Array] = field(default_factory=dict)
    channel: str = "picture"
    exact: frozenset[str] = frozenset()


def narrow(array: Array) -> tuple[Array, float]:
    """The array in a dtype of the wire, and the factor that its values are to be multiplied with.

    >>> narrow(np.array([0.0, 384.0]))
    (array([0.  , 0.75], dtype=float16), 512.0)
    >>> narrow(np.array([True, False]))
    (array([1, 0], dtype=uint8), 1.0)
    """
    if array.dtype == np.bool_:
        return array.astype(np.uint8), 1.0
    if array.dtype.name in KEEP:
        return array, 1.0
    if array.dtype.kind in "iu":
        return array.astype(np.int32), 1.0
    finite = array[np.isfinite(array)]
    peak = float(np.abs(finite).max()) if finite.size else 0.0
    scale = 2.0 ** min(math.ceil(math.log2(peak)), LARGEST_EXPONENT) if peak > 0 else 1.0
    # In float64, as float32 holds no factor for its own largest values.
    return (array / np.float64(scale)).astype(np.float16), scale


def encode(frame: Frame) -> tuple[Header, list[memoryview]]:
    """Header and one buffer per array, ready for `Widget.send`."""
    specs, buffers = [], []
    for name, array in frame.arrays.items():
        exact = name in frame.exact
        values, scale = (np.asarray(array, dtype=np.float32), 1.0) if exact else narrow(np.asarray(array))
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        specs.append({"name": name, "dtype": values.dtype.name, "shape": list(values.shape), "scale": scale})
        # An empty array has no buffer that memoryview could cast.
        buffers.append(memoryview(little.tobytes()))
    return {"header": finite_json(frame.header), "arrays": specs}, buffers


def finite_json(value: Any) -> Any:
    """The value with NaN and infinities as None: JSON knows neither, and browsers refuse them.

    >>> finite_json({"loss": float("nan"), "steps": (1, 2)})
    {'loss': None, 'steps': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_json(item) for item in value]
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
