"""An occlusion map as a block. Knows results; knows no model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnwidgets.analysis.occlusion import OcclusionMap
from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.blocks import Heat, Panel, Squares
from nnwidgets.blocks.block import Array
from nnwidgets.words import count, number, share

LEAST_SCALE = 0.05  # of probabilities: noise is not to look like signal
DECIMALS = 2  # of a probability


def heat_of(
    result: OcclusionResult,
    *,
    target: int,
    probable: bool,
    names: Sequence[str],
    picture: Array | None,
    one_class: bool,
) -> Heat:
    """What each pixel is worth to a class, and what a square at each position does to its probability or logit.

    `one_class`: whether a picture has one class of several, so that another one can take its place.
    """
    grid = result.map
    what = "Probability" if probable else "Logit"
    importance = grid.importance(target, kind="probability" if probable else "logit")[0]
    low, high = _ends(importance, floor=0.0)
    if probable and -low < LEAST_SCALE:
        high = max(high, LEAST_SCALE)
    panels = [_scores(grid, target, names[target], probable)]
    if result.layer and result.unit is not None:
        panels.append(_activity(grid, result.layer, result.unit))
    if one_class:
        panels.append(_predictions(grid, names))
    return Heat(
        importance.numpy(),
        f"{what.lower()} lost",
        low,
        high,
        picture=picture,
        decimals=DECIMALS if probable else None,
        squares=Squares(grid.rows, grid.cols, (grid.patch[0], grid.patch[1])),
        panels=panels,
        computed=None if grid.computed.all() else grid.computed[0].numpy(),
        columns=("uncovered", "covered", "change"),
        options=("map_layer",),
        title=f"{what} of {names[target]} lost",
        note="average over all squares covering a pixel",
    )


def _scores(grid: OcclusionMap, target: int, name: str, probable: bool) -> Panel:
    """The probability or the logit of the class asked about."""
    values = (grid.probabilities if probable else grid.scores)[0][..., target]
    without = float((grid.clean_probabilities if probable else grid.clean)[0, target])
    low, high = (0.0, 1.0) if probable else _ends(values)
    return Panel(
        f"p({name})" if probable else f"logit {name}",
        values.numpy(),
        without,
        unit="probability" if probable else "logit",
        low=low,
        high=high,
        note=f"uncovered {share(without) if probable else number(without)}",
        decimals=DECIMALS if probable else None,
    )


def _activity(grid: OcclusionMap, layer: str, unit: int) -> Panel:
    """What a map of a layer sums up to."""
    values = grid.layer_sums[layer][0][..., unit]
    without = float(grid.clean_layer_sums[layer][0, unit])
    low, high = _ends(values, floor=0.0)
    return Panel(
        f"Map {unit} of `{layer}`",
        values.numpy(),
        without,
        unit="summed activity",
        low=low,
        high=high,
        note=f"strongest · uncovered {number(without)}",
        label=f"map {unit}, summed activity",
    )


def _predictions(grid: OcclusionMap, names: Sequence[str]) -> Panel:
    """The predicted class; none where scores are NaN."""
    scores, clean = grid.scores[0], grid.clean[0]
    known = grid.computed[0] & ~scores.isnan().any(dim=-1)
    own = -1 if bool(clean.isnan().any()) else int(clean.argmax())
    return Panel(
        "Predicted class",
        grid.probabilities[0].amax(dim=-1).numpy(),
        float(grid.clean_probabilities[0].max()),
        note=f"Pale: unchanged · % of {count(known.numel())}",
        label="predicted class",
        decimals=DECIMALS,
        classes=torch.where(known, scores.argmax(dim=-1), -1).numpy(),
        class_without=own,
        names=names,
    )


def _ends(values: Tensor, floor: float | None = None) -> tuple[float, float]:
    """The least and the largest finite value, and `floor` within."""
    finite = values[torch.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.numel() else (0.0, 1.0)
    return (low, high) if floor is None else (min(low, floor), max(high, floor))
