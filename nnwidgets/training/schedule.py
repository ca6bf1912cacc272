"""What the worker does at each turn: look after the watch, choose a chunk, run it, charge it. Knows no thread."""

from __future__ import annotations

import weakref
from typing import NamedTuple

from nnwidgets.analysis.engine.out_of_memory import is_out_of_memory
from nnwidgets.shadow.torch_internals import is_tracing, raised_by_tracer
from nnwidgets.training.budget import Budget
from nnwidgets.training.clicks import choose_clicked
from nnwidgets.training.extras import Extra
from nnwidgets.training.processor import Processor
from nnwidgets.training.refreshes import Refreshes
from nnwidgets.training.situation import SOON_S, TICK_S, Follower, Situation
from nnwidgets.training.snapshot import OptimisticCopy, SnapshotBuffer
from nnwidgets.training.streams import Fence
from nnwidgets.training.tasks import Job, Task, Tasks


class _Chunk(NamedTuple):
    """A piece of work that was run. What it started on a device may go on until its fence is passed."""

    task: Task
    fence: Fence
    cpu_s: float  # of this thread
    done: bool
    owed: bool  # whether the task is charged; no task is while nothing trains, and all are for a click


class Schedule:
    """Decides for one worker. Any thread may call `follow` and `unfollow`; the rest belongs to the worker."""

    def __init__(
        self, buffer: SnapshotBuffer, budget: Budget, *, readable: bool = True, spare_bytes: int | None = None
    ) -> None:
        self.tasks = Tasks(buffer.copies, spare_bytes)
        self.yielding = False  # somebody in the user's thread wants the shadow
        self.processor = Processor()
        self._buffer = buffer
        self._situation = Situation(buffer, self.tasks, OptimisticCopy(buffer), budget, readable)
        self._refreshes = Refreshes(self._situation)
        self._chunk: _Chunk | None = None
        self._asked_for_shadow = False
        self._ticked_at = float("-inf")

    @property
    def budget(self) -> Budget:
        return self._situation.budget

    def follow(self, follower: Follower, budget: Budget, *, readable: bool) -> None:
        """Do background work for this watch from now on, within this budget."""
        self._situation.budget, self._situation.readable = budget, readable
        self._situation.watch = weakref.ref(follower)

    def unfollow(self, follower: Follower) -> None:
        if self._situation.follower is follower:
            self._situation.watch = None

    def charge_sending(self, seconds: float, job: Job | None = None) -> None:
        """Sending the results of this job (or of none in particular) took this long. Sending thread."""
        if not self.budget.idle:
            self.budget.charge_sending(seconds)
            self.tasks.note_sent(job, seconds)

    def charge_call(self, seconds: float, over_s: float) -> None:
        """A call that belongs to no task took so long."""
        if not self.budget.idle:
            self.budget.charge(seconds, over_s=over_s)
            self._refreshes.note_spent(common_s=seconds, clicks_s=0.0)

    @property
    def following(self) -> bool:
        return self._situation.following

    def let_go(self) -> None:
        """Give the shadow to the user's thread as soon as nothing runs on it."""
        self._asked_for_shadow = True

    def wait(self) -> None:
        """Wait until the device has done what the last chunk started. In any thread but the worker."""
        if (chunk := self._chunk) is not None:
            chunk.fence.wait()

    def release(self) -> None:
        """Stop everything and let go of all jobs."""
        self._buffer.due = False
        self.tasks.release()

    # Turns.

    def turn(self) -> float | None:
        """Run at most one chunk. Returns the seconds until the next turn is worth while, None for "when woken"."""
        begin = self.budget.cpu_clock()
        idle = self.budget.idle
        pause: float | None = None
        launched_s = chunk_s = charged_s = 0.0
        if self._chunk is None:
            pause = self._decide(self.budget.clock(), owed=not idle)
            launched_s = self._chunk.cpu_s if self._chunk is not None else 0.0
        if (chunk := self._chunk) is not None:
            if chunk.fence.passed():
                self._chunk, pause = None, 0.0
                chunk_s = max(chunk.cpu_s, chunk.fence.device_s)
                charged_s = chunk.task.charge(chunk_s, done=chunk.done, owed=chunk.owed)
            else:
                pause = chunk.fence.look_again_s
        common_s = self.budget.cpu_clock() - begin - launched_s + self._buffer.take_uncharged_s()
        if not idle:
            self.budget.charge(common_s + chunk_s)
            self._refreshes.note_spent(common_s=common_s, clicks_s=chunk_s - charged_s)
        return TICK_S if pause is None and self.following else pause

    def _decide(self, now: float, *, owed: bool) -> float | None:
        """Do what is due, which may be to run a chunk; returns the seconds to sleep if none was run."""
        self._look_after_follower(now)
        arrived = self._buffer.poll()
        if self._asked_for_shadow and arrived:
            self._asked_for_shadow = False
            self._situation.copy.abandon()
            for running in self.tasks.on_shadow:
                running.stop()
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
        # No one wakes the worker when a copy arrives.
        return pause if arrived else min(pause or TICK_S, self._buffer.look_again_s)

    def _look_after_follower(self, now: float) -> None:
        follower = self._situation.follower
        if follower is not None and now - self._ticked_at >= TICK_S:
            self._ticked_at = now
            self.processor.look(self.budget)
            follower.tick()

    def _choose(self, now: float) -> tuple[Task | None, float | None]:
        """The task whose chunk is next, or else the seconds to sleep."""
        tasks = tuple(self.tasks)
        self._ask_for_extras(tasks, now)
        clicked = [task for task in tasks if task.clicked_at is not None]
        if clicked:
            return choose_clicked(self._situation, clicked, now)
        wanted = [task for task in tasks if task.promised or (self.following and task.wanted(now))]
        for task in tasks:
            if task not in wanted:
                task.stop()
        if not wanted:
            return None, None
        return self._refreshes.choose_behind(wanted) if self.budget.idle else self._refreshes.choose_due(wanted, now)

    def _run(self, task: Task, now: float, *, owed: bool) -> None:
        """Run one chunk of the task, its first one if none is running.

        Only once the snapshot has arrived: otherwise the chunk's stream would wait for queued training, and the task
        would be charged for that.
        """
        buffer, owed = self._buffer, owed and task.clicked_at is None
        done, failure = False, None
        fence, began_at = Fence(buffer.shadow.devices, buffer.cuda), self.budget.cpu_clock()
        try:
            if task.running is None and buffer.snapshot is not None:
                task.begin(buffer.snapshot, now, on_replica=self._has_replica(task))
            done = task.advance()
        except BaseException as error:
            # SystemExit in an analysis must not end the thread that serves all others.
            failure = error
        cpu_s = self.budget.cpu_clock() - began_at
        self.processor.note(wall_s=self.budget.clock() - now, cpu_s=cpu_s)
        self._chunk = _Chunk(task, fence, cpu_s, done, owed)
        fence.close()
        task.turn_at = self.budget.clock()
        if failure is not None and raised_by_tracer(failure):
            task.interrupt()
        elif failure is not None:
            task.fail(failure, task.turn_at)
            if is_out_of_memory(failure):
                # PyTorch reuses the memory when somebody needs it; `empty_cache` would stall training.
                for each in self.tasks:
                    each.release()
        failure = None  # its frames, this one among them, hold on to all that the chunk used

    def _has_replica(self, task: Task) -> bool:
        """Whether the task gets a copy of the model to itself. Without one, a slow job keeps others off the shadow."""
        if not task.job.slow:
            return False
        nbytes = self._buffer.shadow.nbytes + self._buffer.copies.needed_bytes(task.job.snapshot_extras)
        return self.tasks.has_room(nbytes, instead_of=task.nbytes)

    def _ask_for_extras(self, tasks: tuple[Task, ...], now: float) -> None:
        """Have snapshots carry what wanted jobs need, or tell those jobs that there is no room."""
        asking = [task for task in tasks if task.job.snapshot_extras and self._asked_for(task, now)]
        kinds = frozenset[Extra]().union(*(task.job.snapshot_extras for task in asking))
        if kinds == self._buffer.copies.kinds or not self._buffer.withdraw():
            return
        nbytes = self._buffer.copies.needed_bytes(kinds)
        if not self.tasks.has_room(nbytes, instead_of=self._buffer.copies.nbytes):
            text = f"{' and '.join(sorted(kinds))}: expected room for {nbytes / 1e6:,.0f} MB more; raise max_memory"
            for task in asking:
                task.fail(MemoryError(text), now)
            kinds = frozenset()
        self._buffer.want(kinds)

    def _asked_for(self, task: Task, now: float) -> bool:
        if task.running is not None or task.clicked_at is not None or task.promised:
            return True
        return self.following and task.wanted(now)
