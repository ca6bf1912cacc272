"""When a training step has ended: hooks on optimizers, counted as steps of one model. Knows nothing of what follows.

Hooks are taken out again in the thread that trains only: PyTorch iterates over its table of hooks, and taking one out
meanwhile, from another thread, would raise in the user's training loop.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

Hook = Callable[[Optimizer, tuple[Any, ...], dict[str, Any]], None]


def holds_parameter(optimizer: Optimizer, model: nn.Module) -> bool:
    """Whether the optimizer steps a parameter of this model."""
    ours = set(map(id, model.parameters()))
    return any(id(parameter) in ours for group in optimizer.param_groups for parameter in group["params"])


class Removable(Protocol):
    def remove(self) -> None: ...


class Stepped(Protocol):
    """What is told of steps; held weakly."""

    def after_step(self, optimizer: Optimizer) -> None: ...


def innermost(optimizer: object) -> Optimizer:
    """The optimizer inside wrappers that keep theirs as `.optimizer` (Accelerate, Lightning).

    Raises:
        TypeError: There is no `torch.optim.Optimizer` in it.
    """
    found = optimizer
    while (inner := getattr(found, "optimizer", None)) is not None and inner is not found:
        found = inner
    if not isinstance(found, Optimizer):
        raise TypeError(
            f"optimizer: expected a torch.optim.Optimizer, got {type(optimizer).__name__}; "
            "pass the one that steps this model, or None for any that does"
        )
    return found


def attach(stepped: Stepped, optimizer: Optimizer | None) -> Removable:
    """Call `stepped.after_step(optimizer)` after each step of this optimizer, or of any in the process (None)."""
    find = weakref.ref(stepped)

    def after_step(optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
        stepped = find()
        if stepped is not None:
            stepped.after_step(optimizer)

    if optimizer is not None:
        return optimizer.register_step_post_hook(after_step)
    return register_optimizer_step_post_hook(after_step)


class _Known:
    """One optimizer: whether it steps our model, and by how many parameter groups that was judged."""

    __slots__ = ("groups", "ours", "ref", "steps")

    def __init__(self, optimizer: Optimizer, ours: bool, forget: Callable[[object], object]) -> None:
        self.ref = weakref.ref(optimizer, forget)
        self.groups = len(optimizer.param_groups)
        self.ours = ours
        self.steps = 0


class StepCounter:
    """Counts training steps of one model, stepped by any number of optimizers.

    A training step ends when an optimizer steps that has already done so since the step began. So one optimizer, two
    that alternate, one for each parameter (stepped in the backward pass) and one that replaces another all count as one
    expects.

    Attributes:
        steps: How many training steps have begun to end.
        hooked: Whether an optimizer of this model has stepped since this was last set to false.

    Args:
        model: Whose parameters an optimizer must hold to count.
    """

    def __init__(self, model: nn.Module) -> None:
        self.steps = 0
        self.hooked = False
        self._model = model
        self._known: dict[int, _Known] = {}
        self._this_step: set[int] = set()  # ids of the optimizers that have stepped in it
        self._previous = 0  # id of the one that stepped last
        self._closing = 0  # id of the one that stepped last in the step before

    def count(self, optimizer: Optimizer) -> bool:
        """Whether the model is between two whole training steps now. Training thread, at each step of an optimizer."""
        key = id(optimizer)
        known = self._known.get(key)
        if known is None or known.groups != len(optimizer.param_groups):
            known = self._look_at(optimizer)
        if not known.ours:
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

    def count_by_hand(self) -> None:
        """One training step that no hook has seen."""
        self.steps += 1

    def _replaces(self, known: _Known) -> bool:
        """Whether an optimizer new to us begins a training step: one made later does, a companion does not."""
        if known.steps or not self._previous:
            return False
        previous = self._known.get(self._previous)
        return previous is None or previous.steps > 1

    def _look_at(self, optimizer: Optimizer) -> _Known:
        key, table = id(optimizer), self._known
        before = table.get(key)
        known = table[key] = _Known(optimizer, holds_parameter(optimizer, self._model), lambda _: table.pop(key, None))
        known.steps = before.steps if before is not None else 0
        return known


_retired: list[Removable] = []
_retiring = threading.Lock()


def retire(handle: Removable) -> None:
    """Have a hook that does nothing any more taken out at the next `remove_retired`."""
    _retired.append(handle)


def remove_retired() -> None:
    """Take retired hooks out. In the thread that trains, outside of optimizers."""
    with _retiring:
        while _retired:
            _retired.pop().remove()
