"""What the dashboard says of losses and layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from nnwidgets.display.overview import layers_header, loss_alarm
from nnwidgets.session.attach import ACTIVATION
from tests.waiting import inspecting

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], ""),
        ([2.0, 1.0], ""),
        ([2.0, NAN, 1.0], ""),
        ([2.0, 1.0, NAN, NAN], "Loss is NaN since step 30; last finite at step 20. "),
        ([2.0, NAN, 1.0, INF], "Loss is ∞ since step 40; last finite at step 30. "),
        ([NAN, NAN], "Loss is NaN since step 10."),
    ],
)
def test_a_loss_that_is_no_number_any_more_raises_an_alarm(values: list[float], said: str) -> None:
    steps = [10 * (at + 1) for at in range(len(values))]
    assert loss_alarm("Loss", steps, values).startswith(said)
    assert bool(loss_alarm("Loss", steps, values)) == bool(said)


class Block(nn.Sequential):
    def forward(self, x: Any) -> Any:
        return nn.Sequential.forward(self, x) + 1  # type: ignore[no-untyped-call]


def test_a_block_stands_over_its_layers_and_what_it_returns_after_them() -> None:
    net = nn.Sequential(Block(nn.Linear(4, 4), nn.ReLU()), nn.Linear(4, 2))
    with inspecting(net, torch.rand(8, 4), probe=4) as inspector:
        rows = layers_header(inspector._session)["rows"]
        shown = [(row["name"], row["short"], row["depth"], row["group"]) for row in rows]
    names = [name for name, _, _, group in shown if not group]
    assert names == list(inspector.layers)
    at = {name: place for place, (name, _, _, group) in enumerate(shown) if not group}
    groups = {name: place for place, (name, _, _, group) in enumerate(shown) if group}
    assert groups["0"] < at["0.0"] < at["0.1"]
    if "0" in at:
        assert shown[at["0"]][1:3] == ("0 · output", 1)
        assert at["0"] > at["0.1"]


@pytest.mark.parametrize("kind", ["ReLU", "LeakyReLU", "GELU", "NewGELUActivation", "SiLU", "Tanh", "Hardswish"])
def test_these_are_activation_functions(kind: str) -> None:
    assert ACTIVATION.search(kind)


@pytest.mark.parametrize("kind", ["Linear", "Conv2d", "MultiheadAttention", "LayerNorm", "Embedding", "MaxPool2d"])
def test_these_are_none(kind: str) -> None:
    assert not ACTIVATION.search(kind)


def test_views_begin_with_the_first_activation_function() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    with inspecting(net, torch.rand(8, 4), probe=4) as inspector:
        assert inspector.selection.layer == "1"
        unit = inspector.activations().unit_of("1", 4)
        assert unit == int(inspector._session.record.latest.stats["1"].mean.argmax())  # type: ignore[union-attr]
