"""What one step of a watched training pays in the training thread, without the step itself.

*Not due* is nearly every step: the whole hook, from the optimizer's call on, with nothing to do. *Due* is a step that
the worker has asked for a copy of the model: the same hook, by the number of parameters.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn

import nnwidgets as nnw
from nnwidgets.training.watch import Watch
from tests.benchmarks.report import Result, Table, median, percentile

CALLS = 1000  # of a not-due step, in one measurement
WIDTHS = {"10 thousand": 48, "100 thousand": 156, "1 million": 500, "10 million": 1580}
LAYERS = 4


def net(width: int) -> nn.Module:
    return nn.Sequential(*[nn.Linear(width, width) for _ in range(LAYERS)])


def hook_of(optimizer: torch.optim.Optimizer) -> Any:
    """What the optimizer calls after each step."""
    (hook,) = optimizer._optimizer_step_post_hooks.values()
    return lambda: hook(optimizer, (), {})


def not_due_us(watch: Watch, hook: Any, *, times: int) -> list[float]:
    """Microseconds of a call at which nothing is due, one mean of `CALLS` calls per entry."""
    found = []
    for _ in range(times):
        watch._buffer.withdraw()
        begin = time.perf_counter()
        for _ in range(CALLS):
            hook()
        found.append(1e6 * (time.perf_counter() - begin) / CALLS)
    return found


def due_us(watch: Watch, hook: Any, *, times: int) -> list[float]:
    """Microseconds of a call that copies the model."""
    found = []
    for _ in range(times):
        watch._buffer.offer()
        begin = time.perf_counter()
        hook()
        found.append(1e6 * (time.perf_counter() - begin))
        time.sleep(0.002)  # the worker wakes up, sees that nobody looks, and sleeps again
    return found


def measure_one(width: int, *, quick: bool, device: str = "cpu") -> dict[str, Any]:
    model = net(width).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inspector = nnw.Inspector(model, torch.rand(64, width))
    with inspector.watch(optimizer) as watch:
        hook = hook_of(optimizer)
        not_due_us(watch, hook, times=3)
        due_us(watch, hook, times=3)
        idle = not_due_us(watch, hook, times=20 if quick else 200)
        copies = due_us(watch, hook, times=20 if quick else 200)
    inspector.close()
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "not_due_us": median(idle),
        "not_due_p95_us": percentile(idle, 95),
        "due_us": median(copies),
        "due_p95_us": percentile(copies, 95),
    }


def run(*, quick: bool) -> Result:
    """About ten seconds."""
    figures = {name: measure_one(width, quick=quick) for name, width in WIDTHS.items()}
    rows = [
        [
            f"{each['parameters']:,}".replace(",", "\u202f"),
            f"{each['not_due_us']:.2f} / {each['not_due_p95_us']:.2f}",
            f"{each['due_us']:.0f} / {each['due_p95_us']:.0f}",
        ]
        for each in figures.values()
    ]
    header = ["parameters", "not due (µs, median / p95)", "due: the model is copied (µs, median / p95)"]
    return Result(figures, [Table("Cost of one step in the training thread", header, rows, "Goal: not due ≤ 5 µs.")])
