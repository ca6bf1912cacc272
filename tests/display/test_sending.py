"""The publisher only sends: what is sent is computed, laid out, packed and drawn in other threads."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

import nnwidgets as nnw
from nnwidgets.blocks import block, grid, heat, histogram, points
from nnwidgets.display import curves, figure, packing, saved_picture, view, wire
from nnwidgets.display.panel import Panel
from nnwidgets.display.publisher import PUBLISHER
from tests.nets import Training
from tests.views.every import EVERY, make_all
from tests.waiting import DEADLINE_S, answered, eventually

PUBLISHER_NAME, WORKER_NAME = "nnwidgets-publisher", "nnwidgets-worker"


class Threads:
    """Which threads ran what, by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: dict[str, set[str]] = defaultdict(set)
        self._monkeypatch = monkeypatch

    def note(self, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)
        called = f"{getattr(owner, '__name__', owner)}.{name}"

        def noted(*arguments: Any, **keywords: Any) -> Any:
            self.of[called].add(threading.current_thread().name)
            return real(*arguments, **keywords)

        self._monkeypatch.setattr(owner, name, noted)


def test_nothing_is_laid_out_packed_or_drawn_where_frames_are_sent(
    inspector: nnw.Inspector, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads(monkeypatch)
    for cls in EVERY.values():
        for name in ("needs", "compute", "layout", "caption"):
            threads.note(cls, name)
    for kind in (block.Block, grid.Grid, heat.Heat, histogram.Histogram, points.Points):
        threads.note(kind, "pack")
        threads.note(kind, "draw")
    threads.note(packing.Packer, "pack")
    threads.note(packing, "encoded")
    threads.note(wire, "encoded")
    threads.note(wire, "narrow")
    threads.note(curves, "prepared")
    threads.note(figure, "draw_rows")
    threads.note(view, "draw_rows")
    threads.note(saved_picture, "png_of")
    threads.note(Panel, "deliver")
    monkeypatch.setattr(saved_picture, "PICTURE_EVERY_S", 0.0)
    monkeypatch.setattr(view.View, "_publish", lambda self, png, *, update: None)

    views = make_all(inspector, embedding={"method": "pca"})
    for each in views.values():
        each._keep_picture("made for this test")
        PUBLISHER.heard(each.panel, visible=True)
    with inspector.watch(training.optimizer, budget=1.0):
        training.step()
        begun = {name: each.newest for name, each in views.items()}

        def all_refreshed() -> bool:
            training.step()
            inspector.selection.update(unit=training.steps % 3)
            return all(each.newest is not begun[name] for name, each in views.items())

        eventually(all_refreshed, "a refresh of every view")
    for each in views.values():
        answered(each)

    assert PUBLISHER_NAME in threads.of["Panel.deliver"], "nothing was sent"
    ran = {name: found for name, found in threads.of.items() if name != "Panel.deliver"}
    for name, cls in EVERY.items():
        assert WORKER_NAME in ran[f"{cls.__name__}.layout"], f"{name} was never laid out"
    for name in ("Packer.pack", "nnwidgets.display.packing.encoded", "nnwidgets.display.curves.prepared"):
        assert WORKER_NAME in ran[name], name
    assert WORKER_NAME in ran["nnwidgets.display.saved_picture.png_of"]
    assert {name for name, found in ran.items() if PUBLISHER_NAME in found} == set()


SINGLE = """
import threading
import torch
torch.set_num_threads(2)
from nnwidgets.display.publisher import Publisher
from nnwidgets.display.wire import Frame

seen, done = [], threading.Event()

class Page:
    def pay(self, seconds): pass
    def undeliverable(self, error): raise error
    def deliver(self, frame, seq):
        seen.append((threading.current_thread().name, torch.get_num_threads(), torch.is_grad_enabled()))
        done.set()

publisher, page = Publisher(), Page()
publisher.open(page)
publisher.post(page, lambda: Frame({}))
assert done.wait(60)
publisher.stop()
later = []
thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
thread.start()
thread.join()
print(*seen[0], torch.get_num_threads(), torch.is_grad_enabled(), later[0])
"""


def test_the_sending_thread_has_one_cpu_thread_and_the_users_keep_theirs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SINGLE], capture_output=True, text=True, timeout=2 * DEADLINE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [PUBLISHER_NAME, "1", "False", "2", "True", "2"]
