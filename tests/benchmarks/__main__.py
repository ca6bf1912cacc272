"""Runs the benchmarks: `python -m tests.benchmarks [--only NAME …] [--quick]`, a quarter of an hour for all.

Prints their tables as Markdown and writes all figures to `results.json` beside this file; with `--only` the others'
figures stay as they are there. `--quick` shows whether they work, on too few repeats to mean anything, and writes
nothing. One torch thread throughout: on a small machine more only fight the browser and each other.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

import torch

from tests.benchmarks.report import as_json, environment

RESULTS = Path(__file__).with_name("results.json")
NAMES = ("overhead", "step_cost", "opening", "latency", "frames", "panning", "occlusion", "tsne", "package")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Speed of nnwidgets and its peers.")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="see that they work; figures mean nothing, none is kept")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in chosen.only:
        about, begin = environment(), time.perf_counter()
        print(f"{name} …", file=sys.stderr, flush=True)
        result = importlib.import_module(f"tests.benchmarks.{name}").run(quick=chosen.quick)
        seconds = time.perf_counter() - begin
        print(f"{name}: {seconds:.0f} s", file=sys.stderr, flush=True)
        for table in result.tables:
            print(f"{table.markdown()}\n", flush=True)
        if not chosen.quick:
            kept[name] = as_json(result, about, seconds)
            RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
