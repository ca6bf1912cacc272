"""Which job is refreshed next in the background, and when it has saved enough for that.

Jobs share what the budget earns in equal parts. Each saves what its last refresh cost, sending included, and then is
due: a cheap job is refreshed often, an expensive one seldom. While nothing trains, every job is brought up to date
once.
"""

from __future__ import annotations

from nnwidgets.training.situation import SOON_S, TICK_S, Situation
from nnwidgets.training.tasks import Task, by_turn

FRESH_S = 0.1  # a snapshot this young serves further jobs without a new copy
INTERVAL_S = 0.05  # no job is refreshed more often
SPARE_S = 0.1  # how much of what nobody needs now may be kept for later


class Refreshes:
    """Chooses among the jobs that somebody looks at."""

    def __init__(self, situation: Situation) -> None:
        self._situation, self._copy = situation, situation.copy
        self._buffer, self._tasks = situation.buffer, situation.tasks
        self._common_s = 0.0  # what was spent for no task in particular
        self._clicks_s = 0.0  # what answers to clicks have cost, and no task was charged yet

    def note_spent(self, *, common_s: float, clicks_s: float) -> None:
        """What all jobs are charged for in equal parts."""
        self._common_s += common_s
        self._clicks_s += clicks_s

    def choose_due(self, tasks: list[Task], now: float) -> tuple[Task | None, float | None]:
        """While something trains: the task that has saved enough and has waited longest, or how long to sleep."""
        self._copy.abandon()
        self._share_out(tasks)
        affordable = [task for task in tasks if self._affordable(task)]
        due = [task for task in affordable if task.running is None and now - task.started_at >= INTERVAL_S]
        ready = [task for task in affordable if task.running is not None]
        ready += [task for task in due if self._unseen(task, now)]
        # Do not copy before a job can afford the copy and its own work: by then the copy would be too old.
        worth_copying = due and self._situation.budget.allows(self._buffer.fill_s + min(task.cost_s for task in due))
        if worth_copying and not any(task in ready for task in due) and not self._tasks.on_shadow:
            self._buffer.offer()  # the copy wakes the worker
        if ready:
            return min(ready, key=by_turn), 0.0
        saving = (self._saving_s(task, now, len(tasks)) for task in tasks if task not in due)
        return None, min([TICK_S, *saving])

    def _share_out(self, tasks: list[Task]) -> None:
        """Share what was earned equally among the tasks that have not saved enough yet."""
        capacity = SPARE_S + self._buffer.fill_s + sum(task.cost_s for task in tasks)
        income = self._situation.budget.income(capacity) - self._common_s
        income += sum(task.charge_sending() for task in self._tasks)
        self._common_s = 0.0
        saving = [task for task in tasks if task.savings < task.cost_s or task.savings < 0]
        for task in saving:
            task.savings += income / len(saving)
        # Drop savings that clicks have already spent; otherwise other tasks starve.
        for task in tasks:
            task.savings -= self._clicks_s / len(tasks)
        self._clicks_s = 0.0

    def _affordable(self, task: Task) -> bool:
        if task.on_shadow:
            return self._situation.budget.allows_more()
        return task.savings >= task.cost_s and self._situation.budget.allows(task.cost_s)

    def _unseen(self, task: Task, now: float) -> bool:
        """Whether the buffer holds a snapshot that this task has not seen and that is as good as a new one."""
        snapshot = self._buffer.snapshot
        if snapshot is None or self._buffer.due or task.source is snapshot:
            return False
        if not task.job.snapshot_extras <= snapshot.extras.kinds:
            return False
        return now - self._buffer.arrived_at < FRESH_S or snapshot.step == self._buffer.step

    def _saving_s(self, task: Task, now: float, sharers: int) -> float:
        """Seconds of training until the task can afford to go on."""
        share, level = self._situation.budget.share, self._situation.budget.level
        if task.on_shadow:
            return max(SOON_S, -level / share)
        saving = max((task.cost_s - task.savings) * sharers / share, (task.cost_s - level) / share)
        return max(SOON_S, task.started_at + INTERVAL_S - now if task.running is None else 0.0, saving)

    def choose_behind(self, tasks: list[Task]) -> tuple[Task | None, float | None]:
        """While nothing trains: a task that has not seen the model as it is now, or how long to sleep."""
        if running := [task for task in tasks if task.running is not None]:
            return min(running, key=by_turn), 0.0
        if self._copy.pending:
            if self._copy.remaining_s > 0:
                return None, self._copy.remaining_s
            self._copy.settle()
        if not self._buffer.withdraw():
            return None, SOON_S
        snapshot = self._buffer.snapshot
        if snapshot is not None and self._buffer.shadow.is_current():
            behind = [task for task in tasks if task.source is not snapshot]
            return (min(behind, key=by_turn), 0.0) if behind else (None, TICK_S)
        still = self._situation.still_s >= 2 * TICK_S
        if self._situation.readable and still and self._copy.begin():
            return None, self._copy.remaining_s
        self._buffer.offer()
        return None, TICK_S
