"""Forked data loader workers beside the background thread."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import nnwidgets as nnw
from nnwidgets.display.packing import Layout
from nnwidgets.display.view import View
from nnwidgets.training.worker import Snapshot
from tests.training.toys import Bench, eventually, mlp, train

ROOT = Path(__file__).parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

CHANNELS, SIDE, KERNEL = 8, 16, 5
SAMPLES, BATCH = 24, 12
HUNG_S = 30
LAYER_CLICK = 10  # every so many clicks are in another layer, which begins the embedding anew
# oneDNN keeps the convolutions it has compiled. With room for one it compiles nearly all of them anew, behind locks: a
# fork amid that leaves the child a lock that nobody opens, and it hangs in its own first convolution.
ENVIRONMENT = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "1", "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}


def small_cnn() -> nn.Module:
    layers: list[nn.Module] = []
    for channels in (1, CHANNELS):
        layers += [nn.Conv2d(channels, CHANNELS, KERNEL, padding=KERNEL // 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(CHANNELS * SIDE * SIDE, 3))


class Convolved(Dataset[tuple[Tensor, int]]):
    """Pictures that are convolved as they are read, by layers of the same shapes as the net's."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.pictures = torch.randn(SAMPLES, 1, SIDE, SIDE, generator=generator)
        self.labels = torch.arange(SAMPLES) % 3
        shapes = [(CHANNELS, channels, KERNEL, KERNEL) for channels in (1, CHANNELS)]
        self._kernels = [torch.randn(shape, generator=generator) / KERNEL**2 for shape in shapes]

    def __len__(self) -> int:
        return SAMPLES

    @torch.no_grad()
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        values = self.pictures[index : index + 1]
        for kernel in self._kernels:
            values = functional.conv2d(values, kernel, torch.zeros(CHANNELS), padding=KERNEL // 2)
        return self.pictures[index] + 0.01 * values[0].mean(0), int(self.labels[index])


class Followed:
    """Views that somebody looks at and clicks in: what is `at_work` now, how many refreshes each has `finished`."""

    def __init__(self, inspector: nnw.Inspector) -> None:
        self.views: list[View] = [
            inspector.activations(),
            inspector.filters(),
            inspector.occlusion(patch=4, stride=2),
            inspector.embedding(method="tsne", points=SAMPLES),
        ]
        self.at_work: set[str] = set()
        self.finished: Counter[str] = Counter()
        self.clicks = 0
        self.errors: list[Exception] = []
        self._layers = inspector.layers
        for view in self.views:
            view.shown = True
            view.job.work = self._noted_work(view)  # type: ignore[assignment, method-assign]
            view.layout = self._noted_layout(view)  # type: ignore[assignment, method-assign]

    def _noted_layout(self, view: View) -> Callable[[Any], Layout]:
        own = view.layout

        def layout(result: Any) -> Layout:
            self.at_work.add(f"layout of {view.name}")
            try:
                return own(result)
            finally:
                self.at_work.discard(f"layout of {view.name}")

        return layout

    def _noted_work(self, view: View) -> Callable[[Snapshot], Iterator[None]]:
        own = view.job.work

        def work(snapshot: Snapshot) -> Iterator[None]:
            slices = own(snapshot)
            while True:
                self.at_work.add(view.name)
                try:
                    next(slices)
                except StopIteration:
                    self.finished[view.name] += 1
                    return
                finally:
                    self.at_work.discard(view.name)
                yield

        return work

    @contextmanager
    def clicked(self) -> Iterator[None]:
        """Within, another thread clicks."""
        stop, chance = threading.Event(), random.Random(0)

        def click() -> None:
            while not stop.wait(chance.random() * 0.4):
                choice: dict[str, Any] = {"sample": chance.randrange(SAMPLES)}
                if self.clicks % LAYER_CLICK == 0:
                    choice["layer"] = chance.choice(self._layers)
                try:
                    chance.choice(self.views).command("select", choice)
                    self.clicks += 1
                except Exception as error:
                    self.errors.append(error)

        thread = threading.Thread(target=click)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def refuse_to_be_forked_at_work(self, _worker: int) -> None:
        """In the child, whose memory is as it was when the process forked."""
        if self.at_work:
            raise RuntimeError(f"forked while {sorted(self.at_work)} computed")


def train_under_live_views(epochs: int, *, refuse: bool) -> None:
    """Train on data that two forked processes read, anew in each epoch. The tests run it in a process of its own."""
    torch.manual_seed(0)
    model, data = small_cnn(), Convolved()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inspector = nnw.Inspector(model, (data.pictures, data.labels), probe=16)
    followed = Followed(inspector)
    loader = DataLoader(
        data,
        batch_size=BATCH,
        num_workers=2,
        multiprocessing_context="fork",
        timeout=HUNG_S,
        worker_init_fn=followed.refuse_to_be_forked_at_work if refuse else None,
    )
    with inspector.watch(optimizer, budget=1.0) as watch, followed.clicked():
        for epoch in range(epochs):
            print("epoch", epoch, flush=True)  # noqa: T201
            for pictures, labels in loader:
                optimizer.zero_grad()
                functional.cross_entropy(model(pictures), labels).backward()
                optimizer.step()
    assert watch.step_count == epochs * SAMPLES // BATCH
    inspector.close()
    assert followed.errors == []
    assert [view.failure for view in followed.views] == [None] * 4
    assert min(followed.finished[view.name] for view in followed.views) >= epochs / 30, followed.finished
    assert followed.clicks >= epochs / 5, followed.clicks


def run_training(epochs: int, *, refuse: bool = False, seconds: float) -> None:
    """`train_under_live_views` in a fresh process; its own words where it fails, or where it hangs itself."""
    call = f"from tests.training.test_fork import train_under_live_views as run; run({epochs}, refuse={refuse})"
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, "-c", call],
        cwd=ROOT,
        env=environment,
        timeout=seconds,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-200:]}\n{done.stderr}"


@forks
def test_no_process_is_forked_while_a_view_computes() -> None:
    run_training(30, refuse=True, seconds=120)


@forks
@pytest.mark.parametrize("epochs", [300, pytest.param(1_000, marks=pytest.mark.soak)])
def test_a_data_loader_that_forks_and_convolves_under_live_views_never_hangs(epochs: int) -> None:
    run_training(epochs, seconds=2 * epochs)


@forks
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_everything_is_dead_in_the_child_and_alive_in_the_parent() -> None:
    model = mlp()
    where = Bench(model, 1.0)
    inputs = torch.randn(9, 6)
    job = where.look(inputs)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch = where.watch()
    train(model, optimizer, inputs, 3)
    where.worker.buffer.due = True
    child = os.fork()
    if child == 0:
        # Only os._exit may end this branch: pytest must not run on in the child.
        status = 1
        try:
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            where.worker.request(job)
            where.worker.close()
            watch.close()
            status = 0 if watch.closed and watch.step_count == 3 and not where.worker.buffer.due else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    answers = len(job.steps)
    assert eventually(lambda: train(model, optimizer, inputs, 5) and len(job.steps) > answers)
    assert watch.step_count > 3
    watch.close()
    where.worker.close()
