"""Follows one training: counts its steps, copies the model between them, keeps what the loop logs."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

import torch
from torch import nn
from torch.optim import Optimizer

from nnwidgets.shadow import Shadow, unwrap
from nnwidgets.training import hooks
from nnwidgets.training.budget import Budget
from nnwidgets.training.fork_lock import register_fork_aware
from nnwidgets.training.history import History
from nnwidgets.training.hooks import WriteMonitor
from nnwidgets.training.scalar_log import ScalarLog
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.worker import Worker

FAILURES_ALLOWED = 3
UNSEEN_AFTER_S = 4.0  # if weights move for this long and no hook sees a step, the user is told
UNSEEN = "no optimizer step seen, though the weights change: call watch.step() after each training step"
FOREIGN_STEPS = 10  # of other models' optimizers alone, over as long, before the user is told
FOREIGN = "an optimizer steps other parameters: the model you inspect is not the one that trains; inspect that one"
SHORT = (
    "the training keeps the processor busy, so that views get too little of it to follow; leave them a core: "
    "torch.set_num_threads(one less than there are)"
)
LOGGED_IN_CAPTURE = (
    "watch.log: tensors of a CUDA graph that is being recorded are left out, as they have no value yet; "
    "log them after each replay"
)

_watches: weakref.WeakKeyDictionary[nn.Module, weakref.ref[Watch]] = weakref.WeakKeyDictionary()


class Watch:
    """Follows the training of a model until it is closed; a second watch of the same model closes the first.

    It only ever reads the training. A step at which nothing is due costs about a microsecond. When the worker asks for
    a snapshot, the next step copies the model into the shadow, on the training stream, and waits for nothing.

    Args:
        optimizer: Count this optimizer's steps. None: those of any optimizer that holds a parameter of the model, also
            one made later.
        budget: Part of the training time that watching may cost, above 0, at most 1.
        first_step: How many steps were made before, if this watch goes on where another ended.
        on_change: Called, from any thread, when the watch ends or has a new note.

    Raises:
        TypeError: `optimizer` is no optimizer.
        ValueError: `optimizer` holds no parameter of the model; `budget` is out of range.
    """

    def __init__(
        self,
        model: nn.Module,
        shadow: Shadow,
        worker: Worker,
        user_thread: UserThread,
        optimizer: Optimizer | None = None,
        *,
        budget: float = 0.05,
        first_step: int = 0,
        on_change: Callable[[], object] | None = None,
    ) -> None:
        inner = None if optimizer is None else hooks.innermost(optimizer)
        if inner is not None and not hooks.holds_parameter(inner, model):
            raise ValueError(
                f"optimizer: expected one that steps parameters of this model, got a {type(inner).__name__} that "
                "holds none of them; pass the one made from model.parameters(), or None for any"
            )
        self.budget = Budget(budget, clock=worker.schedule.budget.clock, cpu_clock=worker.schedule.budget.cpu_clock)
        self.closed = False
        self._notes: list[str] = []
        self.pollers: list[Callable[[], None]] = []
        self._model, self._worker, self._user_thread = model, worker, user_thread
        self._buffer = worker.buffer
        self._on_change = on_change
        self._counter = hooks.StepCounter(model)
        self._first_step = first_step
        self._thread: int | None = None  # the one that trains
        self._failures = 0
        self._log = ScalarLog(self._buffer.cuda)
        self._writes = WriteMonitor(model, self.budget.clock)
        self._replace_previous()
        user_thread.trains_elsewhere = _trains_elsewhere(self)
        readable = all(parameter.device == shadow.device for parameter in model.parameters())
        worker.attach(self, self.budget, readable=readable)
        self._handle = hooks.attach(self, inner)
        self._dropped = weakref.finalize(self, hooks.retire, self._handle)
        self._dropped.atexit = False
        register_fork_aware(self)

    def _replace_previous(self) -> None:
        previous = _watches.get(unwrap(self._model))
        if previous is not None and (watch := previous()) is not None:
            watch.close()
        if self._may_unhook():
            hooks.remove_retired()
        _watches[unwrap(self._model)] = weakref.ref(self)

    # The training thread, at each step of an optimizer.

    def after_step(self, optimizer: Optimizer) -> None:
        """An optimizer has stepped; the hook calls this. Mistakes of ours do not raise into training."""
        if self.closed:
            return
        try:
            if self._counter.count(optimizer):
                self._at_border()
        except Exception as error:
            self._failed(error)

    def _at_border(self) -> None:
        self.budget.stepped()
        self._buffer.step = self.step_count
        self._thread = threading.get_ident()
        if self._buffer.due or self._user_thread.pending:
            self._serve()

    def _serve(self) -> None:
        if self._buffer.capturing:
            return  # a copy made now would become part of the user's graph
        begin = time.perf_counter()
        try:
            if self._buffer.due and not self._worker.holds:
                self._buffer.fill(at_border=True)
            if self._user_thread.pending and self.budget.allows_click(slow=False):
                self._user_thread.run_one(many=self.budget.allows_click(slow=True))
        finally:
            self.budget.charge_hook(time.perf_counter() - begin)

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures >= FAILURES_ALLOWED:
            self.closed = True
            self._worker.schedule.unfollow(self)
            self._note(f"watching stopped, the model could not be copied: {type(error).__name__}: {error}")

    # What a training loop calls.

    def step(self) -> None:
        """Say that a step has ended, in loops that no hook sees. Counts only if no hook saw one since the last call."""
        if self.closed:
            return
        if not self._counter.hooked:
            self._counter.steps += 1
            try:
                self._at_border()
            except Exception as error:
                self._failed(error)
        self._counter.hooked = False

    def log(self, **scalars: float | torch.Tensor) -> None:
        """Keep numbers of this step, such as the loss: `watch.log(loss=loss)`. A tensor on CUDA is not waited for.

        While a CUDA graph is being captured, tensors on CUDA have no values; they are left out, with a note.

        Raises:
            ValueError: A tensor with more than one element.
            TypeError: Something that is no number.
        """
        step = self.step_count
        for name, value in scalars.items():
            if not self._log.add(name, step, value):
                self._note(LOGGED_IN_CAPTURE)

    def logged(self, name: str) -> History[float] | None:
        """What was logged under this name, by step; None if nothing was. Tensors on CUDA are read twice a second."""
        return self._log.history(name)

    def paused(self) -> AbstractContextManager[None]:
        """Within, no thread of ours computes, copies or calls CUDA: for capturing CUDA graphs. Steps still count."""
        return self._worker.held()

    def refresh(self) -> None:
        """Refresh everything on screen: from the next step, or from the present weights if none comes."""
        self._worker.request_all()

    def poll(self) -> None:
        """Serve clicks and user code now: for kernels that can't answer while a cell runs."""
        self._user_thread.drain()
        for poller in tuple(self.pollers):
            poller()

    # What it knows.

    @property
    def step_count(self) -> int:
        """Training steps so far: those that the watch has seen, and `first_step`."""
        return self._first_step + self._counter.steps

    @property
    def overhead(self) -> float:
        """What watching has cost, as part of the training time so far."""
        return self.budget.overhead

    @property
    def training(self) -> bool:
        """Whether a step ended within the last seconds."""
        return not self.closed and not self.budget.idle

    @property
    def still_s(self) -> float:
        """Seconds since the weights were last seen to move. Worker."""
        return self._writes.seconds

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of this watch."""
        return tuple(self._notes)

    def tick(self) -> None:
        """Read the log and look for training that no hook sees. Worker, twice a second."""
        self._log.fetch()
        counter = self._counter
        moving_s = self._writes.look(counter.steps, stepping=hooks.optimizer_at_work(self._thread))
        if moving_s > UNSEEN_AFTER_S:
            self._note(UNSEEN)
        elif self._writes.stepped:
            self._take_back(UNSEEN)
            self._take_back(FOREIGN)
        if self._worker.schedule.processor.short:
            self._note(SHORT)
        else:
            self._take_back(SHORT)
        if not counter.steps and counter.foreign >= FOREIGN_STEPS and self._writes.waiting_s > UNSEEN_AFTER_S:
            self._note(FOREIGN)

    # The end.

    def close(self) -> None:
        """Stop following, and bring what is on screen to the last step. May be called again."""
        if self.closed:
            return
        self.closed = True
        self._dropped.detach()
        hooks.retire(self._handle)
        own_thread = self._may_unhook()
        if own_thread:
            hooks.remove_retired()
        self._worker.schedule.unfollow(self)
        if own_thread and self._counter.steps and not self._worker.closed:
            self._buffer.step = self.step_count
            self.budget.ended()
            self._worker.refill()
            self._worker.request_all()
        if own_thread and not self._buffer.capturing:
            self._log.fetch(wait=True)
        self._changed()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def forked(self) -> None:
        """In a forked child, where the watch is dead."""
        self.closed = True
        self._handle.remove()

    def _may_unhook(self) -> bool:
        """Whether the calling thread is the one that trains, and is not inside an optimizer's step."""
        here = threading.get_ident()
        trains_here = here == (threading.main_thread().ident if self._thread is None else self._thread)
        return trains_here and not hooks.optimizer_at_work(here)

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)
            self._changed()

    def _take_back(self, text: str) -> None:
        if text in self._notes:
            self._notes.remove(text)
            self._changed()

    def _changed(self) -> None:
        if self._on_change is not None:
            self._on_change()


def _trains_elsewhere(watch: Watch) -> Callable[[], bool]:
    find = weakref.ref(watch)

    def trains_elsewhere() -> bool:
        watch = find()
        return watch is not None and watch.training and watch._thread != threading.get_ident()

    return trains_elsewhere
