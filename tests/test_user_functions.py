"""What a user's own function raises is told with its name, what it was given and what it should return."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from tests.nets import NETS
from tests.waiting import answered, inspecting

NET = NETS["cnn"]
DATA = (NET.inputs[:40], NET.labels[:40])
GIVEN = r"the model's output, here a tensor \(\d+, 3\) float32"


def test_a_score_fn_that_raises_is_named_with_what_it_was_given() -> None:
    with pytest.raises(RuntimeError) as caught:
        nnw.Inspector(NET.build(), DATA, probe=8, score_fn=lambda output: {"scores": output}["logits"])
    assert caught.match(
        rf"^score_fn: raised KeyError: 'logits'; it gets {GIVEN}, and returns scores \(batch, classes\)"
    )
    assert isinstance(caught.value.__cause__, KeyError)


class InParts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = NET.build()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"main": self.inner(x), "aux": x}


def test_a_score_fn_is_told_the_parts_that_the_output_has() -> None:
    with pytest.raises(RuntimeError, match=r"score_fn: raised KeyError: 'logits'; .*here a dict with 'main', 'aux'"):
        nnw.Inspector(InParts(), DATA, probe=8, score_fn=lambda output: output["logits"])


def test_a_score_fn_that_raises_later_is_named_in_the_view_even_for_a_value_error() -> None:
    broken = False

    def score_fn(output: Tensor) -> Tensor:
        if broken:
            raise ValueError("made for this test")
        return output

    with inspecting(NET.build(), DATA, probe=8, score_fn=score_fn) as inspector:
        broken = True
        for view in (inspector.activations(sample=9), inspector.occlusion(sample=9)):
            answered(view)
            assert view.failure is not None
            assert view.failure[0].startswith("RuntimeError: score_fn: raised ValueError: made for this test; it gets")


def test_memory_that_runs_out_in_a_score_fn_stays_what_it_is() -> None:
    calls: list[int] = []

    def score_fn(output: Tensor) -> Tensor:
        calls.append(len(output))
        if len(output) > 4:
            raise MemoryError
        return output

    with inspecting(NET.build(), DATA, probe=8, score_fn=score_fn) as inspector:
        assert inspector._session.probe.error == ""
        assert max(calls) > 4, "less at once was tried"


@pytest.mark.parametrize(
    ("loss_fn", "words"),
    [
        (lambda output, targets: {"mean": output}["loss"], "loss_fn: raised KeyError: 'loss'; it gets"),
        (nn.CrossEntropyLoss(reduction="none"), r"loss_fn: expected the mean loss, one number, got a tensor \(8,\)"),
        (lambda output, targets: None, "loss_fn: expected the mean loss, one number, got NoneType"),
        (nn.NLLLoss(weight=torch.ones(7)), "loss_fn: raised RuntimeError: weight tensor"),
    ],
)
def test_a_loss_fn_that_does_not_work_is_named(loss_fn: Any, words: str) -> None:
    with inspecting(NET.build(), DATA, probe=8, loss_fn=loss_fn) as inspector:
        error = inspector._session.probe.error
        assert re.search(words, error), error
        assert re.search(GIVEN + r", and the targets, here a tensor \(\d+,\) int64", error)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unpack": lambda sample: sample["x"]}, "sample .*: unpack raised TypeError"),
        ({"to_image": lambda image: {"y": image}["x"]}, "sample .*: to_image raised KeyError: 'x'"),
    ],
)
def test_a_function_of_samples_that_raises_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        nnw.Inspector(NET.build(), DATA, probe=8, **options)
