"""How a loader's collate function pads samples of different length, learnt from a batch of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nnwidgets.shadow.torch_internals import leaves, map_leaves

ONE_VALUE = "expected a batch that adds one value at the end, or at the begin, of each sample"


@dataclass(frozen=True)
class Padding:
    """What is added to a shorter tensor: this value, after its end or before its begin."""

    value: float
    at_end: bool

    def __call__(self, tensor: Tensor, size: Sequence[int]) -> Tensor:
        """A copy of this size.

        >>> Padding(-1.0, at_end=False)(torch.tensor([3, 4]), (3,)).tolist()
        [-1, 3, 4]
        """
        padded = tensor.new_full(tuple(size), self.value)
        padded[_place(tensor.shape, size, at_end=self.at_end)] = tensor
        return padded


Rules = tuple[Padding | None, ...]  # one for each leaf of a sample, None where sizes don't differ


def learnt(samples: Sequence[Any], padded_samples: Sequence[Any]) -> Rules:
    """How two samples (trees of tensors) were padded, leaf by leaf.

    Raises:
        ValueError: the second pair is not the first, padded with one value.
    """
    trees = [leaves(each) for each in (*samples, *padded_samples)]
    if len({len(each) for each in trees}) > 1:
        raise ValueError("expected a batch with the parts that a sample has")
    return tuple(_rule(parts[:2], parts[2:]) for parts in zip(*trees, strict=True))


def check(rules: Rules, samples: Sequence[Any], rows: Sequence[Any]) -> None:
    """Raises ValueError unless these rows of a batch are what the rules make of the samples."""
    for ours, theirs in zip(padded(samples, rules), rows, strict=True):
        for one, other in zip(leaves(ours), leaves(theirs), strict=True):
            if isinstance(one, Tensor) and not (isinstance(other, Tensor) and torch.equal(one, other)):
                raise ValueError(ONE_VALUE)


def padded(samples: Sequence[Any], rules: Rules) -> list[Any]:
    """The samples with those leaves padded to the largest size that are known to be."""
    columns = zip(*map(leaves, samples), strict=True)
    sizes = [_largest(parts) if rule is not None else None for parts, rule in zip(columns, rules, strict=True)]

    def whole(sample: Any) -> Any:
        steps = iter(zip(rules, sizes, strict=True))

        def leaf(value: Any) -> Any:
            rule, size = next(steps)
            return value if rule is None or size is None else rule(value, size)

        return map_leaves(leaf, sample)

    return [whole(each) for each in samples]


def _largest(parts: Sequence[Any]) -> tuple[int, ...] | None:
    """The largest size along each axis; None for parts that are not tensors of equal rank."""
    if len({each.ndim if isinstance(each, Tensor) else -1 for each in parts}) > 1 or not isinstance(parts[0], Tensor):
        return None
    return tuple(max(sizes) for sizes in zip(*(each.shape for each in parts), strict=True))


def _rule(parts: Sequence[Any], rows: Sequence[Any]) -> Padding | None:
    size = _largest(parts)
    if size is None or parts[0].shape == parts[1].shape:
        return None
    if any(tuple(row.shape) != size for row in rows):
        raise ValueError("expected a batch as large as the larger of its samples")
    for at_end in (True, False):
        places = [_place(part.shape, size, at_end=at_end) for part in parts]
        if all(torch.equal(row[place], part) for row, place, part in zip(rows, places, parts, strict=True)):
            added = torch.cat([_without(row, place) for row, place in zip(rows, places, strict=True)]).unique()
            if len(added) == 1:
                return Padding(added.item(), at_end)
    raise ValueError(ONE_VALUE)


def _without(row: Tensor, place: tuple[slice, ...]) -> Tensor:
    """The values of the row that lie elsewhere."""
    left = torch.ones(row.shape, dtype=torch.bool)
    left[place] = False
    return row[left]


def _place(shape: Sequence[int], size: Sequence[int], *, at_end: bool) -> tuple[slice, ...]:
    """Where the tensor lies within the larger one."""
    pairs = zip(shape, size, strict=True)
    return tuple(slice(0, own) if at_end else slice(whole - own, whole) for own, whole in pairs)
