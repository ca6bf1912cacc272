"""The background thread itself: quiet while it lives, and gone when nobody needs it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nnwidgets.training.background import NICENESS
from nnwidgets.training.worker import JOIN_AT_MOST_S, Snapshot
from tests.training.toys import Bench, eventually, flush, mlp, worker_threads

pytestmark = pytest.mark.alone
MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


def test_the_worker_is_a_quiet_thread_and_changes_nothing_for_others(bench: MakeBench) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        where = bench(mlp())
        job = where.look()
        found: dict[str, object] = {}

        def note(_: Snapshot) -> None:
            found["threads"] = torch.get_num_threads()
            found["grad"] = torch.is_grad_enabled()
            found["nice"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

        job.before = note
        where.worker.request(job)
        assert flush(where.worker)
        later: list[int] = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert (found["threads"], found["grad"]) == (1, False)
        assert found["nice"] == NICENESS or sys.platform != "linux"
        assert (torch.get_num_threads(), later) == (2, [2])
        assert torch.is_grad_enabled()
    finally:
        torch.set_num_threads(before)


TEAMS = """
import os, threading
import torch
from torch import nn
from nnwidgets.training.background import quiet_this_thread

torch.set_num_threads(2)
layers = nn.Sequential(nn.Conv2d(3, 32, 3), nn.Flatten(), nn.Linear(32 * 30 * 30, 256), nn.Linear(256, 256))
picture = torch.rand(64, 3, 32, 32)
done, counted = threading.Event(), threading.Event()

def work():
    quiet_this_thread()
    layers(picture)
    torch.randn(700, 700) @ torch.randn(700, 700)
    torch.randn(3, 200, 200) @ torch.randn(3, 200, 200)
    done.set()
    counted.wait()

layers(picture)  # the main thread's own team
before = len(os.listdir("/proc/self/task"))
thread = threading.Thread(target=work)
thread.start()
done.wait()
print(len(os.listdir("/proc/self/task")) - before)
counted.set()
thread.join()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_no_library_starts_threads_for_the_worker() -> None:
    """A second team of OpenMP threads makes libgomp's waits in training short, and training itself slow."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", TEAMS], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["1"]


def test_a_worker_nobody_holds_ends_its_thread_and_frees_the_shadow() -> None:
    where = Bench(mlp())
    job = where.look(INPUTS)
    where.worker.request(job)
    assert flush(where.worker)
    gone: list[weakref.ref[Any]] = [
        weakref.ref(where.worker),
        weakref.ref(where.shadow),
        weakref.ref(job),
        weakref.ref(where.model),
    ]
    del where, job
    gc.collect()
    assert eventually(lambda: not worker_threads())
    gc.collect()
    assert [reference() for reference in gone] == [None] * 4


def test_closing_twice_or_from_within_is_harmless(bench: MakeBench) -> None:
    where = bench(mlp())
    job = where.look(INPUTS)
    job.before = lambda _: where.worker.close()
    where.worker.request(job)
    assert eventually(lambda: not worker_threads())
    where.worker.close()
    where.worker.close()
    where.worker.request(job)
    assert not worker_threads()


def test_closing_one_worker_from_another_does_not_wait_for_itself(bench: MakeBench) -> None:
    first, second = bench(mlp()), bench(mlp())
    busy, job = first.look(slices=1_000, slice_s=0.001), second.look()
    took: list[float] = []

    def close(_: Snapshot) -> None:
        begin = time.monotonic()
        first.worker.close()
        took.append(time.monotonic() - begin)

    job.before = close
    first.worker.request(busy)
    second.worker.request(job)
    assert flush(second.worker)
    assert took[0] < JOIN_AT_MOST_S / 2
    assert eventually(lambda: len(worker_threads()) == 1)
