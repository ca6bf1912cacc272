"""What the package itself weighs: bytes of each bundle, seconds to import.

Imports are timed in fresh processes that have imported torch before, in turn; after a first round, which is not
counted, everything is in the file cache.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import nnwidgets
from tests.benchmarks.report import Result, Table, median, spread

STATIC = Path(nnwidgets.__file__).parent / "display" / "static"
IMPORTS = {
    "import nnwidgets": "import nnwidgets",
    "import nnwidgets.analysis": "import nnwidgets.analysis",
    "nnwidgets.Inspector": "import nnwidgets; nnwidgets.Inspector",
    "all views and their widget libraries": "import nnwidgets.views, nnwidgets.display.dashboard",
}
TIMED = "import time, torch; begin = time.perf_counter(); {}; print(time.perf_counter() - begin)"
REPEATS = 5
GOALS = "Goals, held by js/build.mjs: nnwidgets.js ≤ 220 kB, nnwidgets.css ≤ 60 kB, loader.js ≤ 1.8 kB."


def import_s(statement: str) -> float:
    """Seconds of a statement in a fresh process that has torch already."""
    command = [sys.executable, "-c", TIMED.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run(*, quick: bool) -> Result:
    """About a minute."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for turn in range(2 if quick else REPEATS + 1):
        for name, statement in IMPORTS.items():
            seconds = import_s(statement)
            if turn:
                times[name].append(seconds)
    bundles = {
        path.name: {"bytes": path.stat().st_size, "gzip_bytes": len(gzip.compress(path.read_bytes(), mtime=0))}
        for path in sorted(STATIC.glob("*.*s"))
    }
    kilobytes = [
        [name, f"{each['bytes'] / 1e3:.1f}", f"{each['gzip_bytes'] / 1e3:.1f}"] for name, each in bundles.items()
    ]
    figures = {"import_s": {name: median(each) for name, each in times.items()}, "imports_s": times, "bundles": bundles}
    return Result(
        figures,
        [
            Table("Bundles", ["file", "kB", "kB gzipped"], kilobytes, GOALS),
            Table(
                "Import time beyond torch",
                ["statement", "seconds, median (quartiles)"],
                [[name, spread(each, 3)] for name, each in times.items()],
                "Goal: `import nnwidgets` ≤ 0.2 s.",
            ),
        ],
    )
