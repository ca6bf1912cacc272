"""A small model and a view of a user's own on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nnwidgets as nnw
from tests.nets import NETS, Training
from tests.waiting import inspecting


@pytest.fixture(name="training")
def training_() -> Training:
    return Training(NETS["cnn"])


@pytest.fixture(name="inspector")
def inspector_(training: Training) -> Iterator[nnw.Inspector]:
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=8) as inspector:
        yield inspector
