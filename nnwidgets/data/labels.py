"""Why targets are not used as classes, in words. A target that could be read in two ways is never taken for a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Note(NamedTuple):
    """A sentence about the data; `doubtful` where the user probably meant something else."""

    text: str
    doubtful: bool = False


def label_note(targets: Sequence[int | Tensor | None], classes: int) -> Note | None:
    """What is wrong with these targets as classes of a model that has so many; None where nothing is.

    >>> label_note([0, 2, -100], 3), label_note([torch.tensor(0.5)], 3).doubtful
    (None, False)
    >>> label_note([torch.tensor([0.0, 1.0])], 2).text.partition(";")[0]
    'labels: expected one whole number for each sample, its class, got one-hot rows of 2 (float32)'
    """
    tensors = [each for each in targets if isinstance(each, Tensor)]
    if not tensors:
        beyond = next((each for each in targets if isinstance(each, int) and each >= classes), None)
        return (
            None
            if beyond is None
            else Note(
                f"labels: expected classes from 0 to {classes - 1}, got {beyond}; samples with such a label count as "
                "unlabelled"
            )
        )
    alike = [each for each in tensors if each.numel() == 1]
    kind = str(tensors[0].dtype).removeprefix("torch.")
    if len(alike) == len(tensors):
        values = torch.stack([each.reshape(()) for each in alike])
        return _said(f"{tensors[0].item()} ({kind})", "targets.long()", doubtful=_are_classes(values, classes))
    if all(each.shape == (classes,) and _is_one_hot(each) for each in tensors):
        return _said(f"one-hot rows of {classes} ({kind})", "targets.argmax(1)", doubtful=True)
    return _said(f"a tensor of shape {tuple(tensors[0].shape)} ({kind})", "", doubtful=False)


def unused_note(target: object) -> Note:
    """Of a target that is no number at all."""
    return _said(f"a {type(target).__name__}", "", doubtful=True)


def inputs_note(args: Sequence[object], names: Sequence[str]) -> Note:
    """Of samples whose parts all go to the model's `forward`, whose parameters have these names."""
    last, name = args[-1], names[len(args) - 1] if len(args) <= len(names) else ""
    number = isinstance(last, Tensor) and last.numel() == 1
    where = f"the argument {name!r} of forward" if name else "forward"
    return Note(
        f"labels: none, as the last part of a sample{', one number,' if number else ''} goes to {where}; if it is the "
        "label, give unpack=lambda sample: ((…all inputs…), {}, label)",
        doubtful=number,
    )


def _said(got: str, repair: str, *, doubtful: bool) -> Note:
    given = f"give {repair} or " if repair and doubtful else "give "
    return Note(
        f"labels: expected one whole number for each sample, its class, got {got}; they are not used as classes; if "
        f"they are, {given}unpack=, which returns (args, kwargs, class)",
        doubtful,
    )


def _are_classes(values: Tensor, classes: int) -> bool:
    if values.is_complex():
        return False
    return bool(((values == values.round()) & (values >= 0) & (values < classes)).all())


def _is_one_hot(row: Tensor) -> bool:
    return bool(((row == 0) | (row == 1)).all()) and int((row == 1).sum()) == 1
