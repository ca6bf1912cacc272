"""The work that a view asks of the worker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from nnwidgets.training.extras import Extra
from nnwidgets.training.snapshot import Snapshot


class Job(ABC):
    """Something to compute from snapshots of the model, again and again. The worker calls all methods.

    Attributes:
        name: For messages.
        snapshot_extras: What its snapshots need beside the weights: "gradients", "previous" weights. They are copied
            only while the job is wanted. They are None in a snapshot that was not taken at the end of a watched step,
            such as the last one of a training: the job then keeps what it has shown.
        slow: Takes many chunks, and gets its own copy of the model so that other jobs go on meanwhile.
    """

    name: str = ""
    snapshot_extras: frozenset[Extra] = frozenset()
    slow: bool = False

    @abstractmethod
    def wanted(self) -> bool:
        """Whether somebody looks at the result now. Called at every turn of the worker, so it must be cheap."""

    @abstractmethod
    def work(self, snapshot: Snapshot) -> Iterator[None]:
        """Compute and publish, in chunks of at most 50 ms that end at each `yield`.

        A newer request may close the iterator between two chunks (`GeneratorExit`). Do not use the snapshot after the
        end.
        """

    @abstractmethod
    def failed(self, error: BaseException, step: int) -> None:
        """`work` raised this error, on the snapshot of this step. Training and other jobs go on."""
