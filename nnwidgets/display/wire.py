"""How arrays and messages look between Python and the browser. Knows bytes; knows no widget, no model.

A frame is a JSON header and named arrays. An array travels little-endian, in C order, as narrow as its
values allow; floats go as float16 beside a power-of-two `scale`, which keeps 11 significant bits at any magnitude,
or as float32 where a frame says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nnwidgets.display.packing import PackedBlock

Header = dict[str, Any]
Array = npt.NDArray[Any]

KEEP = ("uint8", "int16", "uint16", "int32")
LARGEST_EXPONENT = 1023


@dataclass(frozen=True)
class Encoded:
    """An array as it travels: what the header says of it, and its bytes."""

    spec: Header
    buffer: memoryview


@dataclass(frozen=True)
class Frame:
    """What one channel of a panel shows: "picture" is everything, "state" the header's common part only.

    blocks: of a view, of which the page gets what it does not have; None where there are none to speak of.
    """

    header: Header
    arrays: Mapping[str, Array | Encoded] = field(default_factory=dict)
    channel: str = "picture"
    blocks: tuple[PackedBlock, ...] | None = None


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


PLAIN = frozenset((str, int, bool))  # nothing to look for in them: names of hundreds of units take their time


def encoded(array: Array, *, exact: bool = False) -> Encoded:
    """The array as it travels; `exact` floats keep 24 significant bits, as somebody will read the numbers."""
    values, scale = (np.asarray(array, dtype=np.float32), 1.0) if exact else narrow(np.asarray(array))
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    spec = {"dtype": values.dtype.name, "shape": list(values.shape), "scale": scale}
    # An empty array has no buffer that memoryview could cast.
    return Encoded(spec, memoryview(little.tobytes()))


def encode(header: Header, arrays: Mapping[str, Array | Encoded]) -> tuple[Header, list[memoryview]]:
    """Header and one buffer per array, ready for `Widget.send`."""
    ready = {name: array if isinstance(array, Encoded) else encoded(array) for name, array in arrays.items()}
    specs = [{"name": name, **each.spec} for name, each in ready.items()]
    return {"header": finite_json(header), "arrays": specs}, [each.buffer for each in ready.values()]


def finite_json(value: Any) -> Any:
    """The value with NaN and infinities as None: JSON knows neither, and browsers refuse them.

    >>> finite_json({"loss": float("nan"), "steps": (1, 2)})
    {'loss': None, 'steps': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return list(value) if PLAIN.issuperset(map(type, value)) else [finite_json(item) for item in value]
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
