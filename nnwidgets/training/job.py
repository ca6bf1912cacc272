"""What a view asks of the worker. Knows no widget."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from nnwidgets.training.extras import Extra
from nnwidgets.training.snapshot import Snapshot


class Job(ABC):
    """Something to be computed from snapshots of the model, again and again. All methods are called in the worker.

    Attributes:
        name: For messages.
        snapshot_extras: What its snapshots are to have beside the weights: "gradients", "previous" weights. The copies
            are made only while somebody wants the job. Where a snapshot was not taken at the end of a watched step they
            are None all the same, as when a training has ended: a job then keeps what it has shown.
        slow: Takes many chunks; gets its own copy of the model, so that others go on meanwhile.
    """

    name: str = ""
    snapshot_extras: frozenset[Extra] = frozenset()
    slow: bool = False

    @abstractmethod
    def wanted(self) -> bool:
        """Whether somebody looks at the result now. Cheap: asked at every turn of the worker."""

    @abstractmethod
    def work(self, snapshot: Snapshot) -> Iterator[None]:
        """Compute in chunks of at most 50 ms, each up to the next `yield`, and publish.

        Between two chunks the iterator may be closed (`GeneratorExit`), when a newer request has come. The snapshot's
        shadow must not be used after the end.
        """

    @abstractmethod
    def failed(self, error: BaseException, step: int) -> None:
        """`work` raised on the snapshot of this step. Training and other jobs go on."""
