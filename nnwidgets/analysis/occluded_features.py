"""How the scores of a classifier change when one feature of a row, token of a text or step of a series is covered.

Zeiler & Fergus 2014, ECCV, section 4.2, with single values in place of squares. The whole model runs for every value,
so it is exact by construction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.engine.occlusion_dense import checked_scores, class_scores
from nnwidgets.analysis.engine.occlusion_result import ToProbabilities, over_classes
from nnwidgets.analysis.engine.out_of_memory import halving
from nnwidgets.shadow.torch_internals import leaves, map_leaves

__all__ = ["FeatureOcclusion", "feature_occlusion", "feature_occlusion_steps"]

_SLICE_S = 0.04
_FEWEST, _MOST_VALUES = 16, 1 << 22  # rows of the first pass; input values of one pass: 16 MB in float32


@dataclass(frozen=True)
class FeatureOcclusion:
    """Scores with each value covered, on the CPU.

    scores: (rows, values, classes), NaN where not computed yet.   clean: (rows, classes), nothing covered.
    computed: (rows, values) bool.   to_probabilities: scores (…, classes) -> probabilities of the same shape.
    """

    scores: Tensor
    clean: Tensor
    computed: Tensor
    to_probabilities: ToProbabilities = over_classes

    @property
    def done(self) -> bool:
        return bool(self.computed.all())

    def lost(self, targets: Tensor, *, kind: Literal["probability", "logit"] = "logit") -> Tensor:
        """(rows, values): what the score of each row's target, (rows,) int64, loses when a value is covered."""
        clean, covered = self.clean, self.scores
        if kind == "probability":
            clean, covered = self.to_probabilities(clean), self.to_probabilities(covered)
        rows = torch.arange(len(targets))
        return clean[rows, targets][:, None] - covered[rows, :, targets]


def feature_occlusion(
    model: nn.Module,
    args: Sequence[Any] | Tensor = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    fill: float | Tensor = 0.0,
    score_fn: Callable[[Any], Tensor] = class_scores,
    to_probabilities: ToProbabilities = over_classes,
) -> FeatureOcclusion:
    """Return the model's exact scores with every single value of its first input covered, one at a time.

    The model runs as a private copy in eval mode and does not change. For users of Captum: `FeatureAblation` with
    `baselines=fill`; `attribute(..., target=t)` is `.lost(torch.tensor([t]))`, and one call covers all classes.

    Args:
        model: a classifier of rows, texts or series.
        args: inputs of the model with the batch axis first; the first tensor among `args` and `kwargs` is covered,
            `(rows, values)`. A single one may stand alone.
        kwargs: keyword inputs.
        fill: what the model sees in place of a value: a number (a token's id), or one for each value `(values,)`.
        score_fn: the model's output -> `(rows, classes)`; default: its `logits`, else its first tensor.
        to_probabilities: scores `(…, classes)` -> probabilities of the same shape; default: their softmax.

    Raises:
        TypeError: no tensor among the inputs.
        ValueError: the first tensor has not the shape `(rows, values)`, another number of fills, an output without a
            class axis.

    >>> third = nn.Linear(4, 2, bias=False)
    >>> _ = third.weight.data.zero_()[0, 2] = 5.0
    >>> feature_occlusion(third, torch.ones(1, 4)).lost(torch.tensor([0])).tolist()
    [[0.0, 0.0, 5.0, 0.0]]
    """
    *_, last = feature_occlusion_steps(
        model, args, kwargs, fill=fill, score_fn=score_fn, to_probabilities=to_probabilities
    )
    return last


def feature_occlusion_steps(
    model: nn.Module,
    args: Sequence[Any] | Tensor = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    fill: float | Tensor = 0.0,
    score_fn: Callable[[Any], Tensor] = class_scores,
    to_probabilities: ToProbabilities = over_classes,
) -> Iterator[FeatureOcclusion]:
    """Return an iterator over the same as it grows, row after row; a step takes about 40 ms, or one pass of the model.

    Arguments and errors are those of `feature_occlusion`; arguments are checked at the call.
    """
    given = (args,) if isinstance(args, Tensor) else tuple(args)
    inputs = _covered_input(given, kwargs or {})
    fills = torch.as_tensor(fill, device=inputs.device)
    if fills.ndim and fills.shape != inputs.shape[1:]:
        raise ValueError(f"fill: expected a number or shape {tuple(inputs.shape[1:])}, got {tuple(fills.shape)}")
    if not inputs.is_floating_point() and fills.is_floating_point():
        fills = fills.round()
    fills = fills.to(inputs.dtype).expand(inputs.shape[1:])
    steps = _grow(model, given, kwargs or {}, inputs, fills, score_fn)
    return (replace(each, to_probabilities=to_probabilities) for each in steps)


def _covered_input(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    inputs = next((each for each in leaves((args, kwargs)) if isinstance(each, Tensor)), None)
    if inputs is None:
        raise TypeError("args: expected a tensor among the inputs, got none")
    if inputs.ndim != 2 or not inputs.numel():
        raise ValueError(f"args: expected a first tensor of shape (rows, values), got {tuple(inputs.shape)}")
    return inputs


def _grow(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    inputs: Tensor,
    fills: Tensor,
    score_fn: Callable[[Any], Tensor],
) -> Iterator[FeatureOcclusion]:
    rows, values = inputs.shape
    # Place 0 of a row is the row itself, place k has value k - 1 covered.
    todo = torch.arange(rows * (values + 1), device=inputs.device)
    scores = torch.empty(0)
    size, most, done = _FEWEST, max(1, _MOST_VALUES // values), 0

    def run(at: int, count: int) -> Tensor:
        row, place = todo[at : at + count] // (values + 1), todo[at : at + count] % (values + 1) - 1
        covered = inputs[row]
        hidden = place >= 0
        covered[hidden, place[hidden]] = fills[place[hidden]]
        picked, named = map_leaves(lambda each: _of_rows(each, inputs, covered, row), (tuple(args), dict(kwargs)))
        output = record(model, picked, named, layers=[])
        found = checked_scores(score_fn(output), len(row)).cpu()
        return found if found.dtype == torch.float64 else found.float()

    while done < len(todo):
        began = time.perf_counter()
        while True:
            asked, at = min(size, most, len(todo) - done), time.perf_counter()
            found, taken = halving(asked, partial(run, done))
            if taken < asked:
                most = taken
            if not len(scores):
                scores = torch.full((len(todo), found.shape[1]), torch.nan, dtype=found.dtype)
            scores[done : done + taken] = found
            done += taken
            # The next pass is to fill a slice, and grows fourfold at most.
            size = max(1, min(4 * taken, int(taken * _SLICE_S / max(time.perf_counter() - at, 1e-9))))
            if done == len(todo) or time.perf_counter() - began >= _SLICE_S / 2:
                break
        table = scores.reshape(rows, values + 1, -1)
        computed = (torch.arange(len(todo)) < done).reshape(rows, values + 1)
        yield FeatureOcclusion(table[:, 1:].clone(), table[:, 0].clone(), computed[:, 1:].clone())


def _of_rows(value: Any, inputs: Tensor, covered: Tensor, row: Tensor) -> Any:
    if value is inputs:
        return covered
    return value[row.to(value.device)] if isinstance(value, Tensor) else value
