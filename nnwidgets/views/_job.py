"""The worker's side of a view: when it is wanted, what a refresh is. Knows the view; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnwidgets.training.worker import Job, Snapshot

if TYPE_CHECKING:
    from nnwidgets.views._view import View


class ViewJob(Job):
    """The worker's side of a view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.name = view.stem
        self.slow = view.long

    def wanted(self) -> bool:
        return self.view.on_screen and not self.view.session.paused and not self.view.awaited()

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        if self.view.awaited():
            return  # what it waits for will ask again
        ask = self.view.ask()
        self.view.started()
        try:
            for result in self.view.compute(snapshot, ask):
                if result is not None:
                    self.view.show(result)
                yield
        finally:
            self.view.ended()

    def failed(self, error: BaseException, step: int) -> None:
        self.view.fail(error, step)
