"""A private copy of one model, which follows that model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, final

import torch
from torch import nn

from nnwidgets.shadow._copying import ModelCopier, home
from nnwidgets.shadow._evaluation import FUSED, LAYER_BY_LAYER, Traits, evaluation, run_in, traits_of
from nnwidgets.shadow._mirror import Mirror
from nnwidgets.shadow._support import refuse_unsupported


@final
class Shadow:
    """An eager, eval-mode copy of `model` without the user's hooks. It changes only at `refill()`.

    The live model is read and never written to: no attribute, no hook, no mode, no random number. The copy has its own
    parameters, buffers and attributes, and none of them requires a gradient. Names are those of the model without the
    `_orig_mod.` and `module.` of wrappers. Optimizers, datasets and what cannot be copied are shared by reference, and
    `notes` says so.

    Not thread-safe: do not refill a shadow while another thread runs it.

    Args:
        model: The live model. `torch.compile`, `DistributedDataParallel` and `DataParallel` are unwrapped.
        device: Where the copy lives. Default: beside the model on the CPU and on CUDA, on the CPU for any other device.
        dtype: Store and compute in this dtype what the model has in a wider floating-point one; outputs are float32.
            Default: as in the model.
        notes: What else the user should know about this copy.

    Raises:
        UninitializedModelError: The model has lazy parameters without a shape.
        UnsupportedModelError: No faithful copy can be made (TorchScript, exported, quantised, sharded, meta device,
        ...).

    >>> model = nn.Linear(1, 1, bias=False)
    >>> shadow = Shadow(model)
    >>> _ = nn.init.constant_(model.weight, 3.0)
    >>> shadow.is_current()
    False
    >>> shadow.refill()
    >>> shadow.run(torch.ones(1)), shadow.is_current()
    (tensor([3.]), True)
    """

    module: nn.Module
    """The private copy. A refill may replace it if the live model changed its form, so hold on to the shadow."""
    notes: tuple[str, ...]
    """Sentences for the user: what the copy shares with the live model, and how it differs."""
    builds: int
    """How often the copy was built. What `check_leaks` finds holds for one build."""
    device: torch.device
    """The device of the copy's first parameter or buffer, where inputs belong."""

    def __init__(
        self,
        model: nn.Module,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        refuse_unsupported(model)
        self._live = model
        self._wanted_device = None if device is None else torch.device(device)
        self.dtype = dtype
        self._given_notes = notes
        self._traits = Traits(default_device=torch.get_default_device())
        self.builds = 0
        self._build()

    @property
    def devices(self) -> tuple[torch.device, ...]:
        """The CUDA devices that a refill reads from or writes to, for who orders it among other work; often none."""
        return self._mirror.devices

    @property
    def nbytes(self) -> int:
        """The memory of the copy's tensors, in bytes."""
        return self._mirror.nbytes

    @property
    def draws_random(self) -> bool:
        """Whether `run` draws from private generators. `check_leaks` turns it on for models that draw in eval mode."""
        return self._traits.draws_random

    def refill(self, *, wait: bool = True, before: Callable[[], object] | None = None) -> None:
        """Make the copy equal to the live model: parameters, buffers, tensors and simple values bound to attributes.

        One fused copy per dtype; on CUDA it is enqueued on the current stream and not waited for. A model whose
        modules or parameters were replaced, moved or retyped is copied anew, beside the model where it has moved to;
        that takes as long as making the shadow did. Values inside lists, dicts and objects of the user's are those of
        when the copy was made.

        Args:
            wait: Whether a copy from CUDA to the CPU has arrived on return. If not, whoever uses the shadow must wait
                for the current streams of `devices` first.
            before: Called after the versions of the live tensors are read and before their data is: the place to order
                this thread's stream after those of whoever writes.

        Raises:
            UnsupportedModelError: The live model has become one that cannot be copied.
        """
        if not self._mirror.copy(wait=wait, before=before):
            refuse_unsupported(self._live)
            self._build(before)

    def parameters(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """The live and the private tensor of each parameter, by its name in `module`; tied ones once."""
        live_of = self._mirror.live_of()
        return {
            name: (live_of[id(private)], private)
            for name, private in self.module.named_parameters()
            if id(private) in live_of
        }

    def record_streams(self, streams: Iterable[Any]) -> None:
        """Have the copy's memory outlive what was started on these CUDA streams, wherever the copy is dropped."""
        for stream in streams:
            for tensor in self._mirror.private_tensors():
                if tensor.device == stream.device:
                    tensor.record_stream(stream)

    def is_current(self) -> bool:
        """Whether the live model still is what the last refill copied.

        It compares the identities and version counters of tensors, and simple attributes, but no numbers. So it misses
        writes that PyTorch does not count: in place through `parameter.data`, through NumPy, or by replaying a CUDA
        graph.
        """
        return self._mirror.current()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """The output of the copy's forward pass: in eval mode, without gradients or autocast; see `evaluation`."""
        with evaluation(self.module):
            return self.module(*args, **kwargs)

    def replica(self) -> Shadow:
        """An independent copy of this shadow's present values, for another thread."""
        replica = Shadow(self.module, device=self.device, dtype=self.dtype, notes=self._given_notes)
        replica._traits.draws_random = self.draws_random
        replica._traits.default_device = self._traits.default_device
        replica.notes = self.notes
        return replica

    def refill_from(self, source: Shadow) -> None:
        """Take the values of `source`, the shadow that this one is a replica of. Reads no live tensor."""
        if self._live is source.module:
            self.refill()
        else:  # the source was built again
            self._live = source.module
            self._build()

    def _build(self, before: Callable[[], object] | None = None) -> None:
        # In a user's inference_mode the private tensors would become inference tensors, which nothing could refill.
        with torch.inference_mode(False), torch.no_grad():
            copier = ModelCopier(self._live, device=self._wanted_device, dtype=self.dtype)
            # Check again: torch.export in another thread may have begun or ended during the copy.
            refuse_unsupported(copier.module)
            mirror = Mirror(copier.twins, copier.place)
            mirror.copy(before=before)
            self._mirror = mirror
        self.module = copier.module
        self.builds += 1
        if self.dtype is not None:
            run_in(self.module, self.dtype)
        nested = any(getattr(module, "use_nested_tensor", False) for module in self.module.modules())
        self.notes = (*self._given_notes, *copier.notes, *((LAYER_BY_LAYER,) if nested else ()))
        self.device = self._find_device()
        self._traits.default_device = copier.placed(self._traits.default_device)
        for module in self.module.modules():
            traits_of[module] = self._traits
        self._traits.fused = any(isinstance(module, FUSED) for module in self.module.modules())

    def _find_device(self) -> torch.device:
        for tensor in (*self.module.parameters(), *self.module.buffers()):
            return tensor.device
        return self._wanted_device or home(torch.get_default_device())


def shadow_module(model: nn.Module) -> nn.Module:
    """The module that an analysis may run: `model` itself if it is (part of) a shadow's module, else a private copy.

    >>> model = nn.Linear(2, 2)
    >>> private = shadow_module(model)
    >>> private is model, shadow_module(private) is private
    (False, True)
    """
    return model if model in traits_of else Shadow(model).module
