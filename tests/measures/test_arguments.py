"""Measures refuse what they can't read where they are made, and take any sequence of indices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import nnwidgets as nnw
from nnwidgets import blocks, measures
from nnwidgets.display.view import View
from tests.nets import NETS
from tests.waiting import answered, inspecting

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a number of features": (
        lambda: measures.Features("conv", 10),  # type: ignore[arg-type]
        TypeError,
        "samples: expected a sequence of indices, got 10 (int); one sample is (10,)",
    ),
    "a number for the model": (
        lambda: measures.Model(10),  # type: ignore[arg-type]
        TypeError,
        "samples: expected a sequence of indices, got 10 (int); one sample is (10,)",
    ),
    "words": (
        lambda: measures.Model("12"),  # type: ignore[arg-type]
        TypeError,
        "samples: expected a sequence of indices, got '12' (str)",
    ),
    "halves": (
        lambda: measures.Model([0.5]),  # type: ignore[list-item]
        TypeError,
        "samples: expected a sequence of indices, got [0.5] (list)",
    ),
    "no samples": (lambda: measures.Features("conv", ()), ValueError, "samples: expected at least one index, got none"),
    "a layer that is no name": (
        lambda: measures.Weights(3),  # type: ignore[arg-type]
        TypeError,
        "layer: expected a name, one of inspector.layers, got int",
    ),
    "several samples": (
        lambda: measures.Activations("conv", [1, 2]),  # type: ignore[arg-type]
        TypeError,
        "sample: expected an index into the dataset, got [1, 2] (list)",
    ),
    "indices for predictions": (
        lambda: measures.Predictions((1, 2)),  # type: ignore[arg-type]
        TypeError,
        "samples: expected a whole number, how many, got (1, 2) (tuple)",
    ),
    "no predictions": (
        lambda: measures.Predictions(0),
        ValueError,
        "samples: expected a whole number, how many, at least 1, got 0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_measure_can_not_read_is_refused_where_it_is_made(name: str) -> None:
    build, kind, words = REFUSED[name]
    with pytest.raises(kind, match=re.escape(words)):
        build()


@pytest.mark.parametrize("samples", [[3, 1], range(3, 0, -2), np.array([3, 1]), torch.tensor([3, 1]), (3, 1)])
def test_any_sequence_of_indices_makes_the_same_measure(samples: Any) -> None:
    assert measures.Features("conv", samples) == measures.Features("conv", (3, 1))
    assert hash(measures.Model(samples)) == hash(measures.Model((3, 1)))


def test_a_view_that_asks_for_a_number_of_samples_says_so_with_its_line() -> None:
    class Asks(View):
        name, title = "asks", "Asks"

        def needs(self) -> measures.Measure:
            return measures.Model(10)  # type: ignore[arg-type]

        def layout(self, result: Any) -> list[blocks.Block]:
            return []

    with inspecting(NETS["cnn"].build(), NETS["cnn"].inputs[:8], probe=4) as inspector:
        view = answered(inspector.view(Asks))
        assert isinstance(view, nnw.View)
        assert view.failure is not None
        assert re.fullmatch(
            r"TypeError: samples: expected a sequence of indices, got 10 \(int\); one sample is \(10,\) "
            r"\(line \d+, in needs\)",
            view.failure[0],
        )
