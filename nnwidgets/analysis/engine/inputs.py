"""What an embedding accepts: every check, and the scaling that keeps float32 safe. Knows tensors only."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import torch
from torch import Tensor


def check_dims(dims: int) -> None:
    """Raises ValueError unless `dims` is 2 or 3."""
    if dims not in (2, 3):
        raise ValueError(f"dims: expected 2 or 3, got {dims!r}")


def check_perplexity(perplexity: float) -> None:
    """Raises ValueError unless `perplexity` is a finite number above 1."""
    if not 1.0 < perplexity < float("inf"):
        raise ValueError(f"perplexity: expected a number above 1 (5 to 50 is usual), got {perplexity!r}")


def check_count(n: int, most: int) -> None:
    """Raises ValueError when `n` samples are more than `most`."""
    if n > most:
        raise ValueError(f"x: expected at most {most} samples, got {n}; embed a fixed random subset")


def fitting_perplexity(perplexity: float, n: int) -> tuple[float, str]:
    """`perplexity`, at most (n - 1) / 3, and a sentence when it was lowered, else "".

    >>> fitting_perplexity(30.0, 31)
    (10.0, 'perplexity lowered from 30 to 10: 31 samples')
    """
    most = (n - 1) / 3
    if perplexity <= most:
        return float(perplexity), ""
    return most, f"perplexity lowered from {perplexity:g} to {most:.3g}: {n} samples"


def centred(x: Tensor | np.ndarray, dims: int, device: torch.device | str | None) -> tuple[Tensor, float]:
    """`x` (n, features) as float64 with mean 0 and largest magnitude 1 (0 if constant), and the factor taken out.

    On the device asked for, else that of `x`, if it is a CPU or CUDA device; other devices have no float64: the CPU.
    """
    check_dims(dims)
    given = torch.as_tensor(x).detach()
    if given.ndim != 2:
        shape = tuple(given.shape)
        raise ValueError(f"x: expected (n, features), got shape {shape}; `features(x)[0]` makes rows of feature maps")
    if 0 in given.shape:
        raise ValueError(f"x: expected at least one sample and one feature, got shape {tuple(given.shape)}")
    wanted = torch.device(device) if device is not None else given.device
    values = given.to("cpu") if wanted.type not in ("cpu", "cuda") else given.to(wanted)
    values = values.to(torch.float64)
    if not bool(values.isfinite().all()):
        nan, infinite = int(values.isnan().sum()), int(values.isinf().sum())
        raise ValueError(
            f"x: expected finite values, got {nan} NaN and {infinite} infinite among {values.shape[0]} × "
            f"{values.shape[1]}; the layer may have diverged"
        )
    values, size = _unit(values)  # before the mean, which could overflow
    values, spread = _unit(values - values.mean(0))
    # What rounding of the mean leaves of a constant column is no variance.
    constant = spread < 1e-14
    return (torch.zeros_like(values), 0.0) if constant else (values, size * spread)


def _unit(values: Tensor) -> tuple[Tensor, float]:
    size = float(values.abs().max())
    return (values / size, size) if size > 0 else (values, 0.0)


def checked_init(init: Tensor | np.ndarray | None, n: int, dims: int, device: torch.device) -> Tensor | None:
    """`init` as float32 (n, dims) on `device`; raises ValueError for another shape or non-finite values."""
    if init is None:
        return None
    start = torch.as_tensor(init).detach().to(device, torch.float32)
    if start.shape != (n, dims) or not bool(start.isfinite().all()):
        raise ValueError(f"init: expected finite positions ({n}, {dims}), got shape {tuple(start.shape)} or not finite")
    return start


def checked_ids(ids: Sequence[Hashable] | Tensor | np.ndarray | None, n: int) -> tuple[Hashable, ...]:
    """One distinct name a row; row numbers for None. Raises ValueError for another length or repeated names."""
    if ids is None:
        return tuple(range(n))
    # the items of a tensor would hash by identity
    names = tuple(ids.tolist() if isinstance(ids, (Tensor, np.ndarray)) else ids)
    if len(names) != n:
        raise ValueError(f"ids: expected one for each of the {n} rows, got {len(names)}")
    if len(set(names)) != n:
        raise ValueError(f"ids: expected distinct names, got {n - len(set(names))} repeated")
    return names
