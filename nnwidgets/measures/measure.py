"""What a view needs of a snapshot, as a value: equal measures are read once, however many views need them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from torch import Tensor

from nnwidgets.analysis.capture import LayerInfo
from nnwidgets.analysis.task import Task
from nnwidgets.data import Samples
from nnwidgets.measures.record import Record
from nnwidgets.training.extras import Extra
from nnwidgets.training.worker import Snapshot


@dataclass(frozen=True)
class Progress:
    """How far a slow computation is: `share` from 0 to 1, None where unknown, and words for the state line."""

    share: float | None
    text: str


Reading = Generator[Progress | None, None, Any]


class Source(Protocol):
    """What measures know of an inspector besides the snapshot. The session is one."""

    @property
    def samples(self) -> Samples: ...
    @property
    def record(self) -> Record: ...
    @property
    def layers(self) -> tuple[LayerInfo, ...]: ...
    @property
    def task(self) -> Task: ...
    @property
    def classes(self) -> int | None: ...
    @property
    def numeric_targets(self) -> bool: ...
    @property
    def loss_fn(self) -> Callable[..., Tensor] | None: ...

    def layer(self, name: str) -> LayerInfo: ...

    def batch_scores(self, output: Any) -> Tensor | None: ...

    def batch_numbers(self, output: Any) -> Tensor | None: ...

    def step_of(self, snapshot: Snapshot) -> int | None: ...


class Measure(ABC):
    """A frozen dataclass whose fields say what is read; `read` says how.

    Attributes:
        recorded: kept over the training at a pace of its own. `read` returns the whole record, and the view is laid
            out again when the record grows.
        shared: whether views that need the same value get the same object.
        snapshot_extras: what a snapshot must carry besides the weights: "gradients", "previous".
    """

    recorded: ClassVar[bool] = False
    shared: ClassVar[bool] = True
    snapshot_extras: ClassVar[frozenset[Extra]] = frozenset()

    def indices(self, source: Source) -> Sequence[int]:
        """The samples it reads, as indices into the dataset; those not held yet are read in the user's thread first."""
        return ()

    @abstractmethod
    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        """Yield between slices of at most 50 ms, with a `Progress` or None; return the value. Runs in the worker."""
