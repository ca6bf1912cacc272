"""Pictures of samples: what they show, and what has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nnwidgets.data import SampleError, Samples
from nnwidgets.data.pictures import kind_of, picture_of

CONVOLUTION, RECURRENT, PLAIN = nn.Conv2d(1, 1, 1), nn.LSTM(4, 4), nn.Linear(4, 4)


def samples_of(inputs: Any, model: nn.Module = CONVOLUTION, **options: Any) -> Samples:
    return Samples(inputs, model=model, device="cpu", max_bytes=1_000_000, **options)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.tensor([[0.0, 0.5], [1.0, 0.2]]), [[0, 128], [255, 51]]),
        (torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), [[0, 128], [255, 128]]),
        (torch.tensor([[10.0, 20.0], [15.0, 10.0]]), [[0, 255], [128, 0]]),
        (torch.tensor([[7, 200], [0, 1]], dtype=torch.uint8), [[7, 200], [0, 1]]),
        (torch.tensor([[7, 200], [0, 1]]), [[7, 200], [0, 1]]),
        (torch.tensor([[True, False]]), [[255, 0]]),
        (torch.full((1, 2), -3.0), [[0, 0]]),
        (torch.tensor([[0.0, float("nan")], [1.0, float("inf")]]), [[0, 0], [255, 0]]),
        (torch.tensor([[0.0, 1.0]], dtype=torch.bfloat16), [[0, 255]]),
    ],
    ids=["0 to 1", "normalised", "any range", "bytes", "whole numbers", "bool", "constant", "not finite", "bfloat16"],
)
def test_brightness_is_the_value_or_its_place_in_the_range(value: Tensor, expected: list[list[int]]) -> None:
    shown, _ = picture_of(value)
    assert shown.dtype == np.uint8
    assert shown.tolist() == expected


@pytest.mark.parametrize(
    ("shape", "shown", "note"),
    [
        ((1, 5, 6), (5, 6), ""),
        ((3, 5, 6), (5, 6, 3), ""),
        ((4, 5, 6), (5, 6, 3), ""),
        ((5, 6, 3), (5, 6, 3), ""),
        ((5, 6, 1), (5, 6), ""),
        ((7, 5, 6), (5, 6), "mean of 7 channels"),
        ((2, 5, 6), (5, 6), "mean of 2 channels"),
        ((5, 6), (5, 6), ""),
    ],
)
def test_channels_come_first_or_last(shape: tuple[int, ...], shown: tuple[int, ...], note: str) -> None:
    picture, said = picture_of(torch.rand(shape, generator=torch.Generator().manual_seed(0)))
    assert picture.shape == shown
    assert said == note


def test_many_channels_are_averaged_and_the_samples_say_so() -> None:
    samples = samples_of(torch.linspace(0, 1, 2 * 6 * 25).reshape(2, 6, 5, 5))
    assert samples.picture(0) is not None
    assert samples.notes == ("pictures show the mean of 6 channels",)


@pytest.mark.parametrize(
    ("value", "model", "kind"),
    [
        (torch.zeros(3, 8, 8), CONVOLUTION, "image"),
        (torch.zeros(8, 8), CONVOLUTION, "image"),
        (torch.zeros(28, 28), PLAIN, "image"),
        (torch.zeros(28, 8), RECURRENT, "sequence"),
        (torch.zeros(2, 100), PLAIN, "sequence"),
        (torch.zeros(100), nn.Conv1d(1, 1, 1), "sequence"),
        (torch.zeros(100), PLAIN, "vector"),
        (torch.zeros(100, dtype=torch.int64), nn.Embedding(2, 2), "tokens"),
        (torch.zeros(3, 4, 8, 8), CONVOLUTION, "other"),
        (torch.zeros(8, 8, dtype=torch.complex64), CONVOLUTION, "other"),
    ],
)
def test_the_kind_of_an_input_follows_its_shape_and_the_model(value: Tensor, model: nn.Module, kind: str) -> None:
    assert kind_of(value, model) == kind
    assert samples_of(value[None], model).input_kind == kind


@pytest.mark.parametrize(
    ("value", "model"),
    [(torch.zeros(2, 9), PLAIN), (torch.zeros(2, 9, dtype=torch.int64), PLAIN), (torch.zeros(2, 9, 9), RECURRENT)],
    ids=["vector", "tokens", "sequence"],
)
def test_what_is_no_picture_has_none(value: Tensor, model: nn.Module) -> None:
    samples = samples_of(value, model)
    assert samples.picture(0) is None


def test_the_first_picture_among_several_inputs_is_shown() -> None:
    class Both(nn.Module):
        def forward(self, vector: Tensor, image: Tensor) -> Tensor:
            return vector

    samples = samples_of([(torch.zeros(5), torch.eye(6), 1)], Both())
    picture = samples.picture(0)
    assert picture is not None
    assert np.array_equal(picture, np.eye(6, dtype=np.uint8) * 255)


@pytest.mark.parametrize(
    "made",
    [np.full((4, 5, 3), 9, np.uint8), torch.full((3, 4, 5), 9, dtype=torch.uint8), np.full((4, 5, 3), 9)],
    ids=["array", "channels first", "int64"],
)
def test_to_image_replaces_the_picture(made: Any) -> None:
    samples = samples_of((torch.zeros(3, 7), torch.zeros(3)), PLAIN, to_image=lambda _: made)
    picture = samples.picture(0)
    assert picture is not None
    assert np.array_equal(picture, np.full((4, 5, 3), 9))


def test_to_image_may_return_a_pil_picture() -> None:
    images = pytest.importorskip("PIL.Image")
    samples = samples_of([torch.zeros(7)], PLAIN, to_image=lambda _: images.new("RGB", (5, 4), (1, 2, 3)))
    picture = samples.picture(0)
    assert picture is not None
    assert picture[0, 0].tolist() == [1, 2, 3]
    assert picture.shape == (4, 5, 3)


@pytest.mark.parametrize("made", [np.zeros(4), np.zeros((2, 2, 2, 2)), "file.png", None])
def test_to_image_must_return_a_picture(made: Any) -> None:
    with pytest.raises(SampleError, match="to_image: expected"):
        samples_of([torch.zeros(7)], PLAIN, to_image=lambda _: made)
