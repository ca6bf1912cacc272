"""Activation statistics against plain loops, and what they must not depend on."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnwidgets.analysis import StatsAccumulator, activation_stats, channels_first

Array = NDArray[np.float64]


def by_loops(maps: Array, grey: Array | None) -> dict[str, list[float]]:
    """Every statistic of `(n, channels, height, width)` maps from its definition, one channel and sample at a time."""
    out: dict[str, list[float]] = {name: [] for name in FIELDS}
    samples, channels, height, width = maps.shape
    for channel in range(channels):
        values = [float(value) for value in maps[:, channel].ravel() if math.isfinite(value)]
        mean = sum(values) / len(values)
        out["mean"].append(mean)
        out["std"].append(math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)))
        out["zero_share"].append(sum(value == 0 for value in values) / len(values))
        responses, sparseness, correlations = [], [], []
        for sample in range(samples):
            one = maps[sample, channel]
            if not np.isfinite(one).all():
                continue
            responses.append(sum(abs(value) for value in one.ravel()) / one.size)
            norm = math.sqrt(sum(value**2 for value in one.ravel()))
            if norm > 0:
                root = math.sqrt(height * width)
                sparseness.append((root - sum(abs(value) for value in one.ravel()) / norm) / (root - 1))
            if grey is not None and one.std() > 1e-9:
                correlations.append(abs(float(np.corrcoef(one.ravel(), grey[sample].ravel())[0, 1])))
        n, total, squares = len(responses), sum(responses), sum(response**2 for response in responses)
        a = (total / n) ** 2 / (squares / n) if squares else math.nan
        out["sparsity"].append((1 - a) / (1 - 1 / n))
        out["concentration"].append(float(np.mean(sparseness)) if sparseness else math.nan)
        out["input_similarity"].append(float(np.mean(correlations)) if correlations else math.nan)
    return out


FIELDS = ("mean", "std", "zero_share", "input_similarity", "sparsity", "concentration")


def maps_with_oddities(generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Relu-like maps: channel 1 is dead, channel 2 constant, channel 3 has non-finite values."""
    maps = torch.randn(6, 5, 4, 3, generator=generator, dtype=torch.float64).clamp(min=0).to(dtype)
    maps[:, 1] = 0
    maps[:, 2] = 0.75
    maps[0, 3, 0, 0], maps[4, 3, 2, 1] = math.nan, -math.inf
    return maps


@pytest.mark.parametrize(
    ("dtype", "rtol"), [(torch.float64, 1e-12), (torch.float32, 1e-6), (torch.bfloat16, 1e-6), (torch.float16, 1e-6)]
)
def test_statistics_equal_plain_loops(generator: torch.Generator, dtype: torch.dtype, rtol: float) -> None:
    maps = maps_with_oddities(generator, dtype)
    pictures = torch.randn(6, 3, 8, 6, generator=generator, dtype=torch.float64)
    grey = pictures.mean(1).reshape(6, 4, 2, 3, 2).mean((2, 4))

    stats = activation_stats(maps, inputs=pictures)

    expected = by_loops(maps.double().numpy(), grey.numpy())
    for name in FIELDS:
        np.testing.assert_allclose(getattr(stats, name).double(), expected[name], rtol=rtol, atol=rtol, err_msg=name)
    assert stats.dead.tolist() == [False, True, False, False, False]
    assert stats.nonfinite.tolist() == [0, 0, 0, 2, 0]
    assert stats.samples == 6


@pytest.mark.parametrize("scale", [1e-30, 1e-21, 1e-12, 1e-3, 1.0, 1e12, 1e25])
@pytest.mark.parametrize("offset", [0.0, 3.0, 1e4, 5e7])
def test_float32_is_as_good_as_float64_at_any_scale(generator: torch.Generator, scale: float, offset: float) -> None:
    maps = (scale * (torch.randn(4, 3, 9, 9, generator=generator, dtype=torch.float64) + offset)).float()
    maps[:, 1] = maps[:, 1].clamp(min=scale * offset)
    pictures = torch.randn(4, 1, 9, 9, generator=generator)

    stats, wide = activation_stats(maps, inputs=pictures), activation_stats(maps.double(), inputs=pictures)

    for name in FIELDS:
        atol = 1e-38 if name in ("mean", "std") else 3e-7  # the others are shares of 1
        torch.testing.assert_close(
            getattr(stats, name).double(), getattr(wide, name), rtol=3e-6, atol=atol, equal_nan=True, msg=name
        )


def test_a_constant_channel_is_constant_in_float32_too(generator: torch.Generator) -> None:
    maps = torch.randn(4, 2, 9, 9, generator=generator)
    maps[:, 1] = 0.1

    stats = activation_stats(maps, inputs=torch.randn(4, 1, 9, 9, generator=generator))

    assert float(stats.std[1]) < 1e-9
    assert bool(stats.input_similarity[1].isnan())
    assert float(stats.std[0]) > 0.9
    assert not bool(stats.input_similarity[0].isnan())


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-12), (torch.float32, 2e-7)])
def test_chunks_give_the_same_as_all_at_once(generator: torch.Generator, dtype: torch.dtype, rtol: float) -> None:
    maps, pictures = maps_with_oddities(generator, dtype), torch.randn(6, 1, 7, 5, generator=generator)
    accumulator = StatsAccumulator()

    for start, stop in ((0, 1), (1, 5), (5, 5), (5, 6)):
        accumulator.add(maps[start:stop], pictures[start:stop])

    whole, chunked = activation_stats(maps, inputs=pictures), accumulator.result()
    for name in (*FIELDS, "dead", "nonfinite"):
        torch.testing.assert_close(getattr(chunked, name), getattr(whole, name), rtol=rtol, atol=rtol, equal_nan=True)
    assert chunked.samples == whole.samples == 6


def test_parts_of_a_large_chunk_give_the_same(generator: torch.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    maps, pictures = maps_with_oddities(generator, torch.float64), torch.randn(6, 1, 7, 5, generator=generator)
    whole = activation_stats(maps, inputs=pictures)

    monkeypatch.setattr("nnwidgets.analysis.activations._CPU_PART", 150)  # two samples at a time

    parts = activation_stats(maps, inputs=pictures)
    for name in FIELDS:
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name), rtol=1e-12, atol=1e-12, equal_nan=True)


def test_spread_survives_a_large_mean() -> None:
    values = 1e8 + torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    accumulator = StatsAccumulator()

    for row in values:
        accumulator.add(row[None])

    assert accumulator.result().std.item() == pytest.approx(math.sqrt(2 / 3), rel=1e-7)


def test_a_copy_of_the_input_is_like_the_input_whatever_its_scale_offset_and_sign(generator: torch.Generator) -> None:
    pictures = torch.randn(4, 1, 6, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(4, 1, 6, 6, generator=generator, dtype=torch.float64)
    maps = torch.cat([pictures, 3 * pictures + 7, -pictures, noise], 1)

    similarity = activation_stats(maps, inputs=pictures).input_similarity

    np.testing.assert_allclose(similarity[:3], 1.0, rtol=1e-12)
    assert similarity[3] < 0.5


def test_similarity_is_undefined_without_pictures_or_variation(generator: torch.Generator) -> None:
    maps = torch.randn(2, 1, 4, 4, generator=generator)

    assert activation_stats(maps).input_similarity.isnan().all()
    assert activation_stats(maps, inputs=torch.full((2, 1, 4, 4), 0.1)).input_similarity.isnan().all()
    assert activation_stats(torch.full((2, 1, 4, 4), 0.1), inputs=maps).input_similarity.isnan().all()
    assert activation_stats(maps.flatten(1), inputs=maps).input_similarity.isnan().all()


def test_sparsity_and_concentration_reach_their_ends() -> None:
    even, single = torch.ones(4, 1, 3, 3), torch.zeros(4, 1, 3, 3)
    single[2, 0, 1, 1] = 5.0

    stats = activation_stats(torch.cat([even, single], 1))

    np.testing.assert_allclose(stats.sparsity, [0, 1], atol=1e-6)
    np.testing.assert_allclose(stats.concentration, [0, 1], atol=1e-6)


def test_a_negative_layer_is_not_dead_and_an_infinite_one_neither() -> None:
    values = torch.tensor([[-1.0, 0.0, math.inf], [-2.0, -0.0, 0.0]])

    stats = activation_stats(values)

    assert stats.dead.tolist() == [False, True, False]
    assert stats.nonfinite.tolist() == [0, 0, 1]


def test_a_channel_without_a_finite_value_has_no_mean() -> None:
    stats = activation_stats(torch.full((2, 1), math.nan))

    assert math.isnan(stats.mean.item())
    assert math.isnan(stats.std.item())
    assert not stats.dead.item()
    assert stats.nonfinite.item() == 2


def test_permuting_channels_and_samples_permutes_and_keeps_the_statistics(generator: torch.Generator) -> None:
    maps = maps_with_oddities(generator, torch.float64)
    channels, samples = torch.tensor([3, 0, 4, 1, 2]), torch.tensor([5, 1, 0, 3, 2, 4])

    stats, permuted = activation_stats(maps), activation_stats(maps[samples][:, channels])

    for name in FIELDS:
        torch.testing.assert_close(
            getattr(permuted, name), getattr(stats, name)[channels], rtol=1e-12, atol=1e-12, equal_nan=True
        )


@pytest.mark.parametrize(
    ("shape", "channel_dim", "expected"),
    [
        ((2, 3, 4, 5), None, (2, 3, 4, 5)),
        ((2, 3), None, (2, 3)),
        ((2, 7, 3), None, (2, 3, 7)),
        ((2, 3, 7), 1, (2, 3, 7)),
        ((2, 4, 5, 3), -1, (2, 3, 4, 5)),
        ((2,), None, (2, 1)),
    ],
)
def test_channels_come_second(shape: tuple[int, ...], channel_dim: int | None, expected: tuple[int, ...]) -> None:
    assert tuple(channels_first(torch.zeros(shape), channel_dim=channel_dim).shape) == expected


def test_wrong_input_is_an_error() -> None:
    with pytest.raises(ValueError, match="activation: expected at least a batch axis"):
        activation_stats(torch.tensor(1.0))
    with pytest.raises(ValueError, match="channel_dim: expected 1 to 1, got 2"):
        activation_stats(torch.zeros(2, 2), channel_dim=2)
    with pytest.raises(ValueError, match="channel_dim"):
        activation_stats(torch.zeros(2, 2), channel_dim=-2)
    with pytest.raises(ValueError, match="inputs: expected one per activation"):
        activation_stats(torch.zeros(2, 1, 3, 3), inputs=torch.zeros(3, 1, 3, 3))
    with pytest.raises(TypeError, match="complex"):
        activation_stats(torch.zeros(2, 2, dtype=torch.complex64))
    with pytest.raises(ValueError, match="call add"):
        StatsAccumulator().result()
    accumulator = StatsAccumulator()
    accumulator.add(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="expected 3 channels as before, got 4"):
        accumulator.add(torch.zeros(2, 4))


@pytest.mark.cuda
def test_cuda_gives_the_same_statistics_on_the_cpu(generator: torch.Generator) -> None:
    maps, pictures = maps_with_oddities(generator, torch.float32), torch.randn(6, 1, 7, 5, generator=generator)

    stats, device_stats = activation_stats(maps, inputs=pictures), activation_stats(maps.cuda(), inputs=pictures.cuda())

    for name in FIELDS:
        torch.testing.assert_close(
            getattr(device_stats, name), getattr(stats, name), rtol=1e-6, atol=1e-6, equal_nan=True
        )
