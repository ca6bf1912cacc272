"""Watching never changes a training, and what is seen of it is whole."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nnwidgets.training.worker import Snapshot
from tests.training.toys import Bench, Look, cnn, flush, loss_of, mlp, train

MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))
PICTURES = torch.randn(12, 1, 12, 12, generator=torch.Generator().manual_seed(2))
INPUTS_OF = {mlp: INPUTS, cnn: PICTURES}
OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "momentum": lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
    "adam": lambda model: torch.optim.Adam(model.parameters(), lr=1e-3),
}


def everything(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Weights, buffers, optimizer state, gradients and random states, as tensors."""
    state = [value for slots in optimizer.state.values() for value in slots.values() if isinstance(value, torch.Tensor)]
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    numpy_state: Any = np.random.get_state()
    randoms = [torch.get_rng_state(), torch.tensor(random.getstate()[1]), torch.tensor(numpy_state[1].tolist())]
    return [value.detach().clone() for value in (*model.parameters(), *model.buffers(), *state, *gradients, *randoms)]


@pytest.mark.parametrize("build", [mlp, cnn])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_watched_training_ends_in_the_same_bits(bench: MakeBench, build: Callable[[], nn.Module], kind: str) -> None:
    inputs, refreshes = INPUTS_OF[build], 0
    ends = []
    for watched in (False, True):
        torch.manual_seed(3)
        random.seed(3)
        np.random.seed(3)
        model = build()
        optimizer = OPTIMIZERS[kind](model)
        torch.manual_seed(4)
        if watched:
            where = bench(model, 1.0)
            jobs = [where.look(inputs), where.look(inputs, slices=3, slow=True)]
            with where.watch() as watch:
                for _ in range(12):
                    watch.refresh()
                    train(model, optimizer, inputs, 10)
                    watch.log(loss=loss_of(model.eval(), inputs))
                    model.train()
                    flush(where.worker, 2.0)
                refreshes = len(jobs[0].steps)
            assert flush(where.worker)
            assert [job.errors for job in jobs] == [[], []]
        else:
            for _ in range(12):
                train(model, optimizer, inputs, 10)
        ends.append(everything(model, optimizer))
    assert refreshes >= 10
    assert len(ends[0]) == len(ends[1])
    assert all(torch.equal(bare, watched) for bare, watched in zip(*ends, strict=True))


class Stamped(nn.Module):
    """Its weights and buffers carry the step number, from the first to the last."""

    stamp: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.zeros(2_000)) for _ in range(20))
        self.register_buffer("stamp", torch.zeros(2_000))


class Stamp(torch.optim.Optimizer):
    def __init__(self, model: Stamped) -> None:
        super().__init__(model.parameters(), {})
        self.model = model

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.add_(1)
            self.model.stamp.add_(1)


def test_no_snapshot_is_torn_and_each_is_of_the_step_it_says(bench: MakeBench) -> None:
    model = Stamped()
    where = bench(model, 1.0)
    seen: list[tuple[set[float], int]] = []

    class Check(Look):
        def work(self, snapshot: Snapshot) -> Iterator[None]:
            for _ in range(3):
                tensors = [*snapshot.shadow.module.parameters(), *snapshot.shadow.module.buffers()]
                values = {float(value) for tensor in tensors for value in (tensor.min(), tensor.max())}
                seen.append((values, snapshot.step))
                yield

    where.worker.add(Check())
    where.worker.add(Check(slow=True))
    optimizer = Stamp(model)
    with where.watch():
        until = time.monotonic() + 10.0
        while len(seen) < 60 and time.monotonic() < until:
            optimizer.step()
    assert len(seen) >= 60
    assert all(values == {float(step)} for values, step in seen)


@pytest.mark.cuda
def test_on_cuda_a_watched_training_ends_in_the_same_bits(bench: MakeBench) -> None:
    ends = []
    for watched in (False, True):
        model = mlp().cuda()
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        inputs = INPUTS.cuda()
        torch.manual_seed(4)
        labels = torch.arange(len(inputs), device="cuda") % 3
        where = bench(model, 1.0) if watched else None
        job = where.look(inputs) if where is not None else None
        watch = where.watch() if where is not None else None
        for _ in range(300):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
            if watch is not None:
                watch.log(loss=loss)
        if watch is not None and where is not None and job is not None:
            watch.close()
            assert flush(where.worker)
            assert job.errors == []
            assert len(job.steps) >= 2
            assert where.shadow.is_current()
        ends.append([value.clone() for value in (*model.parameters(), *model.buffers(), torch.cuda.get_rng_state())])
    assert all(torch.equal(bare, seen) for bare, seen in zip(*ends, strict=True))
