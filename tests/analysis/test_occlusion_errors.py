"""What an occlusion map says about arguments and models that it can't work with."""

import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map, occlusion_steps

CLASSES = 5
GAPS = "pixels between patches would never be covered, which gaps=True allows"
FILL_SHAPE = "fill: expected one number, 2 (one per channel) or shape (3, 2, 11, 9)"
FILL_KIND = "fill: expected a number, one per channel, images, 'mean' or 'blur'"
FLOATS = "images: expected floating-point values as in training, got torch."
IMAGES = (
    "images: expected (batch, channels, height, width), (batch, channels, length) or "
    "(batch, channels, depth, height, width)"
)
EMPTY = "images: expected at least one image with pixels, got shape"


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
        (
            {"patch": 12},
            ValueError,
            "patch: expected at most the image size 11 × 9, got 12 × 12; choose a smaller patch",
        ),
        (
            {"patch": (3, 10)},
            ValueError,
            "patch: expected at most the image size 11 × 9, got 3 × 10; choose a smaller patch",
        ),
        ({"patch": 0}, ValueError, "patch: expected at least 1, got 0"),
        ({"patch": 2.5}, TypeError, "patch: expected an integer or integers (rows, cols), got 2.5"),
        ({"patch": True}, TypeError, "patch: expected an integer or integers (rows, cols), got True"),
        ({"patch": (3, True)}, TypeError, "patch: expected an integer or integers (rows, cols), got (3, True)"),
        ({"patch": (1, 2, 3)}, TypeError, "patch: expected an integer or integers (rows, cols), got (1, 2, 3)"),
        ({"patch": ()}, TypeError, "patch: expected an integer or integers (rows, cols), got ()"),
        ({"max_memory": "1GB"}, TypeError, "max_memory: expected a number of bytes, got '1GB'"),
        ({"max_memory": True}, TypeError, "max_memory: expected a number of bytes, got True"),
        ({"max_memory": -5}, ValueError, "max_memory: expected at least 0 bytes, got -5"),
        ({"stride": True}, TypeError, "stride: expected an integer or integers (rows, cols), got True"),
        ({"stride": (1,)}, TypeError, "stride: expected an integer or integers (rows, cols), got (1,)"),
        ({"stride": 4}, ValueError, f"stride: expected at most patch (3), got 4; {GAPS}"),
        ({"stride": (1, 4)}, ValueError, f"stride: expected at most patch (3), got 4; {GAPS}"),
        ({"stride": -1}, ValueError, "stride: expected at least 1, got -1"),
        ({"fill": [0.1, 0.2, 0.3]}, ValueError, f"{FILL_SHAPE}, got shape (3,)"),
        ({"fill": torch.zeros(2, 2)}, ValueError, f"{FILL_SHAPE}, got shape (2, 2)"),
        ({"fill": torch.zeros(2, 2, 11, 9)}, ValueError, f"{FILL_SHAPE}, got shape (2, 2, 11, 9)"),
        ({"fill": torch.zeros(3, 2, 11, 8)}, ValueError, f"{FILL_SHAPE}, got shape (3, 2, 11, 8)"),
        ({"fill": "median"}, ValueError, f"{FILL_KIND}, got 'median'"),
        ({"fill": None}, TypeError, f"{FILL_KIND}, got None"),
        ({"fill": torch.tensor(1j)}, TypeError, "fill: expected real numbers, got torch.complex64"),
        ({"fill": math.nan}, ValueError, "fill: expected finite values in torch.float32, got NaN or infinity"),
        ({"fill": 1e39}, ValueError, "fill: expected finite values in torch.float32, got NaN or infinity"),
        (
            {"fill": torch.full((1, 2, 11, 9), math.nan)},
            ValueError,
            "fill: expected finite values in torch.float32, got NaN or infinity",
        ),
        ({"mode": "fast"}, ValueError, "mode: expected 'exact' or 'preview', got 'fast'"),
        (
            {"images": torch.zeros(3, 2, 11, 9, dtype=torch.uint8)},
            TypeError,
            f"{FLOATS}uint8; try images.float() / 255",
        ),
        ({"images": torch.zeros(3, 2, 11, 9, dtype=torch.int64)}, TypeError, f"{FLOATS}int64; try images.float()"),
        ({"images": torch.zeros(3, 2, 11, 9, dtype=torch.bool)}, TypeError, f"{FLOATS}bool; try images.float()"),
        (
            {"images": torch.zeros(3, 2, 11, 9, dtype=torch.complex64)},
            TypeError,
            f"{FLOATS}complex64; try images.abs(), or real and imaginary part as channels",
        ),
        ({"images": [[0.0]]}, TypeError, "images: expected a tensor, got list; use torch.as_tensor"),
        (
            {"images": torch.zeros(11, 9)},
            ValueError,
            f"{IMAGES}, got shape (11, 9); add a batch axis with images[None]",
        ),
        ({"images": torch.zeros(0, 2, 11, 9)}, ValueError, f"{EMPTY} (0, 2, 11, 9)"),
        ({"images": torch.zeros(1, 2, 0, 9)}, ValueError, f"{EMPTY} (1, 2, 0, 9)"),
        ({"images": torch.zeros(1, 2, 0)}, ValueError, f"{EMPTY} (1, 2, 0)"),
        (
            {"images": torch.zeros(1, 2, 20), "patch": 21},
            ValueError,
            "patch: expected at most the image size 20, got 21; choose a smaller patch",
        ),
        (
            {"images": torch.zeros(1, 2, 20), "patch": (3, 20)},
            ValueError,
            "patch: expected at most the image size 2 × 20, got 3 × 20; choose a smaller patch",
        ),
        (
            {"images": torch.zeros(1, 2, 20), "patch": (1, 2, 3)},
            TypeError,
            "patch: expected an integer or integers (steps) or (channels, steps), got (1, 2, 3)",
        ),
        (
            {"images": torch.zeros(1, 2, 20), "stride": (1, 1)},
            TypeError,
            "stride: expected an integer or integers (steps), got (1, 1)",
        ),
        (
            {"images": torch.zeros(1, 2, 20), "patch": (1, 4), "stride": (1,)},
            TypeError,
            "stride: expected an integer or integers (channels, steps), got (1,)",
        ),
        (
            {"images": torch.zeros(1, 2, 5, 5, 5), "patch": (2, 2)},
            TypeError,
            "patch: expected an integer or integers (slices, rows, cols), got (2, 2)",
        ),
    ],
)
def test_wrong_input_is_an_error_that_says_what_was_expected(
    model: nn.Module, images: Tensor, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments: dict[str, Any] = {"images": images, "patch": 3, "stride": 1, **change}

    with pytest.raises(error) as of_map:
        occlusion_map(model, **arguments)
    with pytest.raises(error) as of_steps:
        occlusion_steps(model, **arguments)

    assert str(of_map.value) == str(of_steps.value) == message


@pytest.mark.parametrize("layers", [(), ("conv1",)])
def test_a_picture_without_a_batch_axis_is_no_sequence(model: nn.Module, layers: tuple[str, ...]) -> None:
    own = (
        "Given groups=1, weight of size [4, 2, 3, 3], expected input[1, 1, 11, 9] to have 2 channels, but got 1 "
        "channels instead"
    )
    images = torch.zeros(2, 11, 9)
    steps = occlusion_steps(model, images, patch=3, stride=1, layers=layers)

    with pytest.raises(ValueError) as of_map:
        occlusion_map(model, images, patch=3, stride=1, layers=layers)
    with pytest.raises(ValueError) as of_steps:
        next(steps)

    assert (
        str(of_map.value)
        == str(of_steps.value)
        == (
            "images: the model convolves along more axes than shape (2, 11, 9) has beside batch and channels: "
            f"{own}; add a batch axis with images[None]"
        )
    )


def test_an_unknown_layer_is_an_error_that_lists_the_nearest(model: nn.Module, images: Tensor) -> None:
    with pytest.raises(KeyError, match=r"'conv3' is not a layer.*conv1, conv2"):
        occlusion_map(model, images, patch=3, stride=1, layers=["conv3"])


@pytest.mark.parametrize("shape", [(1, 2, 11, 9), (1, 2, 11)])
def test_a_layer_that_the_model_does_not_call_is_an_error(shape: tuple[int, ...]) -> None:
    class Spare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.LazyLinear(3), nn.LazyLinear(3)
            self.used(torch.zeros(shape).flatten(1)), self.spare(torch.zeros(1, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x.flatten(1))  # type: ignore[no-any-return]

    with pytest.raises(KeyError) as caught:
        occlusion_map(Spare(), torch.zeros(shape), patch=3, stride=3, layers=["used", "spare"])
    assert caught.value.args == ("layer: 'spare' was not called with these inputs, or returned no tensor of numbers",)


def test_images_of_another_dtype_than_the_model_raise_the_models_own_error(model: nn.Module, images: Tensor) -> None:
    with pytest.raises(RuntimeError, match=r"Input type \(double\) and bias type \(float\) should be the same"):
        occlusion_map(model, images.double(), patch=3, stride=1)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("shape", "place"),
    [
        ((3, 2, 11, 9), "row 7, col 2"),
        ((3, 2, 30), "step 25"),
        ((3, 2, 5, 6, 7), "slice 4, row 1, col 6"),
    ],
)
def test_a_value_that_is_not_finite_is_reported_with_its_place(
    model: nn.Module, value: float, shape: tuple[int, ...], place: str
) -> None:
    images = torch.zeros(shape)
    images[(1, 0, *(int(number) for number in re.findall(r"\d+", place)))] = value

    with pytest.raises(
        ValueError, match=f"^images: expected finite values, got {value} at image 1, channel 0, {place}$"
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
