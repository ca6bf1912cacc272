"""All that a GPU is needed for, in one go: `make cuda`, or `python -m tests.benchmarks.cuda FILE`, within 8 minutes.

Runs every test marked `cuda`, then the benchmarks below, each in a process and a time of its own, and writes one JSON
file: what the machine is, which tests failed and why, and the figures. Without a GPU it says so, and "cuda" is null in
the file. `--device cpu` shows whether the benchmarks work; their figures then mean nothing, and no test is run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any
from xml.etree import ElementTree

import torch

from nnwidgets.analysis import LiveTSNE, occlusion_map, tsne
from tests.benchmarks import step_cost
from tests.benchmarks.occlusion_nets import CASES
from tests.benchmarks.peers import Control, Nothing, OurDashboard, OurViews
from tests.benchmarks.report import environment, median
from tests.benchmarks.workloads import WORKLOADS, Training

TESTS = Path(__file__).parents[1]
TESTS_S = 200.0
ROUNDS, BLOCK_S = 3, 1.2
POSITIONS_AT_ONCE = 64

Figures = Iterator[tuple[str, dict[str, Any]]]


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(work: Callable[[], object]) -> float:
    synchronize()
    begin = time.perf_counter()
    work()
    synchronize()
    return time.perf_counter() - begin


def usual_s(work: Callable[[], object]) -> float:
    return median([seconds(work) for _ in range(ROUNDS)])


def overhead(device: str) -> Figures:
    """Mean milliseconds of a step by way of watching, in blocks that take turns and end when the GPU has."""
    for workload in WORKLOADS:
        peers = [make(Training(workload, device)) for make in (Nothing, Control, OurDashboard, OurViews)]
        for peer in peers:
            peer.rest()
        blocks: dict[str, list[float]] = {peer.name: [] for peer in peers}
        for turn in range(ROUNDS + 1):
            for peer in [*peers[turn % 4 :], *peers[: turn % 4]]:
                peer.wake()
                step_s = _block(peer.training)
                peer.rest()
                if turn:  # the first warms up
                    blocks[peer.name].append(1e3 * step_s)
        plain = fmean(blocks[Nothing.name])
        yield (
            workload.name,
            {
                peer.name: {
                    "step_ms": fmean(blocks[peer.name]),
                    "ratio": fmean(blocks[peer.name]) / plain,
                    "rounds_ms": blocks[peer.name],
                    "books": peer.counts(),
                }
                for peer in peers
            },
        )
        for peer in peers:
            peer.close()


def _block(training: Training) -> float:
    """Seconds of a step, over some seconds."""
    synchronize()
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < BLOCK_S:
        for _ in range(10):
            training.step()
        steps += 10
        synchronize()  # else the queue would be as long as the block
    return (time.perf_counter() - begin) / steps


def step_costs(device: str) -> Figures:
    """Microseconds in the training thread of a step that is not due, and of one that copies the model."""
    for name, width in step_cost.WIDTHS.items():
        yield name, step_cost.measure_one(width, quick=True, device=device)


def occlusion(device: str) -> Figures:
    """Milliseconds a position: our whole map, and the plain loop over covered images in batches."""
    for case in CASES if device == "cuda" else CASES[3:4]:
        model, image = case.model().to(device), case.image().to(device)
        found = occlusion_map(model, image, patch=case.patch, stride=case.stride)
        positions = found.computed.numel()
        ours = usual_s(partial(occlusion_map, model, image, patch=case.patch, stride=case.stride))
        images = image.repeat(POSITIONS_AT_ONCE, 1, 1, 1)
        with torch.inference_mode():
            model(images)
            loop = usual_s(partial(model, images)) / POSITIONS_AT_ONCE
        yield (
            case.name,
            {
                "positions": positions,
                "ours_ms": 1e3 * ours / positions,
                "loop_ms": 1e3 * loop,
                "windowed_share": found.windowed_share,
                "notes": list(found.notes),
            },
        )


def embedding(device: str) -> Figures:
    """Seconds of a whole t-SNE map, and of a live refresh of it, of ten clusters of 50 features."""
    for n in (1_000, 10_000, 70_000) if device == "cuda" else (500,):
        generator = torch.Generator().manual_seed(0)
        centres = 2.0 * torch.randn(10, 50, generator=generator)
        x = (centres[torch.arange(n) % 10] + torch.randn(n, 50, generator=generator)).to(device)
        tsne(x[:200], device=device)
        live = LiveTSNE(device=device)
        live.update(x)
        moved = x + 1e-3 * x.roll(1, 0)
        yield (
            str(n),
            {
                "whole_s": seconds(partial(tsne, x, device=device)),
                "live_kl": float(live.update(x).kl_divergence),
                "refresh_s": seconds(partial(live.update, moved)),
            },
        )


PARTS: dict[str, tuple[Callable[[str], Figures], float]] = {
    "step_cost": (step_costs, 35.0),
    "overhead": (overhead, 130.0),
    "occlusion": (occlusion, 50.0),
    "tsne": (embedding, 45.0),
}


def run_tests() -> dict[str, Any]:
    """How many tests marked `cuda` passed, and what each of the others said."""
    files = [str(path) for path in sorted(TESTS.rglob("test_*.py")) if "mark.cuda" in path.read_text(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "--tb=short", f"--junit-xml={report}", *files]
        try:
            subprocess.run(command, cwd=TESTS.parent, timeout=TESTS_S, check=False)
        except subprocess.TimeoutExpired:
            return {"ok": False, "error": f"not done within {TESTS_S:.0f} s"}
        if not report.exists():
            return {"ok": False, "error": "pytest wrote no report"}
        cases = ElementTree.parse(report).getroot().iter("testcase")
        told: dict[str, list[Any]] = {"passed": [], "skipped": [], "failed": []}
        for case in cases:
            name = f"{case.get('classname')}::{case.get('name')}"
            problem = next((each for each in case if each.tag in ("failure", "error")), None)
            if problem is not None:
                told["failed"].append({"test": name, "text": (problem.text or "")[-4000:]})
            else:
                told["skipped" if case.find("skipped") is not None else "passed"].append(name)
    return {"ok": not told["failed"] and bool(told["passed"]), **told}


def run_part(name: str, device: str) -> dict[str, Any]:
    """One benchmark in a process of its own, so that neither a crash nor a hang costs the others."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "part.json"
        command = [sys.executable, "-m", "tests.benchmarks.cuda", str(file), "--part", name, "--device", device]
        begin = time.perf_counter()
        error = ""
        try:
            done = subprocess.run(
                command, cwd=TESTS.parent, timeout=PARTS[name][1], stderr=subprocess.PIPE, text=True, check=False
            )
            error = done.stderr[-4000:] if done.returncode else ""
        except subprocess.TimeoutExpired:
            error = f"not done within {PARTS[name][1]:.0f} s"
        figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        took_s = round(time.perf_counter() - begin, 1)
        return {"ok": not error, "error": error, "seconds": took_s, "figures": figures}


def machine() -> dict[str, Any]:
    return {
        "devices": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "capability": list(torch.cuda.get_device_capability()),
        "memory_bytes": torch.cuda.get_device_properties(0).total_memory,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cuda", description="All that needs a GPU.")
    parser.add_argument("file", type=Path, help="where the JSON goes")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    chosen = parser.parse_args()
    chosen.file.parent.mkdir(parents=True, exist_ok=True)
    if chosen.part is not None:
        torch.set_num_threads(1)
        figures: dict[str, Any] = {}
        for name, found in PARTS[chosen.part][0](chosen.device):
            figures[name] = found
            write(chosen.file, figures)  # as far as it came, should its time be up
        return 0
    report: dict[str, Any] = {"cuda": None, "environment": environment()}
    if chosen.device == "cuda" and not torch.cuda.is_available():
        write(chosen.file, report)
        print(f"no CUDA device on this machine: nothing to test or measure ({chosen.file})")
        return 0
    if chosen.device == "cuda":
        report["cuda"] = machine()
        report["tests"] = run_tests()
        write(chosen.file, report)
    report["benchmarks"] = {}
    for name in PARTS:
        print(f"{name} …", file=sys.stderr, flush=True)
        report["benchmarks"][name] = run_part(name, chosen.device)
        write(chosen.file, report)  # part by part, should the machine be taken away
    parts = {"tests": report.get("tests", {"ok": True}), **report["benchmarks"]}
    for name, part in parts.items():
        print(f"{name}: {'ok' if part['ok'] else part.get('error') or [each['test'] for each in part['failed']]}")
    print(f"all figures: {chosen.file}")
    return 0 if all(part["ok"] for part in parts.values()) else 1


def write(file: Path, report: dict[str, Any]) -> None:
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
