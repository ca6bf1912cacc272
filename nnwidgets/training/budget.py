"""What watching may cost: our seconds against the seconds of training."""

from __future__ import annotations

import time
from collections.abc import Callable

IDLE_AFTER_S = 2.0  # no step for this long (and for ten usual steps) means that nothing is training
BORROW_S = 0.5  # clicks may spend this much more than was earned
BORROW_SLOW_S = 0.25  # slow answers may use only this much of it, so that another view's click is still quick
SLACK_S = 0.05  # work that has begun may spend this much more than was earned: about one chunk
USUAL = 0.1  # weight of the newest step in the running mean of the time between steps


class Budget:
    """A token bucket: training seconds earn `share` of themselves, our seconds spend it.

    Training earns for the time between its first and its last step, idle time left out. We spend the wall seconds of
    our hooks, the CPU seconds of the worker and of the thread that sends to the pages, and the seconds that our kernels
    and copies keep a GPU busy. Work done while nothing trains delays nothing and is not counted.

    Every counter has one writing thread, so there is no lock: `stepped`, `ended` and `charge_hook` belong to the
    training thread, `charge_sending` to the thread that sends, everything else to the worker. Any thread may read.

    >>> times = iter([0.0, 1.0, 2.0])
    >>> budget = Budget(0.05, clock=lambda: next(times))
    >>> for _ in range(3):
    ...     budget.stepped()
    >>> budget.charge(0.04)
    >>> budget.overhead
    0.02
    """

    def __init__(
        self,
        share: float = 0.05,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        if isinstance(share, bool) or not hasattr(share, "__float__"):
            raise TypeError(f"budget: expected a share of the training time in (0, 1], got {share!r}; 0.05 means 5 %")
        if not 0 < share <= 1:
            raise ValueError(f"budget: expected a share of the training time in (0, 1], got {share}; 0.05 means 5 %")
        self.share, self.clock, self.cpu_clock = float(share), clock, cpu_clock
        self.training_s = self.hook_s = self.worker_s = self.sending_s = 0.0
        self.step_interval_s = 0.0  # running mean of the time between steps
        self._advance = (0.0, 0.0, 1.0)  # seconds lent, at which training second, over how many to be repaid
        self.last_step_at: float | None = None
        self._forfeited_s = self._seen_training_s = self._seen_outside_s = 0.0

    def stepped(self) -> None:
        """A training step has ended. Training thread."""
        now, last = self.clock(), self.last_step_at
        self.last_step_at = now
        if last is not None:
            gap, limit = now - last, self.idle_after_s
            self.training_s += gap if gap < limit else limit
            self.step_interval_s += USUAL * (min(gap, 10 * limit) - self.step_interval_s)

    def ended(self) -> None:
        """Training has ended; what we do now delays nothing. Training thread."""
        self.last_step_at = None

    def charge_hook(self, seconds: float) -> None:
        """Our code kept the training thread busy for this long. Training thread."""
        self.hook_s += seconds

    def charge_sending(self, seconds: float) -> None:
        """Sending to the pages took this long. Sending thread."""
        self.sending_s += seconds

    def charge(self, seconds: float, *, over_s: float = 0.0) -> None:
        """The worker computed for this long. Worker.

        A rare, expensive piece, such as a saved picture, is repaid over `over_s` seconds of training, so that
        refreshes do not stop for it.
        """
        if over_s > 0:
            self._advance = (self._advanced_s + seconds, self.training_s, over_s)
        self.worker_s += seconds

    @property
    def idle_after_s(self) -> float:
        return max(IDLE_AFTER_S, 10 * self.step_interval_s)

    @property
    def idle(self) -> bool:
        """Whether nothing is training: no step yet, or none for `idle_after_s`."""
        last = self.last_step_at
        return last is None or self.clock() - last > self.idle_after_s

    @property
    def spent_s(self) -> float:
        return self.hook_s + self.worker_s + self.sending_s

    @property
    def overhead(self) -> float:
        """Seconds spent for each second of training, 0 before the second step."""
        return self.spent_s / self.training_s if self.training_s else 0.0

    @property
    def level(self) -> float:
        """Seconds earned and not yet spent; negative while there is a debt."""
        return self.share * self.training_s - self.spent_s - self._forfeited_s + self._advanced_s

    @property
    def _advanced_s(self) -> float:
        seconds, since, over_s = self._advance
        return seconds * max(0.0, 1 - (self.training_s - since) / over_s)

    def income(self, capacity: float) -> float:
        """Seconds earned since the last call, less what hooks and sending spent. Worker.

        Savings beyond `capacity` are dropped.
        """
        training, outside = self.training_s, self.hook_s + self.sending_s - self._advanced_s
        earned = self.share * (training - self._seen_training_s) - (outside - self._seen_outside_s)
        self._seen_training_s, self._seen_outside_s = training, outside
        self._forfeited_s += max(0.0, self.level - capacity)
        return earned

    def allows(self, seconds: float) -> bool:
        """Whether background work of this length may begin."""
        return self.level >= seconds

    def allows_more(self) -> bool:
        """Whether background work that has begun may go on."""
        return self.level > -SLACK_S

    def allows_click(self, *, slow: bool) -> bool:
        """Whether work that somebody waits for may go on. It may borrow; the background then waits for repayment."""
        return self.level > -(BORROW_SLOW_S if slow else BORROW_S) or self.idle
