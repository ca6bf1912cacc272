"""One interface to every kind of dataset: its length, single samples, and labels and class names where at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset, default_collate

_LABEL_ATTRIBUTES = ("targets", "labels")


class SampleError(RuntimeError):
    """The dataset raised an error for a sample; the cause is chained."""


@dataclass(frozen=True)
class Source:
    """A dataset, opened.

    read: index -> raw sample.   rows: tensors whose rows are the samples, which can be read without the user's code.
    dtypes: of the samples: float32 for rows from float64 arrays, as for single samples; else that of the rows.
    collate: the loader's own collate function, called with one sample; or None.
    labels: one int per sample (n,) if at hand, else None.   class_names: `dataset.classes`, else None.
    """

    length: int
    read: Callable[[int], Any]
    rows: tuple[Tensor, ...] = ()
    dtypes: tuple[torch.dtype, ...] = ()
    collate: Callable[[list[Any]], Any] | None = None
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None

    def take(self, indices: Sequence[int]) -> list[Tensor]:
        """Copies of some of the `rows`, one tensor for each part of a sample."""
        places = torch.tensor(indices)
        taken = zip(self.rows, self.dtypes, strict=True)
        return [each.detach()[places.to(each.device)].to(dtype) for each, dtype in taken]


def open_source(dataset: Any) -> Source:
    """Open a map-style dataset, list, DataLoader, tensor or array, tuple of them, or TensorDataset.

    Raises TypeError for an iterable dataset or anything without length and index, ValueError if it is empty or its
    tensors differ in length.
    """
    collate = None
    if isinstance(dataset, DataLoader):
        collate = dataset.collate_fn if dataset.collate_fn is not default_collate else None
        if dataset.batch_size is None and dataset.batch_sampler is None:
            collate = None  # without automatic batching, `collate_fn` converts single samples
        dataset = dataset.dataset
    if isinstance(dataset, IterableDataset) or not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
        raise TypeError(
            f"dataset: expected samples that can be read by index, got {type(dataset).__name__}; "
            "give a list of some of them, e.g. list(itertools.islice(dataset, 1000))"
        )
    if isinstance(dataset, (str, bytes)):
        raise TypeError(
            f"dataset: expected a dataset, a tensor or (inputs, targets), got the {type(dataset).__name__} {dataset!r}"
        )
    parts = _parts(dataset)
    if parts is not None:
        return _direct(parts, alone=isinstance(dataset, (Tensor, np.ndarray)))
    if isinstance(dataset, dict):
        raise TypeError("dataset: expected samples that can be read by index, got dict; give (inputs, targets)")
    if len(dataset) == 0:
        raise ValueError("dataset: expected at least one sample, got none")
    return Source(
        len(dataset),
        dataset.__getitem__,
        collate=collate,
        labels=_labels(dataset),
        class_names=_class_names(dataset),
    )


def _parts(dataset: Any) -> tuple[Tensor | np.ndarray, ...] | None:
    """The tensors and arrays whose rows are the samples; None if the dataset is anything else."""
    if type(dataset) is TensorDataset:
        return tuple(dataset.tensors)
    if isinstance(dataset, (Tensor, np.ndarray)):
        return (dataset,)
    if isinstance(dataset, tuple) and dataset and all(isinstance(each, (Tensor, np.ndarray)) for each in dataset):
        return dataset
    return None


def _direct(parts: Sequence[Tensor | np.ndarray], *, alone: bool) -> Source:
    rows = tuple(torch.as_tensor(each) for each in parts)
    if any(each.is_meta for each in rows):
        raise ValueError("dataset: expected data, got a tensor on the meta device, which has none; load the data first")
    lengths = [len(each) if each.ndim else 0 for each in rows]
    if len(set(lengths)) != 1:
        raise ValueError(f"dataset: expected tensors of one length, got {', '.join(map(str, lengths))}")
    if lengths[0] == 0:
        raise ValueError("dataset: expected at least one sample, got none")
    last = rows[-1]
    cheap = len(rows) > 1 and last.ndim == 1 and not (last.is_floating_point() or last.is_complex())
    labels = last.detach().cpu().numpy().astype(np.int64) if cheap else None

    dtypes = tuple(
        torch.float32 if isinstance(part, np.ndarray) and part.dtype == np.float64 else each.dtype
        for part, each in zip(parts, rows, strict=True)
    )

    def read(index: int) -> Any:
        taken = tuple(each[index].to(dtype) for each, dtype in zip(rows, dtypes, strict=True))
        return taken[0] if alone else taken

    return Source(lengths[0], read, rows, dtypes, labels=labels)


def _labels(dataset: Any) -> np.ndarray | None:
    """`dataset.targets` or `.labels` as int64 (n,), also of subsets; None unless they are one int per sample."""
    if isinstance(dataset, Subset):
        whole = _labels(dataset.dataset)
        return whole[np.asarray(dataset.indices, dtype=np.int64)] if whole is not None else None
    if isinstance(dataset, TensorDataset):
        return _direct(dataset.tensors, alone=False).labels
    if getattr(dataset, "target_transform", None) is not None:
        return None  # the stored labels are not those of the samples
    for name in _LABEL_ATTRIBUTES:
        found = getattr(dataset, name, None)
        if not isinstance(found, (Tensor, np.ndarray, list, tuple)) or len(found) != len(dataset):
            continue
        if not isinstance(found, Tensor) and not isinstance(found[0], (int, np.integer)):
            continue
        values = found.detach().cpu().numpy() if isinstance(found, Tensor) else np.asarray(found)
        if values.ndim == 1 and values.dtype.kind in "iub":
            return values.astype(np.int64)
    return None


def _class_names(dataset: Any) -> tuple[str, ...] | None:
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    found = getattr(dataset, "classes", None)
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        return None
    # ImageNet's names are tuples of synonyms
    return tuple(str(each[0]) if isinstance(each, tuple) and each else str(each) for each in found)
