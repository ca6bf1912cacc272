"""The strips under a map: the samples nearest to one in the layer's own space, and the selected ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from nnwidgets.analysis.embedding import FEWEST
from nnwidgets.analysis.kept_near import kept_near
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.blocks.marks import Numbers
from nnwidgets.blocks.points import Points
from nnwidgets.blocks.strip import Strip
from nnwidgets.data import Samples
from nnwidgets.display.strips import pictures_of
from nnwidgets.words import count, fixed, number

NEAREST, SELECTED = "nearest", "selected"
_SHOWN = 12
_EMPTY = (
    "Nothing selected\nClick a point to look at it, or circle some with the lasso (L). Esc clears the selection. The "
    "pictures of selected samples appear here."
)
_DECIMALS = {"loss": 4, "probability": 2}


def nearest_strip(result: EmbeddingResult, row: int | None, *, sample: int, samples: Samples) -> Strip:
    """The samples nearest to `sample`, which is this row of the map, and how many of them the map kept near it.

    Without a row, or where the map was made without neighbours, words say why there are none.
    """
    embedding, title, tab = result.embedding, f"Nearest in {result.layer}", f"Nearest to #{count(sample)}"
    if row is None or embedding.neighbours is None or embedding.distances is None:
        later = "Shown with the next map" if len(result.indices) >= FEWEST else "Too few samples"
        why = f"Sample {count(sample)} is not on this map" if row is None else later
        return Strip(None, (), np.empty(0, np.int64), wrap=True, empty=why, tab=tab, key=NEAREST, title=title)
    rows = embedding.neighbours[row].tolist()
    indices = result.indices[rows]
    kept = f"{kept_near(embedding.positions, row, rows)} of {len(rows)} also nearest on the map"
    return Strip(
        pictures_of(samples, indices.tolist()),
        [samples.label_name(index) for index in indices.tolist()],
        indices.numpy(),
        values=[number(distance) for distance in embedding.distances[row].tolist()],
        value_name="distance",
        wrap=True,
        tab=tab,
        key=NEAREST,
        title=title,
        note=f"Euclidean distance · {kept}",
    )


def selected_strip(result: EmbeddingResult, points: Points, rows: NDArray[np.int64], *, samples: Samples) -> Strip:
    """The selected samples, of which `rows` are on the map, those with the highest loss or error first.

    `points` says what colours them, which stands under each unless it is its class or prediction.
    """
    selected = np.empty(0, np.int64) if points.selected is None else points.selected
    order, losses = _order(result)
    losses = torch.nan_to_num(losses[torch.from_numpy(rows)], nan=0.0)
    first = rows[losses.topk(min(_SHOWN, len(rows))).indices.numpy()].tolist()
    indices = result.indices[first].tolist()
    said = colour_words(points)
    names = points.class_names
    known = len(first) > 0 and all(result.predicted[row] >= 0 for row in first)
    words = [order, *(["label → predicted"] if known else []), *([said[0]] if said else [])]
    return Strip(
        pictures_of(samples, indices),
        [samples.label_name(index) for index in indices],
        np.concatenate([np.array(indices, dtype=np.int64), selected[~np.isin(selected, indices)]]),
        predicted=[names[int(result.predicted[row])] for row in first] if known else (),
        values=[said[1](row) for row in first] if said else (),
        value_name=said[0] if said else "",
        selection=True,
        empty=_EMPTY,
        tab=f"{count(len(selected))} selected",
        key=SELECTED,
        note=" · ".join([*filter(None, words), "shown in every view"]) if len(selected) else "",
    )


def _order(result: EmbeddingResult) -> tuple[str, torch.Tensor]:
    """What sorts the selected samples, in words and for each row: the loss, or the error of a regression."""
    if result.targets is not None and result.outputs is not None:
        return "largest error first", (result.outputs - result.targets).abs()
    return ("highest loss first" if torch.isfinite(result.loss).any() else ""), result.loss


def colour_words(points: Points) -> tuple[str, Callable[[int], str]] | None:
    """What colours the points, and its value of a row in words; None by classes and predictions, said everywhere."""
    colors, column = points.colors, points.metadata.column(points.color)
    if isinstance(colors, Numbers):
        decimals, values = _DECIMALS.get(colors.name), colors.values

        def text(row: int) -> str:
            value = float(values[row])
            if not np.isfinite(value):
                return "no value"
            return number(value) if decimals is None else fixed(value, decimals)

        return colors.name, text
    return None if column is None else (column.name, lambda row: column.text(row) or "no value")
