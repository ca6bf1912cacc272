"""The process ends cleanly whenever it ends, also while the background thread is inside torch."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUSY = """
    import sys, time, torch
    from torch import nn
    from tests.training.toys import Bench

    model = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.Conv2d(16, 16, 5))
    where = Bench(model, 1.0)
    job = where.look(torch.randn(32, 1, 28, 28), slices=10_000)
    where.worker.request(job)
    while not job.begun:
        time.sleep(0.001)
    time.sleep(float(sys.argv[1]))
"""
HOW = {
    "the end of the script": (0.0, ""),
    "sys.exit": (0.0373, "sys.exit(0)"),
    "references dropped": (0.0131, "del where, job"),
    "a watch left open": (0.0719, "watch = where.watch()"),
}


@pytest.mark.parametrize("how", HOW)
def test_the_exit_code_is_zero(how: str) -> None:
    after_s, last_line = HOW[how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    script = textwrap.dedent(BUSY) + last_line
    command = [sys.executable, "-c", script, str(after_s)]
    done = subprocess.run(command, cwd=ROOT, env=environment, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_of_the_users_keeps_its_own_exit_code() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = textwrap.dedent(BUSY) + "raise ValueError('mine')"
    done = subprocess.run(
        [sys.executable, "-c", script, "0.01"], cwd=ROOT, env=environment, timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ValueError: mine")
