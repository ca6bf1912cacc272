"""The generated TypeScript is up to date and says what blocks send."""

from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Literal

import pytest

from nnwidgets import blocks
from nnwidgets.blocks import Block, typescript
from nnwidgets.blocks.block import Array
from nnwidgets.blocks.typescript import Interfaces, block_types, looks_constants, sources

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sources())
def test_the_file_is_up_to_date(path: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")

    assert written == sources()[path], f"{path} is out of date: run `{typescript.COMMAND}`"


@dataclass(frozen=True)
class Inner:
    """An inner one."""

    low: float
    names: Sequence[str]
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Outer:
    """An outer one."""

    values: Array
    choice: Literal["a", "b"]
    inner: Inner
    choices: Sequence[Literal["a", "b"]]
    spare: Array | None = None


def test_annotations_become_types() -> None:
    interfaces = Interfaces()

    assert interfaces.members(Outer) == [
        "values: NdArray;",
        'choice: "a" | "b";',
        "inner: Inner;",
        'choices: ("a" | "b")[];',
        "spare?: NdArray;",
    ]
    assert interfaces.texts["Inner"] == (
        "/** An inner one. */\n"
        "export interface Inner {\n  low: number;\n  names: string[];\n  ends?: [number, number];\n}"
    )


def test_an_annotation_without_a_type_is_an_error_that_names_the_field() -> None:
    @dataclass(frozen=True)
    class Odd:
        thing: set[str]

    with pytest.raises(TypeError, match=r"Odd\.thing: expected numbers, strings, arrays"):
        Interfaces().members(Odd)


def test_two_dataclasses_of_one_name_are_an_error() -> None:
    other = make_dataclass("Inner", [("first", float)])
    interfaces = Interfaces()
    interfaces.members(Outer)

    with pytest.raises(TypeError, match=r"Other\.inner: expected one dataclass named Inner"):
        interfaces.members(make_dataclass("Other", [("inner", other)]))


@pytest.mark.parametrize("name", [name for name in blocks.__all__ if name != "Block"])
def test_every_public_block_has_its_interface(name: str) -> None:
    block = getattr(blocks, name)
    if issubclass(block, Block) and not block.is_widget:
        assert f'export interface {name}Block extends BlockData {{\n  kind: "{block.kind}";' in block_types()


def test_looks_are_constants() -> None:
    text = looks_constants()

    assert "export const MOST_GROUPS = 20 as const;" in text
    assert 'export const GROUND = { light: "#f2f4f4", dark: "#111111" } as const;' in text
    assert "export const LOST = [224, 149, 47] as const;" in text
