"""The TypeScript types of what blocks send, made from the dataclasses: `python -m nnwidgets.blocks.typescript`.

The same command writes the looks that the page shares (`looks.py`). A test fails when a file is out of date.
"""

from __future__ import annotations

import functools
import importlib
import json
import operator
import pkgutil
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

import nnwidgets.blocks
from nnwidgets.blocks import looks
from nnwidgets.blocks.block import Block

COMMAND = "python -m nnwidgets.blocks.typescript"
_PLAIN: dict[Any, str] = {str: "string", int: "number", float: "number", bool: "boolean"}
_BASE = frozenset(each.name for each in fields(Block))


def sources() -> dict[str, str]:
    """The generated files: their text by their path below the repository's root."""
    return {"js/src/blocks/types.ts": block_types(), "js/src/kernel/looks.ts": looks_constants()}


def block_types() -> str:
    """An interface for each block that the page draws, and for each dataclass that those send within them."""
    interfaces = Interfaces()
    for block in _blocks():
        interfaces.add_block(block)
    text = "\n\n".join(interfaces.texts[name] for name in sorted(interfaces.texts))
    return f"""/** What blocks send to the page. Made by `{COMMAND}` from nnwidgets/blocks; not to be edited. */

import type {{ NdArray }} from "../kernel/wire.ts";
import type {{ BlockData }} from "./block.ts";

{text}
"""


def looks_constants() -> str:
    """The constants of `looks.py`."""
    values = {name: value for name, value in vars(looks).items() if name.isupper()}
    lines = [f"export const {name} = {_literal(value)} as const;" for name, value in values.items()]
    says = f"/** Looks shared with Python. Made by `{COMMAND}` from nnwidgets/blocks/looks.py; not to be edited. */"
    return "\n".join([says, "", *lines, ""])


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name}: {_literal(item)}" for name, item in value.items()) + " }"
    return json.dumps(value)


def _blocks() -> Iterator[type[Block]]:
    """Every block with a kind of its own that the page draws."""
    for module in pkgutil.iter_modules(nnwidgets.blocks.__path__):
        for each in vars(importlib.import_module(f"nnwidgets.blocks.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, Block) and "kind" in vars(each) and not each.is_widget:
                yield each


class Interfaces:
    """TypeScript interfaces by name, of blocks and of the dataclasses within what they send."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._records: dict[str, type] = {}

    def add_block(self, block: type[Block]) -> None:
        """The interface of what a block sends."""
        hints = get_type_hints(block) | get_type_hints(block.Packed)
        own = {name: hints[name] for name in block.sent_names() if name not in _BASE}
        name = f"{block.__name__}Block"
        lines = [f'kind: "{block.kind}";', *self._lines(block, own)]
        self.texts[name] = _interface(f"{name} extends BlockData", lines, block)

    def members(self, record: type) -> list[str]:
        """The lines of the interface of a dataclass.

        Raises:
            TypeError: a field has no type in TypeScript.
        """
        hints = get_type_hints(record)
        return self._lines(record, {each.name: hints[each.name] for each in fields(record)})

    def _lines(self, owner: type, annotations: Mapping[str, Any]) -> list[str]:
        lines = []
        for name, annotation in annotations.items():
            optional, annotation = _without_none(annotation)
            try:
                lines.append(f"{name}{'?' if optional else ''}: {self._type(annotation)};")
            except TypeError as error:
                raise TypeError(f"{owner.__qualname__}.{name}: {error}") from None
        return lines

    def _type(self, annotation: Any) -> str:
        """An annotation in TypeScript."""
        if annotation in _PLAIN:
            return _PLAIN[annotation]
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return " | ".join(json.dumps(each) for each in args)
        if origin in (Union, types.UnionType):
            return " | ".join(dict.fromkeys(self._type(each) for each in args))
        if origin is np.ndarray or annotation is np.ndarray:
            return "NdArray"
        if origin is tuple and args[-1] is not Ellipsis:
            return f"[{', '.join(self._type(each) for each in args)}]"
        if origin in (tuple, list, Sequence):
            item = self._type(args[0])
            return f"({item})[]" if "|" in item else f"{item}[]"
        if is_dataclass(annotation) and isinstance(annotation, type):
            return self._record(annotation)
        raise TypeError(f"expected numbers, strings, arrays, lists or dataclasses of these, got {annotation}")

    def _record(self, record: type) -> str:
        """The name of a dataclass, whose interface is added."""
        name = record.__name__
        known = self._records.setdefault(name, record)
        if known is not record:
            raise TypeError(
                f"expected one dataclass named {name}, got those of {known.__module__} and {record.__module__}"
            )
        if name not in self.texts:
            self.texts[name] = _interface(name, self.members(record), record)
        return name


def _interface(name: str, body: Sequence[str], record: type) -> str:
    says = (record.__doc__ or "").strip().split("\n")[0]
    members = "\n".join(f"  {line}" for line in body)
    return f"/** {says} */\nexport interface {name} {{\n{members}\n}}"


def _without_none(annotation: Any) -> tuple[bool, Any]:
    if get_origin(annotation) not in (Union, types.UnionType):
        return False, annotation
    others = [each for each in get_args(annotation) if each is not types.NoneType]
    return len(others) < len(get_args(annotation)), functools.reduce(operator.or_, others)


def _main() -> None:
    root = Path(nnwidgets.blocks.__file__).parents[2]
    for path, text in sources().items():
        file = root / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main()
