"""Numbers and names in words: the cases that the page is held to as well."""

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnwidgets.blocks.drawing import tick
from nnwidgets.words import FORMATS, MINUS, THIN, count, fixed, formatted, number, shortened

CASES: dict[str, list[list[Any]]] = json.loads((Path(__file__).parent / "number_formats.json").read_text())
WRITERS: dict[str, Callable[[float], str]] = {
    "tick": tick,
    **{name: lambda value, name=name: formatted(value, name) for name in FORMATS},  # type: ignore[misc]
}


@pytest.mark.parametrize(
    ("format", "value", "text"),
    [(name, value, text) for name in WRITERS for value, text in CASES[name]],
)
def test_a_number_is_written_as_the_table_says(format: str, value: float | str, text: str) -> None:
    assert WRITERS[format](float(value)) == text


@pytest.mark.parametrize(("text", "most", "short"), CASES["shortened"])
def test_a_long_name_loses_its_middle(text: str, most: int, short: str) -> None:
    assert shortened(text, most) == short
    assert len(short) <= most or text == short


@pytest.mark.parametrize("value", [np.float32(0.5), np.float16(0.5), np.float64(0.5)])
def test_numpy_numbers_are_written_like_others(value: Any) -> None:
    assert (number(value), fixed(value, 2), count(int(value) + 1240)) == ("0.500", "0.50", f"1{THIN}240")


def test_every_format_has_cases() -> None:
    assert set(FORMATS) | {"tick", "shortened"} == set(CASES)


def test_no_number_is_further_from_its_text_than_half_of_the_last_digit() -> None:
    for bits in np.random.default_rng(0).integers(0, 2**64, size=2000, dtype=np.uint64):
        (value,) = struct.unpack("d", struct.pack("Q", int(bits)))
        if not math.isfinite(value):
            continue
        read = float(number(value).replace(THIN, "").replace(MINUS, "-"))
        assert abs(read - value) <= 0.051 * abs(value)
        near = float(np.clip(value, -999, 999))
        assert abs(float(fixed(near, 2).replace(MINUS, "-")) - near) <= 0.0050001
