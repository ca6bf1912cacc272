"""Which click is answered next, and from which snapshot. Clicks go before all other work."""

from __future__ import annotations

from nnwidgets.training.situation import SOON_S, Situation
from nnwidgets.training.tasks import NEVER, Task, by_turn

YIELD_AFTER_S = 0.1  # background work on the shadow that a click waits for is stopped after this
STEP_AWAITED_S = 0.4  # how long a click waits for a step before it is answered otherwise
STILL_AWAITED_S = 3.0  # how long a click waits, where nothing is watched, for a model that keeps changing


class Clicks:
    """Answers each click from a snapshot that is no older than the click.

    That is the one in the buffer, the one of the next step, or a copy that the worker makes if no step comes.
    """

    def __init__(self, situation: Situation) -> None:
        self._situation, self._copy = situation, situation.copy
        self._buffer, self._tasks = situation.buffer, situation.tasks

    def choose(self, clicked: list[Task], now: float) -> tuple[Task | None, float | None]:
        """The click whose chunk is next, or how long to sleep."""
        lacking = [task for task in clicked if task.running is None and not self._answerable(task)]
        ready = [task for task in clicked if task not in lacking]
        if ready:
            task = min(ready, key=_quick_first)
            if self._situation.budget.allows_click(slow=task.job.slow):
                return task, 0.0
            task.promise()  # it has borrowed enough, and goes on as background work
            return None, 0.0
        return self._copy_for(min(lacking, key=_clicked_at), now)

    def _answerable(self, task: Task) -> bool:
        """Whether the buffer has a snapshot for this click. Ends an offer of the shadow, if there is one."""
        if self._copy.pending or not self._buffer.withdraw():
            return False
        snapshot = self._buffer.snapshot
        if snapshot is None or task.takes_old:
            return snapshot is not None
        lacks = bool(task.job.snapshot_extras - snapshot.extras.kinds)
        if lacks and self._situation.following and task.copy_tried_at == NEVER:
            return False
        return snapshot.taken_at >= _clicked_at(task) or self._buffer.shadow.is_current()

    def _copy_for(self, task: Task, now: float) -> tuple[Task | None, float | None]:
        """Get the snapshot that a click needs: from the next step, else by an optimistic copy, else the last one."""
        waited = now - _clicked_at(task)
        if not self._buffer.poll():
            return None, self._buffer.look_again_s
        if in_the_way := self._tasks.on_shadow:
            if waited <= YIELD_AFTER_S:
                return min(in_the_way, key=by_turn), 0.0
            for other in in_the_way:
                other.stop()
        if self._copy.pending:
            return None, self._settle(task, waited)
        # If a step spoilt an optimistic copy, steps do come: wait for the next one. Only steps bring gradients, and
        # previous weights need two of them.
        budget = self._situation.budget
        spoilt = task.copy_tried_at != NEVER
        steps = 3 if task.job.snapshot_extras and not budget.idle else 2 if spoilt else 0
        patience_s = steps * max(STEP_AWAITED_S, budget.step_interval_s) or STEP_AWAITED_S
        if self._situation.following and now - max(_clicked_at(task), task.copy_tried_at) < patience_s:
            self._buffer.offer()
            return None, STEP_AWAITED_S / 8
        task.copy_tried_at = now
        if self._situation.readable:
            return None, self._copy.remaining_s if self._copy.begin() else SOON_S
        task.takes_old = True
        return None, 0.0

    def _settle(self, task: Task, waited: float) -> float:
        """Validate an optimistic copy when it is old enough; returns the seconds to sleep."""
        if self._copy.remaining_s > 0:
            return self._copy.remaining_s
        if self._copy.settle():
            return 0.0
        task.copy_tried_at = self._situation.budget.clock()
        if not self._situation.following and waited > STILL_AWAITED_S:
            text = "model: expected weights that hold still, got new ones at each look; use inspector.watch()"
            task.fail(RuntimeError(text), self._situation.budget.clock())
        return 0.0


def _quick_first(task: Task) -> tuple[bool, float]:
    return task.job.slow, task.turn_at


def _clicked_at(task: Task) -> float:
    return task.clicked_at if task.clicked_at is not None else float("inf")
