"""Samples: every kind of dataset, read once, in one thread, with nothing global moved."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    SequentialSampler,
    Subset,
    TensorDataset,
)

from nnwidgets.data import NotHeldError, SampleError
from tests.data.sets import (
    IMAGES,
    LABELS,
    LIST,
    Augmented,
    Many,
    Named,
    OneInput,
    Optional,
    TwoInputs,
    WithTargets,
    elsewhere,
    samples_of,
    states,
)


@pytest.mark.parametrize(
    "dataset",
    [
        Augmented(),
        LIST,
        TensorDataset(IMAGES, LABELS),
        (IMAGES, LABELS),
        (IMAGES.numpy(), LABELS.numpy()),
        (IMAGES.double().numpy(), LABELS.numpy()),
        DataLoader(Augmented(), batch_size=4, shuffle=True),
        DataLoader(Augmented(), batch_sampler=BatchSampler(SequentialSampler(range(20)), 3, False)),
        DataLoader(TensorDataset(IMAGES, LABELS), batch_size=None),
        Subset(Augmented(), range(20)),
        [{"x": image, "label": label} for image, label in LIST],
        [list(pair) for pair in LIST],
    ],
    ids=[
        "dataset",
        "list",
        "TensorDataset",
        "tensors",
        "arrays",
        "float64 arrays",
        "loader",
        "batch sampler",
        "no batches",
        "subset",
        "dicts",
        "lists",
    ],
)
def test_every_kind_of_dataset_gives_the_same_batch(dataset: Any) -> None:
    samples = samples_of(dataset)
    batch = samples.batch([7, 2])
    inputs = batch.kwargs["x"] if batch.kwargs else batch.args[0]
    assert torch.equal(inputs, IMAGES[[7, 2]])
    assert batch.targets is not None
    assert batch.targets.tolist() == [3, 2]
    assert batch.indices == (7, 2)
    assert len(samples) == 20
    assert samples.label(7) == 3


def test_a_single_tensor_has_no_labels() -> None:
    samples = samples_of(IMAGES)
    assert samples.batch([1]).targets is None
    assert samples.label(1) is None
    assert samples.label_name(1) == ""
    assert samples.thread_safe


@pytest.mark.parametrize(
    ("model", "sample", "args", "target"),
    [
        (OneInput(), (IMAGES[0], 3), 1, 3),
        (TwoInputs(), (IMAGES[0], IMAGES[1]), 2, None),
        (TwoInputs(), (IMAGES[0], IMAGES[1], 2), 2, 2),
        (Optional(), (IMAGES[0], 3), 1, 3),
        (Optional(), (torch.rand(8, 3), torch.ones(8)), 2, None),
        (WithTargets(), (torch.arange(5), torch.arange(5)), 1, torch.arange(5)),
        (Many(), (IMAGES[0], IMAGES[1]), 2, None),
        (Many(), (IMAGES[0], IMAGES[1], torch.tensor(1)), 2, 1),
        (OneInput(), (IMAGES[0],), 1, None),
        (OneInput(), (IMAGES[0], np.int64(2)), 1, 2),
        (OneInput(), (IMAGES[0], torch.tensor([2])), 1, 2),
        (OneInput(), (IMAGES[0], 0.5), 1, torch.tensor(0.5)),
        (OneInput(), (IMAGES[0], "cat"), 1, None),
        (OneInput(), IMAGES[0], 1, None),
    ],
)
def test_the_last_of_a_tuple_is_the_target_if_forward_does_not_take_it(
    model: nn.Module, sample: Any, args: int, target: Any
) -> None:
    batch = samples_of([sample], model).batch([0])
    assert len(batch.args) == args
    if target is None:
        assert batch.targets is None
    else:
        assert batch.targets is not None
        assert torch.equal(batch.targets[0], torch.as_tensor(target))


def test_a_dict_becomes_the_keywords_that_forward_knows() -> None:
    row = {"input_ids": torch.arange(4), "attention_mask": torch.ones(4), "sentence": "a b", "idx": 3, "labels": 1}
    batch = samples_of([row, row], Named()).batch([0, 1])
    assert set(batch.kwargs) == {"input_ids", "attention_mask"}
    assert batch.kwargs["input_ids"].shape == (2, 4)
    assert batch.targets is not None
    assert batch.targets.tolist() == [1, 1]
    alone = samples_of([{"image": IMAGES[0], "label": 2}]).batch([0])
    assert torch.equal(alone.args[0], IMAGES[:1])


def test_unpack_replaces_the_rule() -> None:
    samples = samples_of((IMAGES, LABELS), unpack=lambda sample: ((sample[0] * 2,), {}, 1 - int(sample[1] > 1)))
    batch = samples.batch([3])
    assert torch.equal(batch.args[0], IMAGES[[3]] * 2)
    assert samples.label(3) == 0
    assert not samples.thread_safe
    with pytest.raises(SampleError, match=r"unpack: expected \(args, kwargs, target or None\).*got a tuple of 2"):
        samples_of(LIST, unpack=lambda sample: (sample[0], sample[1]))


def test_a_custom_collate_function_is_used_for_each_sample() -> None:
    def collate(rows: list[Any]) -> tuple[Tensor, Tensor]:
        return torch.stack([row[0] for row in rows]) + 1, torch.tensor([row[1] for row in rows])

    batch = samples_of(DataLoader(LIST, batch_size=5, collate_fn=collate)).batch([4, 5])  # type: ignore[arg-type]
    assert torch.equal(batch.args[0], IMAGES[[4, 5]] + 1)
    assert batch.targets is not None
    assert batch.targets.tolist() == [0, 1]


def test_nested_inputs_are_stacked_part_by_part() -> None:
    rows = [((IMAGES[i], {"mask": torch.ones(3) * i}), i) for i in range(4)]
    batch = samples_of(rows).batch([1, 3])
    first, parts = batch.args[0]
    assert torch.equal(first, IMAGES[[1, 3]])
    assert parts["mask"][:, 0].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    "picture",
    [np.full((6, 5, 3), 51, np.uint8), np.full((6, 5), 51, np.uint8)],
    ids=["colour", "grey"],
)
def test_arrays_and_pictures_become_tensors_from_0_to_1(picture: np.ndarray) -> None:
    pictures = pytest.importorskip("PIL.Image")
    for value in (picture, pictures.fromarray(picture)):
        samples = samples_of([(value, 0)])
        (x,) = samples.batch([0]).args
        assert x.shape == (1, 3 if picture.ndim == 3 else 1, 6, 5)
        assert x.dtype == torch.float32
        assert float(x.max()) == pytest.approx(0.2)
        assert samples.notes == ("pictures as float32 in [0, 1]",)
        shown = samples.picture(0)
        assert shown is not None
        assert np.array_equal(shown, picture)


def test_tensors_of_bytes_stay_bytes() -> None:
    (x,) = samples_of([(torch.full((3, 4, 4), 9, dtype=torch.uint8), 0)]).batch([0]).args
    assert x.dtype == torch.uint8


def test_reading_moves_no_random_state_and_happens_once_a_sample() -> None:
    dataset, before = Augmented(), states()
    samples = samples_of(dataset, probe=8)
    samples.read([0, 1, 2])
    samples.batch([0, 1])
    samples.keep(samples.chosen(10))
    assert states() == before
    assert len(dataset.reads) == len(set(dataset.reads))
    assert dataset.threads == {threading.get_ident()}


def test_random_states_are_put_back_when_reading_raises() -> None:
    class Broken(Augmented):
        def __getitem__(self, index: int) -> tuple[Tensor, int]:
            super().__getitem__(index)
            raise OSError("disk")

    before = states()
    with pytest.raises(SampleError, match="disk"):
        samples_of(Broken())
    assert states() == before


def test_user_code_never_runs_in_another_thread() -> None:
    dataset = Augmented()
    samples = samples_of(dataset, probe=[0, 1])
    assert not samples.missing([0, 1])
    assert samples.missing([0, 5]) == [5]
    assert isinstance(elsewhere(lambda: samples.batch([0, 5])), NotHeldError)
    assert isinstance(elsewhere(lambda: samples.read([5])), NotHeldError)
    assert elsewhere(lambda: samples.picture(5)) is None
    assert dataset.reads == [0, 1]
    samples.read([5])
    batch = elsewhere(lambda: samples.batch([0, 5]))
    assert torch.equal(batch.args[0], IMAGES[[0, 5]])
    assert dataset.threads == {threading.get_ident()}


def test_tensors_are_read_in_any_thread() -> None:
    samples = samples_of((IMAGES, LABELS), probe=2)
    assert samples.thread_safe
    assert not samples.missing(range(20))
    assert torch.equal(elsewhere(lambda: samples.batch([9])).args[0], IMAGES[[9]])
    assert elsewhere(lambda: samples.picture(9)).shape == (8, 8, 3)
    assert samples.nbytes == 0


def test_what_was_read_stays_under_the_bound_and_the_probe_stays_longest() -> None:
    one = IMAGES[0].numel() * 4
    samples = samples_of(LIST, probe=[0, 1], max_bytes=4 * one)
    samples.read(range(2, 10))
    assert not samples.missing([0, 1, 8, 9])
    assert samples.missing([2]) == [2]
    assert samples.nbytes <= 4 * one
    small = samples_of(LIST, probe=10, max_bytes=3 * one)
    assert len(small.probe_indices) == 3
    assert "3 of 10 samples: more do not fit" in small.notes[0]


def test_a_batch_is_the_callers_own() -> None:
    images = IMAGES.clone()
    samples = samples_of([(image, 0) for image in images], probe=2)
    images += 1
    samples.batch([0]).args[0].zero_()
    assert torch.equal(samples.batch([samples.probe_indices[0]]).args[0][0], IMAGES[samples.probe_indices[0]])


def test_the_probe_is_spread_over_the_classes() -> None:
    labels = torch.tensor([0] * 90 + [1] * 8 + [2] * 2)
    for dataset in (TensorDataset(torch.zeros(100, 3), labels), (np.zeros((100, 3)), labels.numpy())):
        chosen = samples_of(dataset, probe=12).probe_indices
        assert [int((labels[list(chosen)] == each).sum()) for each in range(3)] == [5, 5, 2]
    subset = Subset(Augmented(), [0, 4, 8, 12, 1])
    assert 4 in samples_of(subset, probe=2).probe_indices


def test_without_labels_the_probe_is_evenly_spaced_and_the_seed_decides() -> None:
    chosen = samples_of(torch.zeros(1000, 2), probe=10).probe_indices
    assert {after - before for before, after in itertools.pairwise(chosen)} == {100}
    assert chosen == samples_of(torch.zeros(1000, 2), probe=10).probe_indices
    assert chosen != samples_of(torch.zeros(1000, 2), probe=10, seed=1).probe_indices
    assert samples_of(torch.zeros(5, 2), probe=10).probe_indices == (0, 1, 2, 3, 4)
    assert samples_of(torch.zeros(50, 2), probe=[7, 3, 7]).probe_indices == (7, 3)


def test_the_probe_is_a_batch_of_its_indices() -> None:
    samples = samples_of((IMAGES, LABELS), probe=4)
    batch = samples.batch(samples.probe_indices)
    assert batch.indices == samples.probe_indices
    assert torch.equal(batch.args[0], IMAGES[list(samples.probe_indices)])


def test_class_names_come_from_the_dataset_through_subsets_and_loaders() -> None:
    for dataset in (Augmented(), Subset(Subset(Augmented(), range(10)), range(5)), DataLoader(Augmented())):
        samples = samples_of(dataset)
        assert samples.class_names == ("cat", "dog", "fox", "owl")
        assert samples.label_name(2) == "fox"
    named = samples_of((IMAGES, LABELS), class_names=["a", "b", "c", "d"])
    assert named.label_name(5) == "b"
    assert samples_of((IMAGES, LABELS)).label_name(5) == "1"


def test_labels_of_samples_not_read_yet_come_from_the_dataset() -> None:
    samples = samples_of(Augmented(), probe=[0])
    assert elsewhere(lambda: samples.label(7)) == 3


def test_a_subset_is_read_and_always_the_same() -> None:
    samples = samples_of(Augmented(), probe=[0])
    chosen = samples.chosen(9)
    samples.keep(chosen)
    assert len(chosen) == 9
    assert chosen == samples.chosen(9)
    assert elsewhere(lambda: samples.batch(chosen)).indices == chosen
