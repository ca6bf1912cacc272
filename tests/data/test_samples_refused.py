"""Datasets, indices and samples that can't be used are refused with the reason and the repair."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    TensorDataset,
)

from nnwidgets.data import SampleError
from tests.data.sets import (
    IMAGES,
    LABELS,
    Augmented,
    Many,
    Optional,
    samples_of,
)


@pytest.mark.parametrize("index", [-1, 20, 10**9])
def test_an_index_outside_of_the_dataset_says_the_range(index: int) -> None:
    samples = samples_of((IMAGES, LABELS))
    for ask in (samples.picture, samples.label, lambda each: samples.batch([each]), lambda each: samples.read([each])):
        with pytest.raises(IndexError, match=f"expected an index from 0 to 19, got {index}"):
            ask(index)
    with pytest.raises(IndexError, match="0 to 19"):
        samples_of((IMAGES, LABELS), probe=[index])


@pytest.mark.parametrize(
    "empty", [[], torch.zeros(0, 3), TensorDataset(torch.zeros(0, 3)), (torch.zeros(0, 3), torch.zeros(0))]
)
def test_an_empty_dataset_is_refused(empty: Any) -> None:
    with pytest.raises(ValueError, match="at least one sample, got none"):
        samples_of(empty)


@pytest.mark.parametrize("probe", [0, -3, []])
def test_an_empty_probe_is_refused(probe: Any) -> None:
    with pytest.raises(ValueError, match="probe: expected at least one"):
        samples_of(IMAGES, probe=probe)


def test_tensors_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length, got 20, 19"):
        samples_of((IMAGES, LABELS[:19]))


def test_an_iterable_dataset_is_refused_with_the_repair() -> None:
    class Stream(IterableDataset[int]):
        def __iter__(self) -> Any:
            return iter(range(3))

    for dataset in (Stream(), DataLoader(Stream()), (x for x in range(3)), 5, {"x": 1}):
        with pytest.raises(TypeError, match="read by index"):
            samples_of(dataset)


def test_a_sample_that_raises_is_named_and_left_out_of_the_probe() -> None:
    class Torn(Augmented):
        def __getitem__(self, index: int) -> tuple[Tensor, int]:
            if index == 3:
                raise OSError("truncated file")
            return super().__getitem__(index)

    samples = samples_of(Torn(), probe=20)
    assert 3 not in samples.probe_indices
    assert len(samples.probe_indices) == 19
    assert samples.notes[0].startswith(
        "1 of 20 samples left out, the first: sample 3: reading it raised OSError: truncated"
    )
    with pytest.raises(SampleError, match="sample 3: reading it raised OSError: truncated file") as caught:
        samples.read([3])
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(SampleError):
        samples_of(Torn(), probe=[3])


def test_samples_of_different_shape_are_named() -> None:
    rows = [(torch.zeros(3, 4, 4), 0), (torch.zeros(3, 5, 4), 1)]
    with pytest.raises(
        ValueError,
        match=r"argument 0: expected the same shape .*, got \(3, 4, 4\) float32 in sample 0 and \(3, 5, 4\)",
    ):
        samples_of(rows).batch([0, 1])


def test_a_sample_of_unknown_kind_is_refused_with_the_repair() -> None:
    with pytest.raises(
        TypeError, match="sample 0, argument 0: expected a tensor, array, picture or number, got str; give unpack="
    ):
        samples_of([("text", 1)])


@pytest.mark.parametrize(
    ("model", "last", "where"),
    [
        (Optional(), 0.5, "the argument 'mask' of forward"),
        (Optional(), torch.ones(8), "the argument 'mask' of forward"),
        (Many(), torch.tensor(0.5), "an argument of forward"),
    ],
)
def test_a_part_that_may_be_target_or_input_is_asked_about(model: nn.Module, last: Any, where: str) -> None:
    with pytest.raises(ValueError, match=f"the last of 2 parts of a sample, .* may be the target or {where}"):
        samples_of([(IMAGES[0], last)], model)


def test_class_names_that_do_not_fit_are_refused_or_dropped() -> None:
    with pytest.raises(ValueError, match="class_names: expected 4, one for each class of the model, got 2"):
        samples_of((IMAGES, LABELS), class_names=["a", "b"]).check_class_names(4)
    samples = samples_of(Augmented())
    samples.check_class_names(4)
    assert samples.class_names is not None
    samples.check_class_names(10)
    assert samples.class_names is None
    assert "names of the dataset's classes not used" in samples.notes[0]
