"""Promise 1: training with every view open gives, to the last bit, what training without gives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import nnwidgets as nnw
from nnwidgets.display.view import View
from nnwidgets.training import background
from nnwidgets.training.worker import Snapshot
from tests.nets import NETS, Training
from tests.views.every import Uncertainty, make_all

REFRESHES = 10
CLICKS = 5
PATIENCE_S = 400.0


class ComputesNothing(Uncertainty):
    """A user's view with a mistake."""

    def compute(self, *_: Any) -> Any:
        raise ZeroDivisionError("made for this test")


class LaysOutNothing(Uncertainty):
    """A user's view with another."""

    def layout(self, result: Any) -> Any:
        raise ZeroDivisionError("made for this test")


class Counted:
    """Counts the refreshes that a view finishes."""

    def __init__(self, view: View) -> None:
        self.view, self.finished = view, 0
        work = view.job.work

        def counted(snapshot: Snapshot) -> Iterator[None]:
            yield from work(snapshot)
            self.finished += 1

        view.job.work = counted  # type: ignore[method-assign]
        view.shown = True


def open_views(inspector: nnw.Inspector, **options: dict[str, Any]) -> list[Counted]:
    """All views that can be shown for this model, those that a user could write as well."""
    return [Counted(view) for view in make_all(inspector, **options).values() if not view.obstacle]


def click_around(inspector: nnw.Inspector, view: View, stop: threading.Event, answered: list[int]) -> None:
    """Pick layers and samples until enough were answered; clicks go before refreshes, more would only delay them."""
    turn = 0
    while not stop.is_set() and len(answered) < 4 * CLICKS:
        turn += 1
        sample, layer = turn % 90, inspector.layers[turn % len(inspector.layers)]
        view.command("select", {"sample": sample, "layer": layer})
        until = time.monotonic() + 2
        while time.monotonic() < until and not stop.is_set():
            result = view.result
            if result is not None and (result.sample, result.layer) == (sample, layer):
                answered.append(turn)
                break
            time.sleep(0.005)
        stop.wait(0.3)


def watched(net: str, case: str) -> tuple[Training, dict[str, int], int]:
    """Train until every view was refreshed and clicks were answered often enough; what came of it."""
    training = Training(NETS[net])
    inspector = nnw.Inspector(training.model, (training.net.inputs, training.net.labels), probe=16)
    # Ten maps by t-SNE take many minutes of training at the default budget; every other case makes them.
    method = "pca" if case == "default budget" else "tsne"
    counted = open_views(
        inspector,
        embedding={"layer": inspector.layers[-1], "points": 40, "method": method},
        occlusion={"stride": 2},
    )
    if case == "a failing view":
        for view in (ComputesNothing, LaysOutNothing):
            inspector.view(view).shown = True
    stop = threading.Event()
    answered: list[int] = []
    clicked = next(each.view for each in counted if each.view.name == "activations")
    clickers = [
        threading.Thread(target=click_around, args=(inspector, clicked, stop, answered), daemon=True)
        for _ in range(2 if case == "requests from two threads" else 1)
    ]
    budget = 0.05 if case == "default budget" else 1.0
    needed_clicks = CLICKS
    with inspector.watch(training.optimizer, budget=budget) as watch:
        for clicker in clickers:
            clicker.start()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            watch.log(loss=training.step())
            if len(answered) >= needed_clicks and all(each.finished >= REFRESHES for each in counted):
                break
        stop.set()
        for clicker in clickers:
            clicker.join()
    refreshes = {each.view.name: each.finished for each in counted}
    inspector.close()
    return training, refreshes, len(answered)


def unwatched(net: str, steps: int) -> dict[str, Any]:
    training = Training(NETS[net])
    for _ in range(steps):
        training.step().detach().clone()
    return training.everything()


CASES = ("every step", "default budget", "requests from two threads", "a failing view")
QUICK: dict[str, tuple[str, ...]] = {
    "default budget": ("mlp", "recurrent"),
    "requests from two threads": ("residual", "recurrent"),
    "a failing view": ("cnn", "attention"),
}


def cases() -> Iterator[Any]:
    """Every net with the watch as busy as can be; the other cases on a few, on all of them in the soak."""
    for case in CASES:
        for net in NETS:
            quick = net in QUICK.get(case, NETS)
            yield pytest.param(net, case, id=f"{net}, {case}", marks=[] if quick else [pytest.mark.soak])


@pytest.fixture(autouse=True)
def worker_of_normal_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of our work beside each step, and a test that ends on a busy machine too."""
    monkeypatch.setattr(background, "NICENESS", 0)


@pytest.mark.parametrize(("net", "case"), list(cases()))
def test_watching_changes_no_bit_of_training(net: str, case: str) -> None:
    training, refreshes, clicks = watched(net, case)
    assert min(refreshes.values()) >= REFRESHES, f"only {refreshes} refreshes: nothing was proved"
    assert clicks >= CLICKS
    seen = training.everything()
    plain, again = unwatched(net, training.steps), unwatched(net, training.steps)
    assert plain == again, "this net is not reproducible itself, so nothing was proved"
    assert {name for name in plain if plain[name] != seen.get(name)} == set()
    assert plain.keys() == seen.keys()
