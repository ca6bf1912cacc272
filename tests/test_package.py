"""What is built to be installed elsewhere has the browser bundles in it, and works from where it is unpacked."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
STATIC = "nnwidgets/display/static"
BUNDLES = {f"{STATIC}/{name}" for name in ("loader.js", "nnwidgets.js", "nnwidgets.css")}
# The environment of the tests has all that the build needs, so nothing is fetched.
BUILD = "import sys; from hatchling.build import build_{0} as build; print(build(sys.argv[1]))"
# Opens every view, which reads the bundles, by the code and the files of the unpacked wheel.
USE = """
import sys, torch, nnwidgets as nnw
from pathlib import Path
assert Path(nnw.__file__).is_relative_to(sys.argv[1]), nnw.__file__
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 3))
inspector = nnw.Inspector(model, (torch.randn(8, 1, 8, 8), torch.arange(8) % 3), probe=4)
from nnwidgets.views import VIEWS
dashboard = inspector.dashboard()
for name in VIEWS:
    dashboard._command("tab", {"tab": name})
print(len(dashboard.views) - len(VIEWS))
inspector.close()
"""


def built(kind: str, folder: Path) -> Path:
    """The wheel or sdist of this checkout, by the build backend itself."""
    command = [sys.executable, "-c", BUILD.format(kind), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", tmp_path_factory.mktemp("sdist"))


def contents(archive: Path) -> dict[str, int]:
    """Bytes of each file by its path; without the folder around everything in an sdist."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {entry.filename: entry.file_size for entry in wheel.infolist()}
    with tarfile.open(archive) as sdist:
        return {str(PurePosixPath(*PurePosixPath(entry.name).parts[1:])): entry.size for entry in sdist}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_what_is_built_holds_every_bundle_whole(kind: str, request: pytest.FixtureRequest) -> None:
    files = contents(request.getfixturevalue(kind))
    assert set(files) >= BUNDLES
    assert {name: files[name] for name in BUNDLES} == {name: (ROOT / name).stat().st_size for name in BUNDLES}
    assert min(files[name] for name in BUNDLES) > 0


def test_a_wheel_is_the_package_its_metadata_and_nothing_else(wheel: Path) -> None:
    files = contents(wheel)
    others = {name for name in files if not name.startswith("nnwidgets/") and ".dist-info/" not in name}
    assert others == set()
    assert {"nnwidgets/__init__.py", "nnwidgets/py.typed"} <= set(files)
    assert {PurePosixPath(name).suffix for name in files if name.startswith("nnwidgets/")} == {
        ".py",
        ".typed",
        ".js",
        ".css",
    }


def test_an_sdist_holds_all_that_the_tests_and_the_bundles_are_made_from(sdist: Path) -> None:
    files = set(contents(sdist))
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "js" / "src").rglob("*") if path.is_file()}
    assert sources, "expected sources in js/src"
    assert {"pyproject.toml", "LICENSE", "README.md", "js/package-lock.json", "tests/test_package.py"} <= files
    assert files >= sources
    assert not any("node_modules" in name for name in files)


def test_an_unpacked_wheel_opens_every_view(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0"]
