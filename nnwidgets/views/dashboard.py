"""The dashboard: status, layers and tabs round the same views that stand alone. Knows views; computes nothing."""

from __future__ import annotations

import time
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from traitlets.utils.bunch import Bunch

from nnwidgets.figures.captions import THIN, count, number, percent
from nnwidgets.session import Session
from nnwidgets.training.probe import Listener, dead_units
from nnwidgets.views._display import LeavesPicture
from nnwidgets.views._guard import close_tree, guard, guard_tree
from nnwidgets.views._panel import Panel
from nnwidgets.views._view import View
from nnwidgets.views._wire import Frame, Header
from nnwidgets.views.activations import ActivationsView
from nnwidgets.views.embedding import EmbeddingView
from nnwidgets.views.filters import FiltersView
from nnwidgets.views.occlusion import OcclusionView

SPARK_POINTS = 60
TABS: dict[str, tuple[str, type[View]]] = {
    "activations": ("Activations", ActivationsView),
    "filters": ("Filters", FiltersView),
    "occlusion": ("Occlusion", OcclusionView),
    "embedding": ("Embedding", EmbeddingView),
}


class DashboardPanel(Panel):
    bundle = "dashboard"


class Dashboard(LeavesPicture, ipywidgets.VBox):
    """All views of an inspector in one frame with one selection; only the open tab is computed."""

    _joined = False

    def __init__(self, session: Session, *, save_picture: bool = True) -> None:
        self.session = session
        self.save_picture = save_picture
        self.tab = "activations"
        self._status_frame_at = float("-inf")
        self.panels = {part: self._panel(part) for part in ("status", "layers", "tabs")}
        self.views = {name: make(session, standalone=False, save_picture=False) for name, (_, make) in TABS.items()}
        for view in self.views.values():
            view.holder = self
        self._stack = ipywidgets.Stack(list(self.views.values()), selected_index=0)
        main = ipywidgets.VBox([self.panels["tabs"], self._stack])
        main.add_class("nnw-main")
        body = ipywidgets.HBox([self.panels["layers"], main])
        body.add_class("nnw-body")
        super().__init__([self.panels["status"], body])
        self.add_class("nnw-dashboard")
        guard_tree(body.layout)
        guard_tree(main.layout)
        for box in (self, body, main, self._stack):
            guard(box)
        self._show_tab("activations")
        self._joined = True
        session.join(self)
        session.on_change(self._show_all)
        session.selection.observe(self._selected, names=["layer"])
        session.probe.listen(Listener(self._on_screen, self._displayed, self._probed))

    def on_display(self) -> None:
        self._shown(True)

    def figure(self) -> Figure:
        """The open tab's view as a matplotlib figure. Raises RuntimeError before its first result."""
        return self.views[self.tab].figure()

    def close(self) -> None:
        if self._joined:  # also called for one whose construction failed, and twice
            self._joined = False
            self.session.probe.forget(self._probed)
            self.session.leave(self)
            self.session.off_change(self._show_all)
            self.session.selection.unobserve(self._selected, names=["layer"])
            close_tree(self)
        super().close()

    def _panel(self, part: str) -> DashboardPanel:
        return DashboardPanel(
            part=part,
            on_command=self._command,
            on_hello=lambda: self._hello(part),
            on_ping=lambda: self._show("status") if part == "status" else None,
            on_cost=self.session.pay,
        )

    def _hello(self, part: str) -> None:
        self._shown(True)
        self._show(part)

    def _shown(self, shown: bool) -> None:
        for name, view in self.views.items():
            view.shown = shown and name == self.tab

    def _on_screen(self) -> bool:
        return self.panels["layers"].awake and self._displayed()

    def _displayed(self) -> bool:
        return self.views[self.tab].shown and not self.session.paused

    def _command(self, name: str, value: Any) -> Frame | None:
        match name:
            case "tab":
                tab = value.get("tab") if isinstance(value, dict) else None
                if not isinstance(tab, str) or tab not in TABS:
                    raise ValueError(f"tab: expected one of {', '.join(TABS)}, got {tab!r}")
                self._show_tab(tab)
            case "refresh":
                self.session.worker.request(self.session.probe)
                self.views[self.tab].refresh()
            case _:
                return self.views[self.tab].command(name, value)
        return None

    def _show_tab(self, tab: str) -> None:
        self.tab = tab
        self._stack.selected_index = list(TABS).index(tab)
        self._shown(True)
        self._show("tabs")
        self.views[tab].first_look()
        self.picture_due(training=self.session.training)

    def _selected(self, _change: Bunch) -> None:
        self._show("layers")

    def _probed(self) -> None:
        self._show("layers")
        self._show("status")

    def _show_all(self) -> None:
        for part in self.panels:
            self._show(part)

    def _show(self, part: str) -> None:
        make = {"status": self._status, "layers": self._layers, "tabs": self._tabs}[part]
        self.panels[part].post(lambda: Frame(make()))

    def _common(self) -> Header:
        status = self.session.status()
        return {
            "title": "",
            "step": status.step,
            "training": status.training,
            "stale_after_s": status.stale_after_s,
            "own_picture": self.leaves_picture and True,
        }

    def _status(self) -> Header:
        session, status = self.session, self.session.status()
        name, _steps, values = session.loss_curve()
        loss = number(values[-1], 4) if values else "\u2013"
        latest = self.views[self.tab].finished_at
        age = time.monotonic() - latest if latest is not None else None
        items = [
            {"name": "step", "label": "Step", "value": count(status.step) if status.step is not None else "\u2013"},
            {"name": "loss", "label": name, "value": loss},
            {"name": "refreshed", "label": "Refreshed", "value": "\u2013" if age is None else f"{age:.1f}{THIN}s ago"},
            {"name": "memory", "label": "Memory", "value": f"{number(status.memory_bytes / 1e6, 2)}{THIN}MB"},
        ]
        cost = (
            None
            if status.overhead is None
            else {
                "share": status.overhead,
                "budget": status.budget,
                "text": percent(status.overhead),
                "of": f"of {percent(status.budget or 0.0)}",
            }
        )
        thin: list[int] = (
            np.linspace(0, len(values) - 1, min(SPARK_POINTS, len(values))).round().astype(int).tolist()
            if values
            else []
        )
        return {
            **self._common(),
            "items": items,
            "spark": [values[at] for at in thin],
            "cost": cost,
            "age_s": age,
            "paused": session.paused,
            "warning": session.probe.error or session.notice,
            "note": " ".join(session.shadow.notes),
        }

    def _layers(self) -> Header:
        latest, rows, groups = self.session.record.latest, [], set()
        for info in self.session.layers:
            parts = info.name.split(".")
            for depth in range(1, len(parts)):
                group = ".".join(parts[:depth])
                if group not in groups and group not in {layer.name for layer in self.session.layers}:
                    groups.add(group)
                    rows.append(
                        {
                            "name": group,
                            "short": parts[depth - 1],
                            "depth": depth - 1,
                            "group": True,
                            "units": None,
                            "alive": None,
                            "dead": 0,
                        }
                    )
            stats = latest.stats.get(info.name) if latest is not None else None
            # Dead has a meaning only where zeros are made: after an activation.
            counts = stats is not None and bool((stats.zero_share > 0).any())
            dead = dead_units(stats) if counts else 0
            rows.append(
                {
                    "name": info.name,
                    "short": parts[-1],
                    "depth": len(parts) - 1,
                    "group": False,
                    "units": info.units,
                    "alive": 1 - dead / info.units if counts else None,
                    "dead": dead,
                }
            )
        probe = len(self.session.samples.probe_indices)
        return {
            **self._common(),
            "rows": rows,
            "note": f"† dead: zero on all {count(probe)} probe samples",
            "selected": self.session.selection.layer,
        }

    def _tabs(self) -> Header:
        return {
            **self._common(),
            "tabs": [{"name": name, "label": label} for name, (label, _) in TABS.items()],
            "selected": self.tab,
        }
