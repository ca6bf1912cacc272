"""What goes over the wire is what was meant, read back by a decoder written from the format alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from nnwidgets.display.wire import encode, encoded, finite_json, narrow


def decode(content: dict[str, Any], buffers: list[memoryview]) -> dict[str, np.ndarray[Any, Any]]:
    arrays = {}
    for spec, buffer in zip(content["arrays"], buffers, strict=True):
        little = np.frombuffer(buffer, dtype=np.dtype(spec["dtype"]).newbyteorder("<")).reshape(spec["shape"])
        arrays[spec["name"]] = little.astype(np.float64) * spec["scale"]
    return arrays


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("magnitude", [1e-30, 1e-6, 1.0, 5.47, 1e6, 1e30])
def test_floats_keep_three_digits_at_any_magnitude(magnitude: float, dtype: str) -> None:
    values = (magnitude * np.random.default_rng(0).standard_normal((4, 5))).astype(dtype)
    content, buffers = encode({}, {"maps": values})
    assert content["arrays"][0]["dtype"] == "float16"
    read = decode(content, buffers)["maps"]
    large = np.abs(values) > 1e-3 * np.abs(values).max()
    np.testing.assert_allclose(read[large], values[large], rtol=6e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_and_the_smallest_floats_travel(dtype: str) -> None:
    for edge in (np.finfo(dtype).max / 4, np.finfo(dtype).smallest_subnormal):
        values = np.array([edge, -edge, 0], dtype=dtype)
        np.testing.assert_allclose(decode(*encode({}, {"a": values}))["a"], values, rtol=6e-4)


def test_nan_and_infinity_arrive_as_such() -> None:
    read = decode(*encode({}, {"a": np.array([np.nan, np.inf, -np.inf, 2.0])}))["a"]
    np.testing.assert_array_equal(read, [np.nan, np.inf, -np.inf, 2.0])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_dtypes_of_the_wire_are_kept_exactly(dtype: str) -> None:
    values = np.arange(12).reshape(3, 4).astype(dtype)
    content, buffers = encode({}, {"a": values.T})
    assert content["arrays"][0]["dtype"] == dtype
    np.testing.assert_array_equal(decode(content, buffers)["a"], values.T)


def test_an_empty_array_and_a_big_endian_one_travel() -> None:
    read = decode(*encode({}, {"none": np.zeros((0, 3), dtype=np.uint8), "big": np.arange(3, dtype=">i4")}))
    assert read["none"].shape == (0, 3)
    np.testing.assert_array_equal(read["big"], [0, 1, 2])


def test_what_is_to_be_read_as_numbers_keeps_24_bits() -> None:
    values = np.array([1 / 3, 1234.5678, -np.pi * 1e-20, np.nan, np.inf])
    exact = encoded(values, exact=True)
    content, buffers = encode({}, {"cells": exact, "maps": values})
    assert [spec["dtype"] for spec in content["arrays"]] == ["float32", "float16"]
    assert buffers[0] is exact.buffer, "encoded once"
    np.testing.assert_array_equal(decode(content, buffers)["cells"], values.astype(np.float32))


def test_headers_are_json_whatever_numpy_put_in() -> None:
    header = {"a": np.float32("nan"), "b": (np.int64(3), {"c": np.bool_(True)}), "d": float("inf")}
    assert json.loads(json.dumps(finite_json(header), allow_nan=False)) == {"a": None, "b": [3, {"c": True}], "d": None}


def test_zeros_need_no_scale() -> None:
    values, scale = narrow(np.zeros(3))
    assert scale == 1.0
    assert not values.any()
