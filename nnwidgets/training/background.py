"""Make the calling thread a quiet one: low priority, one CPU thread, no gradients."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
import threading

import torch

# At 19, clicks wait for seconds while training keeps all cores busy, and training waits whenever this thread holds the
# GIL. At 0, long steps slow down by more than the budget.
NICENESS = 10
_OPENMP = re.compile(r"(/\S*/lib(?:gomp|iomp5|omp)\b[^/\s]*\.so\S*)")
_MKL = re.compile(r"(/\S*/lib(?:torch_cpu|mkl_rt|mkl_core)\b[^/\s]*\.so\S*)")  # wheels of torch have MKL within

logger = logging.getLogger(__name__)


def quiet_this_thread() -> None:
    """Call this first in a background thread; torch keeps gradients, autocast and default devices per thread."""
    torch.set_grad_enabled(False)
    _lower_priority()
    _use_one_cpu_thread()


def _lower_priority() -> None:
    # Other systems than Linux know only the priority of a process. It can't be raised again, so never lower that of a
    # user's thread.
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError as error:  # a sandbox may forbid it; the budget still holds
            logger.info("the priority of the background thread could not be lowered: %s", error)


def _use_one_cpu_thread() -> None:
    """Use one OpenMP and one MKL thread here; all other threads keep their counts.

    `torch.set_num_threads` also sets the default of all later threads. Their sums are then split otherwise, and their
    results change in the last bit. The calls here are per thread. A second team of OpenMP threads, even an idle one,
    makes libgomp wait less eagerly in training's own: a CNN on two cores trained a third slower.
    """
    count = torch.get_num_threads()  # torch sets each thread up at its first use, which would undo the calls below
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
