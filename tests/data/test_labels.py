"""Targets that are not used as classes are told of with the repair, and so is a label that goes to `forward`."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import nnwidgets as nnw
from tests.data.sets import IMAGES, LABELS, LIST, Many, Optional, TwoInputs, samples_of
from tests.waiting import inspecting

X = IMAGES.flatten(1)
ONE_HOT = nn.functional.one_hot(LABELS, 4)


def classifier() -> nn.Module:
    return nn.Sequential(nn.Linear(192, 4))


class Masked(nn.Module):
    """Runs with a label as its mask."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(192, 4)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        scores: Tensor = self.layer(x) * mask.reshape(len(x), -1)
        return scores


MEANT: dict[str, tuple[Any, str]] = {
    "float32": ((X, LABELS.float()), r"\d\.0 \(float32\); .* give targets\.long\(\) or unpack="),
    "float64 arrays": ((X.numpy(), LABELS.double().numpy()), r"\d\.0 \(float32\)"),
    "a column of floats": ((X, LABELS.float()[:, None]), r"\d\.0 \(float32\)"),
    "one-hot rows": ((X, ONE_HOT.float()), r"one-hot rows of 4 \(float32\); .* give targets\.argmax\(1\) or unpack="),
    "whole one-hot rows": (TensorDataset(X, ONE_HOT), r"one-hot rows of 4 \(int64\)"),
    "numbers in a list": ([(x, float(y)) for x, y in zip(X, LABELS, strict=True)], r"\d\.0 \(float32\)"),
    "words": ([(x, "cat") for x in X], "a str; they are not used as classes"),
}


@pytest.mark.parametrize("name", MEANT)
def test_targets_that_look_like_classes_are_warned_of_and_never_used(name: str) -> None:
    data, message = MEANT[name]
    with pytest.warns(UserWarning, match=f"labels: expected one whole number for each sample.*{message}"):
        inspector = nnw.Inspector(classifier(), data, probe=8)
    try:
        assert any(re.search(message, note) for note in inspector.notes)
        samples = inspector._session.samples
        assert {samples.label(index) for index in samples.probe_indices} == {None}
    finally:
        inspector.close()


TOLD: dict[str, tuple[Tensor, str]] = {
    "a measured number": (LABELS + 0.5, r"\d\.5 \(float32\)"),
    "floats beyond the classes": (LABELS.float() + 2, r"\(float32\)"),
    "labels of other labels": (torch.ones(20, 5), r"a tensor of shape \(5,\) \(float32\)"),
    "classes from one on": (LABELS + 1, "expected classes from 0 to 3, got 4; samples .* count as unlabelled"),
}


@pytest.mark.parametrize("name", TOLD)
def test_targets_that_may_be_right_are_told_of_without_a_warning(name: str) -> None:
    targets, message = TOLD[name]
    with inspecting(classifier(), (X, targets), probe=8) as inspector:
        assert any(re.search(f"^labels: .*{message}", note) for note in inspector.notes)


@pytest.mark.parametrize("targets", [LABELS, LABELS.bool(), LABELS.where(LABELS > 0, -100)])
def test_classes_are_taken_without_a_word(targets: Tensor) -> None:
    with inspecting(classifier(), (X, targets), probe=8) as inspector:
        assert inspector.notes == ()


def test_a_model_without_class_scores_takes_any_target_without_a_word() -> None:
    with inspecting(nn.Linear(192, 1), (X, LABELS.float()), probe=8) as inspector:
        assert inspector.notes == ()


def test_a_label_that_goes_to_forward_is_warned_of_with_the_repair() -> None:
    message = (
        r"labels: none, as the last part of a sample, one number, goes to the argument 'mask' of forward; if it is the "
        r"label, give unpack=lambda sample: \(\(…all inputs…\), \{\}, label\)"
    )
    with pytest.warns(UserWarning, match=message):
        nnw.Inspector(Masked(), (X, LABELS), probe=8).close()
    # silent where the user says what is what
    with inspecting(
        Masked(), (X, LABELS), probe=8, unpack=lambda sample: ((sample[0], torch.ones(4)), {}, sample[1])
    ) as inspector:
        assert inspector.notes == ()
        assert inspector._session.samples.label(inspector._session.samples.probe_indices[0]) is not None


def test_a_model_that_refuses_its_label_says_where_it_went() -> None:
    class Wide(Masked):
        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            return super().forward(x, mask[:, :3])

    with pytest.raises(ValueError, match=r"dataset: expected samples that the model takes.*the argument 'mask'"):
        nnw.Inspector(Wide(), (X, LABELS), probe=8)


@pytest.mark.parametrize(
    ("model", "sample", "doubtful"),
    [
        (TwoInputs(), (IMAGES[0], IMAGES[1]), False),
        (Optional(), (torch.rand(8, 3), torch.ones(8)), False),
        (Many(), (IMAGES[0], IMAGES[1]), False),
    ],
)
def test_samples_all_of_whose_parts_are_inputs_say_so(model: nn.Module, sample: Any, doubtful: bool) -> None:
    samples = samples_of([sample], model)
    assert samples.notes[0].startswith("labels: none, as the last part of a sample")
    assert bool(samples.doubts) == doubtful


def test_a_sample_with_a_label_of_its_own_says_nothing() -> None:
    assert samples_of(LIST).notes == ()
    assert samples_of([(IMAGES[0], IMAGES[1], "cat")], TwoInputs()).doubts == ()
