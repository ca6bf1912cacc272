"""Forked data loader workers beside the background thread."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from nnwidgets.training.gate import Gate
from tests.training.toys import Bench, eventually, mlp, train

ROOT = Path(__file__).parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

EPOCHS = """
    import sys, torch
    from torch.utils.data import DataLoader, TensorDataset
    from tests.training.toys import Bench, loss_of, mlp

    model = mlp()
    where = Bench(model, 1.0)
    job = where.look(torch.randn(256, 6), slices=50, long=True)
    where.look(torch.randn(256, 6), slices=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(torch.randn(24, 6)), batch_size=6, num_workers=2, multiprocessing_context="fork")
    with where.watch():
        for epoch in range(int(sys.argv[1])):
            where.worker.request(job)
            for (inputs,) in loader:
                optimizer.zero_grad()
                loss_of(model, inputs).backward()
                optimizer.step()
    assert job.begun and not job.errors, (job.begun, job.errors)
"""


def run_epochs(epochs: int, timeout: float) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", textwrap.dedent(EPOCHS), str(epochs)]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=timeout, check=True)


@forks
def test_a_data_loader_that_forks_under_a_busy_worker_never_hangs() -> None:
    run_epochs(30, timeout=90)


@forks
@pytest.mark.slow
def test_it_never_hangs_in_hundreds_of_epochs() -> None:
    run_epochs(300, timeout=600)


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
    where.worker.slot.due = True
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
            status = 0 if watch.closed and watch.step_count == 3 and not where.worker.slot.due else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    answers = len(job.steps)
    assert eventually(lambda: train(model, optimizer, inputs, 5) and len(job.steps) > answers)
    assert watch.step_count > 3
    watch.close()
    where.worker.close()


def test_a_claim_goes_before_work_that_is_done_back_to_back() -> None:
    import threading
    import time

    gate, stop, chunks = Gate(), threading.Event(), [0]

    def work() -> None:
        while not stop.is_set():
            with gate:
                chunks[0] += 1
                time.sleep(0.005)

    worker = threading.Thread(target=work)
    worker.start()
    assert eventually(lambda: chunks[0] > 2)
    for _ in range(20):
        before = chunks[0]
        gate.claim()
        waited = chunks[0] - before
        held = chunks[0]
        time.sleep(0.01)
        assert chunks[0] == held
        gate.release()
        assert waited <= 2
    stop.set()
    worker.join()
