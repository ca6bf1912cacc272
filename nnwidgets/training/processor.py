"""Whether the worker gets enough of the processor to spend what it may. It runs at the lowest priority."""

from __future__ import annotations

from nnwidgets.training.budget import Budget

WINDOW_S = 10.0  # of training, over which it is judged
FEW = 0.5  # of what was earned, and of the time that chunks took
SOME_S = 1.0  # chunks that took less in a window say nothing


class Processor:
    """Judges from window to window.

    short: whether in the last window chunks waited for the processor most of their time, and less than half of what
    was earned could be spent.
    """

    def __init__(self) -> None:
        self.short = False
        self._budget: Budget | None = None
        self._begin()

    def note(self, *, wall_s: float, cpu_s: float) -> None:
        """A chunk took so long, and so long of this thread."""
        self._wall_s += wall_s
        self._cpu_s += cpu_s

    def look(self, budget: Budget) -> None:
        """Judge, if a window is over."""
        if budget is not self._budget:
            self._budget = budget
            self._begin()
        training_s, spent_s = budget.training_s - self._from_training_s, budget.spent_s - self._from_spent_s
        if training_s < WINDOW_S:
            return
        waited = self._wall_s >= SOME_S and self._cpu_s < FEW * self._wall_s
        self.short = waited and spent_s < FEW * budget.share * training_s
        self._begin()

    def _begin(self) -> None:
        self._wall_s = self._cpu_s = 0.0
        self._from_training_s = self._budget.training_s if self._budget is not None else 0.0
        self._from_spent_s = self._budget.spent_s if self._budget is not None else 0.0
