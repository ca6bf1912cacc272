"""What the arguments of an inspector may be, checked before anything is made. Knows no widget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import torch
from torch import nn

from nnwidgets.analysis.task import TASKS, TaskKind
from nnwidgets.measures.arguments import checked_samples, checked_whole
from nnwidgets.selection import Selection


def check_model(model: Any) -> None:
    """Raises TypeError for what is no model."""
    if not isinstance(model, nn.Module):
        made = f"; give one that is made, {model.__name__}(…)" if isinstance(model, type) else ""
        got = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model: expected a torch.nn.Module, got {got}{made}")


def check_functions(**functions: Any) -> None:
    """Raises TypeError for what can't be called, by name; None can be left out."""
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise TypeError(f"{name}: expected a function or None, got {_told(function)}")


def checked_class_names(names: Any) -> Sequence[str] | None:
    """The names in order. Raises TypeError for a text, whose letters would become names, and for what has no order."""
    if names is None:
        return None
    if isinstance(names, (str, bytes, Mapping, Set)) or not isinstance(names, Iterable):
        repair = "; give list(names.values()) in the order of the classes" if isinstance(names, Mapping) else ""
        raise TypeError(f"class_names: expected a sequence of names, got {_told(names)}{repair}")
    return tuple(map(str, names))


def checked_task(task: Any) -> TaskKind | None:
    """Raises ValueError for what is none of the tasks there are."""
    if task is None or task in TASKS:
        return task  # type: ignore[no-any-return]
    raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {_told(task)}")


def checked_axes(axes: Any) -> Mapping[str, str]:
    """The axes of layers. Raises TypeError for anything but names and letters."""
    if axes is None:
        return {}
    if not isinstance(axes, Mapping) or not all(isinstance(each, str) for pair in axes.items() for each in pair):
        raise TypeError(f'axes: expected a dict such as {{"lstm": "tnc"}}, got {_told(axes)}')
    return axes


def checked_probe(probe: Any) -> int | Sequence[int]:
    """How many samples, or which. Raises TypeError for what is neither; a mask of booleans is no list of indices."""
    said = f"probe: expected a whole number of samples or a sequence of their indices, got {_told(probe)}"
    if isinstance(probe, bool) or _is_mask(probe):
        raise TypeError(f"{said}; of a mask give the indices, mask.nonzero()" if _is_mask(probe) else said)
    if hasattr(probe, "__index__") and not getattr(probe, "ndim", 0):
        return checked_whole("probe", probe, least=1, what="a number of samples")
    try:
        return checked_samples(list(probe) if not isinstance(probe, (str, bytes)) else probe)
    except TypeError:
        raise TypeError(said) from None


def checked_device(device: Any) -> torch.device | None:
    """Raises TypeError or ValueError for what is no device, or none that is here."""
    if device is None:
        return None
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"device: expected one of torch's, such as 'cpu' or 'cuda:0', got {_told(device)}") from None
    if found.type == "meta":
        raise ValueError("device: expected one that holds data, got 'meta'")
    there = torch.cuda.device_count() if found.type == "cuda" else 1
    if (found.index or 0) >= there:
        raise ValueError(f"device: expected one that is here, got {str(found)!r}; torch sees {there} CUDA devices")
    return found


def checked_seed(seed: Any) -> int:
    """Raises TypeError for what is no whole number, ValueError for one below zero."""
    return checked_whole("seed", seed, least=0, what="a whole number")


def checked_memory(max_memory: Any) -> int | None:
    """Bytes. Raises TypeError for what is no whole number, ValueError below one."""
    if max_memory is None:
        return None
    return checked_whole("max_memory", max_memory, least=1, what="a whole number of bytes, such as 2 * 10**9")


def check_selection(selection: Any) -> None:
    """Raises TypeError for anything but another inspector's selection."""
    if selection is not None and not isinstance(selection, Selection):
        repair = "; give its .selection" if isinstance(getattr(selection, "selection", None), Selection) else ""
        raise TypeError(f"selection: expected another inspector's selection, got {type(selection).__name__}{repair}")


def _is_mask(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return bool(dtype == torch.bool or getattr(dtype, "kind", "") == "b")
    return isinstance(value, (list, tuple)) and any(isinstance(each, bool) for each in value)


def _told(value: Any) -> str:
    said = repr(value)
    return f"{said} ({type(value).__name__})" if len(said) <= 60 else type(value).__name__
