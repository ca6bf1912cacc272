"""Samples of the dataset as a strip of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnwidgets.blocks.block import Array
from nnwidgets.blocks.strip import Strip
from nnwidgets.data import Samples

SHOWN = 12


def strip_of(samples: Samples, indices: Sequence[int], **fields: Any) -> Strip:
    """The first twelve of these samples, with their pictures and labels; of the others "+n" is said.

    `fields` are the strip's other fields, one value for each sample shown.
    """
    first = list(indices[:SHOWN])
    labels = [samples.label_name(index) for index in first]
    return Strip(pictures_of(samples, first), labels, np.array(indices, dtype=np.int64), **fields)


def pictures_of(samples: Samples, indices: Sequence[int]) -> Array | None:
    """Pictures of samples in one array, or None where some have none or another shape."""
    pictures = [samples.picture(index) for index in indices]
    found = [picture for picture in pictures if picture is not None]
    if not found or len(found) < len(pictures) or len({picture.shape for picture in found}) != 1:
        return None
    return np.stack(found)
