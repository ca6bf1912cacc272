"""What the worker decides on. Any thread may change the watch and its budget; the worker reads them."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Protocol

from nnwidgets.training.budget import Budget
from nnwidgets.training.snapshot import OptimisticCopy, SnapshotBuffer
from nnwidgets.training.tasks import Tasks

TICK_S = 0.5  # how often a watch is looked after
SOON_S = 0.005


class Follower(Protocol):
    """A watch, as the worker sees it."""

    def tick(self) -> None:
        """Do what is to be done twice a second."""

    @property
    def still_s(self) -> float:
        """For how long the weights have not been seen to move."""


@dataclass
class Situation:
    """What there is to decide on, and the watch that the worker follows, if any, with its budget."""

    buffer: SnapshotBuffer
    tasks: Tasks
    copy: OptimisticCopy
    budget: Budget
    readable: bool  # whether the worker may copy the model itself while nothing trains: on the CPU and on CUDA
    watch: weakref.ref[Follower] | None = None

    @property
    def follower(self) -> Follower | None:
        return self.watch() if self.watch is not None else None

    @property
    def following(self) -> bool:
        return self.follower is not None

    @property
    def still_s(self) -> float:
        """For how long the weights have not been seen to move; 0 without a watch."""
        return follower.still_s if (follower := self.follower) is not None else 0.0
