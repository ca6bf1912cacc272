"""One analysis is one stem in every tree, files stay short, and CONTRIBUTING names paths that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
MAX_LINES = 320
# The dashboard composes views and analyses nothing; a row only lays views side by side.
COMPOSED = {"dashboard", "row"}


def sources() -> Iterator[Path]:
    for folder in ("nnwidgets", "tests", "js/src", "js/test"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".ts"} and "static" not in path.parts:
                yield path


def stems(folder: Path, pattern: str = "*.py") -> set[str]:
    return {path.stem for path in folder.glob(pattern) if not path.stem.startswith("_")}


def test_the_top_level_holds_what_the_design_names_and_nothing_else() -> None:
    seen = {path for path in ROOT.iterdir() if not path.name.startswith((".", "__")) and path.suffix != ".egg-info"}
    assert {path.name for path in seen if path.is_dir()} - BUILT == TOP_FOLDERS
    assert {path.name for path in seen if path.is_file()} == TOP_FILES


def test_every_view_has_its_analysis_figure_and_tests_under_the_same_stem() -> None:
    views = stems(PACKAGE / "views") - COMPOSED
    assert views, "expected views in nnwidgets/views"
    assert views <= stems(PACKAGE / "analysis")
    assert views <= stems(PACKAGE / "figures")
    for tree in ("analysis", "figures", "browser"):
        assert {f"test_{stem}" for stem in views} <= stems(ROOT / "tests" / tree), f"tests/{tree}"


def test_every_bundle_belongs_to_a_view() -> None:
    bundles = stems(ROOT / "js" / "src" / "views", "*.ts")
    assert bundles, "expected sources in js/src/views"
    assert bundles <= stems(PACKAGE / "views")


@pytest.mark.parametrize("path", sorted(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_stays_short_enough_to_read(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{path}: expected at most {MAX_LINES} lines, got {lines}; split it by concept"


def test_contributing_names_paths_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:nnwidgets|tests|js|notebooks)/[\w./<>]+)`", text)
    assert len(named) >= 5
    missing = [path for path in named if not (ROOT / path.replace("<stem>", "occlusion")).exists()]
    assert missing == []
