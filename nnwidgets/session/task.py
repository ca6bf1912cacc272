"""Which task a model does, from its outputs for a few samples, their targets and the loss. Knows no widget.

What could be read in two ways is not read: a softmax over what are no logits gives numbers that look right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnwidgets.analysis.task import Task, TaskKind

LossKind: TypeAlias = Literal["softmax", "sigmoid", "of probabilities", "numbers", ""]

_LOSSES: dict[LossKind, tuple[tuple[type[nn.Module], ...], tuple[Callable[..., Tensor], ...]]] = {
    "softmax": ((nn.CrossEntropyLoss, nn.NLLLoss), (functional.cross_entropy, functional.nll_loss)),
    "sigmoid": (
        (nn.BCEWithLogitsLoss, nn.MultiLabelSoftMarginLoss),
        (functional.binary_cross_entropy_with_logits, functional.multilabel_soft_margin_loss),
    ),
    "of probabilities": ((nn.BCELoss,), (functional.binary_cross_entropy,)),
    "numbers": (
        (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.PoissonNLLLoss, nn.GaussianNLLLoss),
        (functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss),
    ),
}
# Operations whose results are not kept from 0 to 1: what comes from one of them is no probability.
_UNBOUNDED = {"addmm", "mm", "bmm", "baddbmm", "linear", "convolution", "add", "sub", "native_layer_norm"}
_SUMS_TO_ONE, _SUMS_TO_ONE_NARROW = 1e-3, 0.02
FEWEST_OF = 2  # labels of a data set reach at least half of the classes, or
MOST_SPARE = 8  # so few outputs are without a label


@dataclass(frozen=True)
class Evidence:
    """What is known of a task.

    outputs: (n, …) of so many samples, None without a tensor.   narrow: whether they were computed in 16 bits.
    made_by: finds the operation that gave them.
    targets: of the probe, as ints, tensors, or None.   labels_end: one more than the largest label of the data, if any.
    scored: whether the outputs are those of the user's `score_fn`, which returns (batch, classes).
    names: how many classes are named, if any are, and whether the user named them.
    """

    outputs: Tensor | None
    samples: int
    narrow: bool
    made_by: Callable[[], str]
    targets: Sequence[int | Tensor | None]
    labels_end: int | None
    loss: LossKind
    scored: bool
    names: int | None
    named_by_user: bool


def loss_kind(loss_fn: Callable[..., Any] | None) -> LossKind:
    """What a loss is of, as far as it is one of PyTorch's.

    >>> loss_kind(nn.BCELoss()), loss_kind(functional.cross_entropy), loss_kind(lambda output, targets: 0)
    ('of probabilities', 'softmax', '')
    """
    while isinstance(loss_fn, partial):
        loss_fn = loss_fn.func
    return next((kind for kind, (made, plain) in _LOSSES.items() if isinstance(loss_fn, made) or loss_fn in plain), "")


def task_of(evidence: Evidence, given: TaskKind | None) -> Task:
    """The task, `given` or inferred.

    Raises:
        ValueError: the outputs are none of the task that is given.
    """
    return _inferred(evidence) if given is None else _as_given(evidence, given)


def _inferred(known: Evidence) -> Task:
    outputs = known.outputs
    if outputs is None or not outputs.ndim or len(outputs) != known.samples:
        return Task("none")
    if outputs.ndim > 2:
        return _of_positions(known, outputs)
    width = outputs.shape[1] if outputs.ndim == 2 else 1
    return _of_one(known, outputs) if width == 1 else _of_several(known, outputs, width)


def _of_positions(known: Evidence, outputs: Tensor) -> Task:
    maps = [each for each in known.targets if isinstance(each, Tensor) and each.ndim]
    if known.loss == "softmax" or (maps and not any(each.is_floating_point() for each in maps)):
        return Task("positions")
    if known.loss == "numbers" or (maps and all(each.shape == outputs.shape[1:] for each in maps)):
        return Task("numbers")
    return Task("none")


def _of_one(known: Evidence, outputs: Tensor) -> Task:
    """One output for each sample."""
    values = _single(known.targets)
    yes_or_no = values is not None and len(values) > 0 and bool(((values == 0) | (values == 1)).all())
    named = values is None and known.named_by_user and known.names == 2
    if known.loss == "softmax":
        return _unclear("cross-entropy over a single output is always zero")
    if known.loss == "numbers" or not (yes_or_no or named or known.loss in ("sigmoid", "of probabilities")):
        return Task("numbers", 1)
    return _by_sigmoid("binary", known, outputs, 1)


def _of_several(known: Evidence, outputs: Tensor, width: int) -> Task:
    rows = _rows(known.targets, width)
    if known.loss == "numbers":
        return Task("numbers", width)
    if known.loss == "softmax":
        return _classes(known, outputs, width)
    if known.loss in ("sigmoid", "of probabilities"):
        return _by_sigmoid("labels", known, outputs, width)
    if rows is None:
        return _classes(known, outputs, width) if known.scored else _of_single_targets(known, outputs, width)
    yes_or_no = bool(((rows == 0) | (rows == 1)).all())
    one_hot = yes_or_no and bool((rows.sum(dim=1) == 1).all())
    if known.scored and (one_hot or not yes_or_no):
        return _classes(known, outputs, width)
    if not yes_or_no:
        return Task("numbers", width)
    if one_hot:
        return _unclear(
            f"targets with one 1 in {width} are one class or several labels", "task='classes'", "task='labels'"
        )
    return _by_sigmoid("labels", known, outputs, width)


def _of_single_targets(known: Evidence, outputs: Tensor, width: int) -> Task:
    """Several outputs, and targets that are single numbers, or none."""
    named = known.names == width or known.named_by_user
    if known.names is not None and not named:
        return _unclear(f"{width} outputs for {known.names} names of classes", "task='classes'")
    if all(each is None for each in known.targets):
        said = f"read as {width} classes, as no labels and no loss_fn= say otherwise; task= says what they are"
        return replace(_classes(known, outputs, width), note="" if named else said)
    values = _single(known.targets)
    if values is None or not bool(((values == values.round()) & (values >= 0) & (values < width)).all()):
        return _unclear(
            f"{width} outputs, and targets that are no classes from 0 to {width - 1}",
            "task='classes'",
            "task='numbers'",
        )
    end = known.labels_end
    if not named and end is not None and FEWEST_OF * end < width and width - end > MOST_SPARE:
        return _unclear(f"{width} outputs, and labels from 0 to {end - 1} only", "task='classes'")
    return _classes(known, outputs, width)


def _classes(known: Evidence, outputs: Tensor, width: int) -> Task:
    near = _SUMS_TO_ONE_NARROW if known.narrow else _SUMS_TO_ONE
    sums = outputs.double().sum(dim=1)
    probable = bool((outputs >= 0).all()) and bool(((sums - 1).abs() <= near).all())
    return Task("classes", width, probable=probable)


def _by_sigmoid(kind: TaskKind, known: Evidence, outputs: Tensor, width: int) -> Task:
    """Yes or no for each output: logits, or probabilities already."""
    within = bool(((outputs >= 0) & (outputs <= 1)).all())
    if known.loss == "sigmoid" or not within:
        return Task(kind, width)
    made_by = "sigmoid" if known.loss == "of probabilities" else known.made_by()
    if made_by.startswith("sigmoid"):
        return Task(kind, width, probable=True)
    if made_by in _UNBOUNDED:
        return Task(kind, width)
    return _unclear(
        "outputs from 0 to 1 are probabilities or logits", "loss_fn=nn.BCELoss()", "loss_fn=nn.BCEWithLogitsLoss()"
    )


def _as_given(known: Evidence, kind: TaskKind) -> Task:
    outputs = known.outputs
    flat = outputs is not None and outputs.ndim in (1, 2) and len(outputs) == known.samples
    width = outputs.shape[1] if outputs is not None and outputs.ndim == 2 else 1
    if kind in ("numbers", "positions", "none"):
        return Task(kind, width if flat else 0)
    needed = {"classes": "at least two outputs", "binary": "one output", "labels": "one output or more"}[kind]
    fits = flat and {"classes": width > 1, "binary": width == 1, "labels": True}[kind]
    if outputs is None or not fits:
        got = "no tensor" if outputs is None else f"shape {tuple(outputs.shape)}"
        raise ValueError(f"task: expected {needed} for each sample for {kind!r}, got {got}; give score_fn=")
    if kind == "classes":
        return _classes(known, outputs, width)
    task = _by_sigmoid(kind, known, outputs.reshape(len(outputs), width), width)
    if task.kind == "none":
        raise ValueError(f"task: {task.reason}")
    return task


def _unclear(what: str, *repairs: str) -> Task:
    repair = " or ".join([*repairs, "score_fn="])
    reason = f"{what}; give {repair}"
    return Task("none", reason=reason, note=f"no class scores: {reason}")


def _single(targets: Sequence[int | Tensor | None]) -> Tensor | None:
    """Targets of one number each (m,), without those that say "ignore"; None if any is something else."""
    numbers = [float(each) for each in targets if isinstance(each, int) or (each is not None and _is_number(each))]
    if len(numbers) < len(targets):
        return None
    pairs = zip(numbers, targets, strict=True)
    return torch.tensor([value for value, target in pairs if not (isinstance(target, int) and target < 0)])


def _is_number(target: Tensor) -> bool:
    return target.numel() == 1 and not target.is_complex()


def _rows(targets: Sequence[int | Tensor | None], width: int) -> Tensor | None:
    """Targets of as many numbers as there are outputs (m, width); None if any is something else."""
    tensors = [each for each in targets if isinstance(each, Tensor) and each.numel() == width and not each.is_complex()]
    return torch.stack([each.reshape(-1).double() for each in tensors]) if len(tensors) == len(targets) else None
