"""Place a private copy where it fits: beside its model, else on the CPU, else in half the memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from nnwidgets.shadow._shadow import Shadow
from nnwidgets.shadow._support import refuse_unsupported

SPARED = 0.1  # a copy leaves this share of the free memory unused

FreeMemory = Callable[[torch.device], int]


def free_memory(device: torch.device) -> int:
    """The free memory of the device in bytes. CPU: what Linux reports as available; a guess of 2 GB elsewhere."""
    if device.type == "cuda":
        held_for_later = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + held_for_later
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except OSError:
        return 2_000_000_000


def fitting_shadow(
    model: nn.Module, *, device: torch.device | str | None = None, free: FreeMemory = free_memory
) -> Shadow:
    """A shadow of `model` that fits: on `device` (default: beside the model), else on the CPU, else in bfloat16.

    Its `notes` say which.

    Raises:
        MemoryError: not even a copy in bfloat16 fits.
    """
    refuse_unsupported(model)
    tensors = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}.values()
    whole = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    half = sum(tensor.numel() * min(tensor.element_size(), 2) for tensor in tensors if tensor.is_floating_point())
    home = torch.device(device) if device is not None else next((tensor.device for tensor in tensors), None)
    cpu = torch.device("cpu")
    beside = home if home is not None and home.type == "cuda" else cpu
    places = [beside] if device is not None or beside == cpu else [beside, cpu]
    for place in places:
        if whole <= (1 - SPARED) * free(place):
            if place == beside:
                return Shadow(model, device=device)
            note = f"The private copy is on the CPU: {beside} has no room for its {_mb(whole)}."
            return Shadow(model, device=place, notes=(note,))
    place = places[-1]
    if half > (1 - SPARED) * free(place):
        raise MemoryError(
            f"model: expected {_mb(half)} of free memory on {place} for a private copy in bfloat16, got "
            f"{_mb(free(place))}; free some, or give a smaller model"
        )
    note = f"The private copy is in bfloat16: there is no room for {_mb(whole)}. Values are approximate."
    return Shadow(model, device=device if place == beside else place, dtype=torch.bfloat16, notes=(note,))


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
