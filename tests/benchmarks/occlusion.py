"""Exact occlusion maps beside Captum's and beside plain loops, on the CPU, float32, one class asked about.

Ours is the whole map by the public function, its private copy of the model included. The others cost the same at every
position, so they are timed on fewer of them; of each the best setting counts, and Captum's default besides.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nnwidgets.analysis import OcclusionMap, occlusion_map, occlusion_steps
from tests.benchmarks import occlusion_more
from tests.benchmarks.occlusion_nets import CASES, Case
from tests.benchmarks.occlusion_timing import LARGE, captum_s, loop_s, seconds
from tests.benchmarks.report import Result, Table, median

CHECKED = 8


def error(model: nn.Module, image: Tensor, found: OcclusionMap) -> float:
    """Largest difference to the model itself at some positions, as a share of the largest change there."""
    chosen = torch.linspace(0, len(found.rows) * len(found.cols) - 1, CHECKED).long().tolist()
    own = []
    with torch.no_grad():
        for at in chosen:
            row, col = found.rows[at // len(found.cols)], found.cols[at % len(found.cols)]
            covered = image.clone()
            covered[:, :, row : row + found.patch[0], col : col + found.patch[1]] = 0.0
            own.append(model(covered))
        change = torch.cat(own) - model(image)
    difference = found.scores[0].flatten(0, 1)[chosen] - torch.cat(own)
    return float(difference.abs().max() / change.abs().max())


def measure(case: Case, *, quick: bool) -> dict[str, Any]:
    model, image = case.model(), case.image()
    large = case.shape[1] > LARGE
    grid: dict[str, Any] = {"patch": case.patch, "stride": case.stride}
    times = 1 if quick or large else 3
    batches = (1, 8) if large else (1, 16, 64)
    found = occlusion_map(model, image, **grid)
    positions = found.computed.numel()
    ours: list[float] = []
    captum: dict[int, list[float]] = {batch: [] for batch in batches}
    for _ in range(times):
        ours.append(seconds(lambda: occlusion_map(model, image, **grid)) / positions)
        for batch, found_s in captum.items():
            found_s.append(captum_s(model, image, batch))
    layouts = (torch.contiguous_format, torch.channels_last)
    best_loop = min(loop_s(model, image, batch, layout) for batch in batches[1:] for layout in layouts)
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    first = median([seconds(lambda: next(iter(occlusion_steps(model, image, **grid)))) for _ in range(times)])
    return {
        "positions": positions,
        "captum_default_s": median(captum[1]),
        "captum_best_s": min(median(found_s) for found_s in captum.values()),
        "captum_best_batch": min(captum, key=lambda batch: median(captum[batch])),
        "loop_best_s": best_loop,
        "ours_s": median(ours),
        "map_s": median(ours) * positions,
        "first_map_s": first,
        "work_share": found.work_share,
        "windowed_share": found.windowed_share,
        "error_of_change": error(model, image, found),
    }


def run(*, quick: bool) -> Result:
    """About six minutes."""
    cases = CASES[3:] if quick else CASES
    figures = {case.name: measure(case, quick=quick) for case in cases}
    more = {
        case.name: occlusion_more.measure(case, best_batch=figures[case.name]["captum_best_batch"]) for case in cases
    }
    rows = []
    for case in cases:
        one = figures[case.name]
        side = case.shape[1]
        rows.append(
            (
                f"{case.name}, {side} × {side}, {case.patch}/{case.stride}",
                *(f"{1e3 * one[key]:.2f}" for key in ("captum_default_s", "captum_best_s", "loop_best_s", "ours_s")),
                *(f"{one[key] / one['ours_s']:.1f}" for key in ("captum_default_s", "captum_best_s", "loop_best_s")),
                f"{1 / one['work_share']:.1f}",
                f"{one['first_map_s']:.2f} / {one['map_s']:.2f}",
                f"{one['error_of_change']:.0e}",
            )
        )
    header = (
        "net, input, patch/stride",
        "Captum, default",
        "Captum, best",
        "loop, best",
        "nnwidgets",
        "× Captum's default",
        "× Captum's best",
        "× loop",
        "less arithmetic, times",
        "first / whole map (s)",
        "error / largest change",
    )
    note = (
        "Milliseconds a position. For K classes Captum's times are K times these; ours are the same. Best: of one, "
        "eight (small nets: 16, 64) images at once, the loop in both memory layouts."
    )
    for name, found in more.items():
        figures[name]["more"] = found
    return Result(figures, [Table("Occlusion maps", header, rows, note), occlusion_more.table(more)])
