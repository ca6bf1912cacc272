"""Closes every worker that a test leaves behind."""

from collections.abc import Callable, Iterator

import pytest
from torch import nn

from tests.training.toys import Bench, eventually, worker_threads


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes a `Bench` for a model; its worker is closed at the end, and no thread may be left."""
    made: list[Bench] = []

    def make(model: nn.Module, share: float = 0.05) -> Bench:
        made.append(Bench(model, share))
        return made[-1]

    yield make
    while made:
        made.pop().worker.close()
    assert eventually(lambda: not worker_threads())
