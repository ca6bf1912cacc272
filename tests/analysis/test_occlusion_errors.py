"""What an occlusion map says about arguments and models that it can't work with."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map

CLASSES = 5


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    conv = {"conv1": nn.Conv2d(2, 4, 3), "conv2": nn.Conv2d(4, 4, 1), "pool": nn.AdaptiveAvgPool2d(1)}
    net = nn.Sequential()
    for name, module in (*conv.items(), ("flat", nn.Flatten()), ("head", nn.Linear(4, CLASSES))):
        net.add_module(name, module)
    return net


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return torch.randn(3, 2, 11, 9, generator=generator)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"patch": 12}, ValueError, r"patch: expected at most the image size 11 × 9, got 12 × 12"),
        ({"patch": (3, 10)}, ValueError, "patch: expected at most the image size 11 × 9, got 3 × 10"),
        ({"patch": 0}, ValueError, "patch: expected at least 1 pixel"),
        ({"patch": 2.5}, TypeError, "patch: expected an integer"),
        ({"patch": (1, 2, 3)}, TypeError, "patch: expected an integer or a pair"),
        ({"stride": True}, TypeError, "stride: expected an integer"),
        ({"stride": 4}, ValueError, r"stride: expected at most patch \(3\), got 4; pixels between patches would never"),
        ({"stride": (1, 4)}, ValueError, r"stride: expected at most patch \(3\), got 4"),
        ({"stride": -1}, ValueError, "stride: expected at least 1 pixel"),
        ({"fill": [0.1, 0.2, 0.3]}, ValueError, r"fill: expected one number or 2, one per channel, got shape \(3,\)"),
        ({"fill": torch.zeros(2, 2)}, ValueError, "fill: expected one number or 2"),
        ({"fill": "median"}, ValueError, "fill: .*'mean', got 'median'"),
        ({"fill": math.nan}, ValueError, "fill: expected finite"),
        ({"mode": "fast"}, ValueError, "mode: expected 'exact'"),
        ({"images": torch.zeros(3, 2, 11, 9, dtype=torch.uint8)}, TypeError, "images: .*floating-point.*torch.uint8"),
        ({"images": [[0.0]]}, TypeError, "images: expected a tensor, got list"),
        ({"images": torch.zeros(2, 11, 9)}, ValueError, r"images: .*got shape \(2, 11, 9\); add a batch axis"),
        ({"images": torch.zeros(0, 2, 11, 9)}, ValueError, "images: expected at least one image"),
        ({"images": torch.zeros(1, 2, 0, 9)}, ValueError, "images: expected at least one image"),
        ({"layers": ["conv3"]}, KeyError, "'conv3' is not a layer.*conv1, conv2"),
    ],
)
def test_wrong_input_is_an_error_that_says_what_was_expected(
    model: nn.Module, images: Tensor, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments: dict[str, Any] = {"images": images, "patch": 3, "stride": 1, **change}

    with pytest.raises(error, match=message):
        occlusion_map(model, arguments.pop("images"), **arguments)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_reported_with_its_place(model: nn.Module, images: Tensor, value: float) -> None:
    images[1, 0, 7, 2] = value

    with pytest.raises(
        ValueError, match=f"images: expected finite values, got {value} at image 1, channel 0, row 7, col 2"
    ):
        occlusion_map(model, images, patch=3, stride=1)


@pytest.mark.parametrize("tail", [nn.Flatten(0), nn.Unflatten(1, (1, CLASSES))])
def test_an_output_without_a_class_axis_is_an_error(model: nn.Module, images: Tensor, tail: nn.Module) -> None:
    with pytest.raises(ValueError, match="model output: expected scores of shape"):
        occlusion_map(nn.Sequential(model, tail), images, patch=3, stride=1)


@pytest.mark.parametrize("target", [-1, CLASSES, [0, 1], 1.5, [0, 1, CLASSES]])
def test_a_target_that_is_no_class_is_an_error(model: nn.Module, images: Tensor, target: Any) -> None:
    result = occlusion_map(model, images, patch=5, stride=5)

    with pytest.raises(ValueError, match="target: expected"):
        result.importance(target)


def test_an_unknown_kind_is_an_error(model: nn.Module, images: Tensor) -> None:
    with pytest.raises(ValueError, match="kind: expected 'logit' or 'probability'"):
        occlusion_map(model, images, patch=5, stride=5).importance(0, kind="odds")  # type: ignore[arg-type]
