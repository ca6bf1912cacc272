"""The samples of one inspector: read once in the user's thread, kept under a memory bound, batched for the model."""

from __future__ import annotations

import operator
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnwidgets.data.choose import choose
from nnwidgets.data.pictures import InputKind, kind_of, picture_from_user, picture_of, sheet, tensors_of
from nnwidgets.data.source import SampleError, Source, open_source, untouched_random_states
from nnwidgets.data.unpack import (
    Unpacked,
    as_input,
    as_target,
    batched_target,
    checked_unpacked,
    default_unpack,
    first_row,
    on_device,
    stacked,
)


class NotHeldError(LookupError):
    """Samples that only the user's code can read were asked for in another thread; `read` them there first."""


@dataclass(frozen=True)
class Batch:
    """Samples as the model takes them: `model(*args, **kwargs)`, tensors with the batch axis first.

    targets: (n,) int64 for classes, (n, …) for other targets of one shape, None where a sample has none.
    indices: into the dataset, row by row.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    targets: Tensor | None
    indices: tuple[int, ...]


@dataclass(frozen=True)
class _Item:
    """One sample, on the CPU and our own, without batch axis. `picture` is set where `to_image` made it."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    target: int | Tensor | None
    picture: np.ndarray | None

    @property
    def nbytes(self) -> int:
        tensors = list(tensors_of((self.args, self.kwargs, self.target)))
        shown = self.picture.nbytes if self.picture is not None else 0
        return shown + sum(each.numel() * each.element_size() for each in tensors)


class Samples:
    """A dataset as the views see it. Every index is one of the dataset's.

    Tensors, arrays and tuples of them are indexed directly, in any thread. Everything else runs the user's code, which
    happens only in the thread that made this object, with all global random states put back; what was read is kept, the
    oldest first to go when `max_bytes` are full, the probe never.

    Args:
        dataset: a map-style Dataset, list, DataLoader (its dataset and collate function), one tensor or array (no
            targets), or a tuple of them, targets last.
        model: whose `forward` says how many arguments it takes.
        device: where batches go.
        unpack: sample -> (args, kwargs, target or None), without batch axis; None: `default_unpack`.
        to_image: first input of a sample -> picture, array or tensor; None: the input itself where it looks like one.
        class_names: else `dataset.classes`.
        probe: how many samples, spread over the classes where labels are at hand and over the dataset where not; or
            their indices.
        seed: of every choice made here.
        max_bytes: for what is kept.

    Raises TypeError, ValueError or IndexError for datasets, indices and samples that can't be used, SampleError when
    the dataset raises on every sample of the probe. Single samples that fail are left out of the probe, with a note.
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
        self._unpack, self._own_unpack, self._to_image = unpack or default_unpack(model), unpack is not None, to_image
        self.device, self.seed = torch.device(device), seed
        self.thread_safe = bool(self._source.rows) and unpack is None and to_image is None
        self._named_by_user = class_names is not None
        self.class_names = tuple(map(str, class_names)) if class_names is not None else self._source.class_names
        self._owner, self._lock = threading.get_ident(), threading.Lock()
        self._items: OrderedDict[int, _Item] = OrderedDict()
        self._pinned: set[int] = set()
        self._left_out: set[int] = set()
        self._chosen: dict[int, tuple[int, ...]] = {}
        self._max_bytes, self._nbytes = max_bytes, 0
        self._notes: dict[str, str] = {}  # by topic, so that each is told once
        chosen = choose(len(self), probe, self._source.labels, seed)
        self.probe_indices = self._keep([self.check_index(index) for index in chosen])
        self.input_kind: InputKind = self._kind(model)

    def __len__(self) -> int:
        return self._source.length

    @property
    def probe(self) -> Batch:
        """The samples that statistics are over, stacked on the device."""
        return self.batch(self.probe_indices)

    @property
    def nbytes(self) -> int:
        """Bytes of what was read and kept; tensors of the dataset itself not counted."""
        return self._nbytes

    @property
    def notes(self) -> tuple[str, ...]:
        """What was converted, left out or shortened, in sentences."""
        return tuple(self._notes.values())

    def check_index(self, index: int) -> int:
        """`index` as int; raises IndexError outside of the dataset, TypeError for something that is no whole number."""
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"sample: expected a whole number, got {index!r}")
        number = operator.index(index)
        if not 0 <= number < len(self):
            raise IndexError(f"sample: expected an index from 0 to {len(self) - 1}, got {number}")
        return number

    def check_class_names(self, classes: int) -> None:
        """Raises ValueError unless there is a name for each of the model's classes.

        Names that come from the dataset and don't fit are dropped with a note: the model has other classes.
        """
        if self.class_names is None or len(self.class_names) == classes:
            return
        said = f"expected {classes}, one for each class of the model, got {len(self.class_names)}"
        if self._named_by_user:
            raise ValueError(f"class_names: {said}")
        self.class_names = None
        self._note("class names", f"names of the dataset's classes not used: {said}")

    def held(self, indices: Sequence[int]) -> bool:
        """Whether all can be batched now without the user's code, in any thread."""
        return self.thread_safe or all(self.check_index(index) in self._items for index in indices)

    def read(self, indices: Sequence[int]) -> None:
        """Read and keep samples, in the thread that made this object. Raises NotHeldError in any other."""
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

    def keep(self, indices: Sequence[int]) -> None:
        """Read samples and keep them for good, in the thread that made this object.

        A sample that can't be read or doesn't fit into the memory is left out, with a note.

        Raises:
            SampleError: none of them can be read, and none was before.
        """
        self._keep(indices)

    def batch(self, indices: Sequence[int]) -> Batch:
        """The samples stacked on the device. Raises NotHeldError where the user's code is needed in another thread."""
        numbers = tuple(self.check_index(index) for index in indices)
        if not numbers:
            raise ValueError("indices: expected at least one sample, got none")
        if self.thread_safe:
            args, _, target = self._unpacked(self._source.read(numbers[0]))
            rows = [each.to(self.device) for each in self._source.take(numbers)]
            targets = None if target is None else batched_target(rows[-1], target)
            return Batch(tuple(rows[: len(args)]), {}, targets, numbers)
        items = [self._item(number) for number in numbers]
        counts = {len(item.args) for item in items}
        if len(counts) > 1:
            raise ValueError(f"samples: expected the same number of arguments in each, got {sorted(counts)}")
        args = tuple(
            stacked([item.args[at] for item in items], numbers, f"argument {at}") for at in range(len(items[0].args))
        )
        kwargs = stacked([item.kwargs for item in items], numbers, "keywords")
        return Batch(on_device(args, self.device), on_device(kwargs, self.device), self._targets(items), numbers)

    def label(self, index: int) -> int | None:
        """The class of a sample; None where it has none or was not read."""
        number = self.check_index(index)
        item = self._items.get(number)
        if item is not None:
            return item.target if isinstance(item.target, int) else None
        known = self._source.labels if not self._own_unpack else None
        return int(known[number]) if known is not None else None

    def label_name(self, index: int) -> str:
        """The name of the sample's class, its number where it has no name, "" where it has no class."""
        label = self.label(index)
        if label is None:
            return ""
        return self.class_names[label] if self.class_names and 0 <= label < len(self.class_names) else str(label)

    def picture(self, index: int) -> np.ndarray | None:
        """uint8 (H, W) or (H, W, 3) of the first input that is a picture; None without one or when not read."""
        number = self.check_index(index)
        item = self._item(number) if self.thread_safe else self._items.get(number)
        if item is None or self._to_image is not None:
            return item.picture if item is not None else None
        image = self._image_in(item)
        if image is None:
            return None
        shown, note = picture_of(image)
        if note:
            self._note("pictures", f"pictures show the {note}")
        return shown

    def thumbnails(self, indices: Sequence[int], size: int) -> np.ndarray | None:
        """Squares of uint8 (n, size, size) or (n, size, size, 3), black for a missing one; None without one."""
        return sheet([self.picture(index) for index in indices], size)

    def _item(self, index: int) -> _Item:
        held = self._items.get(index)
        if held is not None:
            return held
        if self.thread_safe:
            return self._prepared(index)
        if threading.get_ident() != self._owner:
            raise NotHeldError(f"sample {index} has not been read; the dataset is read only in the thread that made it")
        with untouched_random_states():
            item = self._prepared(index)
        with self._lock:
            self._items[index] = item
            self._nbytes += item.nbytes
            for other in list(self._items):
                if self._nbytes <= self._max_bytes:
                    break
                if other != index and other not in self._pinned:
                    self._nbytes -= self._items.pop(other).nbytes
        return item

    def _prepared(self, index: int) -> _Item:
        """One sample from the source, through collate, unpack and to_image."""
        try:
            args, kwargs, target = self._unpacked(self._source.read(index))
            shown = None
            if self._to_image is not None:
                first = next(iter((*args, *kwargs.values())), None)
                shown = picture_from_user(self._to_image(first))
        except Exception as error:
            raise SampleError(f"sample {index}: reading it raised {type(error).__name__}: {error}") from error
        inputs = [as_input(value, f"sample {index}, argument {at}") for at, value in enumerate(args)]
        named = {name: as_input(value, f"sample {index}, keyword {name}") for name, value in kwargs.items()}
        for note in filter(None, (note for _, note in (*inputs, *named.values()))):
            self._note(note, note)
        ready = {name: value for name, (value, _) in named.items()}
        return _Item(tuple(value for value, _ in inputs), ready, as_target(target), shown)

    def _unpacked(self, sample: Any) -> Unpacked:
        if self._source.collate is None or self._own_unpack:
            return checked_unpacked(self._unpack(sample))
        args, kwargs, target = first_row(self._unpack(self._source.collate([sample])))
        return args, kwargs, target

    def _keep(self, indices: Sequence[int]) -> tuple[int, ...]:
        """Read `indices` and pin them; those that can't be read or don't fit are left out with a note."""
        if self.thread_safe:
            self._item(indices[0])  # one row of a tensor that can be read tells that all can
            return tuple(indices)
        failed: Exception | None = None
        for index in indices:
            if self._pinned and self._pinned_bytes() >= self._max_bytes:
                self._note(
                    "memory",
                    f"{len(self._pinned)} of {len(self._pinned | set(indices))} samples: more do not fit into "
                    f"{self._max_bytes} bytes",
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
            self._note("left out", f"{len(self._left_out)} of {tried} samples left out, the first: {failed}")
        return self.readable(indices)

    def _pinned_bytes(self) -> int:
        return sum(self._items[index].nbytes for index in self._pinned)

    def _targets(self, items: list[_Item]) -> Tensor | None:
        targets = [item.target for item in items]
        if all(isinstance(each, int) for each in targets):
            return torch.tensor(targets, dtype=torch.int64, device=self.device)
        tensors = [each for each in targets if isinstance(each, Tensor)]
        alike = len(tensors) == len(targets) and len({(each.shape, each.dtype) for each in tensors}) == 1
        return torch.stack(tensors).to(self.device) if alike else None

    def _image_in(self, item: _Item) -> Tensor | None:
        """The first input that is a picture, if the samples are pictures."""
        if self.input_kind != "image":
            return None
        return next((each for each in tensors_of((item.args, item.kwargs)) if each.ndim in (2, 3)), None)

    def _kind(self, model: nn.Module) -> InputKind:
        """The kind of the first picture among the inputs, else of the first input."""
        item = self._item(self.probe_indices[0])
        kinds = [kind_of(each, model) for each in tensors_of((item.args, item.kwargs))]
        return "image" if "image" in kinds else kinds[0] if kinds else "other"

    def _note(self, topic: str, sentence: str) -> None:
        self._notes[topic] = sentence
