"""What the page gets of an embedding: the map, the selected samples, metadata, the card of one. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.data import Samples
from nnwidgets.figures.captions import count, share
from nnwidgets.views._points import Points
from nnwidgets.views._wire import Array, Frame, Header

STRIP = 12
POSITION_RANGE = 32_000
REACH = 0.98  # the farthest coordinate of a map, of the ±1 that positions are sent in
NO_LABEL = 65_535

ClassName = Callable[[int], str]


def wrong_samples(result: EmbeddingResult) -> torch.Tensor:
    """Which samples (n,) bool are taken for another class than theirs."""
    return (result.labels >= 0) & (result.predicted >= 0) & (result.labels != result.predicted)


def embedding_frame(result: EmbeddingResult, *, class_name: ClassName) -> Frame:
    """Header and arrays of EmbeddingHeader in js/src/embedding/cloud.ts."""
    positions, wrong = result.embedding.positions, wrong_samples(result)
    unit = (float(positions.abs().max()) or 1.0) / REACH
    classes = int(result.labels.max()) + 1
    sizes = [torch.bincount(result.labels[rows], minlength=classes).tolist() for rows in (result.labels >= 0, wrong)]
    arrays: dict[str, Array] = {
        "positions": (positions / unit * POSITION_RANGE).round().numpy().astype(np.int16),
        "labels": _classes(result.labels),
        "wrong": wrong.numpy(),
        "indices": result.indices.numpy().astype(np.int32),
        "loss": result.loss.numpy(),
    }
    if bool((result.predicted >= 0).any()):
        arrays["predicted"] = _classes(result.predicted)
        arrays["confidence"] = result.confidence.numpy()
    header: Header = {
        "classes": [
            {"name": class_name(each), "n": n, "wrong": n_wrong}
            for each, (n, n_wrong) in enumerate(zip(*sizes, strict=True))
        ],
        "n": len(positions),
        "predicted_names": [class_name(each) for each in range(int(result.predicted.max()) + 1)],
        "unit": unit,
        "dims": positions.shape[1],
        "method": result.embedding.method,
        "counts": {"wrong": int(wrong.sum())},
    }
    return Frame(header, arrays)


def selection_frame(
    result: EmbeddingResult,
    points: Points,
    *,
    selected: Sequence[int],
    samples: Samples,
    class_name: ClassName,
) -> Frame:
    """SelectionHeader in js/src/embedding/cloud.ts: all of `selected`, indices into the dataset, and those with the
    highest loss as a strip."""
    chosen = [points.row_of[index] for index in selected if index in points.row_of]
    strip, pictures = _strip(result, chosen, samples, class_name)
    arrays: dict[str, Array] = {"selected": np.array(selected, dtype=np.int32)}
    if pictures is not None:
        arrays["strip"] = pictures
    return Frame({"strip": strip}, arrays)


def metadata_frame(points: Points) -> Frame:
    """MetadataHeader in js/src/embedding/metadata.ts: codes into names, numbers as shares of the way low to high.

    Numbers are exact, as cards, the strip and tables say them.
    """
    columns: list[Header] = []
    arrays: dict[str, Array] = {"indices": points.indices.numpy().astype(np.int32)}
    for place, column in enumerate(points.columns):
        header: Header = {"name": column.name}
        if column.codes is not None:
            header["names"] = list(column.names)
            arrays[f"codes_{place}"] = column.codes
        if column.numbers is not None:
            known = column.numbers[~np.isnan(column.numbers)]
            low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
            header |= {"low": low, "high": high}
            arrays[f"shares_{place}"] = (column.numbers - low) / ((high - low) or 1.0)
        columns.append(header)
    exact = frozenset(name for name in arrays if name.startswith("shares_"))
    return Frame({"columns": columns}, arrays, "metadata", exact)


def _classes(each: torch.Tensor) -> Array:
    return torch.where(each >= 0, each, NO_LABEL).numpy().astype(np.uint16)


def sample_card(
    result: EmbeddingResult, row: int, said: Sequence[tuple[str, str]], *, samples: Samples, class_name: ClassName
) -> Frame:
    """What the page shows of a sample under the pointer; `said` are names and values of the user's, "" for none."""
    index = int(result.indices[row])
    lines = []
    if result.labels[row] >= 0:
        lines.append(("label", samples.label_name(index)))
    if result.predicted[row] >= 0:
        predicted = f"{class_name(int(result.predicted[row]))} ({share(float(result.confidence[row]))})"
        lines.append(("predicted", predicted))
    if torch.isfinite(result.loss[row]):
        lines.append(("loss", f"{float(result.loss[row]):.4f}"))
    lines += [(name, value) for name, value in said if value]
    image = samples.picture(index)
    return Frame(
        {"title": f"Sample {count(index)}", "lines": lines, "index": index},
        {"picture": image} if image is not None else {},
    )


def _strip(
    result: EmbeddingResult, rows: list[int], samples: Samples, class_name: ClassName
) -> tuple[list[dict[str, Any]], Array | None]:
    """The first of these rows by falling loss, and their pictures."""
    places = torch.tensor(rows, dtype=torch.int64)
    order = torch.nan_to_num(result.loss[places], nan=0.0).argsort(descending=True, stable=True)[:STRIP]
    first = places[order].tolist()
    indices = result.indices[first].tolist()
    strip = [
        {
            "index": index,
            "label": samples.label_name(index),
            "predicted": class_name(int(result.predicted[row])) if result.predicted[row] >= 0 else "",
            "loss": float(result.loss[row]),
        }
        for row, index in zip(first, indices, strict=True)
    ]
    return strip, pictures_of(indices, samples)


def pictures_of(indices: Sequence[int], samples: Samples) -> Array | None:
    """Pictures of samples in one array, or None where some have none or another shape."""
    pictures = [samples.picture(index) for index in indices]
    shapes = {picture.shape for picture in pictures if picture is not None}
    if not pictures or len(shapes) != 1 or any(picture is None for picture in pictures):
        return None
    return np.stack([picture for picture in pictures if picture is not None])
