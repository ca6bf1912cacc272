"""What the page gets of an occlusion map. Knows the result and the wire; knows no widget and no model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.figures.captions import count, number, share
from nnwidgets.views._wire import Array, Frame, Header

LEAST_SCALE = 0.05


@dataclass(frozen=True)
class _Drawn:
    """One map for one target: values (rows, cols) and what they are without the square."""

    target: Tensor
    clean_target: float
    sums: Tensor
    clean_sum: float


def occlusion_frame(
    result: OcclusionResult, *, target: int, kind: str, class_name: Callable[[int], str], picture: Array | None
) -> Frame:
    """Header and arrays of OcclusionHeader in js/src/occlusion/result.ts; `kind` is "probability" or "logit"."""
    grid, probable = result.map, kind == "probability"
    scores, clean = grid.scores[0], grid.clean[0]
    chances, clean_chances = grid.probabilities[0], grid.clean_probabilities[0]
    own, computed = int(clean.argmax()), grid.computed[0]
    predicted = torch.where(computed, grid.predicted[0], own)
    importance = grid.importance(target, kind="probability" if probable else "logit")[0]
    drawn = _drawn(result, target, probable)
    arrays: dict[str, Array] = {
        "importance": importance.numpy(),
        "rows": np.asarray(grid.rows, dtype=np.int32),
        "cols": np.asarray(grid.cols, dtype=np.int32),
        "p": drawn.target.numpy(),
        "map_sum": drawn.sums.numpy(),
        "predicted": predicted.numpy().astype(np.uint16),
        "predicted_p": chances.max(dim=-1).values.numpy(),
    }
    if picture is not None:
        arrays["picture"] = picture
    what = "Probability" if probable else "Logit"
    header: Header = {
        "overlay_title": f"{what} of {class_name(target)} lost",
        "overlay_sub": "mean of all squares over the pixel",
        **_words(result, drawn, class_name(target), probable, scores[..., 0].numel()),
        "patch": list(grid.patch),
        "image_size": list(grid.image_size),
        "clean": {
            "p": drawn.clean_target,
            "map_sum": drawn.clean_sum,
            "predicted": own,
            "predicted_p": float(clean_chances[own]),
        },
        "class_names": [class_name(each) for each in range(len(clean))],
        "legend": _legend(predicted[computed], class_name),
        "scales": {
            "importance": {**_importance_ends(importance, probable), "unit": f"{what.lower()} lost"},
            "p": {"lo": 0.0, "hi": 1.0, "unit": "probability"}
            if probable
            else {**_ends(drawn.target), "unit": "logit"},
            "map_sum": {**_ends(drawn.sums, floor=0.0), "unit": "summed activity"},
        },
        "target": target,
        "kind": kind,
    }
    return Frame(header, arrays)


def _drawn(result: OcclusionResult, target: int, probable: bool) -> _Drawn:
    grid = result.map
    values = (grid.probabilities if probable else grid.scores)[0][..., target]
    clean = (grid.clean_probabilities if probable else grid.clean)[0, target]
    if not result.layer or result.unit is None:
        return _Drawn(values, float(clean), torch.full_like(values, torch.nan), float("nan"))
    sums = grid.layer_sums[result.layer][0][..., result.unit]
    return _Drawn(values, float(clean), sums, float(grid.clean_layer_sums[result.layer][0, result.unit]))


def _words(result: OcclusionResult, drawn: _Drawn, name: str, probable: bool, positions: int) -> Header:
    """Titles of the panels and rows of the table."""
    chance = f"p({name})" if probable else f"logit {name}"
    clean = share(drawn.clean_target) if probable else number(drawn.clean_target)
    panels = [
        {"title": chance, "sub": f"clean {clean}"},
        {
            "title": f"Map {result.unit} of `{result.layer}`" if result.layer else "No layer with maps",
            "sub": f"strongest · clean {number(drawn.clean_sum)}" if result.layer else "",
        },
        {"title": "Predicted class", "sub": f"muted: same · share of {count(positions)}"},
    ]
    return {"panels": panels, "table_labels": [chance, f"map {result.unit}, summed activity", "predicted class"]}


def _importance_ends(importance: Tensor, probable: bool) -> Header:
    """Ends of the scale; of probabilities never under ±LEAST_SCALE, so that noise doesn't look like signal."""
    ends = _ends(importance, floor=0.0)
    return {**ends, "hi": max(ends["hi"], LEAST_SCALE)} if probable and -ends["lo"] < LEAST_SCALE else ends


def _legend(predicted: Tensor, class_name: Callable[[int], str]) -> list[tuple[int, str, float]]:
    """Predicted classes, the most frequent first: class, name, share of the positions."""
    classes, counts = predicted.unique(return_counts=True)
    order = counts.argsort(descending=True).tolist()
    return [(int(classes[i]), class_name(int(classes[i])), float(counts[i]) / max(1, predicted.numel())) for i in order]


def _ends(values: torch.Tensor, floor: float | None = None) -> Header:
    finite = values[torch.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.numel() else (0.0, 1.0)
    return {"lo": min(low, floor) if floor is not None else low, "hi": max(high, floor) if floor is not None else high}
