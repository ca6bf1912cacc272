"""The next sample that the model takes for another class, and what is said where there is none."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import nnwidgets as nnw
from tests.waiting import answered, command, frame, inspecting, shown

N = 150
WRONG = (3, 90, 149)


class Echo(nn.Module):
    """Scores that are right by construction: the input is the class."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot(x[:, 0].long(), 3).float() * self.scale


def data(wrong: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(N) % 3
    seen = labels.clone()
    seen[list(wrong)] = (seen[list(wrong)] + 1) % 3
    return seen[:, None].float(), labels


@pytest.mark.parametrize("kind", ["tensors", "list"])
def test_it_is_the_next_in_order_and_begins_anew_at_the_end(kind: str) -> None:
    inputs, labels = data(WRONG)
    given = (inputs, labels) if kind == "tensors" else list(zip(inputs, labels.tolist(), strict=True))
    with inspecting(Echo(), given, probe=range(N)) as inspector:
        view = inspector.activations(sample=4)
        shown(view)
        for expected in (90, 149, 3, 90):
            assert command(view, "next_wrong") is None
            answered(view)
            assert view.sample == expected
            assert frame(view)[0]["samples"] == {"index": expected, "count": N, "labelled": True}


def test_where_none_is_wrong_the_view_says_so_until_something_else_is_asked_for() -> None:
    with inspecting(Echo(), data(()), probe=4) as inspector:
        view = inspector.activations(sample=4)
        shown(view)
        assert command(view, "next_wrong") is None
        answered(view)
        assert view.sample == 4
        assert frame(view)[0]["state"]["text"] == f"No wrong prediction among {N} samples with a label"
        assert command(view, "step_sample", {"by": 1}) is None
        shown(view)
        assert frame(view)[0]["state"]["kind"] == "live"


def test_without_labels_it_is_not_offered() -> None:
    with inspecting(Echo(), data(())[0], probe=4) as inspector:
        view: nnw.View = inspector.activations()
        shown(view)
        assert frame(view)[0]["samples"]["labelled"] is False
