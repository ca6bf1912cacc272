"""What the page gets of an embedding: the map, the strip of selected samples, the card of one. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.data import Samples
from nnwidgets.figures.captions import count, share
from nnwidgets.views._wire import Array, Frame, Header

STRIP = 12
POSITION_RANGE = 32_000
REACH = 0.98  # the farthest coordinate of a map, of the ±1 that positions are sent in
NO_LABEL = 65_535

ClassName = Callable[[int], str]


def wrong_samples(result: EmbeddingResult) -> torch.Tensor:
    """Which samples (n,) bool are taken for another class than theirs."""
    return (result.labels >= 0) & (result.predicted >= 0) & (result.labels != result.predicted)


def embedding_frame(
    result: EmbeddingResult, *, selected: Sequence[int], samples: Samples, class_name: ClassName
) -> Frame:
    """Header and arrays of EmbeddingHeader in js/src/embedding/cloud.ts; `selected` are indices into the dataset."""
    positions, wrong = result.embedding.positions, wrong_samples(result)
    unit = (float(positions.abs().max()) or 1.0) / REACH
    places = {index: row for row, index in enumerate(result.indices.tolist())}
    chosen = [places[index] for index in selected if index in places]
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
    strip, pictures = _strip(result, chosen, samples, class_name)
    if pictures is not None:
        arrays["strip"] = pictures
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
        "counts": {"wrong": int(wrong.sum()), "selected": len(chosen)},
        "strip": strip,
    }
    return Frame(header, arrays)


def _classes(each: torch.Tensor) -> Array:
    return torch.where(each >= 0, each, NO_LABEL).numpy().astype(np.uint16)


def sample_card(result: EmbeddingResult, row: int, *, samples: Samples, class_name: ClassName) -> Frame:
    """What the page shows of a sample under the pointer."""
    index = int(result.indices[row])
    lines = []
    if result.labels[row] >= 0:
        lines.append(("label", samples.label_name(index)))
    if result.predicted[row] >= 0:
        predicted = f"{class_name(int(result.predicted[row]))} ({share(float(result.confidence[row]))})"
        lines.append(("predicted", predicted))
    if torch.isfinite(result.loss[row]):
        lines.append(("loss", f"{float(result.loss[row]):.4f}"))
    image = samples.picture(index)
    return Frame(
        {"title": f"Sample {count(index)}", "lines": lines, "index": index},
        {"picture": image} if image is not None else {},
    )


def _strip(
    result: EmbeddingResult, rows: list[int], samples: Samples, class_name: ClassName
) -> tuple[list[dict[str, Any]], Array | None]:
    """The selected samples by falling loss, and pictures of the first of them."""
    rows = sorted(rows, key=lambda row: -torch.nan_to_num(result.loss[row], nan=0.0).item())
    indices = result.indices[rows].tolist()
    strip = [
        {
            "index": index,
            "label": samples.label_name(index),
            "predicted": class_name(int(result.predicted[row])) if result.predicted[row] >= 0 else "",
            "loss": float(result.loss[row]),
        }
        for row, index in zip(rows, indices, strict=True)
    ]
    pictures = [samples.picture(index) for index in indices[:STRIP]]
    shapes = {picture.shape for picture in pictures if picture is not None}
    if not pictures or len(shapes) != 1 or any(picture is None for picture in pictures):
        return strip, None
    return strip, np.stack([picture for picture in pictures if picture is not None])
