"""What one pass gives besides one class, and what it takes: ten classes, a layer's map, memory; beside Captum."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map
from tests.benchmarks.occlusion_nets import Case
from tests.benchmarks.occlusion_timing import captum_s, seconds
from tests.benchmarks.report import Table

CLASSES = 10
LARGE = 100  # pixels a side from which Captum is asked for one class only
SAMPLED_S = 0.002
HEADER = (
    "net",
    "one class: Captum",
    "nnwidgets",
    f"{CLASSES} classes: Captum",
    "nnwidgets",
    "early layer: Captum",
    "nnwidgets, with all classes",
    "memory: Captum",
    "nnwidgets",
)
NOTE = (
    "Milliseconds a position, Captum at its best setting; for the layer it is given the net up to there. Early layer: "
    "the first block or pooling. Memory: MB of the process above what it had before, sampled every 2 ms."
)


class Peak:
    """The most memory of the process while it is measured, in bytes above what it was."""

    def __init__(self) -> None:
        self.nbytes = 0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    process, stop, peak = psutil.Process(), threading.Event(), Peak()
    before = process.memory_info().rss

    def watch() -> None:
        while not stop.wait(SAMPLED_S):
            peak.nbytes = max(peak.nbytes, process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def peak_of(work: Callable[[], object]) -> float:
    """MB."""
    with peak_memory() as peak:
        work()
    return peak.nbytes / 1e6


def early(model: nn.Module) -> tuple[str, nn.Module]:
    """Name of the first block or pooling, and the net up to it, giving that layer's strongest map summed."""
    assert isinstance(model, nn.Sequential)
    at = next(at for at, layer in enumerate(model) if isinstance(layer, nn.MaxPool2d) or any(layer.children()))
    return str(at), model[: at + 1]


def measure(case: Case, *, best_batch: int) -> dict[str, Any]:
    model, image = case.model(), case.image()
    grid: dict[str, Any] = {"patch": case.patch, "stride": case.stride}
    name, front = early(model)

    def summed(x: Tensor) -> Tensor:
        return front(x).flatten(2).sum(2)  # type: ignore[no-any-return]

    targets = range(CLASSES) if image.shape[2] < LARGE else range(0)
    positions = occlusion_map(model, image, **grid).computed.numel()
    with torch.no_grad():
        unit = int(summed(image)[0].argmax())
    return {
        "layer": name,
        "one_captum_s": captum_s(model, image, best_batch),
        "classes_captum_s": sum(captum_s(model, image, best_batch, target=target) for target in targets),
        "ours_s": seconds(lambda: occlusion_map(model, image, **grid)) / positions,
        "layer_captum_s": captum_s(summed, image, best_batch, target=unit),
        "layer_ours_s": seconds(lambda: occlusion_map(model, image, layers=[name], **grid)) / positions,
        "captum_mb": peak_of(lambda: captum_s(model, image, best_batch)),
        "ours_mb": peak_of(lambda: occlusion_map(model, image, **grid)),
    }


def table(figures: dict[str, dict[str, Any]]) -> Table:
    rows = []
    for name, one in figures.items():
        ms = lambda key, one=one: f"{1e3 * one[key]:.2f}" if one[key] else "–"  # noqa: E731
        keys = "one_captum_s", "ours_s", "classes_captum_s", "ours_s", "layer_captum_s", "layer_ours_s"
        rows.append((name, *map(ms, keys), f"{one['captum_mb']:.0f}", f"{one['ours_mb']:.0f}"))
    return Table("Occlusion maps: classes, layers, memory", HEADER, rows, NOTE)
