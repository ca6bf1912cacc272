"""The samples of one inspector: read once in the user's thread, kept within a memory limit, batched for the model."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnwidgets.data.choose import choose
from nnwidgets.data.items import Item, Items
from nnwidgets.data.labels import Note, inputs_note, label_note
from nnwidgets.data.pictures import InputKind, axes_of, channels_are_last, kind_of, picture_of
from nnwidgets.data.source import SampleError, Source, open_source
from nnwidgets.data.targets import Labels, Target, TargetKind, stacked_targets
from nnwidgets.data.unpack import (
    Unpacked,
    as_target,
    batched_target,
    forward_names,
)
from nnwidgets.shadow import preserved_random_states
from nnwidgets.shadow.torch_internals import map_leaves


class NotHeldError(LookupError):
    """Another thread asked for samples that only the user's code can read. `read` them in the user's thread first."""


@dataclass(frozen=True)
class Batch:
    """Samples as the model takes them: `model(*args, **kwargs)`, tensors with the batch axis first.

    targets: (n,) int64 for classes, (n, …) for other targets of equal shape, None if a sample has none.
    indices: of the rows, into the dataset.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    targets: Tensor | None
    indices: tuple[int, ...]


def numeric_targets(batch: Batch) -> Tensor | None:
    """The targets (n,) float32 on the CPU where each is a single number; else None."""
    targets = batch.targets
    if targets is None or targets.is_complex() or targets.numel() != len(batch.indices):
        return None
    return targets.detach().float().cpu().reshape(-1)


class Samples:
    """A dataset as the views see it. Every index is an index into the dataset.

    Tensors, arrays and tuples of them are indexed directly, in any thread. Everything else runs the user's code, only
    in the thread that made this object, and restores all global random states afterwards. Samples that were read are
    kept; beyond `max_bytes` the oldest are dropped, but never the probe.

    Args:
        dataset: a map-style Dataset, list, DataLoader (its dataset and collate function), one tensor or array (no
            targets), or a tuple of them, targets last.
        model: whose `forward` tells how many arguments it takes.
        device: of batches.
        unpack: sample -> (args, kwargs, target or None), without batch axis; None: `default_unpack`.
        to_image: first input of a sample -> PIL image, array or tensor; None: the input itself if it looks like one.
        class_names: default: `dataset.classes`.
        probe: number of samples, spread over the classes if labels are known, else over the dataset; or their indices.
        seed: of every choice made here.
        max_bytes: limit for kept samples.

    Raises TypeError, ValueError or IndexError for unusable datasets, indices and samples, and SampleError if the
    dataset raises on every sample of the probe. Single samples that fail are left out of the probe, with a note.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        model: nn.Module,
        device: torch.device | str,
        unpack: Callable[[Any], Unpacked] | None = None,
        to_image: Callable[[Any], Any] | None = None,
        class_names: Sequence[str] | None = None,
        probe: int | Sequence[int] = 64,
        seed: int = 0,
        max_bytes: int,
    ) -> None:
        self._source: Source = open_source(dataset)
        self._reader = Items(self._source, model, unpack=unpack, to_image=to_image)
        self._own_unpack, self._own_pictures = unpack is not None, to_image is not None
        self.device, self.seed = torch.device(device), seed
        self.thread_safe = bool(self._source.rows) and unpack is None and to_image is None
        self.named_by_user = class_names is not None
        names = tuple(map(str, class_names)) if class_names is not None else self._source.class_names
        self._labels = Labels(self._source.labels if unpack is None else None, names)
        self._owner, self._lock = threading.get_ident(), threading.Lock()
        self._items: dict[int, Item] = {}
        self._pinned: set[int] = set()
        self._left_out: set[int] = set()
        self._chosen: dict[int, tuple[int, ...]] = {}
        self._max_bytes, self._nbytes = max_bytes, 0
        self._notes = self._reader.notes
        self._doubts: dict[str, str] = {}
        chosen = choose(len(self), probe, self._source.labels, seed)
        self.probe_indices = self.keep([self.check_index(index) for index in chosen])
        self.input_kind: InputKind = self._kind(model)
        first = self._item(self.probe_indices[0])
        image = _picture_among(first)
        self._axes = axes_of(image, model) if image is not None else None
        self.channels_last = self.input_kind == "image" and image is not None and channels_are_last(image, self._axes)
        if not self.thread_safe:
            with preserved_random_states():
                self._reader.learn_padding({index: self._items[index] for index in self.probe_indices})
        self._labels.known = self._known_labels() if isinstance(first.target, int) else None
        if not self._own_unpack and first.target is None and len(first.args) > 1 and self._reader.unused is None:
            self._note_labels(inputs_note(first.args, forward_names(model)))

    def __len__(self) -> int:
        return self._source.length

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, if they have any."""
        return self._labels.names

    @property
    def nbytes(self) -> int:
        """Bytes of the samples kept, without the dataset's own tensors."""
        return self._nbytes

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was converted, left out, shortened or not used."""
        return tuple(self._notes.values())

    @property
    def doubts(self) -> tuple[str, ...]:
        """Those of the notes about which the user should be asked: labels that were probably meant otherwise."""
        return tuple(self._doubts.values())

    def check_index(self, index: int) -> int:
        """`index` as an int; raises IndexError outside the dataset, TypeError unless it is a whole number."""
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"sample: expected a whole number, got {index!r}")
        number = operator.index(index)
        if not 0 <= number < len(self):
            raise IndexError(f"sample: expected an index from 0 to {len(self) - 1}, got {number}")
        return number

    def check_class_names(self, classes: int) -> None:
        """Raises ValueError unless the user named each of the model's classes.

        Names from the dataset are dropped with a note if their number differs: the model has other classes.
        """
        if self.class_names is None or len(self.class_names) == classes:
            return
        said = f"expected {classes}, one for each class of the model, got {len(self.class_names)}"
        if self.named_by_user:
            raise ValueError(f"class_names: {said}")
        self._labels.names = None
        self._notes["class names"] = f"names of the dataset's classes not used: {said}"

    @property
    def probe_targets(self) -> list[Target]:
        """The targets of the probe: a class as an int, other numbers as a tensor on the CPU, None for anything else."""
        return [self._target(index) for index in self.probe_indices]

    @property
    def labels_end(self) -> int | None:
        """One more than the largest label, of all samples where labels are at hand, else of the probe; None without."""
        return self._labels.end(self.probe_targets)

    def read_targets_as(self, kind: TargetKind) -> None:
        """From now on."""
        self._labels.kind = kind
        if kind == "yes or no" and self.thread_safe:
            self._labels.known = self._known_labels()

    def check_labels(self, classes: int | None) -> None:
        """Note why the targets of the probe are not used as classes of a model that has so many, if they are not."""
        note = (label_note(self.probe_targets, classes) if classes else None) or self._reader.unused
        if note is not None:
            self._note_labels(note)

    def note_no_loss(self) -> None:
        """Why there is no loss on the probe, though there is a function for it."""
        unused = self._reader.unused is not None
        why = "targets are no numbers" if unused else "samples have no targets, or targets of different shapes"
        self._notes["loss"] = f"loss on the probe: none, as {why}; unpack= may return a tensor for each"

    def _note_labels(self, note: Note) -> None:
        self._notes["labels"] = note.text
        if note.doubtful:
            self._doubts["labels"] = note.text

    def _known_labels(self) -> np.ndarray | None:
        """Labels of all samples (n,) int64, where they can be had without reading samples."""
        if self.thread_safe:
            values = self._source.rows[-1].detach().cpu().reshape(-1)
            whole = torch.where(values == values.round(), values, -1) if values.is_floating_point() else values
            return whole.long().numpy()
        return None if self._own_unpack else self._source.labels

    def _target(self, index: int) -> Target:
        if self.thread_safe:
            return as_target(self._reader.unpacked(self._source.read(index))[2])
        return self._item(index).target

    def read(self, indices: Sequence[int]) -> None:
        """Read and keep samples. Raises NotHeldError in any thread but the one that made this object."""
        for index in indices:
            self._item(self.check_index(index))

    def chosen(self, count: int) -> tuple[int, ...]:
        """The indices of at most `count` samples, always the same, classes spread evenly. Reads nothing."""
        if count not in self._chosen:
            self._chosen[count] = tuple(choose(len(self), count, self._source.labels, self.seed))
        return self._chosen[count]

    def missing(self, indices: Sequence[int]) -> list[int]:
        """Those of `indices` that only the user's thread can read, and that can be read."""
        if self.thread_safe:
            return []
        return [index for index in indices if index not in self._items and index not in self._left_out]

    def readable(self, indices: Sequence[int]) -> tuple[int, ...]:
        """`indices` without the samples that `keep` left out."""
        return tuple(index for index in indices if index not in self._left_out)

    def batch(self, indices: Sequence[int]) -> Batch:
        """The samples, stacked on the device. Raises NotHeldError if another thread would run the user's code."""
        numbers = tuple(self.check_index(index) for index in indices)
        if not numbers:
            raise ValueError("indices: expected at least one sample, got none")
        if self.thread_safe:
            args, _, target = self._reader.unpacked(self._source.read(numbers[0]))
            rows = [each.to(self.device) for each in self._source.take(numbers)]
            targets = None if target is None else batched_target(rows[-1], target)
            return Batch(tuple(rows[: len(args)]), {}, targets, numbers)
        items = [self._item(number) for number in numbers]
        args, kwargs, found = self._reader.side_by_side(items, numbers)
        args, kwargs = map_leaves(self._moved, (args, kwargs))
        return Batch(args, kwargs, stacked_targets(found, self.device), numbers)

    def label(self, index: int) -> int | None:
        """The class of a sample; None if it has none or was not read."""
        number = self.check_index(index)
        item = self._items.get(number)
        return self._labels.known_of(number) if item is None else self._labels.of(item.target)

    def label_name(self, index: int) -> str:
        """The name of the sample's class, or those of its labels; numbers if they have no names; "" without any."""
        label = self.label(index)
        if label is not None:
            return self._labels.name(label)
        held = self._items.get(index)
        target = held.target if held is not None else self._target(index) if self.thread_safe else None
        return self._labels.name_of(target)

    def class_name(self, label: int) -> str:
        """The name of a class; its number if it has no name."""
        return self._labels.name(label)

    def picture(self, index: int) -> np.ndarray | None:
        """The first input that is a picture, uint8 (H, W) or (H, W, 3); None if there is none or it was not read."""
        number = self.check_index(index)
        item = self._item(number) if self.thread_safe else self._items.get(number)
        if self._own_pictures:
            return item.picture if item is not None else None
        return self._drawn(item)

    def input_picture(self, index: int) -> np.ndarray | None:
        """`picture` without `to_image`: as high and wide as the input is."""
        number = self.check_index(index)
        return self._drawn(self._item(number) if self.thread_safe else self._items.get(number))

    def _drawn(self, item: Item | None) -> np.ndarray | None:
        """The first input of a sample that is a picture."""
        image = _picture_among(item)
        if image is None or self.input_kind != "image":
            return None
        shown, note = picture_of(image, self._axes)
        if note:
            self._notes["pictures"] = f"pictures show the {note}"
        return shown

    def _moved(self, value: Any) -> Any:
        return value.to(self.device) if isinstance(value, Tensor) else value

    def _item(self, index: int) -> Item:
        held = self._items.get(index)
        if held is not None:
            return held
        if self.thread_safe:
            return self._reader.read(index)
        if threading.get_ident() != self._owner:
            raise NotHeldError(f"sample {index} has not been read; the dataset is read only in the thread that made it")
        with preserved_random_states():
            item = self._reader.read(index)
        with self._lock:
            self._items[index] = item
            self._nbytes += item.nbytes
            for other in list(self._items):
                if self._nbytes <= self._max_bytes:
                    break
                if other != index and other not in self._pinned:
                    self._nbytes -= self._items.pop(other).nbytes
        return item

    def keep(self, indices: Sequence[int]) -> tuple[int, ...]:
        """Read samples and keep them for good, in the thread that made this object; return those that are kept.

        A sample that can't be read or doesn't fit into the memory is left out, with a note. Raises SampleError if none
        of them can be read, and none was before.
        """
        if self.thread_safe:
            self._item(indices[0])  # if one row of a tensor can be read, all can
            return tuple(indices)
        failed: Exception | None = None
        for index in indices:
            if self._pinned and sum(self._items[each].nbytes for each in self._pinned) >= self._max_bytes:
                self._notes["memory"] = (
                    f"{len(self._pinned)} of {len(self._pinned | set(indices))} samples: more do not fit into "
                    f"{self._max_bytes} bytes"
                )
                self._left_out.update(set(indices) - self._pinned)
                break
            try:
                self._item(index)
            except (SampleError, TypeError, ValueError) as error:
                failed = failed or error
                self._left_out.add(index)
                continue
            self._pinned.add(index)
        if failed is not None and not self._pinned:
            raise failed
        if failed is not None:
            tried = len(self._pinned) + len(self._left_out)
            self._notes["left out"] = f"{len(self._left_out)} of {tried} samples left out, the first: {failed}"
        return self.readable(indices)

    def _kind(self, model: nn.Module) -> InputKind:
        """The kind of the first picture among the inputs, else of the first input."""
        item = self._item(self.probe_indices[0])
        kinds = [kind_of(each, model) for each in item.inputs]
        return "image" if "image" in kinds else kinds[0] if kinds else "other"


def _picture_among(item: Item | None) -> Tensor | None:
    """The first input that has the axes of a picture."""
    return next((each for each in item.inputs if each.ndim in (2, 3)), None) if item is not None else None
