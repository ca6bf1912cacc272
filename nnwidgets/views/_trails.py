"""What the page gets of the ways on which selected samples came to their places. Knows maps; knows no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.views._embedding_frame import POSITION_RANGE
from nnwidgets.views._wire import Array, Frame

MOST = 200  # trails; more are a tangle


def rows_followed(row_of: Mapping[int, int], selected: Sequence[int]) -> list[int]:
    """Rows of the selected samples (indices into the dataset) on a map; of more than 200 as many, evenly chosen.

    >>> rows_followed({7: 0, 5: 1}, [5, 6, 7])
    [1, 0]
    """
    rows = [row_of[index] for index in selected if index in row_of]
    if len(rows) <= MOST:
        return rows
    return [rows[at] for at in np.linspace(0, len(rows) - 1, MOST).round().astype(int)]


def trails_frame(maps: Sequence[EmbeddingResult], rows: Sequence[int]) -> Frame:
    """TrailsHeader and arrays in js/src/embedding/trails.ts: where some rows were on each of `maps`, oldest first."""
    ways = torch.stack([each.embedding.positions[list(rows)] for each in maps])
    unit = (float(ways.abs().max()) if rows else 0.0) or 1.0
    arrays: dict[str, Array] = {
        "trails": (ways / unit * POSITION_RANGE).round().numpy().astype(np.int16),
        "rows": np.array(rows, dtype=np.int32),
    }
    return Frame({"unit": unit}, arrays)
