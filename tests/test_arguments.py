"""Arguments of an inspector of the wrong kind or out of range are refused before anything is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import nnwidgets as nnw
from nnwidgets.session.arguments import checked_class_names, checked_probe
from tests.nets import NETS
from tests.waiting import inspecting

NET = NETS["cnn"]
DATA = (NET.inputs[:40], NET.labels[:40])
FUNCTION = "expected a function or None, got "
NAMES = "class_names: expected a sequence of names, got "
PROBE = "probe: expected a whole number of samples or a sequence of their indices, got "

REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"max_memory": "1GB"}, TypeError, r"max_memory: expected a whole number of bytes, such as .*, got '1GB' \(str\)"),
    ({"max_memory": 1e9}, TypeError, r"max_memory: expected a whole number of bytes, .* got 1000000000.0 \(float\)"),
    ({"max_memory": -1}, ValueError, r"max_memory: expected a whole number of bytes, such as .*, at least 1, got -1"),
    ({"max_memory": 0}, ValueError, "max_memory: .*at least 1, got 0"),
    ({"max_memory": True}, TypeError, r"max_memory: .*got True \(bool\)"),
    ({"seed": -1}, ValueError, "seed: expected a whole number, at least 0, got -1"),
    ({"seed": 0.5}, TypeError, r"seed: expected a whole number, got 0.5 \(float\)"),
    ({"unpack": "x"}, TypeError, rf"unpack: {FUNCTION}'x' \(str\)"),
    ({"score_fn": "logits"}, TypeError, rf"score_fn: {FUNCTION}'logits' \(str\)"),
    ({"loss_fn": 3}, TypeError, rf"loss_fn: {FUNCTION}3 \(int\)"),
    ({"to_image": True}, TypeError, rf"to_image: {FUNCTION}True \(bool\)"),
    ({"class_names": "abc"}, TypeError, rf"{NAMES}'abc' \(str\)"),
    ({"class_names": {0: "a", 1: "b", 2: "c"}}, TypeError, rf"{NAMES}.*\(dict\); give list\(names.values\(\)\)"),
    ({"class_names": {"a"}}, TypeError, rf"{NAMES}.*\(set\)"),
    ({"class_names": 3}, TypeError, rf"{NAMES}3 \(int\)"),
    ({"probe": "8"}, TypeError, rf"{PROBE}'8' \(str\)"),
    ({"probe": 8.0}, TypeError, rf"{PROBE}8.0 \(float\)"),
    ({"probe": True}, TypeError, rf"{PROBE}True \(bool\)"),
    ({"probe": [0.5]}, TypeError, rf"{PROBE}\[0.5\] \(list\)"),
    ({"probe": np.ones(40, bool)}, TypeError, rf"{PROBE}ndarray; of a mask give the indices, mask.nonzero\(\)"),
    ({"probe": [True, False]}, TypeError, "of a mask give the indices"),
    ({"probe": -1}, ValueError, "probe: expected a number of samples, at least 1, got -1"),
    ({"device": "gpu"}, ValueError, r"device: expected one of torch's, such as 'cpu' or 'cuda:0', got 'gpu' \(str\)"),
    ({"device": 0.5}, TypeError, r"device: expected one of torch's, .*, got 0.5 \(float\)"),
    ({"device": "meta"}, ValueError, "device: expected one that holds data, got 'meta'"),
    ({"device": "cuda:99"}, ValueError, r"device: expected one that is here, got 'cuda:99'; torch sees \d+ CUDA"),
    ({"selection": {"layer": "0"}}, TypeError, "selection: expected another inspector's selection, got dict"),
]


@pytest.mark.parametrize(("options", "kind", "words"), REFUSED, ids=[str(options) for options, _, _ in REFUSED])
def test_an_argument_that_can_not_be_is_refused_in_words(
    options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        nnw.Inspector(NET.build(), DATA, **{"probe": 8, **options})


def test_a_class_of_models_is_refused_with_the_repair() -> None:
    with pytest.raises(TypeError, match=r"model: expected a torch.nn.Module, got the class Linear; .* Linear\(…\)"):
        nnw.Inspector(torch.nn.Linear, DATA)  # type: ignore[arg-type]


def test_an_inspector_given_as_a_selection_is_told_of_its_own() -> None:
    with inspecting(NET.build(), DATA, probe=8) as first:
        with pytest.raises(TypeError, match=r"got Inspector; give its \.selection"):
            nnw.Inspector(NET.build(), DATA, probe=8, selection=first)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"budget: expected a share of the training time .*, got '5%'"):
            first.watch(budget="5%")  # type: ignore[arg-type]


@pytest.mark.parametrize("probe", [[2, 0], (2, 0), range(2, -1, -2), np.array([2, 0]), torch.tensor([2, 0])])
def test_a_probe_is_any_sequence_of_indices(probe: Any) -> None:
    assert tuple(checked_probe(probe)) == (2, 0)  # type: ignore[arg-type]


def test_a_number_and_names_may_be_numpys() -> None:
    assert checked_probe(np.int64(8)) == checked_probe(torch.tensor(8)) == 8
    assert checked_class_names(np.array(["a", "b"])) == ("a", "b")
