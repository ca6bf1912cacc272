"""What is seen where the patch lies: blurs against SciPy, given images against a plain loop and Captum."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map, occlusion_steps
from nnwidgets.analysis.engine.occlusion_fill import blurred
from tests.analysis.nets_of_any_axes import built
from tests.analysis.occlusion_loop import one_by_one
from tests.analysis.random_nets import RandomNet

SIZES: dict[str, int | tuple[int, ...]] = {"conv1d": 6, "conv2d": (5, 3), "conv3d": (2, 4, 3), "lstm": (2, 5)}


def by_scipy(images: Tensor, sides: tuple[int, ...]) -> Tensor:
    """SciPy's Gaussian of sigma = side / 4 along the last axes, cut at its default of 4 sigma."""
    sigma = (*[0.0] * (images.ndim - len(sides)), *(side / 4 for side in sides))
    blur = gaussian_filter(images.double().numpy(), sigma, mode="nearest", truncate=4.0)
    return torch.as_tensor(np.asarray(blur))


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-13), (torch.float32, 1e-6), (torch.bfloat16, 1e-2), (torch.float16, 1e-3)],
)
@pytest.mark.parametrize(
    ("size", "sides"), [((17,), (5,)), ((4,), (9,)), ((13, 30), (3, 8)), ((6, 1), (6, 1)), ((7, 5, 9), (2, 5, 3))]
)
def test_a_blur_is_that_of_scipy(
    size: tuple[int, ...], sides: tuple[int, ...], dtype: torch.dtype, tolerance: float, generator: torch.Generator
) -> None:
    images = torch.randn(2, 3, *size, generator=generator).to(dtype)

    found = blurred(images, sides)

    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), by_scipy(images, sides), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 3e-6)])
@pytest.mark.parametrize("name", SIZES)
def test_a_blurred_patch_shows_the_image_blurred(name: str, dtype: torch.dtype, tolerance: float) -> None:
    (model, images), patch = built(name, dtype), SIZES[name]

    found = occlusion_map(model, images, patch=patch, stride=1, fill="blur")

    # Channels are no neighbours: a block of them is blurred along its steps only.
    blur = by_scipy(images, found.patch[-(images.ndim - 2) :]).to(dtype)
    torch.testing.assert_close(found.scores, one_by_one(model, images, found, blur), rtol=tolerance, atol=tolerance)
    assert (found.windowed_share > 0) == (name == "conv2d")


@pytest.mark.parametrize("seed", range(6))
def test_random_nets_on_windows_see_the_blur_of_each_place(seed: int) -> None:
    net = RandomNet(seed).eval()
    images = 3 * torch.randn(2, net.channels, *net.size)

    found = occlusion_map(net, images, patch=(5, 4), stride=4, fill="blur")

    assert found.why_whole == ""
    own = one_by_one(net, images, found, by_scipy(images, (5, 4)).float())
    change = (own - found.clean[:, None, None]).abs().max()
    assert (found.scores - own).abs().max() <= 1e-3 * change


@pytest.mark.parametrize("name", SIZES)
def test_blurring_what_is_the_same_everywhere_changes_nothing(name: str) -> None:
    model, images = built(name)
    images = torch.full_like(images, 0.3) * torch.arange(1.0, 3.0).reshape(2, *[1] * (images.ndim - 1))

    found = occlusion_map(model, images, patch=SIZES[name], stride=1, fill="blur")

    clean = found.clean.reshape(2, *[1] * len(found.origins), -1).expand_as(found.scores)
    torch.testing.assert_close(found.scores, clean, rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", SIZES)
def test_given_images_are_seen_where_the_patch_lies(name: str, batch: int, generator: torch.Generator) -> None:
    (model, images), patch = built(name), SIZES[name]
    fill = torch.randn(batch, *images.shape[1:], generator=generator)

    found = occlusion_map(model, images, patch=patch, stride=1, fill=fill)

    torch.testing.assert_close(found.scores, one_by_one(model, images, found, fill), rtol=3e-6, atol=3e-6)
    assert (found.windowed_share > 0) == (name == "conv2d")


def test_given_images_are_captums_baselines(generator: torch.Generator) -> None:
    model, images = built("conv2d")
    fill = torch.randn(images.shape, generator=generator)

    found = occlusion_map(model, images, patch=(5, 3), stride=(3, 3), fill=fill)

    captum = Occlusion(model).attribute(
        images, sliding_window_shapes=(2, 5, 3), strides=(2, 3, 3), baselines=fill, target=1
    )
    torch.testing.assert_close(found.importance(1), captum[:, 0], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["conv1d", "conv3d"])
def test_numbers_means_and_one_number_per_image_and_channel_fill_any_axes(name: str) -> None:
    model, images = built(name)
    axes, channels = images.ndim - 2, images.shape[1]
    each = torch.linspace(-1, 1, channels)
    of_images = torch.stack([each, 2 * each]).reshape(2, channels, *[1] * axes)
    kinds: list[tuple[Any, Any]] = [
        (each.tolist(), each.reshape(1, channels, *[1] * axes)),
        (each.reshape(channels, *[1] * axes), each.reshape(1, channels, *[1] * axes)),
        ("mean", images.mean(tuple(range(2, images.ndim)), keepdim=True)),
        (of_images, of_images),
    ]
    for fill, values in kinds:
        found = occlusion_map(model, images, patch=3, stride=3, fill=fill)
        torch.testing.assert_close(found.scores, one_by_one(model, images, found, values), rtol=3e-6, atol=3e-6)


def test_a_fill_keeps_the_precision_of_the_images() -> None:
    model, images = built("conv2d", torch.float64)

    found = occlusion_map(model, images, patch=3, stride=3, fill=[0.1, 0.7])

    values = torch.tensor([0.1, 0.7], dtype=torch.float64).reshape(1, 2, 1, 1)
    torch.testing.assert_close(found.scores, one_by_one(model, images, found, values), rtol=1e-12, atol=1e-12)


class Slow(nn.Module):
    """So that a map takes more than one step."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(0.005 * len(x))
        return self.net(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["conv1d", "conv2d"])
def test_images_and_fill_are_read_at_the_call_only(name: str) -> None:
    model, images = built(name)
    fill = torch.full_like(images, 0.4)
    expected = occlusion_map(model, images, patch=2, stride=1, fill=0.4)

    steps = occlusion_steps(Slow(model), images, patch=2, stride=1, fill=fill)
    parts = [next(steps)]
    images.zero_()
    fill.zero_()
    parts += steps

    assert len(parts) > 2
    torch.testing.assert_close(parts[-1].scores, expected.scores, rtol=3e-6, atol=3e-6)


@pytest.mark.cuda
@pytest.mark.parametrize("fill", ["blur", "mean", "images"])
@pytest.mark.parametrize("name", SIZES)
def test_cuda_shows_the_same_where_the_patch_lies(name: str, fill: str) -> None:
    (model, images), patch = built(name, torch.float64), SIZES[name]
    seen = images.flip(0) if fill == "images" else fill
    expected = occlusion_map(model, images, patch=patch, stride=1, fill=seen)

    found = occlusion_map(model.cuda(), images, patch=patch, stride=1, fill=seen)

    torch.testing.assert_close(found.scores, expected.scores, rtol=1e-10, atol=1e-10)
