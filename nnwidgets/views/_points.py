"""The samples that a map shows: what of them never changes while the model learns. Knows no widget and no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from nnwidgets.data import Samples
from nnwidgets.views._metadata import Column


@dataclass(frozen=True)
class Points:
    """indices: (n,) int64 into the dataset, no two alike.   labels: (n,) int64, -1 where there is none.

    columns: what the user says of them.
    """

    indices: torch.Tensor
    labels: torch.Tensor
    columns: tuple[Column, ...] = ()

    @classmethod
    def of(cls, samples: Samples, indices: Sequence[int], *, classes: range, columns: tuple[Column, ...]) -> Points:
        """The samples `indices`. A label need not be a class of this model (-100 says "ignore", a year is no class)."""
        named = (samples.label(index) for index in indices)
        labels = [label if label is not None and label in classes else -1 for label in named]
        return cls(torch.tensor(indices), torch.tensor(labels), columns)

    def __len__(self) -> int:
        return len(self.indices)

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The indices as numbers of Python."""
        return tuple(self.indices.tolist())

    @cached_property
    def row_of(self) -> dict[int, int]:
        """The row of each index."""
        return {index: row for row, index in enumerate(self.ids)}

    def rows_of(self, indices: torch.Tensor) -> list[int]:
        """The rows of samples that are among these."""
        return [self.row_of[index] for index in indices.tolist()]

    def column(self, name: str) -> Column | None:
        """What the user says of the samples by this name."""
        return next((column for column in self.columns if column.name == name), None)

    def thinned(self, most: int, seed: int) -> Points:
        """At most this many of them, always the same, in their order. They carry no columns."""
        if len(self) <= most:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))
        return Points(self.indices[rows], self.labels[rows])
