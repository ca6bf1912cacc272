"""What a dashboard says besides its views: how training and watching stand, and the layers. Pure but for the clock."""

from __future__ import annotations

import time

import numpy as np

from nnwidgets.display.wire import Header
from nnwidgets.session import Session
from nnwidgets.words import THIN, count, number, percent

SPARK_POINTS = 60
NOTHING = "\u2013"


def status_header(session: Session, finished_at: float | None) -> Header:
    """StatusHeader in js/src/dashboard/status.ts; `finished_at` is when the newest picture was, by `time.monotonic`."""
    status = session.status()
    name, _steps, values = session.loss_curve()
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
        "warning": session.probe.error or session.notice,
        "note": " ".join(session.shadow.notes),
    }


def layers_header(session: Session) -> Header:
    """LayersHeader in js/src/dashboard/layers.ts: the layers as a tree, each with its units and how many are dead."""
    latest = session.record.latest
    names = {layer.name for layer in session.layers}
    groups: set[str] = set()
    rows: list[Header] = []
    for layer in session.layers:
        parts = layer.name.split(".")
        for depth in range(1, len(parts)):
            group = ".".join(parts[:depth])
            if group not in groups | names:
                groups.add(group)
                rows.append(_row(group, group=True))
        stats = latest.stats.get(layer.name) if latest is not None else None
        # Dead has a meaning only where zeros are made: after an activation.
        counts = stats is not None and bool((stats.zero_share > 0).any())
        dead = int(stats.dead.sum()) if stats is not None and counts else 0
        rows.append(_row(layer.name, units=layer.units, alive=1 - dead / layer.units if counts else None, dead=dead))
    return {
        "rows": rows,
        "note": f"† dead: zero on all {count(len(session.samples.probe_indices))} probe samples",
        "selected": session.selection.layer,
    }


def _row(
    name: str, *, group: bool = False, units: int | None = None, alive: float | None = None, dead: int = 0
) -> Header:
    *above, short = name.split(".")
    return {
        "name": name,
        "short": short,
        "depth": len(above),
        "group": group,
        "units": units,
        "alive": alive,
        "dead": dead,
    }
