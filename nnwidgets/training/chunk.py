"""One chunk of a task's work, and what it costs on the CPU or on CUDA."""

from __future__ import annotations

from collections.abc import Callable

from nnwidgets.training.snapshot import SnapshotBuffer
from nnwidgets.training.streams import Fence
from nnwidgets.training.task import Task


class Chunk:
    """Runs at once. What it starts on a device may go on after that, until its fence is passed.

    Make it only when the snapshot has arrived. Otherwise its stream would wait for queued training, and the task would
    be charged for that.

    Args:
        begin: Called first, to start the task's work if none is running.
        owed: Whether training goes on, so that the task is charged. The answer to a click is charged to all tasks.

    Attributes:
        cpu_s: CPU seconds of this thread.
        failure: What the task raised.
    """

    def __init__(
        self,
        task: Task,
        begin: Callable[[Task], None],
        *,
        owed: bool,
        buffer: SnapshotBuffer,
        cpu_clock: Callable[[], float],
    ) -> None:
        self.task = task
        self.fence = Fence(buffer.shadow.devices, buffer.cuda)
        self.failure: BaseException | None = None
        self._owed = owed and task.clicked_at is None
        self._done = False
        began_at = cpu_clock()
        try:
            begin(task)
            self._done = task.advance()
        except BaseException as error:
            # SystemExit in an analysis must not end the thread that serves all others.
            self.failure = error
        self.cpu_s = cpu_clock() - began_at
        self.fence.close()

    def settle(self) -> tuple[float, float]:
        """What the chunk has cost in seconds, and how many of them its own task was charged.

        Call it once the fence is passed. The seconds of the stream count if they are more than those of the CPU.
        """
        seconds = max(self.cpu_s, self.fence.device_s)
        return seconds, self.task.charge(seconds, done=self._done, owed=self._owed)
