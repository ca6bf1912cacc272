"""Blocks as the page gets them. What has not changed since the last layout stays the same object and is sent once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnwidgets.blocks.block import Block
from nnwidgets.display.wire import Encoded, Header, encoded, finite_json

COMPARED_BYTES = 1 << 20  # arrays up to this size are compared by value: some 100 µs

Layout = Sequence[Block | Sequence[Block]]


@dataclass(frozen=True)
class PackedBlock:
    """A block ready to be sent. A field that has not changed is the same object as in the last packing."""

    key: str
    kind: str
    row: int
    fields: dict[str, Any]
    arrays: dict[str, Encoded]
    sources: dict[str, Any] = field(repr=False)


def rows_of(layout: Layout) -> list[tuple[Block, ...]]:
    """The blocks row by row.

    Raises:
        TypeError: something that is no block.
        ValueError: two blocks of one name.
    """
    if isinstance(layout, Block) or not isinstance(layout, Sequence):
        raise TypeError(f"layout: expected a list of blocks, got {type(layout).__name__}")
    rows = [(row,) if isinstance(row, Block) else tuple(row) for row in layout]
    names: set[str] = set()
    for block in (block for row in rows for block in row):
        if not isinstance(block, Block):
            raise TypeError(f"layout: expected blocks, got {type(block).__name__}")
        if block.name in names:
            raise ValueError(f"layout: expected a key of its own for each block, got {block.name!r} twice")
        names.add(block.name)
    return rows


class Packer:
    """Packs the layouts of one view, one after the other. Used by one thread at a time."""

    def __init__(self) -> None:
        self._last: dict[str, PackedBlock] = {}

    def pack(self, rows: Sequence[Sequence[Block]], states: Mapping[str, Mapping[str, Any]]) -> tuple[PackedBlock, ...]:
        """The blocks as the page gets them; `states` are what it said of itself, by block."""
        packed = [
            self._packed(block, at, block.pack(states.get(block.name, {})))
            for at, row in enumerate(rows)
            for block in row
        ]
        self._last = {block.key: block for block in packed}
        return tuple(packed)

    def _packed(self, block: Block, row: int, values: dict[str, Any]) -> PackedBlock:
        last = self._last.get(block.name)
        if last is None or last.kind != block.kind:
            last = PackedBlock(block.name, block.kind, row, {}, {}, {})
        fields: dict[str, Any] = {}
        arrays: dict[str, Encoded] = {}
        sources: dict[str, Any] = {}
        for name, value in values.items():
            is_array = isinstance(value, np.ndarray)
            if is_array:
                kept: dict[str, Any] = last.arrays
            else:
                value, kept = finite_json(value), last.fields
            if name in kept and _same(value, last.sources[name]):
                value = last.sources[name]
                made = kept[name]
            else:
                made = encoded(value, exact=name.startswith(block.exact)) if is_array else value
            sources[name] = value
            if is_array:
                arrays[name] = made
            else:
                fields[name] = made
        return PackedBlock(block.name, block.kind, row, fields, arrays, sources)


def _same(value: Any, before: Any) -> bool:
    """Whether two values are equal; large arrays are where they are one and the same memory."""
    if value is before:
        return True
    if not isinstance(value, np.ndarray) or not isinstance(before, np.ndarray):
        return type(value) is type(before) and bool(value == before)
    if value.shape != before.shape or value.dtype != before.dtype:
        return False
    if value.nbytes > COMPARED_BYTES:
        return value.__array_interface__["data"] == before.__array_interface__["data"] and (
            value.strides == before.strides
        )
    return bool(np.array_equal(value, before, equal_nan=value.dtype.kind == "f"))


class Sent:
    """What a page has of a view's blocks, and so what is to be sent. Used by the publisher alone."""

    def __init__(self) -> None:
        self._blocks: dict[str, PackedBlock] = {}

    def forget(self) -> None:
        """A page is new: it has nothing."""
        self._blocks = {}

    def changes(self, blocks: Sequence[PackedBlock]) -> tuple[list[Header], dict[str, Encoded]]:
        """`header["blocks"]` and the arrays of a frame (BlockDelta in js/src/kernel/header.ts)."""
        entries: list[Header] = []
        arrays: dict[str, Encoded] = {}
        for block in blocks:
            before = self._blocks.get(block.key)
            whole = before is None or before.kind != block.kind
            old_fields, old_arrays = ({}, {}) if before is None or whole else (before.fields, before.arrays)
            gone = [
                name for name in (*old_fields, *old_arrays) if name not in block.fields and name not in block.arrays
            ]
            entries.append(
                {
                    "key": block.key,
                    "kind": block.kind,
                    "row": block.row,
                    "whole": whole,
                    "fields": {
                        name: value
                        for name, value in block.fields.items()
                        if old_fields.get(name, _NOTHING) is not value
                    },
                    "gone": gone,
                }
            )
            for name, array in block.arrays.items():
                if old_arrays.get(name) is not array:
                    arrays[f"{block.key}/{name}"] = array
        self._blocks = {block.key: block for block in blocks}
        return entries, arrays


_NOTHING = object()
