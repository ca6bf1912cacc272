"""What a dashboard says besides its views: how training and watching stand, and the layers. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnwidgets.analysis.task import Task
from nnwidgets.display.wire import Header
from nnwidgets.session import Session
from nnwidgets.words import THIN, count, number, percent, plural

SPARK_POINTS = 60
NOTHING = "\u2013"


def status_header(session: Session, finished_at: float | None) -> Header:
    """StatusHeader in js/src/dashboard/status.ts; `finished_at` is when the newest picture was, by `time.monotonic`."""
    status = session.status()
    name, steps, values = session.loss_curve()
    age = None if finished_at is None else time.monotonic() - finished_at
    items = {
        "step": ("Step", NOTHING if status.step is None else count(status.step)),
        "loss": (name, number(values[-1], 4) if values else NOTHING),
        "refreshed": ("Refreshed", NOTHING if age is None else f"{age:.1f}{THIN}s ago"),
        "memory": ("Memory", f"{number(status.memory_bytes / 1e6, 2)}{THIN}MB"),
    }
    thinned = np.linspace(0, len(values) - 1, min(SPARK_POINTS, len(values))).round().astype(int).tolist()
    cost = None
    if status.overhead is not None:
        words = {"text": percent(status.overhead), "of": f"of {percent(status.budget or 0.0)}"}
        cost = {"share": status.overhead, "budget": status.budget, **words}
    return {
        "items": [{"name": key, "label": label, "value": value} for key, (label, value) in items.items()],
        "spark": [values[at] for at in thinned],
        "cost": cost,
        "age_s": age,
        "paused": session.paused,
        "warning": session.probe.error or loss_alarm(name, steps, values) or session.notice,
        "note": " · ".join((*_task_words(session.task), *session.notes)),
    }


def _task_words(task: Task) -> tuple[str, ...]:
    """What the outputs are read as, where they are no logits of classes, as they are for most."""
    usual = task.kind == "classes" and not task.probable
    return () if usual else (f"outputs: {task.words}",)


def loss_alarm(name: str, steps: Sequence[int], values: Sequence[float]) -> str:
    """What to say of a loss that is not a number any more, or nothing.

    >>> loss_alarm("Loss", [10, 20, 30, 40], [0.5, 0.9, np.nan, np.nan])
    'Loss is NaN since step 30; last finite at step 20. The slider under a view goes back to before.'
    """
    finite = np.isfinite(np.asarray(values, dtype=np.float64))
    if finite.all() or finite[-1]:
        return ""
    since = int(np.flatnonzero(finite).max(initial=-1)) + 1
    what = f"{name} is {number(values[since])} since step {count(steps[since])}"
    if since == 0:
        return f"{what}."
    return f"{what}; last finite at step {count(steps[since - 1])}. The slider under a view goes back to before."


def layers_header(session: Session) -> Header:
    """LayersHeader in js/src/dashboard/layers.ts: the layers as a tree, each with its units and how many never fire."""
    latest = session.record.latest
    groups: set[str] = set()
    rows: list[Header] = []
    above = {".".join(name[:depth]) for name in _parts(session) for depth in range(1, len(name))}
    for layer, parts in zip(session.layers, _parts(session), strict=True):
        for depth in range(1, len(parts) + (layer.name in above)):
            group = ".".join(parts[:depth])
            if group not in groups:
                groups.add(group)
                rows.append(_row(group, parts[depth - 1], depth - 1, group=True))
        stats = latest.stats.get(layer.name) if latest is not None else None
        note = latest.problems.get(layer.name, "") if latest is not None else layer.unclear
        # Dead has a meaning only where zeros are made: after an activation.
        counts = stats is not None and bool((stats.zero_share > 0).any())
        dead = int(stats.dead.sum()) if stats is not None and counts else 0
        # What a module that has layers in it returns comes after them.
        inner = layer.name in above
        short, depth = (f"{parts[-1]} · output", len(parts)) if inner else (parts[-1], len(parts) - 1)
        alive = 1 - dead / layer.units if counts else None
        known = {"units": None if layer.unclear else layer.units, "type": layer.kind, "note": note}
        rows.append(_row(layer.name, short, depth, alive=alive, dead=dead, **known))
    return {
        "rows": rows,
        "note": f"† never fire: zero for all {plural(len(session.samples.probe_indices), 'sample')}",
        "selected": session.selection.layer,
    }


def _parts(session: Session) -> list[list[str]]:
    return [layer.name.split(".") for layer in session.layers]


def _row(name: str, short: str, depth: int, **known: Any) -> Header:
    unknown = {"group": False, "units": None, "alive": None, "dead": 0, "type": "", "note": ""}
    return {"name": name, "short": short, "depth": depth, **unknown, **known}
