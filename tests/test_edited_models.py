"""A model whose layers are replaced while it is watched: views follow it, or say what is in the way.

A patched forward pass that refers to the live model would run it in the background: the copy is looked at anew.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import nnwidgets as nnw
from nnwidgets.display.view import View
from tests.training.toys import flush
from tests.waiting import eventually, inspecting, shown

X, Y = torch.rand(32, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(8 * 64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x))
        if hasattr(self, "relu"):
            x = self.relu(x)
        output: torch.Tensor = self.fc(x.flatten(1))
        return output


@pytest.fixture(name="net")
def net_() -> Net:
    torch.manual_seed(0)
    return Net()


@pytest.fixture(name="inspector")
def inspector_(net: Net) -> Iterator[nnw.Inspector]:
    with inspecting(net, (X, Y), probe=16) as inspector:
        yield inspector


def train(net: Net, inspector: nnw.Inspector, steps: int = 3) -> None:
    """A few steps with an optimizer of what the model is made of now."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        nn.functional.cross_entropy(net(X), Y).backward()
        optimizer.step()
        optimizer.zero_grad()


def maps_now(net: Net, sample: int) -> torch.Tensor:
    with torch.no_grad():
        maps: torch.Tensor = net.relu(net.eval().norm(net.conv(X[sample : sample + 1])))
        return maps[0]


def settled(view: View) -> Any:
    """What the view shows when a copy that was made anew has been looked at, in this thread as a cell would."""
    eventually(lambda: come_by(view) and flush(view.session.worker, 0.05), "an answer")
    return shown(view)


def come_by(view: View) -> bool:
    view.session.user_thread.drain()
    return True


def test_views_follow_layers_that_are_replaced_by_wider_ones(net: Net, inspector: nnw.Inspector) -> None:
    view, filters = inspector.activations(layer="relu"), inspector.filters(layer="conv")
    with inspector.watch() as watch:
        train(net, inspector)
        assert shown(view).values.shape[-3] == 8
        net.fc = nn.Linear(8 * 64, 6)
        train(net, inspector)
        net.conv, net.norm, net.fc = nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.Linear(16 * 64, 6)
        train(net, inspector)
        assert watch.step_count == 9
        for each in (view, filters):
            each.refresh()
        torch.testing.assert_close(settled(view).values.squeeze(0), maps_now(net, view.sample))
        assert len(settled(filters).weight) == 16


def test_a_layer_that_is_gone_is_told_in_its_view_and_others_go_on(net: Net, inspector: nnw.Inspector) -> None:
    gone, stays = inspector.activations(layer="relu"), inspector.activations(layer="conv")
    with inspector.watch():
        train(net, inspector)
        shown(gone)
        del net.relu
        train(net, inspector)
        for view in (gone, stays):
            view.refresh()
        assert len(settled(stays).values.squeeze(0)) == 8
        assert gone.failure is not None
        assert "relu" in gone.failure[0]


def bound(net: Net, x: torch.Tensor) -> torch.Tensor:
    hidden: torch.Tensor = net.relu(net.norm(net.conv(x)))
    return net.fc(hidden.flatten(1))  # type: ignore[no-any-return]


@pytest.mark.parametrize("leaks", [True, False], ids=["refers to the model", "is a method"])
def test_a_patched_forward_pass_never_runs_the_live_model_in_the_background(
    net: Net, inspector: nnw.Inspector, leaks: bool
) -> None:
    view = inspector.activations(layer="relu")
    with inspector.watch() as watch:
        train(net, inspector)
        before = settled(view)
        patched = (lambda x: bound(net, x)) if leaks else types.MethodType(bound, net)
        net.forward = patched  # type: ignore[method-assign]
        net.fc = nn.Linear(8 * 64, 6)  # by which the copy is made anew
        train(net, inspector)
        view.refresh()
        if leaks:
            eventually(lambda: come_by(view) and inspector._session.unsupported_reason, "the refusal")
            assert "of the live model" in inspector._session.unsupported_reason
            assert view.header()["state"]["kind"] == "refused"
            view.refresh()
            train(net, inspector)
            assert view.result is before
        else:
            torch.testing.assert_close(settled(view).values.squeeze(0), maps_now(net, view.sample))
            assert inspector._session.unsupported_reason == ""
        assert net.norm.num_batches_tracked == watch.step_count, "the live model was run by somebody else"
