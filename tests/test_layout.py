"""One feature is one stem in every tree, files stay short enough to read, and CONTRIBUTING names paths that exist."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnwidgets.blocks
from nnwidgets.blocks.block import Block
from nnwidgets.views import VIEWS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nnwidgets"
TOP_FOLDERS = {"nnwidgets", "notebooks", "tests", "js"}
TOP_FILES = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
}
BUILT = {"build", "dist"}
PARTS = {"shadow", "data", "analysis", "training", "measures", "session", "blocks", "display", "views"}
ALONE = {"__init__", "callbacks", "inspector", "selection", "words"}
# About 300 lines are a warning; what is longer than this holds more than one concept. Never split to stay below it.
MAX_LINES = 400


def sources() -> Iterator[Path]:
    for folder in ("nnwidgets", "tests", "js/src", "js/test"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".ts"} and "static" not in path.parts:
                yield path


def kinds() -> dict[str, type[Block]]:
    """The kinds of blocks there are, each with its class."""
    modules = [importlib.import_module(f"nnwidgets.blocks.{each.name}") for each in pkgutil.iter_modules(BLOCKS)]
    found = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    return {each.kind: each for each in found if issubclass(each, Block) and "kind" in vars(each)}


BLOCKS = nnwidgets.blocks.__path__
KINDS = kinds()


def test_the_top_level_holds_what_the_design_names_and_nothing_else() -> None:
    seen = {path for path in ROOT.iterdir() if not path.name.startswith((".", "__")) and path.suffix != ".egg-info"}
    assert {path.name for path in seen if path.is_dir()} - BUILT == TOP_FOLDERS
    assert {path.name for path in seen if path.is_file()} == TOP_FILES


def test_the_package_holds_the_parts_that_the_design_names_and_nothing_else() -> None:
    seen = [path for path in PACKAGE.iterdir() if not path.name.startswith("__pycache__")]
    assert {path.name for path in seen if path.is_dir()} == PARTS
    assert {path.stem for path in seen if path.suffix == ".py"} == ALONE


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_one_stem_in_every_tree(name: str) -> None:
    view = VIEWS[name]
    home = view.__module__.split(".")
    assert home[:3] == ["nnwidgets", "views", name], f"{view.__name__} stands in {view.__module__}"
    assert view.__name__ == f"{name.title().replace('_', '')}View"
    for tree in ("views", "browser"):
        tests = list((ROOT / "tests" / tree).glob(f"test_{name}*.py"))
        assert tests, f"{name}: expected tests/{tree}/test_{name}.py"


def test_views_hold_nothing_but_the_views_of_the_registry() -> None:
    seen = {each.name for each in pkgutil.iter_modules([str(PACKAGE / "views")])}
    assert seen == set(VIEWS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_has_its_page_side_and_its_tests_under_the_same_stem(kind: str) -> None:
    block, source = KINDS[kind], ROOT / "js" / "src" / "blocks"
    stem = block.__module__.rpartition(".")[2]
    assert (ROOT / "tests" / "blocks" / f"test_{stem}.py").exists()
    if block.is_widget:
        return  # drawn by a widget of another library
    sides = [path for path in (source / f"{kind}.ts", source / kind / f"{kind}.ts") if path.exists()]
    assert len(sides) == 1, f"{kind}: expected js/src/blocks/{kind}.ts, got {sides}"
    assert f"export const make{kind.title().replace('_', '')}" in sides[0].read_text(encoding="utf-8")
    assert list((ROOT / "js" / "test").glob(f"{kind}*.test.ts")), f"{kind}: expected js/test/{kind}.test.ts"


@pytest.mark.parametrize("path", sorted(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_stays_short_enough_to_read(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{path}: expected at most {MAX_LINES} lines, got {lines}; split it by concept"


@pytest.mark.parametrize("part", sorted(PARTS))
def test_the_tests_of_a_part_stand_in_a_folder_of_its_name(part: str) -> None:
    homes = {"session": "."}  # what views share is tested from where users meet it
    assert list((ROOT / "tests" / homes.get(part, part)).glob("test_*.py"))


def test_contributing_names_paths_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:nnwidgets|tests|js|notebooks)/[\w./<>]+)`", text)
    assert len(named) >= 5
    missing = [path for path in named if not (ROOT / path.replace("<name>", "activations")).exists()]
    assert missing == []
