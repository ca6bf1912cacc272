"""Check the arguments of an embedding, and scale them so that float32 is safe."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence, Set
from numbers import Real
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.engine.features import features


def check_dims(dims: int) -> None:
    """Raises ValueError unless `dims` is 2 or 3."""
    if not _whole(dims) or dims not in (2, 3):
        raise ValueError(f"dims: expected 2 or 3, got {dims!r}")


def checked_perplexity(perplexity: float) -> float:
    """`perplexity` as a float, which must be finite and above 1."""
    expected = "perplexity: expected a number above 1 (5 to 50 is usual)"
    if isinstance(perplexity, bool) or not isinstance(perplexity, Real):
        raise TypeError(f"{expected}, got {perplexity!r}")
    try:
        value = float(perplexity)
    except OverflowError:  # a huge integer
        value = math.inf
    if not 1.0 < value < math.inf:
        raise ValueError(f"{expected}, got {perplexity!r}")
    return value


def checked_seed(seed: int) -> torch.Generator:
    """A CPU generator with this seed."""
    if not _whole(seed):
        raise TypeError(f"seed: expected a whole number, got {seed!r}")
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed: expected one of 64 bits, got {seed}")
    return torch.Generator("cpu").manual_seed(int(seed))


def checked_device(device: torch.device | str | None) -> torch.device | None:
    """`device` as torch's, one that torch can use."""
    if device is None:
        return None
    try:
        known = torch.device(device)
        if known.type == "cuda":
            torch.empty(0, device=known)
    except (RuntimeError, TypeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device: expected one of this machine, such as 'cpu', got {device!r}: {reason}") from error
    return known


def check_neighbours(neighbours: int, n: int) -> None:
    """Raises unless 1 <= neighbours < n / 2."""
    if not _whole(neighbours):
        raise TypeError(f"neighbours: expected a whole number, got {neighbours!r}")
    if not 1 <= neighbours < n / 2:
        raise ValueError(f"neighbours: expected 1 to less than half the {n} rows, got {neighbours}")


def _whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_count(n: int, most: int) -> None:
    """Raises ValueError if there are more than `most` samples."""
    if n > most:
        raise ValueError(f"x: expected at most {most} samples, got {n}; embed a fixed random subset")


def fitting_perplexity(perplexity: float, n: int) -> tuple[float, str]:
    """`perplexity`, at most (n - 1) / 3, and a sentence if it was lowered, else "".

    >>> fitting_perplexity(30.0, 31)
    (10.0, 'perplexity lowered from 30 to 10: 31 samples')
    """
    most = (n - 1) / 3
    if perplexity <= most:
        return float(perplexity), ""
    return most, f"perplexity lowered from {perplexity:g} to {most:.3g}: {n} samples"


def rows_of(x: Any) -> tuple[Tensor, tuple[str, ...]]:
    """`x` with one row per sample, and a note if `features` averaged maps. Up to two axes stay as they are.

    >>> rows_of(torch.zeros(8, 3, 4, 4))[0].shape
    torch.Size([8, 48])
    """
    given = dense(x, "x")
    if given.ndim <= 2:
        return given, ()
    rows, note = features(given)
    return rows, (note,) if note else ()


def centred(x: Any, dims: int, device: torch.device | str | None, *, name: str = "x") -> tuple[Tensor, float]:
    """`x` (n, features) as float64 with mean 0 and largest magnitude 1 (0 if constant), and its former magnitude.

    On `device`, else on the device of `x`. Devices other than CPU and CUDA have no float64, so the CPU is used instead.
    Errors call it `name`.
    """
    check_dims(dims)
    wanted, given = checked_device(device), dense(x, name)
    if given.ndim != 2:
        repair = f"{name}.reshape(-1, 1) makes rows of single numbers" if given.ndim < 2 else "flatten the rows"
        raise ValueError(f"{name}: expected (n, features), got shape {tuple(given.shape)}; {repair}")
    if 0 in given.shape:
        raise ValueError(f"{name}: expected at least one sample and one feature, got shape {tuple(given.shape)}")
    wanted = wanted or given.device
    values = given.to("cpu") if wanted.type not in ("cpu", "cuda") else given.to(wanted)
    values = values.to(torch.float64)
    if not bool(values.isfinite().all()):
        nan, infinite = int(values.isnan().sum()), int(values.isinf().sum())
        raise ValueError(
            f"{name}: expected finite values, got {nan} NaN and {infinite} infinite among {values.shape[0]} × "
            f"{values.shape[1]}; the layer may have diverged"
        )
    values, size = _unit(values)  # first, so that the mean cannot overflow
    values, spread = _unit(values - values.mean(0))
    # In a constant column only the rounding of the mean is left.
    constant = spread < 1e-14
    return (torch.zeros_like(values), 0.0) if constant else (values, size * spread)


def _unit(values: Tensor) -> tuple[Tensor, float]:
    size = float(values.abs().max())
    return (values / size, size) if size > 0 else (values, 0.0)


def dense(x: Any, name: str) -> Tensor:
    """`x`, a tensor or anything that NumPy reads as an array of real numbers, as a plain tensor without gradient."""
    if not isinstance(x, Tensor):
        return torch.from_numpy(_numbers(x, name))
    if x.is_nested or x.layout is not torch.strided:
        kind, repair = ("nested", "pad it") if x.is_nested else ("sparse", "call `.to_dense()`")
        raise TypeError(f"{name}: expected a dense tensor, got a {kind} one; {repair}")
    if x.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {x.dtype}; take `.abs()`, or `.real` and `.imag`")
    if x.is_quantized:
        raise TypeError(f"{name}: expected plain numbers, got a quantized tensor; call `.dequantize()`")
    if x.is_meta:
        raise TypeError(f"{name}: expected values, got a tensor on the meta device, which has none")
    return x.detach()


def _numbers(x: Any, name: str) -> np.ndarray:
    """A float64 copy of `x`: in C order, native byte order, writable."""
    expected = f"{name}: expected a tensor or array of numbers"
    if isinstance(x, Mapping):
        keys = ", ".join(map(repr, list(x)[:3])) + (", …" if len(x) > 3 else "")
        raise TypeError(f"{expected}, got a {type(x).__name__} of {keys}; take one of its values")
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise ValueError(f"{expected}, got one with {int(x.mask.sum())} masked; fill or drop them")
    if isinstance(x, (list, tuple)) and any(isinstance(row, Tensor) for row in x):
        raise TypeError(f"{expected}, got a {type(x).__name__} of tensors; `torch.stack` makes one of it")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{expected}, got a {type(x).__name__} with rows of different lengths") from error
    kind = array.dtype.kind
    if kind not in "biufO" or (kind == "O" and array.ndim == 0):
        told = f"an array of {array.dtype}" if array.ndim else repr(x)[:60]
        repair = "; take the absolute values, or real and imaginary parts" if kind == "c" else ""
        raise TypeError(f"{expected}, got {told}{repair}")
    try:
        return np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise TypeError(f"{expected}, got objects: {error}") from error


def checked_init(init: Any, n: int, dims: int, device: torch.device) -> Tensor | None:
    """`init` as float32 (n, dims) on `device`, scaled to magnitudes of at most 1; None stays None."""
    if init is None:
        return None
    if isinstance(init, str):
        raise TypeError(f"init: expected positions ({n}, {dims}) or None, which starts from the PCA, got {init!r}")
    start = dense(init, "init").to(device, torch.float64)
    if start.shape != (n, dims):
        raise ValueError(f"init: expected finite positions ({n}, {dims}), got shape {tuple(start.shape)}")
    if not bool(start.isfinite().all()):
        wrong = int((~start.isfinite()).sum())
        raise ValueError(f"init: expected finite positions ({n}, {dims}), got {wrong} values that are NaN or infinite")
    return _unit(start)[0].float()


def checked_ids(ids: Sequence[Hashable] | Tensor | np.ndarray | None, n: int) -> tuple[Hashable, ...]:
    """One distinct name per row; the row numbers for None."""
    if ids is None:
        return tuple(range(n))
    if isinstance(ids, Set):
        raise TypeError(f"ids: expected one name a row, in their order, got a {type(ids).__name__}, which has none")
    if isinstance(ids, Tensor) and (ids.layout is not torch.strided or ids.is_meta):
        raise TypeError("ids: expected a dense tensor, got one that is sparse or on the meta device")
    try:
        # the items of a tensor hash by identity
        items = ids.tolist() if isinstance(ids, (Tensor, np.ndarray)) else ids
        names = cast(tuple[Hashable, ...], tuple(each.tolist() if isinstance(each, Tensor) else each for each in items))
        repeated = len(names) - len(set(names))
    except TypeError as error:
        raise TypeError(f"ids: expected one hashable name a row, got {type(ids).__name__}: {error}") from error
    if len(names) != n:
        raise ValueError(f"ids: expected one for each of the {n} rows, got {len(names)}")
    if repeated:
        raise ValueError(f"ids: expected distinct names, got {repeated} repeated")
    return names
