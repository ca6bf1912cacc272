"""How precisely a device computes, and whether it is fast in bfloat16."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

_CPUINFO = Path("/proc/cpuinfo")


def rounds_to_tf32(values: Tensor) -> bool:
    """Whether convolutions of these values round to TF32. Reads the user's flags and never sets them."""
    if values.device.type != "cuda" or values.dtype != torch.float32:
        return False
    if torch.cuda.get_device_capability(values.device) < (8, 0):
        return False
    convolution = getattr(torch.backends.cudnn, "conv", None)
    precision = getattr(convolution, "fp32_precision", None)
    return bool(torch.backends.cudnn.allow_tf32) if precision is None else precision == "tf32"


def rounding_notes(values: Tensor) -> tuple[str, ...]:
    """Return a sentence if computing with these values rounds more than float32 does.

    >>> rounding_notes(torch.zeros(1)), rounding_notes(torch.zeros(1, dtype=torch.bfloat16))
    ((), ('computed in bfloat16',))
    """
    if values.dtype in (torch.bfloat16, torch.float16):
        return (f"computed in {str(values.dtype).removeprefix('torch.')}",)
    return ("TF32: convolutions keep 10 bits of mantissa",) if rounds_to_tf32(values) else ()


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has hardware for bfloat16 matrix products: CPUs with AMX, GPUs since Ampere."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and "amx_bf16" in _cpu_flags()


@cache
def _cpu_flags() -> frozenset[str]:
    """Return the CPU's feature flags; none where the system does not list them."""
    if not _CPUINFO.exists():
        return frozenset()
    lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())
