"""Copy a model attribute by attribute, reading the live model and writing to the copy only.

`copy.deepcopy` of a whole model fails on non-leaf tensors and copies the user's hooks, datasets and optimizers; hiding
the hooks from it would mean writing to the live model. So this module walks the modules itself and gives
`copy.deepcopy` single attributes only, with a memo that already holds every module and tensor.
"""

from __future__ import annotations

import copy
import types
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Dataset

from nnwidgets.shadow._support import is_compiled, unwrap
from nnwidgets.shadow.torch_internals import (
    BUFFERS,
    CHILDREN,
    COMPILED_CALL,
    HOOK_TABLES,
    PARAMETERS,
    is_compiled_function,
    table_of,
)

SIMPLE = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
"""Immutable values, which copy and model may share."""

_ATOMIC = (*SIMPLE, types.BuiltinFunctionType, types.ModuleType, type)
_BY_REFERENCE = (Optimizer, LRScheduler, Dataset, DataLoader)
_TRAINERS = frozenset({"trainer", "_trainer", "fabric", "_fabric"})


def home(device: torch.device) -> torch.device:
    """Where the copy of a tensor on `device` lives: on the same device for CPU and CUDA, else on the CPU.

    No second thread may touch an mps or xpu device while a model trains on it.
    """
    return device if device.type in ("cpu", "cuda") else torch.device("cpu")


class ModelCopier:
    """Copies one model; afterwards `twins` pairs each live module with its copy, in the order of `named_modules()`."""

    def __init__(self, model: nn.Module, *, device: torch.device | None, dtype: torch.dtype | None = None) -> None:
        self.twins: list[tuple[nn.Module, nn.Module]] = []
        self.notes: list[str] = []
        self._device, self._dtype = device, dtype
        self._names = {id(module): name for name, module in unwrap(model).named_modules()}
        self._memo: dict[int, Any] = {}  # deepcopy's memo: id of the original -> its copy
        self._originals: list[object] = []  # kept alive as long as the memo uses their ids
        self._memo[id(self._memo)] = self._originals  # deepcopy keeps its originals here, too
        self.module = self._copy_module(model)
        self._adopt_deepcopied_modules()

    def placed(self, device: torch.device) -> torch.device:
        """The copy's device for what is on `device` in the live model."""
        return self._device or home(device)

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """A private copy of the data of `tensor`, on the copy's device and in its dtype where that is narrower."""
        narrow = self._dtype is not None and tensor.is_floating_point() and tensor.itemsize > self._dtype.itemsize
        private = tensor.detach().to(self.placed(tensor.device), self._dtype if narrow else tensor.dtype, copy=True)
        return self._pinned(private) if tensor.is_cuda and private.device.type == "cpu" else private

    def _pinned(self, tensor: torch.Tensor) -> torch.Tensor:
        """`tensor` in memory that CUDA can write to while the thread that asked for it goes on."""
        try:
            return tensor.pin_memory()
        except RuntimeError:  # the system gives no more of it, or the tensor is sparse
            self._note("Training waits for each transfer of the private copy: there is no pinned memory for all of it.")
            return tensor

    def copy(self, value: Any) -> Any:
        """A private copy of one attribute value.

        Raises:
            Exception: What `copy.deepcopy` raised for an object it cannot copy.
        """
        if isinstance(value, torch.device):
            return self.placed(value) if value.type != "cpu" else value
        if isinstance(value, _ATOMIC):
            return value
        if id(value) in self._memo:
            return self._memo[id(value)]
        if isinstance(value, torch.Tensor):
            return self._copy_tensor(value)
        if isinstance(value, nn.Module):
            return self._copy_module(value)
        if isinstance(value, torch.Generator):
            return self._remember(value, self._copy_generator(value))
        if isinstance(value, types.FunctionType):
            # `m.forward = torch.compile(m.forward)` wraps a bound method of the live module.
            inner = getattr(value, "__wrapped__", None)
            return self.copy(inner) if inner is not None and is_compiled_function(value) else value
        if isinstance(value, types.MethodType):
            return types.MethodType(value.__func__, self.copy(value.__self__))
        if isinstance(value, weakref.ref):
            target = self._memo.get(id(value()))
            return value if target is None else weakref.ref(target)
        return copy.deepcopy(value, self._memo)

    def _copy_tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        known: torch.Tensor | None = self._memo.get(id(tensor))
        if known is not None:
            return known
        private = self.place(tensor)
        if isinstance(tensor, nn.Parameter):
            private = nn.Parameter(private, requires_grad=False)
        self._remember(tensor, private)
        return private

    def _copy_generator(self, generator: torch.Generator) -> torch.Generator:
        device = self.placed(generator.device)
        private = torch.Generator(device=device)
        if device.type == generator.device.type:
            private.set_state(generator.get_state())
        else:
            private.manual_seed(generator.initial_seed())
        return private

    def _copy_module(self, wrapped: nn.Module) -> nn.Module:
        live = unwrap(wrapped)
        if id(live) not in self._memo:
            # Make all modules before filling any: an attribute may refer to a module that comes later.
            fresh = [module for module in live.modules() if id(module) not in self._memo and unwrap(module) is module]
            for module in fresh:
                twin: nn.Module = object.__new__(type(module))
                self._remember(module, twin)
                self.twins.append((module, twin))
            for module in fresh:
                self._fill(module, self._memo[id(module)])
        if is_compiled(wrapped) or is_compiled(live):
            self._note(
                "torch.compile is left out: the private copy runs eagerly, and compiled kernels may round otherwise."
            )
        private: nn.Module = self._memo[id(live)]
        return private if wrapped is live else self._remember(wrapped, private)

    def _fill(self, live: nn.Module, private: nn.Module) -> None:
        state = list(vars(live).items())  # atomic under the GIL, in case another thread adds an attribute
        kept_hooks = _torch_hooks(live)
        own = vars(private)
        for key, value in state:
            if key in HOOK_TABLES:
                own[key] = OrderedDict((i, self.copy(hook)) for i, hook in value.items() if i in kept_hooks)
            elif key in (PARAMETERS, BUFFERS):
                own[key] = {k: None if tensor is None else self._copy_tensor(tensor) for k, tensor in value.items()}
            elif key == CHILDREN:
                own[key] = {k: None if child is None else self._copy_module(child) for k, child in value.items()}
            elif key == "training":
                own[key] = False
            elif key in _TRAINERS and not isinstance(value, (torch.Tensor, nn.Module)):
                own[key] = None
            elif key != COMPILED_CALL:
                own[key] = self._copy_attribute(live, key, value)
        if isinstance(private, nn.RNNBase):
            private.flatten_parameters()  # else cuDNN warns at every call

    def _copy_attribute(self, live: nn.Module, key: str, value: Any) -> Any:
        """A copy of `live.key`. What cannot be copied is shared by reference and noted; containers go item by item."""
        if type(value) in (list, tuple, dict, OrderedDict) and id(value) not in self._memo:
            return self._copy_container(live, key, value)
        if isinstance(value, _BY_REFERENCE) and not isinstance(value, nn.Module):
            self._note(f"{self._label(live, key)} ({type(value).__name__}) is shared with the model by reference.")
            return value
        try:
            return self.copy(value)
        except Exception as error:  # a user's class may raise anything when copied
            self._note(
                f"{self._label(live, key)} is shared with the model by reference: it cannot be copied ({error})."
            )
            return value

    def _copy_container(self, live: nn.Module, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            table = self._remember(value, type(value)())
            table.update((k, self._copy_attribute(live, f"{key}[{k!r}]", v)) for k, v in list(value.items()))
            return table
        items = (self._copy_attribute(live, f"{key}[{i}]", item) for i, item in enumerate(tuple(value)))
        if isinstance(value, tuple):
            return self._remember(value, tuple(items))
        entries = self._remember(value, [])
        entries.extend(items)
        return entries

    def _adopt_deepcopied_modules(self) -> None:
        """Treat modules that `copy.deepcopy` found inside a user's object like the rest: no hooks, eval mode."""
        ours = {id(private) for _, private in self.twins}
        originals = {id(original): original for original in self._originals}
        for key, private in list(self._memo.items()):
            live = originals.get(key)
            if not isinstance(private, nn.Module) or not isinstance(live, nn.Module) or id(private) in ours:
                continue
            if private is live or unwrap(live) is not live:
                continue
            kept_hooks = _torch_hooks(live)
            for table in HOOK_TABLES & vars(private).keys():
                hooks = vars(private)[table]
                vars(private)[table] = OrderedDict((i, hook) for i, hook in hooks.items() if i in kept_hooks)
            vars(private)["training"] = False
            vars(private).pop(COMPILED_CALL, None)
            for parameter in table_of(private, PARAMETERS).values():
                if parameter is not None:
                    parameter.requires_grad_(False)
            self.twins.append((live, private))

    def _remember(self, original: object, private: Any) -> Any:
        self._memo[id(original)] = private
        self._originals.append(original)
        return private

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _label(self, live: nn.Module, key: str) -> str:
        name = self._names.get(id(live), type(live).__name__)
        return f"Attribute {key!r} of layer {name!r}" if name else f"Attribute {key!r} of the model"


def _torch_hooks(module: nn.Module) -> set[int]:
    """The ids of PyTorch's own hooks, which compute weights: old weight_norm and spectral_norm, pruning."""
    tables: Iterable[dict[int, Any]] = [vars(module)[name] for name in HOOK_TABLES if name in vars(module)]
    return {
        hook_id
        for table in tables
        for hook_id, hook in list(table.items())
        if any(base.__module__.startswith("torch.nn.utils.") for base in type(hook).__mro__)
    }
