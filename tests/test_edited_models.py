"""A model whose layers are replaced while it is watched: views follow it, or say what is in the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

import nnwidgets as nnw
from tests.waiting import answered, inspecting, shown

X, Y = torch.rand(32, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 4


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(8 * 64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
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
        maps: torch.Tensor = net.relu(net.conv(X[sample : sample + 1]))
        return maps[0]


def test_views_follow_layers_that_are_replaced_by_wider_ones(net: Net, inspector: nnw.Inspector) -> None:
    view, filters = inspector.activations(layer="relu"), inspector.filters(layer="conv")
    with inspector.watch() as watch:
        train(net, inspector)
        assert shown(view).values.shape[-3] == 8
        net.fc = nn.Linear(8 * 64, 6)
        train(net, inspector)
        net.conv, net.fc = nn.Conv2d(1, 16, 3, padding=1), nn.Linear(16 * 64, 6)
        train(net, inspector)
        assert watch.step_count == 9
        for each in (view, filters):
            each.refresh()
        torch.testing.assert_close(shown(view).values.squeeze(0), maps_now(net, view.sample))
        assert len(shown(filters).weight) == 16


def test_a_layer_that_is_gone_is_told_in_its_view_and_others_go_on(net: Net, inspector: nnw.Inspector) -> None:
    gone, stays = inspector.activations(layer="relu"), inspector.activations(layer="conv")
    with inspector.watch():
        train(net, inspector)
        shown(gone)
        del net.relu
        train(net, inspector)
        for view in (gone, stays):
            view.refresh()
        assert len(shown(stays).values.squeeze(0)) == 8
        answered(gone)
        assert gone.failure is not None
        assert "relu" in gone.failure[0]
