"""Filter smoothness against plain loops and against every order of a kernel's taps."""

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnwidgets.analysis import filter_smoothness, filter_stats, filter_weight

Array = NDArray[np.float64]
TOLERANCES = [(torch.float64, 1e-12), (torch.float32, 1e-6)]


def by_loops(kernel: Array) -> float:
    """Smoothness of one filter `(in, rows, cols)` from its definition."""
    planes, rows, cols = kernel.shape
    differences = spread = 0.0
    for plane in range(planes):
        mean = sum(kernel[plane].ravel()) / (rows * cols)
        for row, col in itertools.product(range(rows), range(cols)):
            spread += (kernel[plane, row, col] - mean) ** 2
            if row + 1 < rows:
                differences += (kernel[plane, row + 1, col] - kernel[plane, row, col]) ** 2
            if col + 1 < cols:
                differences += (kernel[plane, row, col + 1] - kernel[plane, row, col]) ** 2
    nu = 2 * (rows * (cols - 1) + cols * (rows - 1)) / (rows * cols - 1)
    return float(1 - differences / spread / nu)


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("shape", [(4, 1, 7, 7), (3, 5, 3, 3), (2, 2, 1, 5), (2, 3, 4, 2)])
def test_smoothness_equals_a_plain_loop(
    generator: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype, tolerance: float
) -> None:
    weight = torch.randn(shape, generator=generator, dtype=dtype)

    smoothness = filter_smoothness(weight)

    assert smoothness.dtype == dtype
    np.testing.assert_allclose(smoothness, [by_loops(kernel) for kernel in weight.double().numpy()], atol=tolerance)


@pytest.mark.parametrize("shape", [(3,), (5,), (2, 2), (2, 3), (1, 4), (2, 2, 2)])
def test_over_every_order_of_the_taps_the_mean_is_0_and_the_band_two_standard_deviations(
    generator: torch.Generator, shape: tuple[int, ...]
) -> None:
    taps = torch.randn(math.prod(shape), generator=generator, dtype=torch.float64) ** 3  # skewed and heavy-tailed
    orders = torch.tensor(list(itertools.permutations(range(len(taps)))))

    every = filter_smoothness(taps[orders].reshape(-1, 1, *shape))

    assert every.mean().item() == pytest.approx(0, abs=1e-12)
    band = filter_stats(taps.reshape(1, 1, *shape)).band.item()
    assert band == pytest.approx(2 * every.std(correction=0).item(), rel=1e-10)


def test_planes_are_shuffled_on_their_own_and_weigh_by_their_energy(generator: torch.Generator) -> None:
    planes = torch.randn(2, 4, generator=generator, dtype=torch.float64) * torch.tensor([[1.0], [3.0]])
    orders = torch.tensor(list(itertools.permutations(range(4))))
    both = torch.stack([
        torch.stack([planes[0][first], planes[1][second]]) for first in orders for second in orders
    ]).reshape(-1, 2, 2, 2)  # fmt: skip

    every = filter_smoothness(both)

    assert every.mean().item() == pytest.approx(0, abs=1e-12)
    band = filter_stats(planes.reshape(1, 2, 2, 2)).band.item()
    assert band == pytest.approx(2 * every.std(correction=0).item(), rel=1e-10)


@pytest.mark.parametrize("shape", [(16, 1, 7, 7), (16, 4, 3, 3), (16, 2, 9)])
def test_noise_lies_in_the_band_as_often_as_a_normal_would(generator: torch.Generator, shape: tuple[int, ...]) -> None:
    repeats = 400
    noise = torch.randn(repeats * shape[0], *shape[1:], generator=generator, dtype=torch.float64)

    stats = filter_stats(noise)
    layers = [filter_stats(part) for part in noise.reshape(repeats, *shape)]

    inside = (stats.smoothness.abs() <= stats.band).double().mean().item()
    layers_inside = np.mean([abs(layer.layer_mean) <= layer.layer_band for layer in layers])
    assert inside == pytest.approx(0.954, abs=0.02)
    assert layers_inside == pytest.approx(0.954, abs=0.035)
    measured = np.std([layer.layer_mean for layer in layers])
    assert layers[0].layer_band == pytest.approx(2 * measured, rel=0.15)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_scale_and_offset_do_not_matter(generator: torch.Generator, dtype: torch.dtype, tolerance: float) -> None:
    weight = torch.randn(5, 2, 5, 5, generator=generator, dtype=dtype)
    offset = torch.randn(5, 2, 1, 1, generator=generator, dtype=dtype)

    expected = filter_smoothness(weight)

    for changed in (1e-3 * weight, -1e4 * weight, weight + 10 * offset, weight * 1e-30, weight * 1e30):
        torch.testing.assert_close(filter_smoothness(changed), expected, rtol=0, atol=tolerance)


def test_rows_cols_reflections_and_input_channels_may_change_places(generator: torch.Generator) -> None:
    weight = torch.randn(5, 3, 4, 6, generator=generator, dtype=torch.float64)
    expected = filter_smoothness(weight)

    for changed in (weight.transpose(2, 3), weight.flip(2), weight.flip(3), weight[:, [2, 0, 1]]):
        torch.testing.assert_close(filter_smoothness(changed), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(filter_smoothness(weight.flip(0)), expected.flip(0), rtol=0, atol=1e-12)


def test_a_ramp_is_smooth_and_a_checkerboard_is_rough() -> None:
    rows, cols = torch.meshgrid(torch.arange(7.0), torch.arange(7.0), indexing="ij")
    ramp, board = (rows + cols), (rows + cols) % 2

    stats = filter_stats(torch.stack([ramp, board])[:, None])

    assert stats.smoothness[0] > 0.9
    assert stats.smoothness[1] < -0.7
    assert (stats.smoothness.abs() > stats.band).all()


def test_one_dimensional_kernels_are_one_row(generator: torch.Generator) -> None:
    weight = torch.randn(4, 2, 9, generator=generator, dtype=torch.float64)

    torch.testing.assert_close(filter_smoothness(weight), filter_smoothness(weight[:, :, None]), rtol=0, atol=1e-12)


def test_the_reason_is_given_where_smoothness_is_undefined(generator: torch.Generator) -> None:
    weight = torch.randn(4, 2, 3, 3, generator=generator)
    weight[0, 1, 0, 0] = math.nan
    weight[1, 0, 2, 2] = math.inf
    weight[2] = torch.tensor([0.1, -3.7])[:, None, None]  # each plane constant, at its own level

    stats = filter_stats(weight)

    assert stats.reason == ("not finite", "not finite", "constant in every plane", None)
    assert stats.smoothness.isnan().tolist() == [True, True, True, False]
    assert stats.band.isnan().tolist() == [True, True, True, False]
    assert stats.layer_mean == pytest.approx(stats.smoothness[3].item(), rel=1e-6)
    assert stats.layer_band == pytest.approx(stats.band[3].item(), rel=1e-6)
    assert stats.norm[3].item() == pytest.approx(
        math.sqrt(sum(float(tap) ** 2 for tap in weight[3].flatten())), rel=1e-6
    )


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((4, 10), "inputs have no order"),
        ((4,), "inputs have no order"),
        ((4, 2, 1, 1), "at most two taps"),
        ((4, 2, 1, 2), "at most two taps"),
    ],
)
def test_weights_without_a_kernel_have_no_smoothness(shape: tuple[int, ...], reason: str) -> None:
    stats = filter_stats(torch.ones(shape))

    assert stats.smoothness.isnan().all()
    assert len(stats.reason) == 4
    assert all(why is not None and reason in why for why in stats.reason)
    assert math.isnan(stats.layer_mean)
    assert math.isnan(stats.layer_band)
    assert stats.norm.tolist() == pytest.approx([math.sqrt(math.prod(shape[1:]))] * 4)


def test_half_precision_is_computed_in_double(generator: torch.Generator) -> None:
    weight = torch.randn(3, 2, 5, 5, generator=generator).bfloat16()

    smoothness = filter_smoothness(weight)

    assert smoothness.dtype == torch.float32
    torch.testing.assert_close(smoothness, filter_smoothness(weight.double()).float(), rtol=0, atol=0)


def test_wrong_weights_are_an_error() -> None:
    with pytest.raises(TypeError, match="weight: expected real floating-point"):
        filter_smoothness(torch.ones(1, 1, 3, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="got a scalar"):
        filter_smoothness(torch.tensor(1.0))


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolutions_are_turned_round_group_by_group(generator: torch.Generator, groups: int) -> None:
    module = nn.ConvTranspose2d(4, 6, 3, groups=groups, bias=False)

    weight = filter_weight(module)

    assert weight is not None
    with torch.no_grad():
        for out in range(6):
            group = out // (6 // groups)
            for i in range(4 // groups):
                picture = torch.zeros(1, 4, 1, 1)
                picture[0, group * (4 // groups) + i] = 1.0  # an impulse shows the kernel
                torch.testing.assert_close(weight[out, i], module(picture)[0, out], rtol=0, atol=1e-7)


def test_only_convolutions_and_linear_layers_have_filters() -> None:
    convolution, linear = nn.Conv1d(2, 3, 5), nn.Linear(4, 2)

    for module in (convolution, linear):
        weight = filter_weight(module)
        assert isinstance(weight, Tensor)
        assert torch.equal(weight, module.weight)
        assert not weight.requires_grad
    for other in (nn.ReLU(), nn.BatchNorm2d(3), nn.Embedding(5, 2), nn.Sequential(linear)):
        assert filter_weight(other) is None


@pytest.mark.cuda
def test_cuda_gives_the_same_smoothness(generator: torch.Generator) -> None:
    weight = torch.randn(6, 3, 5, 5, generator=generator)

    smoothness = filter_smoothness(weight.cuda())

    assert smoothness.device.type == "cuda"
    torch.testing.assert_close(smoothness.cpu(), filter_smoothness(weight), rtol=0, atol=1e-6)
