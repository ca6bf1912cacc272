"""Gradients and the weights of the step before, copied beside a snapshot only while somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from nnwidgets.shadow import Shadow, TensorCopies

Extra = Literal["gradients", "previous"]
NO_STEP = -1


@dataclass(eq=False)
class Extras:
    """What one snapshot has beside its weights, by parameter name. A tied parameter goes by its first name.

    Attributes:
        gradients: The gradients that made the step: `.grad` as the optimizer left it. Parameters without a gradient are
            missing. None if nobody asked, or if the snapshot was not taken at the end of a step.
        previous: The weights at the end of the step before (`snapshot.step - 1`). The step began from them, unless
            something other than the optimizer writes to weights. None as for `gradients`.
        refused: Why the gradient of a parameter is missing, in words.
    """

    gradients: Mapping[str, Tensor] | None = None
    previous: Mapping[str, Tensor] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[Extra]:
        return frozenset(kind for kind in get_args(Extra) if getattr(self, kind) is not None)

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for part in (self.gradients, self.previous) for tensor in (part or {}).values())

    def clone(self, kinds: frozenset[Extra]) -> Extras:
        """A copy of these kinds, for a job that goes on while the next snapshot is taken."""

        def copied(kind: Extra) -> dict[str, Tensor] | None:
            part = getattr(self, kind) if kind in kinds else None
            return None if part is None else {name: tensor.clone() for name, tensor in part.items()}

        return Extras(copied("gradients"), copied("previous"), self.refused)

    def release(self) -> None:
        """Drop everything; nobody needs it any more."""
        self.gradients = self.previous = None


class ExtraCopies:
    """The memory for the extras of the buffer's snapshot. The thread that has the shadow has this memory, too.

    The live model is only read. No gradient is written to, and no graph is kept.
    """

    def __init__(self, shadow: Shadow) -> None:
        self.kinds: frozenset[Extra] = frozenset()
        self._shadow = shadow
        self._builds = 0
        self._memory: dict[Extra, dict[str, Tensor]] = {}
        self._previous_of = NO_STEP

    def want(self, kinds: frozenset[Extra]) -> None:
        """Copy these from now on; memory for others is freed."""
        self.kinds, self._previous_of = kinds, NO_STEP
        self._memory, self._builds = {}, self._shadow.builds
        for kind in kinds:
            # Pinned where the shadow is: a copy there must not wait either.
            self._memory[kind] = {
                name: torch.empty_like(private, requires_grad=False, pin_memory=private.is_pinned())
                for name, (_, private) in self._shadow.parameters().items()
            }

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self._tensors())

    def needed_bytes(self, kinds: frozenset[Extra]) -> int:
        return len(kinds) * sum(private.nbytes for _, private in self._shadow.parameters().values())

    def copy_previous(self, step: int) -> bool:
        """Copy the weights, at the end of a step, unless those of the step before are already here.

        Returns whether it did; the snapshot is then taken at the end of the next step.
        """
        if "previous" not in self.kinds or self._previous_of == step - 1:
            return False
        self._follow_form()
        live, memory = self._live(), self._memory["previous"]
        if any(tensor.shape != memory[name].shape for name, tensor in live.items()):
            return False  # the model was taken apart, which the snapshot will notice
        self._copy(live, memory)
        self._previous_of = step
        return True

    def copy_gradients(self) -> Extras:
        """Copy the gradients, at the end of a step; returns all extras of its snapshot."""
        if not self.kinds:
            return Extras()
        same_form = not self._follow_form()
        previous = self._memory["previous"] if "previous" in self.kinds and same_form else None
        self._previous_of = NO_STEP
        if "gradients" not in self.kinds:
            return Extras(previous=previous)
        found, refused, memory = {}, {}, self._memory["gradients"]
        for name, live in self._live().items():
            gradient = live.grad
            if gradient is None or gradient.shape != memory[name].shape:
                continue
            if gradient.layout is not torch.strided:
                refused[name] = f"gradient: expected a dense one, got {gradient.layout}; use `sparse=False` to see it"
            else:
                found[name] = gradient
        self._copy(found, memory)
        return Extras(gradients={name: memory[name] for name in found}, previous=previous, refused=refused)

    def record_streams(self, streams: Iterable[Any]) -> None:
        """Keep this memory until these CUDA streams have done what they were told so far, whoever drops it."""
        for stream in streams:
            for tensor in self._tensors():
                if tensor.device == stream.device:
                    tensor.record_stream(stream)

    def _tensors(self) -> list[Tensor]:
        return [tensor for part in tuple(self._memory.values()) for tensor in part.values()]

    def _live(self) -> dict[str, Tensor]:
        return {name: live for name, (live, _) in self._shadow.parameters().items()}

    def _follow_form(self) -> bool:
        """Make new memory if the model was taken apart since; returns whether it was."""
        changed = self._builds != self._shadow.builds
        if changed:
            self.want(self.kinds)
        return changed

    @staticmethod
    def _copy(live: Mapping[str, Tensor], memory: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            TensorCopies((tensor, memory[name]) for name, tensor in live.items()).make(wait=False)
