"""What one analysis returns is what the next one takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nnwidgets.analysis import (
    Embedding,
    LiveTSNE,
    activation_stats,
    capture,
    filter_smoothness,
    filter_stats,
    filter_weight,
    layer_names,
    occlusion_map,
    pca,
    trustworthiness,
    tsne,
)
from nnwidgets.analysis.embedding import features
from nnwidgets.analysis.kept_near import kept_near

IMAGES = torch.randn(24, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 5))


def assert_same(one: object, other: object) -> None:
    for name, value in vars(one).items():
        expected = getattr(other, name)
        if isinstance(value, Tensor):
            torch.testing.assert_close(value, expected, rtol=0, atol=0, equal_nan=True)
        elif isinstance(value, float):
            assert value == pytest.approx(expected, abs=0, rel=0, nan_ok=True)
        else:
            assert value == expected


def test_statistics_of_captured_layers_are_those_of_each(model: nn.Module) -> None:
    values = capture(model, IMAGES)
    stats = activation_stats(values, inputs=IMAGES)
    assert list(stats) == list(values)
    for name, value in values.items():
        assert_same(stats[name], activation_stats(value, inputs=IMAGES))
    assert activation_stats({}) == {}


def test_statistics_go_by_the_axes_that_layer_names_tells() -> None:
    model = nn.Sequential(nn.Conv1d(2, 5, 3), nn.ReLU(), nn.Flatten())
    x = torch.randn(4, 2, 9)
    values, layers = capture(model, x), layer_names(model, x)
    sizes = {name: len(each.mean) for name, each in activation_stats(values, layers=layers).items()}
    assert sizes == {"0": 5, "1": 5, "2": 35}
    assert [len(each.mean) for each in activation_stats(values, channel_dim=1).values()] == [5, 5, 35]
    assert [len(each.mean) for each in activation_stats(values, layers=layers[:1]).values()] == [5, 7, 35]


@pytest.mark.parametrize(
    ("activations", "options", "error", "message"),
    [
        ([1.0], {}, TypeError, "^activations: expected a tensor, or tensors by name as from capture, got list; "),
        (np.ones((2, 3)), {}, TypeError, "got ndarray; torch.as_tensor"),
        ({"fc": None}, {}, TypeError, "^layer 'fc': activations: expected a tensor, .* got NoneType"),
        ({"fc": torch.ones(2, 3) * 1j}, {}, TypeError, "^layer 'fc': activation: expected real values"),
        ({"fc": torch.ones(2, 3)}, {"inputs": IMAGES}, ValueError, r"^layer 'fc': inputs: expected one per .* \(2\)"),
    ],
)
def test_statistics_name_the_layer_that_cannot_be_used(
    activations: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        activation_stats(activations, **options)


MAPS: dict[str, Callable[[Any], Embedding]] = {
    "pca": pca,
    "tsne": lambda x: tsne(x, perplexity=5.0),
    "live": lambda x: LiveTSNE(perplexity=5.0).update(x),
    "few": lambda x: tsne(x[:5], perplexity=5.0),
}


@pytest.mark.parametrize("of", MAPS.values(), ids=MAPS)
def test_a_map_of_captured_values_is_that_of_their_rows(of: Callable[[Any], Embedding], model: nn.Module) -> None:
    maps = capture(model, IMAGES)["0"]
    expected = of(maps.flatten(1))
    for x in (maps, maps.numpy(), maps.tolist()):
        found = of(x)
        torch.testing.assert_close(found.positions, expected.positions, rtol=0, atol=0)
        assert found.notes == expected.notes


@pytest.mark.parametrize("of", MAPS.values(), ids=MAPS)
def test_large_maps_are_averaged_and_the_caption_says_so(of: Callable[[Any], Embedding]) -> None:
    maps = torch.randn(24, 20, 16, 16, generator=torch.Generator().manual_seed(1))
    found, expected = of(maps), of(features(maps)[0])
    torch.testing.assert_close(found.positions, expected.positions, rtol=0, atol=0)
    assert found.notes == ("maps of 16×16 averaged to 8×8", *expected.notes)


@pytest.mark.parametrize("of", [*MAPS.values(), lambda x: trustworthiness(x, torch.zeros(24, 2))])
def test_all_captured_layers_at_once_are_refused(of: Callable[[Any], object], model: nn.Module) -> None:
    values = capture(model, IMAGES)
    x: Any = values if of is not MAPS["few"] else _Sliced(values)
    with pytest.raises(
        TypeError, match=r"^x: expected a tensor or array of numbers, got a .* of '0', '1', '2', …; take"
    ):
        of(x)


class _Sliced(dict[str, Tensor]):
    def __getitem__(self, key: Any) -> Any:
        return self if isinstance(key, slice) else super().__getitem__(key)


def test_a_map_is_judged_as_it_was_returned(model: nn.Module) -> None:
    maps = capture(model, IMAGES)["0"]
    embedding = tsne(maps, perplexity=5.0)
    expected = trustworthiness(maps.flatten(1), embedding.positions, neighbours=5)
    assert trustworthiness(maps, embedding, neighbours=5) == expected
    assert embedding.neighbours is not None
    for row in range(len(IMAGES)):
        near = embedding.neighbours[row]
        kept = kept_near(embedding, row, near)
        assert kept == kept_near(embedding.positions, row, near.tolist())
    assert sum(kept_near(embedding, row, embedding.neighbours[row]) for row in range(len(IMAGES))) > 0


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv2d(3, 4, 3),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
    "linear": lambda: nn.Linear(3, 4),
    "weight norm": lambda: parametrizations.weight_norm(nn.Conv1d(3, 4, 5)),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_a_layer_stands_for_its_weight_and_is_only_read(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    layer = make().train()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    weight = filter_weight(layer)
    assert weight is not None
    torch.testing.assert_close(filter_smoothness(layer), filter_smoothness(weight), rtol=0, atol=0, equal_nan=True)
    assert_same(filter_stats(layer), filter_stats(weight))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("of", [filter_smoothness, filter_stats])
def test_what_has_no_filters_is_refused(of: Callable[[Any], object], model: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"^weight: expected a convolution .* got Sequential, .*get_submodule"):
        of(model)
    with pytest.raises(TypeError, match=r"^weight: expected a tensor \(out, in, \*kernel\) or a layer, got NoneType; "):
        of(filter_weight(nn.ReLU()))


def test_an_occlusion_map_sums_the_layers_that_layer_names_returned(model: nn.Module) -> None:
    layers = layer_names(model, IMAGES)[:2]
    found = occlusion_map(model, IMAGES[:1], patch=4, stride=4, layers=layers)
    expected = occlusion_map(model, IMAGES[:1], patch=4, stride=4, layers=["0", "1"])
    assert list(found.layer_sums) == ["0", "1"]
    assert torch.equal(found.layer_sums["1"], expected.layer_sums["1"])
