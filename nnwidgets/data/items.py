"""Single samples as the model takes them: read, collated, unpacked and drawn; and several of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from nnwidgets.data.labels import Note, unused_note
from nnwidgets.data.padding import Rules, check, learnt, padded
from nnwidgets.data.pictures import picture_from_user
from nnwidgets.data.source import SampleError, Source
from nnwidgets.data.targets import Target
from nnwidgets.data.unpack import (
    UnclearSampleError,
    Unpacked,
    as_input,
    as_target,
    checked_unpacked,
    default_unpack,
    row_of,
    stacked,
)
from nnwidgets.shadow.torch_internals import leaves, map_leaves

WITNESSES = 8  # samples, to see whether all are padded alike


@dataclass(frozen=True)
class Item:
    """A copy of one sample, on the CPU, without batch axis. `picture` is set if `to_image` made one."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    target: Target
    picture: np.ndarray | None

    @cached_property
    def nbytes(self) -> int:
        shown = self.picture.nbytes if self.picture is not None else 0
        tensors = [*self.inputs, self.target] if isinstance(self.target, Tensor) else self.inputs
        return shown + sum(each.numel() * each.element_size() for each in tensors)

    @cached_property
    def inputs(self) -> list[Tensor]:
        return [each for each in leaves((self.args, self.kwargs)) if isinstance(each, Tensor)]

    @property
    def parts(self) -> tuple[tuple[Any, ...], dict[str, Any], Target]:
        return self.args, self.kwargs, self.target


class Items:
    """Makes items of the samples of a source. Runs the user's code.

    notes: sentences about what was converted, by topic, so that each is told once.   unused: of a target that is no
    number.
    """

    def __init__(
        self,
        source: Source,
        model: nn.Module,
        *,
        unpack: Callable[[Any], Unpacked] | None,
        to_image: Callable[[Any], Any] | None,
    ) -> None:
        self._source, self._to_image = source, to_image
        self._unpack, self._own_unpack = unpack or default_unpack(model), unpack is not None
        self._collate = source.collate if unpack is None else None
        self._rules: Rules | None = None
        self._not_learnt = ""
        self.notes: dict[str, str] = {}
        self.unused: Note | None = None

    def read(self, index: int) -> Item:
        """One sample from the source, through collate, unpack and to_image."""
        doing = "reading it"
        try:
            sample = self._source.read(index)
            doing = "unpack" if self._own_unpack else "collating it"
            args, kwargs, target = self.unpacked(sample)
            shown = None
            if self._to_image is not None:
                doing = "to_image"
                first = next(iter((*args, *kwargs.values())), None)
                shown = picture_from_user(self._to_image(first))
        except UnclearSampleError:
            raise
        except Exception as error:
            raise SampleError(f"sample {index}: {doing} raised {type(error).__name__}: {error}") from error
        inputs = [as_input(value, f"sample {index}, argument {at}") for at, value in enumerate(args)]
        named = {name: as_input(value, f"sample {index}, keyword {name}") for name, value in kwargs.items()}
        self.notes |= {note: note for _, note in (*inputs, *named.values()) if note}
        ready = {name: value for name, (value, _) in named.items()}
        label = as_target(target)
        if label is None and target is not None:
            self.unused = unused_note(target)
        return Item(tuple(value for value, _ in inputs), ready, label, shown)

    def unpacked(self, sample: Any) -> Unpacked:
        """Arguments, keywords and target of a raw sample, without batch axis."""
        if self._collate is None:
            return checked_unpacked(self._unpack(sample))
        return self._rows_of(self._collate, [sample])[0]

    def _rows_of(self, collate: Callable[[list[Any]], Any], samples: list[Any]) -> list[Unpacked]:
        """Raw samples through the loader's own function, and apart again."""
        batch = collate(samples)
        if isinstance(batch, Mapping):
            batch = dict(batch)
        tensors = (each for each in leaves(batch) if isinstance(each, Tensor))
        wrong = next((each for each in tensors if each.shape[:1] not in ((), (len(samples),))), None)
        if wrong is not None:
            raise ValueError(
                f"expected the batch axis first, with a size of {len(samples)}, got shape {tuple(wrong.shape)}; give "
                "unpack=, which returns (args, kwargs, target) of a sample. A list of pictures needs a module that is "
                "given one tensor and calls yours with list(pictures)"
            )
        return [self._unpack(map_leaves(partial(row_of, at), batch)) for at in range(len(samples))]

    def learn_padding(self, items: dict[int, Item]) -> None:
        """Learn from some of these, by their indices, how the loader's function pads samples of different length."""
        shapes = {index: [each.shape for each in item.inputs] for index, item in items.items()}
        first = next(iter(shapes))
        other = next((index for index, found in shapes.items() if found != shapes[first]), None)
        if self._collate is None or other is None:
            return
        rest = [index for index in shapes if index not in (first, other)][: WITNESSES - 2]
        samples = [self._source.read(index) for index in (first, other, *rest)]
        try:
            alone = [self.unpacked(sample) for sample in samples]
            rules = learnt(alone[:2], self._rows_of(self._collate, samples[:2]))
            check(rules, alone, self._rows_of(self._collate, samples))
        except Exception as error:  # what the user's code raises of several samples, too
            self._not_learnt = f". Of the loader's collate_fn: {error}"
        else:
            self._rules = rules

    def side_by_side(self, items: Sequence[Item], numbers: tuple[int, ...]) -> tuple[Any, dict[str, Any], list[Target]]:
        """Arguments and keywords of the items stacked, padded as the loader pads them, and their targets.

        Raises:
            ValueError: they can't be stacked.
        """
        parts = [item.parts for item in items]
        if self._rules is not None:
            parts = padded(parts, self._rules)
        counts = {len(args) for args, _, _ in parts}
        if len(counts) > 1:
            raise ValueError(f"samples: expected the same number of arguments in each, got {sorted(counts)}")
        columns = zip(*(args for args, _, _ in parts), strict=True)
        try:
            args = tuple(stacked(list(each), numbers, f"argument {at}") for at, each in enumerate(columns))
            kwargs = stacked([kwargs for _, kwargs, _ in parts], numbers, "keywords")
        except ValueError as error:
            raise ValueError(f"{error}{self._not_learnt}") from None
        return args, kwargs, [target for _, _, target in parts]
