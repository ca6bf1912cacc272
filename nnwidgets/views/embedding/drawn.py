"""A map as the points on the page: what of it stays the same while selection and looks change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.blocks.block import Array
from nnwidgets.blocks.metadata import Column, Metadata
from nnwidgets.blocks.points import Points

KEY = "embedding"  # of the block: files that the page saves are called after it
_LARGEST_CODE = 2**15 - 1


Sorted = tuple[NDArray[np.int64], NDArray[np.int64]]


def sorted_rows(result: EmbeddingResult) -> Sorted:
    """Rows of a map by rising index into the dataset, and the indices."""
    indices = result.indices.numpy()
    order = indices.argsort()
    return order, indices[order]


def rows_among(rows: Sorted, samples: Sequence[int] | Array) -> NDArray[np.int64]:
    """The rows of those of the samples that are among them, in their order."""
    order, indices = rows
    wanted = np.asarray(samples, dtype=np.int64)
    at = np.searchsorted(indices, wanted).clip(max=len(indices) - 1)
    found: NDArray[np.int64] = order[at[indices[at] == wanted]]
    return found


@dataclass(frozen=True, eq=False)
class Drawn:
    """metadata: of the rows of the map.   class_name: the name of a class.   numeric: what a regression gives."""

    result: EmbeddingResult
    metadata: Metadata
    class_name: Callable[[int], str]
    numeric: tuple[Column, ...] = ()

    def row(self, sample: int) -> int | None:
        """The row of a sample, None where it is not on the map."""
        rows = self.rows([sample])
        return int(rows[0]) if len(rows) else None

    def rows(self, samples: Sequence[int] | Array) -> NDArray[np.int64]:
        """The rows of those of the samples that are on the map, in their order."""
        return rows_among(self._sorted, samples)

    @cached_property
    def _sorted(self) -> Sorted:
        return sorted_rows(self.result)

    @cached_property
    def points(self) -> Points:
        """The points, none of them selected."""
        result = self.result
        classes = 1 + max(int(result.labels.max()), int(result.predicted.max()))
        predicts = bool((result.predicted >= 0).any())
        return Points(
            result.embedding.positions.numpy(),
            result.indices.int().numpy(),
            _codes(result.labels),
            _codes(result.predicted) if predicts else None,
            result.confidence.numpy() if predicts else None,
            result.loss.numpy(),
            [self.class_name(each) for each in range(classes)],
            Metadata((*self.numeric, *self.metadata.columns)),
            key=KEY,
        )


def _codes(classes: torch.Tensor) -> Array:
    """Classes in as few bytes as hold them."""
    return classes.to(torch.int16 if int(classes.max()) <= _LARGEST_CODE else torch.int32).numpy()
