"""Layer sums of an occlusion map against hooks in a plain loop, for layers of every shape."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map
from tests.analysis.nets_of_any_axes import built
from tests.analysis.occlusion_loop import one_by_one


class Summed(nn.Module):
    """What a layer of a model says, summed over positions, as a hook sees it."""

    def __init__(self, model: nn.Module, layer: str) -> None:
        super().__init__()
        self.model, self.layer = model, layer

    def forward(self, x: Tensor) -> Tensor:
        values: list[Tensor] = []
        layer = self.model.get_submodule(self.layer)
        handle = layer.register_forward_hook(lambda _module, _inputs, out: values.append(out.clone()))
        self.model(x)
        handle.remove()
        return values[0].flatten(2).double().sum(2)


@pytest.mark.parametrize(
    ("name", "patch", "layer"),
    [
        ("conv1d", 4, "3"),
        ("conv1d", 4, "4"),  # takes its axes from the layer before it
        ("conv1d", (1, 4), "0"),
        ("conv2d", 3, "0"),
        ("conv3d", 2, "4"),
    ],
)
def test_layer_sums_are_those_of_a_hook_and_name_the_strongest_channel(name: str, patch: Any, layer: str) -> None:
    model, images = built(name)

    found = occlusion_map(model, images, patch=patch, stride=patch, layers=layer)

    summed = Summed(model, layer)
    own = one_by_one(summed, images, found)
    torch.testing.assert_close(found.layer_sums[layer].double(), own, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(found.clean_layer_sums[layer].double(), summed(images), rtol=1e-5, atol=1e-4)
    axes = tuple(range(1, own.ndim - 1))
    assert torch.equal(found.layer_sums[layer].sum(axes).argmax(-1), own.sum(axes).argmax(-1))


class Unrolled(nn.Module):
    """Reads a picture's rows one after the other, by layers along steps and by a recurrent one."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(2, 4, 3)
        self.steps = nn.Sequential(nn.Conv1d(4, 6, 3), nn.ReLU())
        self.again = nn.Sequential(nn.Conv1d(6, 6, 1), nn.Tanh())
        self.read = nn.GRU(6, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.again(self.again(self.steps(self.maps(x).flatten(2))))
        states, _ = self.read(x.transpose(1, 2))
        return self.head(states[:, -1])  # type: ignore[no-any-return]


def test_channels_are_found_in_layers_along_steps_behind_pictures() -> None:
    torch.manual_seed(0)
    model, images = Unrolled().eval(), torch.randn(2, 2, 8, 7)
    layers = ["maps", "steps.0", "steps", "again.1:2", "again", "read"]

    found = occlusion_map(model, images, patch=3, stride=3, layers=layers)

    assert {name: found.layer_sums[name].shape[-1] for name in layers} == dict(
        zip(layers, (4, 6, 6, 6, 6, 5), strict=True)
    )
    for name in ("maps", "steps.0", "steps"):
        own = one_by_one(Summed(model, name), images, found)
        torch.testing.assert_close(found.layer_sums[name].double(), own, rtol=1e-5, atol=1e-4)
    with torch.no_grad():
        states, _ = model.read(model.again(model.again(model.steps(model.maps(images).flatten(2)))).transpose(1, 2))
    torch.testing.assert_close(found.clean_layer_sums["read"], states.sum(1), rtol=1e-5, atol=1e-5)
