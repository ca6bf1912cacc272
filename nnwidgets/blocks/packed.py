"""From a frozen dataclass to the fields that a page gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from nnwidgets.blocks.block import Block


def head(block: Block) -> dict[str, Any]:
    """What every block sends beside its own fields."""
    return {"title": block.title, "note": block.note}


def packed(record: Any) -> dict[str, Any]:
    """Fields of a dataclass by name: None left out, dataclasses within as dicts, arrays as they are.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Scale:
    ...     low: float
    ...     unit: str | None = None
    >>> packed(Scale(0.5))
    {'low': 0.5}
    """
    values = {each.name: _plain(getattr(record, each.name)) for each in fields(record)}
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return packed(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
