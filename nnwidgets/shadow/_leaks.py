"""Check that the forward pass of a private copy leaves the live model and the global random numbers alone.

Copying cannot replace a closure over the live model, or a user's object that copies itself by reference. So the copy is
run once under observation, and stopped before it calls a live module or touches a live tensor.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module

from nnwidgets.shadow._mirror import is_strided
from nnwidgets.shadow._random import preserved_random_states, random_states
from nnwidgets.shadow._shadow import Shadow
from nnwidgets.shadow._support import unwrap
from nnwidgets.shadow.torch_internals import ThreadDispatchMode, has_global_hooks, leaves, version_if_counted


def check_leaks(shadow: Shadow, live: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, ...]:
    """Why the shadow must not run in another thread while the model trains, in sentences for the user; () if it may.

    Call it in the thread that owns the model, outside a training step. The forward pass of the shadow stops before a
    live module runs or an operation takes a live tensor, and the random states of PyTorch, NumPy and `random` are
    restored. If the model draws PyTorch random numbers in eval mode, this turns on the shadow's `draws_random` and runs
    again, to see whether private generators leave the global state alone.

    Raises:
        Exception: What the forward pass itself raised.
    """
    watch = _LiveWatch(shadow, unwrap(live))
    reasons = watch.shared_storage()
    if has_global_hooks():
        reasons.append(
            "Global module hooks (register_module_forward_hook) are in place, and would run for the copy too: "
            "remove them."
        )
    versions = watch.versions()
    with preserved_random_states() as before:
        found = watch.run(args, kwargs)
        drawn = _moved(before)
    reasons += found
    if "PyTorch" in drawn and not found:
        shadow._traits.draws_random = True
        with preserved_random_states() as before:
            reasons += watch.run(args, kwargs)
            still = _moved(before)
        if "PyTorch" in still:
            reasons.append("The forward pass draws random numbers that private generators cannot replace.")
    reasons += [
        f"The forward pass draws {library} random numbers, which belong to the whole process."
        for library in ("NumPy", "Python")
        if library in drawn
    ]
    return (*reasons, *watch.written(versions))


class _LeakFound(BaseException):
    """Stops the forward pass. Not an `Exception`, so that the user's code does not catch it."""


class _LiveWatch(ThreadDispatchMode):
    """Runs the shadow and stops it at the first live module or live tensor that it uses."""

    def __init__(self, shadow: Shadow, live: nn.Module) -> None:
        super().__init__()
        self._shadow = shadow
        self._live = {id(module): name for name, module in live.named_modules()}
        self._private = shadow._mirror.private_modules()
        self._tensors = dict(_named_tensors(live))
        self._pointers = {pointer: name for name, tensor in self._tensors.items() if (pointer := _pointer(tensor))}
        self._reasons: list[str] = []

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
        """Run one forward pass and return the reasons for which it was stopped."""
        self._reasons = []
        thread = threading.get_ident()

        def before_forward(module: nn.Module, inputs: Any) -> None:
            if threading.get_ident() == thread and id(module) not in self._private:
                self._judge_foreign(module)

        # A global hook touches no module of the user's. It acts in this thread only and goes after this call.
        handle = torch_module.register_module_forward_pre_hook(before_forward)
        try:
            with self, contextlib.suppress(_LeakFound):
                self._shadow.run(*args, **kwargs)
        finally:
            handle.remove()
        return self._reasons

    def handle(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for leaf in leaves((args, kwargs)):
            if isinstance(leaf, torch.Tensor) and (name := self._pointers.get(_pointer(leaf))):
                self._stop(
                    f"The copy's forward pass uses the live tensor {name!r}: a closure or object still refers to it."
                )
        return func(*args, **kwargs)

    def _judge_foreign(self, module: nn.Module) -> None:
        kind = type(module).__name__
        if id(module) in self._live:
            self._stop(
                f"The copy's forward pass calls {kind} {self._live[id(module)]!r} of the live model: "
                "a lambda, closure or patched method still refers to it."
            )
        # A module made on the fly, as `nn.ReLU()(x)`, and a frozen network in eval mode are harmless.
        if module.training and next(_named_tensors(module), None):
            self._stop(f"The copy's forward pass calls a {kind} in training mode that is no part of the model.")

    def shared_storage(self) -> list[str]:
        """One reason for each tensor of the copy that shares memory with the live model."""
        shared = [self._pointers.get(_pointer(tensor)) for tensor in self._shadow._mirror.private_tensors()]
        return [f"The copy of tensor {name!r} shares its memory with the live model." for name in shared if name]

    def versions(self) -> dict[str, int]:
        counted = ((name, version_if_counted(tensor)) for name, tensor in self._tensors.items())
        return {name: version for name, version in counted if version is not None}

    def written(self, before: dict[str, int]) -> list[str]:
        """One reason for each live tensor that was written to since `before`."""
        moved = [name for name, version in self.versions().items() if before.get(name, version) != version]
        return [f"The forward pass of the copy wrote to the live tensor {name!r}." for name in moved]

    def _stop(self, reason: str) -> None:
        self._reasons.append(reason)
        raise _LeakFound


def _named_tensors(live: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from live.named_parameters()
    yield from live.named_buffers()
    for name, module in live.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                yield f"{name}.{key}" if name else key, value


def _pointer(tensor: torch.Tensor) -> int:
    """The address of the tensor's storage; 0 for tensors without one of their own."""
    return tensor.untyped_storage().data_ptr() if is_strided(tensor) else 0


def _moved(before: dict[str, Any]) -> set[str]:
    """The libraries whose random state is another one now."""
    now = random_states()
    return {library for library in before if _fingerprint(now[library]) != _fingerprint(before[library])}


def _fingerprint(state: Any) -> bytes:
    tensors = [leaf for leaf in leaves(state) if isinstance(leaf, torch.Tensor)]
    return b"".join(tensor.numpy().tobytes() for tensor in tensors) if tensors else pickle.dumps(state)
