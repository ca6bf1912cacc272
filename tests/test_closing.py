"""Two inspectors on a model, linked ones, and what is left after the end."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import nnwidgets as nnw
from tests.nets import NETS, Training
from tests.views.every import Uncertainty
from tests.waiting import inspecting, shown

X, Y = NETS["cnn"].inputs[:40], NETS["cnn"].labels[:40]


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return NETS["cnn"].build()


@pytest.fixture(name="inspector")
def inspector_() -> Any:
    with inspecting(cnn(), (X, Y), probe=8) as inspector:
        yield inspector


def test_a_second_inspector_on_a_model_replaces_the_first_and_its_watch() -> None:
    training = Training(NETS["cnn"])
    data = (training.net.inputs, training.net.labels)
    with inspecting(training.model, data, probe=8) as first:
        old_view, old_watch = first.activations(), first.watch(training.optimizer)
        with inspecting(torch.compile(training.model, backend="eager"), data, probe=8) as second:
            assert old_watch.closed
            assert old_view.comm is None
            assert repr(first) == "Inspector(closed)"
            with pytest.raises(RuntimeError, match="expected an open inspector, got one that was closed or rep"):
                first.watch()
            with second.watch(training.optimizer) as watch:
                training.step()
            assert watch.step_count == 1
            assert shown(second.activations()).step == 1


def test_closing_one_of_two_linked_inspectors_leaves_the_other_linked() -> None:
    with inspecting(cnn(), (X, Y), probe=8) as one:
        two = nnw.Inspector(cnn(), (X, Y), probe=8, selection=one.selection)
        told: list[Any] = []
        one.selection.observe(told.append, names=["sample"])
        view, other = one.activations(), two.activations()
        one.selection.sample = 6
        assert (shown(view).sample, shown(other).sample) == (6, 6)
        two.close()
        one.selection.sample = 7
        assert shown(view).sample == 7
        assert len(told) == 2


def test_a_closed_watch_takes_calls_and_does_nothing() -> None:
    training = Training(NETS["cnn"])
    with inspecting(training.model, (X, Y), probe=8) as inspector:
        watch = inspector.watch(training.optimizer)
        training.step()
        watch.close()
        watch.close()
        training.step()
        watch.step()
        watch.log(loss=1.0)
        watch.refresh()
        watch.poll()
        with watch.paused():
            pass
        assert watch.step_count == 1


def test_a_closed_inspector_says_so(inspector: nnw.Inspector) -> None:
    view = inspector.activations()
    inspector.close()
    inspector.close()
    assert view.comm is None
    for name in ("activations", "filters", "embedding", "occlusion", "dashboard", "refresh", "watch"):
        with pytest.raises(RuntimeError, match="expected an open inspector, got one that was closed or replaced"):
            getattr(inspector, name)()
    with pytest.raises(RuntimeError, match="expected an open inspector"):
        inspector.view(Uncertainty)
    with pytest.raises(
        RuntimeError, match="ActivationsView: expected an open widget, got a closed one; keep its inspector"
    ):
        view._ipython_display_()
