"""Cells run again and again leave one of everything; what nobody holds is gone; a process ends whatever runs in it."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
import weakref
from collections import Counter
from typing import Any

import pytest
from ipywidgets.widgets import widget as registry
from torch import nn
from torch.optim import optimizer as optimizer_module

import nnwidgets as nnw
from nnwidgets.display.page_code import page_code
from nnwidgets.display.publisher import PUBLISHER
from nnwidgets.shadow import Shadow
from tests.nets import NETS, Training
from tests.training.toys import flush
from tests.views.every import EVERY, make, make_all
from tests.waiting import eventually, inspecting, shown

RUNS = 20
EXIT_DEADLINE_S = 120


def open_widgets() -> int:
    return len(registry._instances)


def threads() -> Counter[str]:
    return Counter(thread.name for thread in threading.enumerate() if thread.name.startswith("nnwidgets"))


def hooks_of(model: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        for module in model.modules()
    )


def step_hooks(training: Training) -> int:
    every = (optimizer_module._global_optimizer_post_hooks, optimizer_module._global_optimizer_pre_hooks)
    own = (training.optimizer._optimizer_step_post_hooks, training.optimizer._optimizer_step_pre_hooks)
    return sum(len(hooks) for hooks in (*every, *own))


def shadow_of(inspector: nnw.Inspector) -> weakref.ref[Shadow]:
    return weakref.ref(inspector._session.shadow)


class Cell:
    """What a notebook holds: the names that the next run of the cell binds anew."""

    def __init__(self) -> None:
        self.training = Training(NETS["cnn"])

    def run(self, *, new_model: bool) -> None:
        if new_model:
            self.training = Training(NETS["cnn"])
        data = (self.training.net.inputs, self.training.net.labels)
        self.inspector = nnw.Inspector(self.training.model, data, probe=8)
        cheap: dict[str, Any] = {"embedding": {"points": 8, "method": "pca"}, "occlusion": {"patch": 8, "stride": 8}}
        self.views = list(make_all(self.inspector, **cheap).values())
        self.row = nnw.row(*self.views[:2])
        self.dashboard = self.inspector.dashboard()
        self.watch = self.inspector.watch(self.training.optimizer)
        for _ in range(3):
            self.training.step()
        for view in self.views:
            shown(view)


@pytest.mark.parametrize("new_model", [False, True], ids=["same model", "new model"])
def test_a_cell_run_twenty_times_leaves_one_of_everything(new_model: bool) -> None:
    cell = Cell()
    hooks = step_hooks(cell.training)
    shadows: list[weakref.ref[Shadow]] = []
    counts: list[tuple[int, int]] = []
    for _ in range(RUNS):
        cell.run(new_model=new_model)
        gc.collect()
        shadows.append(shadow_of(cell.inspector))
        counts.append((open_widgets(), len(PUBLISHER._lanes)))
    assert set(counts[1:]) == {counts[1]}, counts
    eventually(lambda: threads() == {"nnwidgets-worker": 1, "nnwidgets-publisher": 1}, f"one of each of {threads()}")
    eventually(lambda: gc.collect() >= 0 and [find() for find in shadows[:-1]] == [None] * (RUNS - 1), "one shadow")
    assert cell.watch.step_count == 3
    assert step_hooks(cell.training) == hooks + 1
    assert hooks_of(cell.training.model) == 0
    cell.inspector.close()
    assert step_hooks(cell.training) == hooks


def test_closing_an_inspector_leaves_nothing_of_it() -> None:
    cell = Cell()
    widgets, lanes, hooks = open_widgets(), len(PUBLISHER._lanes), step_hooks(cell.training)
    cell.run(new_model=False)
    shadow, worker = shadow_of(cell.inspector), weakref.ref(cell.inspector._session.worker)
    assert open_widgets() > widgets + 15
    cell.inspector.close()
    assert (open_widgets(), len(PUBLISHER._lanes), step_hooks(cell.training)) == (widgets, lanes, hooks)
    assert hooks_of(cell.training.model) == 0
    assert cell.watch.closed
    assert all(view.comm is None for view in (*cell.views, cell.dashboard))
    del cell
    eventually(lambda: gc.collect() >= 0 and shadow() is None and worker() is None, "the end of shadow and worker")
    assert threads()["nnwidgets-worker"] == 0


@pytest.mark.parametrize("name", [*EVERY, "dashboard"])
def test_a_view_closed_takes_all_its_widgets_listeners_and_jobs_with_it(name: str) -> None:
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs, net.labels), probe=8) as inspector:
        session = inspector._session
        page_code()  # one for all, and it stays
        before = open_widgets()

        def held() -> tuple[int, ...]:
            flush(session.worker)
            return (
                open_widgets(),
                len(PUBLISHER._lanes),
                len(session._listeners),
                len(session.members),
                len(session.probe._listeners),
                len(tuple(session.worker.schedule.tasks)),
                len(session.worker._calls._calls),
                len(session.kept_bytes),
                len(session.pictured),
                sum(len(each) for kinds in session.selection._trait_notifiers.values() for each in kinds.values()),
            )

        first = held()
        view: Any = inspector.dashboard() if name == "dashboard" else make(inspector, name)
        gone = weakref.ref(view)
        assert open_widgets() > before
        view.close()
        assert held() == first
        view.close()
        inspector.selection.sample = 3
        session.changed()
        assert held() == first
        del view
        eventually(lambda: gc.collect() >= 0 and gone() is None, f"the end of the {name} view")


def test_a_view_whose_construction_fails_leaves_nothing() -> None:
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs, net.labels), probe=8) as inspector:
        before = open_widgets(), len(PUBLISHER._lanes), len(inspector._session.members)
        for options in ({"patch": 99}, {"target": 99}, {"layer": "nope"}, {"sample": 1_000}):
            with pytest.raises((ValueError, KeyError, IndexError)):
                inspector.occlusion(**options)
        gc.collect()
        assert (open_widgets(), len(PUBLISHER._lanes), len(inspector._session.members)) == before


def test_a_row_closes_its_views_but_not_those_that_a_later_row_has_taken() -> None:
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs, net.labels), probe=8) as inspector:
        before = open_widgets()
        view = inspector.activations()
        first = nnw.row(view, inspector.filters())
        second = nnw.row(view)
        first.close()
        assert view.comm is not None
        assert shown(view).layer == inspector.selection.layer
        second.close()
        assert view.comm is None
        assert open_widgets() == before


def test_a_temporary_inspector_ends_with_its_view() -> None:
    """The docstring says who holds whom; a view alone shows nothing, and says why when it is displayed."""
    net, before = NETS["cnn"], open_widgets()
    view = nnw.Inspector(net.build(), (net.inputs, net.labels), probe=8).activations()
    gc.collect()
    assert view.comm is None
    assert open_widgets() == before
    with pytest.raises(RuntimeError, match="keep its inspector in a variable"):
        view._ipython_display_()
    eventually(lambda: threads()["nnwidgets-worker"] == 0, "the end of the worker")


EVERYTHING_RUNS = """
    import sys, threading
    sys.path.insert(0, {root!r})
    import torch
    torch.set_num_threads(1)
    import nnwidgets as nnw
    from tests.nets import NETS, Training
    from tests.views.every import make_all

    training = Training(NETS["residual"])
    inspector = nnw.Inspector(training.model, (training.net.inputs, training.net.labels), probe=16)
    views = [*make_all(inspector, embedding={{"points": 90}}, occlusion={{"patch": 2, "stride": 1}}).values(),
             inspector.dashboard()]
    watch = inspector.watch(training.optimizer, budget=1.0)
    for _ in range(30):
        training.step()
    for view in views[:-1]:
        view.refresh()
    {end}
"""
ENDS = {
    "the end of the script": ("pass", 0, ""),
    "an exception": ("raise KeyError('made for this test')", 1, "made for this test"),
    "all names deleted": ("del views, view, watch, inspector, training", 0, ""),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_process_ends_with_its_own_exit_code_while_everything_runs(end: str, pytestconfig: pytest.Config) -> None:
    how, code, said = ENDS[end]
    script = textwrap.dedent(EVERYTHING_RUNS).format(root=str(pytestconfig.rootpath), end=how)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=EXIT_DEADLINE_S, check=False
    )
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr
    for bad in ("Fatal", "Aborted", "terminate called", "Exception ignored", "nnwidgets-worker"):
        assert bad not in ended.stderr, ended.stderr
