"""Makes the calling thread a quiet one: low priority, one CPU thread, no gradients. Nothing else changes."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
import threading

import torch

# Beside a training that keeps all cores busy, 19 leaves clicks waiting for seconds, and training waiting for a thread
# that has the GIL; 0 slows long steps down by more than the budget.
NICENESS = 10
_OPENMP = re.compile(r"(/\S*/lib(?:gomp|iomp5|omp)\b[^/\s]*\.so\S*)")
_MKL = re.compile(r"(/\S*/lib(?:torch_cpu|mkl_rt|mkl_core)\b[^/\s]*\.so\S*)")  # wheels of torch have MKL within

logger = logging.getLogger(__name__)


def quiet_this_thread() -> None:
    """To be called first in a background thread. Gradients, autocast and default devices are thread-local in torch."""
    torch.set_grad_enabled(False)
    _lower_priority()
    _use_one_cpu_thread()


def _lower_priority() -> None:
    # Elsewhere than on Linux the priority belongs to the process. It can't be raised again, so never for a user's
    # thread.
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError as error:  # a sandbox may forbid it; the budget still holds
            logger.info("the priority of the background thread could not be lowered: %s", error)


def _use_one_cpu_thread() -> None:
    """One OpenMP and MKL thread here; the caller's and later threads keep theirs.

    `torch.set_num_threads` changes the default of all later threads of the process, which can change how their sums are
    split and so their results to the bit. The calls here are per thread. MKL has a count of its own, which torch sets;
    a second team of threads, however seldom at work, makes libgomp wait less eagerly in training's own (a CNN on two
    cores trained a third slower).
    """
    count = torch.get_num_threads()  # torch initialises each thread at its first use, and would undo the calls below
    for path in _loaded(_OPENMP):
        ctypes.CDLL(path).omp_set_num_threads(1)
    for path in _loaded(_MKL):
        set_mkl_threads = getattr(ctypes.CDLL(path), "MKL_Set_Num_Threads_Local", None)
        if set_mkl_threads is not None:
            set_mkl_threads(1)
    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)
        restore = threading.Thread(target=torch.set_num_threads, args=(count,), name="nnwidgets-restore")
        restore.start()
        restore.join()


def _loaded(library: re.Pattern[str]) -> set[str]:
    """Paths of the libraries of this kind that this process has loaded (Linux)."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            return set(library.findall(maps.read()))
    except OSError:
        return set()
