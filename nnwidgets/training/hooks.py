"""Hooks on optimizers that count the training steps of one model; and what finds steps that no hook sees.

Hooks are removed only in the thread that trains. PyTorch iterates over its table of hooks; removing one from another
thread meanwhile would raise in the user's training loop.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from torch import nn
from torch.optim import Optimizer
from torch.optim import optimizer as optimizer_module
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle

from nnwidgets.shadow.torch_internals import version_if_counted


def holds_parameter(optimizer: Optimizer, model: nn.Module) -> bool:
    """Whether the optimizer steps a parameter of this model."""
    ours = set(map(id, model.parameters()))
    return any(id(parameter) in ours for group in optimizer.param_groups for parameter in group["params"])


class Stepped(Protocol):
    """Is told of each step; held weakly."""

    def after_step(self, optimizer: Optimizer) -> None: ...


def innermost(optimizer: object) -> Optimizer:
    """The optimizer inside wrappers that keep theirs as `.optimizer` (Accelerate, Lightning); TypeError without one."""
    found = optimizer
    while (inner := getattr(found, "optimizer", None)) is not None and inner is not found:
        found = inner
    if not isinstance(found, Optimizer):
        raise TypeError(
            f"optimizer: expected a torch.optim.Optimizer, got {type(optimizer).__name__}; "
            "pass the one that steps this model, or None for any that does"
        )
    return found


def attach(stepped: Stepped, optimizer: Optimizer | None) -> RemovableHandle:
    """Call `stepped.after_step(optimizer)` after each step of this optimizer, or of any in the process (None)."""
    find = weakref.ref(stepped)

    def after_step(optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
        stepped = find()
        if stepped is not None:
            stepped.after_step(optimizer)

    if optimizer is not None:
        return optimizer.register_step_post_hook(after_step)
    return register_optimizer_step_post_hook(after_step)


@dataclass(slots=True)
class _Known:
    """An optimizer, whether it steps our model, and how many parameter groups it had when that was found out."""

    ref: weakref.ref[Optimizer]
    ours: bool
    groups: int
    steps: int


class StepCounter:
    """Counts training steps of one model, stepped by any number of optimizers.

    A training step is over when an optimizer steps that has already stepped in it. This counts as one expects for one
    optimizer, for two that alternate, for one per parameter (stepped in the backward pass), and for one that replaces
    another.
    """

    def __init__(self, model: nn.Module) -> None:
        self.steps = 0  # that have begun to end
        self.hooked = False  # whether an optimizer of this model has stepped since this was last set to false
        self.foreign = 0  # steps of optimizers that hold no parameter of the model
        self._model = model
        self._known: dict[int, _Known] = {}
        self._this_step: set[int] = set()  # ids of the optimizers that have stepped in it
        self._previous = 0  # id of the one that stepped last
        self._closing = 0  # id of the one that stepped last in the step before

    def count(self, optimizer: Optimizer) -> bool:
        """Whether a whole training step has just ended. Training thread, at each step of an optimizer."""
        key = id(optimizer)
        known = self._known.get(key)
        if known is None or known.groups != len(optimizer.param_groups):
            known = self._look_at(optimizer)
        if not known.ours:
            self.foreign += 1
            return False
        self.hooked = True
        if key in self._this_step or not self.steps or self._replaces(known):
            self.steps += 1
            self._this_step = {key}
            self._closing = self._previous or key
        else:
            self._this_step.add(key)
        known.steps += 1
        self._previous = key
        return key == self._closing

    def _replaces(self, known: _Known) -> bool:
        """Whether a new optimizer begins a training step: one that was made later does, a companion does not."""
        if known.steps or not self._previous:
            return False
        previous = self._known.get(self._previous)
        return previous is None or previous.steps > 1

    def _look_at(self, optimizer: Optimizer) -> _Known:
        key, table = id(optimizer), self._known
        before = table.get(key)
        known = table[key] = _Known(
            weakref.ref(optimizer, lambda _: table.pop(key, None)),
            holds_parameter(optimizer, self._model),
            len(optimizer.param_groups),
            before.steps if before is not None else 0,
        )
        return known


def optimizer_at_work(thread: int | None) -> bool:
    """Whether an optimizer is stepping in this thread, by its stack; None: in any."""
    frames = sys._current_frames()
    for frame in frames.values() if thread is None else filter(None, [frames.get(thread)]):
        inner: FrameType | None = frame
        while inner is not None:
            if inner.f_code.co_filename == optimizer_module.__file__:
                return True
            inner = inner.f_back
    return False


class WriteMonitor:
    """How long the weights have been still, and how long they have been moving without a step.

    stepped: whether a step was seen between the last two looks.
    """

    def __init__(self, model: nn.Module, clock: Callable[[], float]) -> None:
        self._model, self._clock = model, clock
        self._steps, self._writes = 0, -1
        self._moved_at = self._step_at = self._since = clock()
        self.stepped = False

    @property
    def seconds(self) -> float:
        return self._clock() - self._moved_at

    @property
    def waiting_s(self) -> float:
        """Seconds since it was made."""
        return self._clock() - self._since

    def look(self, steps: int, *, stepping: bool) -> float:
        """Seconds since the last step if the weights have moved at every look since, outside of steps; else 0."""
        now = self._clock()
        writes = sum(version_if_counted(parameter) or 0 for parameter in self._model.parameters())
        self.stepped = steps != self._steps
        if self.stepped or stepping or writes == self._writes:
            self._step_at = now
        if self.stepped or writes != self._writes:
            self._moved_at = now
        self._steps, self._writes = steps, writes
        return now - self._step_at


_retired: list[RemovableHandle] = []
_retiring = threading.Lock()


def retire(handle: RemovableHandle) -> None:
    """Remove this hook, which does nothing any more, at the next `remove_retired`."""
    _retired.append(handle)


def remove_retired() -> None:
    """Remove retired hooks. In the thread that trains, not inside an optimizer's step."""
    with _retiring:
        while _retired:
            _retired.pop().remove()
