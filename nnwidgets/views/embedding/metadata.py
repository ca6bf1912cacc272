"""The user's `metadata`, checked and copied for the points on the map."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nnwidgets.blocks.metadata import NO_METADATA, Column, Metadata

FEW_KINDS = 10
LONGEST_TEXT = 120
KINDS = "numbers, strings or booleans"


def metadata_of(
    metadata: Mapping[str, Any] | None, indices: Sequence[int], *, total: int, reserved: Collection[str]
) -> Metadata:
    """A column for each entry of `metadata`, for the samples `indices` of `total`; what was given is left as it is.

    Strings and booleans are categories, and so are integers of at most ten kinds; other numbers are a scale. NaN and
    infinities are no value, texts are cut at 120 characters.

    Raises TypeError for something that is no mapping of names to values of these types, ValueError for values that are
    not one for each sample, and for names that are empty or `reserved`.
    """
    if metadata is None:
        return NO_METADATA
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata: expected a mapping from names to values, got {type(metadata).__name__}")
    rows = np.asarray(indices, dtype=np.int64)
    return Metadata(tuple(_column(name, values, rows, total, reserved) for name, values in metadata.items()))


class SubsetMetadata:
    """The user's metadata of a subset of the samples, and of others when they come in; `columns` are of the subset."""

    def __init__(
        self, metadata: Mapping[str, Any] | None, subset: Sequence[int], *, total: int, reserved: Collection[str]
    ) -> None:
        self._subset, self._total, self._reserved = tuple(subset), total, reserved
        self._whole = metadata_of(metadata, subset, total=total, reserved=reserved)
        # What was given may have changed when another sample comes in.
        partial = metadata is not None and len(subset) < total
        self._values = {name: _copied(values) for name, values in metadata.items()} if metadata and partial else None
        self.columns = self._whole.columns

    def of(self, indices: Sequence[int]) -> Metadata:
        """The columns of these samples, on one scale however few they are."""
        if tuple(indices) == self._subset:
            return self._whole
        place = {index: row for row, index in enumerate(self._subset)}
        others = [index for index in indices if index not in place]
        whole = self._whole
        if others and self._values is not None:
            place |= {index: len(self._subset) + row for row, index in enumerate(others)}
            rows = (*self._subset, *others)
            whole = metadata_of(self._values, rows, total=self._total, reserved=self._reserved)
        if not whole.columns:
            return NO_METADATA
        picked = [place[index] for index in indices]
        return Metadata(tuple(column.of_rows(picked) for column in whole.columns))


def _column(name: Any, values: Any, rows: npt.NDArray[np.int64], total: int, reserved: Collection[str]) -> Column:
    if not isinstance(name, str):
        raise TypeError(f"metadata: expected names that are strings, got {name!r}")
    if not name.strip():
        raise ValueError(f"metadata: expected names with at least one letter, got {name!r}")
    if name in reserved:
        raise ValueError(f"metadata: expected a name other than the view's own ({', '.join(reserved)}), got {name!r}")
    array = _picked(name, values, rows, total)
    if array.dtype.kind == "U":
        codes, names = _coded([text[:LONGEST_TEXT] for text in array.tolist()])
        return Column(name, None, codes, names)
    if array.dtype.kind == "b":
        return Column(name, None, array.astype(np.int32), ("no", "yes"))
    values = array.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    kinds, places = np.unique(array, return_inverse=True)
    if array.dtype.kind in "iu" and len(kinds) <= FEW_KINDS:
        return Column(name, values, places.astype(np.int32), tuple(map(str, kinds.tolist())))
    return Column(name, values, None)


def _picked(name: str, values: Any, rows: npt.NDArray[np.int64], total: int) -> npt.NDArray[Any]:
    """A copy of the values of `rows`: an array (n,) of texts, booleans, integers or floats."""
    if isinstance(values, (str, bytes)) or not (hasattr(values, "__len__") and hasattr(values, "__getitem__")):
        raise TypeError(f"metadata: expected {KINDS} for {name!r}, one for each sample, got {type(values).__name__}")
    shape = tuple(values.shape) if hasattr(values, "shape") else (len(values),)
    if shape != (total,):
        raise ValueError(f"metadata: expected shape ({total},) for {name!r}, one value for each sample, got {shape}")
    if isinstance(values, torch.Tensor):
        picked = values.detach()[torch.from_numpy(rows).to(values.device)].cpu()
        array = (picked.float() if picked.dtype == torch.bfloat16 else picked).numpy()
    elif hasattr(values, "__array__"):
        array = np.asarray(values)[rows]
    else:
        array = _listed(name, [values[row] for row in rows.tolist()])
    if array.dtype.kind == "O":
        array = _listed(name, array.tolist())
    if array.ndim != 1 or array.dtype.kind not in "Ubiuf":
        raise TypeError(f"metadata: expected {KINDS} for {name!r}, got {array.dtype}")
    return array


def _copied(values: Any) -> Any:
    """All the values, apart from what was given."""
    if isinstance(values, torch.Tensor):
        return values.detach().clone()
    return np.array(values) if hasattr(values, "__array__") else list(values)


def _listed(name: str, values: list[Any]) -> npt.NDArray[Any]:
    """An array of values of one kind; None is the empty text, or NaN among numbers."""
    kinds = {type(value) for value in values if value is not None}
    if all(issubclass(kind, str) for kind in kinds):
        return np.array([value or "" for value in values], dtype=np.str_)
    if not all(issubclass(kind, (numbers.Real, np.bool_)) for kind in kinds):
        raise TypeError(
            f"metadata: expected {KINDS} for {name!r}, got {', '.join(sorted(kind.__name__ for kind in kinds))}"
        )
    return np.asarray([np.nan if value is None else value for value in values])


def _coded(texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Texts as numbers into their kinds, sorted; the empty text is no value.

    >>> _coded(["b", "", "a", "b"])
    (array([ 1, -1,  0,  1], dtype=int32), ('a', 'b'))
    """
    names = tuple(sorted({text for text in texts if text}))
    place = {name: code for code, name in enumerate(names)}
    return np.array([place.get(text, -1) for text in texts], dtype=np.int32), names
