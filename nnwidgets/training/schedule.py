"""What the worker does next: which job, from which snapshot, and whether the budget allows it. Knows no thread.

Clicks go first. Background jobs share what the budget earns in equal parts, of which they also pay for what is sent of
theirs: each saves up its own last cost and then is due, so a cheap job is refreshed often and a dear one seldom. When
nothing trains, every wanted job is brought up to date once.
"""

from __future__ import annotations

import weakref
from typing import Protocol

from nnwidgets.analysis.engine.out_of_memory import is_out_of_memory
from nnwidgets.shadow.torch_internals import is_tracing, raised_by_tracer
from nnwidgets.training.budget import Budget
from nnwidgets.training.chunk import Chunk
from nnwidgets.training.extras import Extra
from nnwidgets.training.job import Job
from nnwidgets.training.optimistic_copy import OptimisticCopy
from nnwidgets.training.snapshot import SnapshotBuffer
from nnwidgets.training.task import NEVER, Task
from nnwidgets.training.tasks import Tasks

FRESH_S = 0.1  # a snapshot this young serves further jobs without a new copy
INTERVAL_S = 0.05  # no job is refreshed more often
SPARE_S = 0.1  # earned and not needed now: what may be kept for later
YIELD_AFTER_S = 0.1  # background work on the shadow that a click waits for is stopped after this
STEP_AWAITED_S = 0.4  # how long a click waits for a step before it is answered otherwise
STILL_AWAITED_S = 3.0  # how long a click waits, where nothing is watched, for a model that keeps changing
TICK_S = 0.5  # how often a watch is looked after
SOON_S = 0.005


class Follower(Protocol):
    """A watch, as seen from here."""

    def tick(self) -> None:
        """Do what is to be done twice a second."""

    @property
    def still_s(self) -> float:
        """For how long the weights have not been seen to move."""


class Schedule:
    """Decides for one worker. Any thread may `follow` and `unfollow`; the rest is the worker's."""

    def __init__(
        self, buffer: SnapshotBuffer, budget: Budget, *, readable: bool = True, spare_bytes: int | None = None
    ) -> None:
        self.budget = budget
        self.tasks = Tasks(spare_bytes)
        self.yielding = False  # somebody in the user's thread wants the shadow
        self._buffer = buffer
        self._readable = readable
        self._follower: weakref.ref[Follower] | None = None
        self._optimistic_copy = OptimisticCopy(buffer, budget.clock)
        self._chunk: Chunk | None = None
        self._asked_for_shadow = False
        self._ticked_at = float("-inf")
        self._common_s = 0.0  # what was spent for no task in particular
        self._clicks_s = 0.0  # what answers to clicks have cost, and nobody has paid yet

    def follow(self, follower: Follower, budget: Budget, *, readable: bool) -> None:
        self.budget, self._readable = budget, readable
        self._follower = weakref.ref(follower)

    def unfollow(self, follower: Follower) -> None:
        if self._follower is not None and self._follower() is follower:
            self._follower = None

    def charge_sending(self, seconds: float, job: Job | None = None) -> None:
        """Sending what this job found, or nobody's in particular, took so long. The sending thread's."""
        if not self.budget.idle:
            self.budget.charge_sending(seconds)
            self.tasks.note_sent(job, seconds)

    def charge_call(self, seconds: float, over_s: float) -> None:
        """A call that belongs to no task took so long."""
        if not self.budget.idle:
            self.budget.charge(seconds, over_s=over_s)
            self._common_s += seconds

    @property
    def following(self) -> bool:
        return self._follower is not None

    def let_go(self) -> None:
        """Leave the shadow to the user's thread, as soon as nothing runs on it."""
        self._asked_for_shadow = True

    def wait(self) -> None:
        """Wait until what the last chunk started on its device is done. In any thread but the worker's."""
        if (chunk := self._chunk) is not None:
            chunk.fence.wait()

    def release(self) -> None:
        """Stop everything and let go of all jobs."""
        self._buffer.due = False
        self.tasks.release()

    # Turns.

    def turn(self) -> float | None:
        """Decide and run at most one chunk. Returns the seconds until there may be more to do, None for "when told"."""
        begin = self.budget.cpu_clock()
        idle = self.budget.idle
        pause: float | None = None
        launched_s = chunk_s = charged_s = 0.0
        if self._chunk is None:
            pause = self._decide(self.budget.clock(), owed=not idle)
            launched_s = self._chunk.cpu_s if self._chunk is not None else 0.0
        if (chunk := self._chunk) is not None:
            if chunk.fence.passed():
                self._chunk = None
                (chunk_s, charged_s), pause = chunk.settle(), 0.0
            else:
                pause = chunk.fence.look_again_s
        common_s = self.budget.cpu_clock() - begin - launched_s + self._buffer.take_uncharged_s()
        if not idle:
            self.budget.charge(common_s + chunk_s)
            self._common_s += common_s
            self._clicks_s += chunk_s - charged_s
        return TICK_S if pause is None and self.following else pause

    def _decide(self, now: float, *, owed: bool) -> float | None:
        """Do the next thing that is due, which may be to start a chunk; else returns the seconds to sleep."""
        self._look_after_follower(now)
        arrived = self._buffer.poll()
        if self._asked_for_shadow and arrived:
            self._asked_for_shadow = False
            self._optimistic_copy.abandon()
            self._stop(self.tasks.on_shadow)
            self._buffer.offer()
        pause: float | None = None
        if is_tracing():
            pause = SOON_S
        elif not self._buffer.checked:
            pause = TICK_S
        elif not self.yielding:
            task, pause = self._choose(now)
            if task is not None:
                self._run(task, now, owed=owed)
        # Nobody tells when a copy arrives.
        return pause if arrived else min(pause or TICK_S, self._buffer.look_again_s)

    def _look_after_follower(self, now: float) -> None:
        follower = self._follower() if self._follower is not None else None
        if follower is None:
            self._follower = None
        elif now - self._ticked_at >= TICK_S:
            self._ticked_at = now
            follower.tick()

    def _choose(self, now: float) -> tuple[Task | None, float | None]:
        """The task whose chunk is next, or how long to sleep."""
        tasks = tuple(self.tasks)
        self._ask_for_extras(tasks, now)
        clicked = [task for task in tasks if task.clicked_at is not None]
        if clicked:
            return self._choose_clicked(clicked, now)
        wanted = [task for task in tasks if task.promised or (self.following and task.wanted(now))]
        self._stop([task for task in tasks if task.running is not None and task not in wanted])
        if not wanted:
            return None, None
        return self._choose_behind(wanted) if self.budget.idle else self._choose_due(wanted, now)

    def _run(self, task: Task, now: float, *, owed: bool) -> None:
        """Begin the task if it isn't, and run one chunk."""
        buffer = self._buffer

        def begin(task: Task) -> None:
            if task.running is None and buffer.snapshot is not None:
                task.begin(buffer.snapshot, now, on_replica=self._has_replica(task))

        self._chunk = Chunk(task, begin, owed=owed, buffer=buffer, cpu_clock=self.budget.cpu_clock)
        task.turn_at = self.budget.clock()
        failure, self._chunk.failure = self._chunk.failure, None  # whose frames keep all that the chunk held
        if failure is not None and raised_by_tracer(failure):
            task.interrupt()
        elif failure is not None:
            task.fail(failure, task.turn_at)
            if is_out_of_memory(failure):
                self.tasks.free_memory()

    def _has_replica(self, task: Task) -> bool:
        """Whether there may be a copy of the model for this task alone; without one it keeps the shadow from others."""
        if not task.job.slow:
            return False
        nbytes = self._buffer.shadow.nbytes + self._buffer.needed_bytes(task.job.snapshot_extras)
        return self.tasks.has_room(nbytes, instead_of=task.replica_bytes)

    def _ask_for_extras(self, tasks: tuple[Task, ...], now: float) -> None:
        """Have snapshots carry what wanted jobs ask for, or tell those jobs that there is no room for it."""
        asking = [task for task in tasks if task.job.snapshot_extras and self._asked_for(task, now)]
        kinds = frozenset[Extra]().union(*(task.job.snapshot_extras for task in asking))
        if kinds == self._buffer.extras or not self._buffer.withdraw():
            return
        nbytes = self._buffer.needed_bytes(kinds)
        if not self.tasks.has_room(nbytes, instead_of=self.tasks.extra_bytes):
            text = f"{' and '.join(sorted(kinds))}: expected room for {nbytes / 1e6:,.0f} MB more; raise max_memory"
            for task in asking:
                task.fail(MemoryError(text), now)
            kinds = frozenset()
        self._buffer.extras = kinds
        self.tasks.extra_bytes = self._buffer.extra_bytes

    def _asked_for(self, task: Task, now: float) -> bool:
        if task.running is not None or task.clicked_at is not None or task.promised:
            return True
        return self.following and task.wanted(now)

    def _stop(self, tasks: list[Task]) -> None:
        for task in tasks:
            task.stop()

    # Clicks.

    def _choose_clicked(self, clicked: list[Task], now: float) -> tuple[Task | None, float | None]:
        lacking = [task for task in clicked if task.running is None and not self._answerable(task)]
        ready = [task for task in clicked if task not in lacking]
        if ready:
            task = min(ready, key=_quick_first)
            if self.budget.allows_click(slow=task.job.slow):
                return task, 0.0
            task.promise()  # it has borrowed enough, and goes on in the background's turn
            return None, 0.0
        return self._copy_for(min(lacking, key=_clicked_at), now)

    def _answerable(self, task: Task) -> bool:
        """Whether the buffer's snapshot is no older than the click; ends an offer that stands in the way."""
        if self._optimistic_copy.pending or not self._buffer.withdraw():
            return False
        snapshot = self._buffer.snapshot
        if snapshot is None or task.takes_old:
            return snapshot is not None
        lacks = bool(task.job.snapshot_extras - snapshot.extras.kinds)
        if lacks and self.following and task.copy_tried_at == NEVER:
            return False
        return snapshot.taken_at >= _clicked_at(task) or self._buffer.shadow.is_current()

    def _copy_for(self, task: Task, now: float) -> tuple[Task | None, float | None]:
        """Get the snapshot that a click lacks: from the next step, else by an optimistic copy, else the last one."""
        waited = now - _clicked_at(task)
        if not self._buffer.poll():
            return None, self._buffer.look_again_s
        if in_the_way := self.tasks.on_shadow:
            if waited <= YIELD_AFTER_S:
                return min(in_the_way, key=_turn_at), 0.0
            self._stop(in_the_way)
        if self._optimistic_copy.pending:
            return None, self._settle(task, waited)
        # When a step has spoilt an optimistic copy, the next step is worth waiting for, however long steps take.
        spoilt = task.copy_tried_at != NEVER
        pair = task.job.snapshot_extras and not self.budget.idle  # only steps bring them, and it may take two
        patience_s = STEP_AWAITED_S
        if spoilt or pair:
            patience_s = (3 if pair else 2) * max(STEP_AWAITED_S, self.budget.step_interval_s)
        if self.following and now - max(_clicked_at(task), task.copy_tried_at) < patience_s:
            self._buffer.offer()
            return None, STEP_AWAITED_S / 8
        task.copy_tried_at = now
        if self._readable:
            return None, self._optimistic_copy.remaining_s if self._optimistic_copy.begin() else SOON_S
        task.takes_old = True
        return None, 0.0

    def _settle(self, task: Task, waited: float) -> float:
        """Look whether an optimistic copy is whole; returns the seconds to sleep."""
        if self._optimistic_copy.remaining_s > 0:
            return self._optimistic_copy.remaining_s
        if self._optimistic_copy.settle():
            return 0.0
        task.copy_tried_at = self.budget.clock()
        if not self.following and waited > STILL_AWAITED_S:
            text = "model: expected weights that hold still, got new ones at each look; use inspector.watch()"
            task.fail(RuntimeError(text), self.budget.clock())
        return 0.0

    # The background.

    def _choose_due(self, tasks: list[Task], now: float) -> tuple[Task | None, float | None]:
        """While training: the task that has saved up its cost, in turn."""
        self._optimistic_copy.abandon()
        self._share_out(tasks)
        affordable = [task for task in tasks if self._affordable(task)]
        due = [task for task in affordable if task.running is None and now - task.started_at >= INTERVAL_S]
        ready = [task for task in affordable if task.running is not None]
        ready += [task for task in due if self._unseen(task, now)]
        # A copy that uses up what its first reader needs would be too old when that can be paid.
        worth_copying = due and self.budget.allows(self._buffer.fill_s + min(task.cost_s for task in due))
        if worth_copying and not any(task in ready for task in due) and not self.tasks.on_shadow:
            self._buffer.offer()  # the copy will wake us
        if ready:
            return min(ready, key=_turn_at), 0.0
        saving = (self._saving_s(task, now, len(tasks)) for task in tasks if task not in due)
        return None, min([TICK_S, *saving])

    def _share_out(self, tasks: list[Task]) -> None:
        """Give what was earned, in equal parts, to those who have not saved enough yet."""
        income = self.budget.income(SPARE_S + self._buffer.fill_s + sum(task.cost_s for task in tasks)) - self._common_s
        income += sum(task.charge_sending() for task in self.tasks)
        self._common_s = 0.0
        saving = [task for task in tasks if task.savings < task.cost_s or task.savings < 0]
        for task in saving:
            task.savings += income / len(saving)
        # Savings that nothing stands behind any more would keep others from theirs.
        for task in tasks:
            task.savings -= self._clicks_s / len(tasks)
        self._clicks_s = 0.0

    def _affordable(self, task: Task) -> bool:
        if task.on_shadow:
            return self.budget.allows_more()
        return task.savings >= task.cost_s and self.budget.allows(task.cost_s)

    def _unseen(self, task: Task, now: float) -> bool:
        """Whether the buffer holds a snapshot that is new to this task and as good as a new one."""
        snapshot = self._buffer.snapshot
        if snapshot is None or self._buffer.due or task.source is snapshot:
            return False
        if not task.job.snapshot_extras <= snapshot.extras.kinds:
            return False
        return now - self._buffer.arrived_at < FRESH_S or snapshot.step == self._buffer.step

    def _saving_s(self, task: Task, now: float, sharers: int) -> float:
        """Seconds of training until the task may go on."""
        share, level = self.budget.share, self.budget.level
        if task.on_shadow:
            return max(SOON_S, -level / share)
        saving = max((task.cost_s - task.savings) * sharers / share, (task.cost_s - level) / share)
        return max(SOON_S, task.started_at + INTERVAL_S - now if task.running is None else 0.0, saving)

    def _choose_behind(self, tasks: list[Task]) -> tuple[Task | None, float | None]:
        """While nothing trains: a task whose result is not of the model as it is now."""
        if running := [task for task in tasks if task.running is not None]:
            return min(running, key=_turn_at), 0.0
        if self._optimistic_copy.pending:
            if self._optimistic_copy.remaining_s > 0:
                return None, self._optimistic_copy.remaining_s
            self._optimistic_copy.settle()
        if not self._buffer.withdraw():
            return None, SOON_S
        snapshot = self._buffer.snapshot
        if snapshot is not None and self._buffer.shadow.is_current():
            behind = [task for task in tasks if task.source is not snapshot]
            return (min(behind, key=_turn_at), 0.0) if behind else (None, TICK_S)
        follower = self._follower() if self._follower is not None else None
        if self._readable and follower is not None and follower.still_s >= 2 * TICK_S and self._optimistic_copy.begin():
            return None, self._optimistic_copy.remaining_s
        self._buffer.offer()
        return None, TICK_S


def _quick_first(task: Task) -> tuple[bool, float]:
    return task.job.slow, task.turn_at


def _turn_at(task: Task) -> float:
    return task.turn_at


def _clicked_at(task: Task) -> float:
    return task.clicked_at if task.clicked_at is not None else float("inf")
