"""Which click is answered next, and from which snapshot. Clicks go before all other work."""

from __future__ import annotations

from nnwidgets.training.situation import SOON_S, Situation
from nnwidgets.training.tasks import NEVER, Task, by_turn

YIELD_AFTER_S = 0.1  # background work on the shadow that a click waits for is stopped after this
STEP_AWAITED_S = 0.4  # how long a click waits for a step before it is answered otherwise
STILL_AWAITED_S = 3.0  # how long a click waits, where nothing is watched, for a model that keeps changing


def choose_clicked(about: Situation, clicked: list[Task], now: float) -> tuple[Task | None, float | None]:
    """The click whose chunk is next, or how long to sleep.

    Each is answered from a snapshot that is no older than the click: the one in the buffer, the one of the next step,
    or a copy that the worker makes if no step comes.
    """
    lacking = [task for task in clicked if task.running is None and not _answerable(about, task)]
    ready = [task for task in clicked if task not in lacking]
    if ready:
        task = min(ready, key=_quick_first)
        if about.budget.allows_click(slow=task.job.slow):
            return task, 0.0
        task.promise()  # it has borrowed enough, and goes on as background work
        return None, 0.0
    return _copy_for(about, min(lacking, key=_clicked_at), now)


def _answerable(about: Situation, task: Task) -> bool:
    """Whether the buffer has a snapshot for this click. Ends an offer of the shadow, if there is one."""
    if about.copy.pending or not about.buffer.withdraw():
        return False
    snapshot = about.buffer.snapshot
    if snapshot is None or task.takes_old:
        return snapshot is not None
    lacks = bool(task.job.snapshot_extras - snapshot.extras.kinds)
    if lacks and about.following and task.copy_tried_at == NEVER:
        return False
    return snapshot.taken_at >= _clicked_at(task) or about.buffer.shadow.is_current()


def _copy_for(about: Situation, task: Task, now: float) -> tuple[Task | None, float | None]:
    """Get the snapshot that a click needs: from the next step, else by an optimistic copy, else the last one."""
    waited = now - _clicked_at(task)
    if not about.buffer.poll():
        return None, about.buffer.look_again_s
    if in_the_way := about.tasks.on_shadow:
        if waited <= YIELD_AFTER_S:
            return min(in_the_way, key=by_turn), 0.0
        for other in in_the_way:
            other.stop()
    if about.copy.pending:
        return None, _settle(about, task, waited)
    # If a step spoilt an optimistic copy, steps do come: wait for the next one. Only steps bring gradients, and
    # previous weights need two of them.
    spoilt = task.copy_tried_at != NEVER
    steps = 3 if task.job.snapshot_extras and not about.budget.idle else 2 if spoilt else 0
    patience_s = steps * max(STEP_AWAITED_S, about.budget.step_interval_s) or STEP_AWAITED_S
    if about.following and now - max(_clicked_at(task), task.copy_tried_at) < patience_s:
        about.buffer.offer()
        return None, STEP_AWAITED_S / 8
    task.copy_tried_at = now
    if about.readable:
        return None, about.copy.remaining_s if about.copy.begin() else SOON_S
    task.takes_old = True
    return None, 0.0


def _settle(about: Situation, task: Task, waited: float) -> float:
    """Validate an optimistic copy when it is old enough; returns the seconds to sleep."""
    if about.copy.remaining_s > 0:
        return about.copy.remaining_s
    if about.copy.settle():
        return 0.0
    task.copy_tried_at = about.budget.clock()
    if not about.following and waited > STILL_AWAITED_S:
        text = "model: expected weights that hold still, got new ones at each look; use inspector.watch()"
        task.fail(RuntimeError(text), about.budget.clock())
    return 0.0


def _quick_first(task: Task) -> tuple[bool, float]:
    return task.job.slow, task.turn_at


def _clicked_at(task: Task) -> float:
    return task.clicked_at if task.clicked_at is not None else float("inf")
