"""The live model trains in one thread while another opens, clicks, re-plans and closes every view."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest

import nnwidgets as nnw
from nnwidgets.display.dashboard import Dashboard
from nnwidgets.display.view import View
from tests.nets import NETS, Training
from tests.views.every import EVERY, make
from tests.waiting import frame

OPEN_AT_ONCE = 4


def open_one(inspector: nnw.Inspector, chance: random.Random) -> View | Dashboard:
    """A view of a random kind, with a page that looks at it."""
    options: dict[str, dict[str, Any]] = {
        "occlusion": {"patch": chance.choice([2, 4]), "stride": chance.choice([1, 2])},
        "embedding": {"method": chance.choice(["tsne", "pca"]), "points": 40},
    }
    kind = chance.choice([*EVERY, "dashboard"])
    if kind == "dashboard":
        shown: View | Dashboard = inspector.dashboard(views=list(EVERY.values()), tab=chance.choice(list(EVERY)))
    else:
        shown = make(inspector, kind, **options.get(kind, {}))
    for view in shown.views.values() if isinstance(shown, Dashboard) else [shown]:
        view.shown = True
    return shown


class Visitor:
    """Somebody restless in another thread. `errors` is what they met, `done` how often they did each thing."""

    def __init__(self, inspector: nnw.Inspector, samples: int) -> None:
        self.errors: list[BaseException] = []
        self.done = dict.fromkeys(("open", "click", "replan", "draw", "close"), 0)
        self._inspector, self._samples = inspector, samples
        self._chance = random.Random(0)
        self._opened: list[View | Dashboard] = []

    def visit(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._act()
            except BaseException as error:
                self.errors.append(error)
            stop.wait(self._chance.random() * 0.1)

    def _act(self) -> None:
        chance, inspector = self._chance, self._inspector
        act = chance.choice(list(self.done)) if self._opened else "open"
        if act == "open" and len(self._opened) == OPEN_AT_ONCE:
            act = "close"
        self.done[act] += 1
        if act == "open":
            self._opened.append(open_one(inspector, chance))
            return
        shown = chance.choice(self._opened)
        if isinstance(shown, Dashboard) and act == "click":
            shown._command("tab", {"tab": chance.choice(list(EVERY))})
        view = chance.choice([*shown.views.values()]) if isinstance(shown, Dashboard) else shown
        if act == "close":
            self._opened.remove(shown)
            shown.close()
        elif act == "click":
            view.command(
                "select", {"sample": chance.randrange(self._samples), "layer": chance.choice(inspector.layers)}
            )
        elif act == "replan":
            view.refresh()
            if specs := view.option_specs():
                spec = chance.choice(specs)
                few = [value for value, _ in spec["choices"]] if "choices" in spec else [spec["min"], spec["max"]]
                view.command("option", {"name": spec["name"], "value": chance.choice(few)})
        elif view.job.laid is not None:
            frame(view)
            view.figure()


@pytest.mark.parametrize(
    "seconds", [pytest.param(30, id="30 s"), pytest.param(300, id="300 s", marks=pytest.mark.soak)]
)
@pytest.mark.parametrize("net", ["cnn"])
def test_views_come_and_go_beside_a_training_without_an_error_or_a_changed_bit(
    net: str, seconds: int, caplog: pytest.LogCaptureFixture
) -> None:
    training = Training(NETS[net])
    inspector = nnw.Inspector(training.model, (training.net.inputs, training.net.labels), probe=16)
    visitor, stop = Visitor(inspector, len(training.net.inputs)), threading.Event()
    thread = threading.Thread(target=visitor.visit, args=(stop,))
    with inspector.watch(training.optimizer, budget=1.0):
        thread.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            training.step()
        stop.set()
        thread.join()
    inspector.close()
    assert visitor.errors == []
    assert [record for record in caplog.records if record.name.startswith("nnwidgets")] == []
    assert min(visitor.done.values()) >= seconds / 5, f"too little was done to prove anything: {visitor.done}"
    plain = Training(NETS["cnn"])
    for _ in range(training.steps):
        plain.step()
    assert plain.everything() == training.everything()
