"""What tests of views share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import nnwidgets as nnw
from tests.nets import NETS, Training
from tests.views.kinds import model_and_data
from tests.waiting import inspecting


@pytest.fixture(name="small")
def small_inspector() -> Any:
    with inspecting(*model_and_data("grey pictures"), probe=8, class_names=["cat", "dog", "fox"]) as inspector:
        yield inspector


@pytest.fixture(name="training")
def training_() -> Training:
    return Training(NETS["cnn"])


@pytest.fixture(name="inspector")
def inspector_(training: Training) -> Iterator[nnw.Inspector]:
    training.net.labels[7] = 2
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=8) as inspector:
        inspector.selection.update(layer="1", sample=7)
        yield inspector
