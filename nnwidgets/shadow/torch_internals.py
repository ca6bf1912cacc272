"""The private names of PyTorch that nnwidgets uses, all in one place. Torch only, below everything.

Each entry names the first release that has it and says what happens in a release without it: something works less well,
but no import fails. PyTorch 2.4, the oldest supported release, has them all.
"""

from __future__ import annotations

import importlib
import operator
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from torch.utils._python_dispatch import TorchDispatchMode

T = TypeVar("T")

LOOKED_UP: list[str] = []
"""The dotted names that were looked up, found or not."""


def _look_up(module: str, name: str) -> Any:
    """What `module.name` is in this release; None where there is no such name."""
    LOOKED_UP.append(f"{module}.{name}")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


# Tensors

version: Callable[[Tensor], int] = (
    (lambda _tensor: 0) if _look_up("torch", "Tensor._version") is None else operator.attrgetter("_version")
)
"""How often PyTorch has counted a write to a tensor (`Tensor._version`, 0.4). Raises for inference tensors.

Missing: always 0, so that a model looks current until its tensors are replaced.
"""


def version_if_counted(tensor: Tensor) -> int | None:
    """The `version` of a tensor; None for an inference tensor, as PyTorch does not count its writes."""
    return None if tensor.is_inference() else version(tensor)


_foreach_copy = _look_up("torch", "_foreach_copy_")
_fake_tensor = _look_up("torch._subclasses.fake_tensor", "FakeTensor")


def copy_all(to: list[Tensor], from_: list[Tensor], *, non_blocking: bool) -> None:
    """Copy tensors of one dtype and device each, in one fused kernel (`torch._foreach_copy_`, 2.1).

    Missing: one after the other.
    """
    if _foreach_copy is not None:
        _foreach_copy(to, from_, non_blocking=non_blocking)
        return
    for target, source in zip(to, from_, strict=True):
        target.copy_(source, non_blocking=non_blocking)


def is_fake(tensor: Tensor) -> bool:
    """Whether the tensor has no data, as under `torch.export` (`FakeTensor`, 1.13).

    Missing: False; such a model then fails where its values are needed.
    """
    return _fake_tensor is not None and isinstance(tensor, _fake_tensor)


# Nested structures

_tree_map, _tree_leaves = (_look_up("torch.utils._pytree", name) for name in ("tree_map", "tree_leaves"))


def map_leaves(function: Callable[[Any], Any], tree: T) -> T:
    """Tuples, lists, dicts and registered classes with each leaf replaced (`torch.utils._pytree.tree_map`, 1.8).

    Missing: registered classes are leaves.
    """
    if _tree_map is not None:
        return _tree_map(function, tree)  # type: ignore[no-any-return]
    return _plain_map(function, tree)  # type: ignore[no-any-return]


def leaves(tree: Any) -> list[Any]:
    """The leaves of tuples, lists, dicts and registered classes (`torch.utils._pytree.tree_leaves`, 2.2).

    Missing: as for `map_leaves`.
    """
    if _tree_leaves is not None:
        return _tree_leaves(tree)  # type: ignore[no-any-return]
    found: list[Any] = []
    _plain_map(found.append, tree)
    return found


def _plain_map(function: Callable[[Any], Any], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _plain_map(function, part) for name, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        parts = [_plain_map(function, part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree)


# Modules. The names in a module's `__dict__` are pickled with it, so they hardly ever change.

PARAMETERS, BUFFERS, CHILDREN = "_parameters", "_buffers", "_modules"
"""Where a module keeps its own tensors and children (0.1), including those that are None."""

HOOK_TABLES = frozenset(name for name in vars(nn.Module()) if "hooks" in name)
"""Where a module of this release keeps its hooks (0.1)."""

COMPILED_CALL = "_compiled_call_impl"
"""What `module.compile()` leaves on the module (2.1). Missing: no module is compiled in place."""

MODULE_ATTRIBUTES = HOOK_TABLES | {
    "training", PARAMETERS, BUFFERS, CHILDREN, "_non_persistent_buffers_set", COMPILED_CALL, "_is_full_backward_hook",
}  # fmt: skip
"""The names in a module's `__dict__` that belong to PyTorch and are not the user's attributes."""

_DYNAMO = "torch._dynamo"
_global_hooks = [
    _look_up("torch.nn.modules.module", name) for name in ("_global_forward_hooks", "_global_forward_pre_hooks")
]


def table_of(module: nn.Module, name: str) -> dict[str, Any]:
    """The module's own `PARAMETERS`, `BUFFERS` or `CHILDREN`. Missing: empty."""
    found: dict[str, Any] = vars(module).get(name, {})
    return found


def forward_pre_hooks(module: nn.Module) -> Mapping[int, Callable[..., Any]]:
    """The module's forward pre-hooks by number (`_forward_pre_hooks`, 0.2). Missing: none."""
    found: Mapping[int, Callable[..., Any]] = vars(module).get("_forward_pre_hooks", {})
    return found


def pruned_tensor(hook: object) -> str:
    """The tensor that a pruning hook masks (`BasePruningMethod._tensor_name`, 1.4). Missing: ""."""
    return str(getattr(hook, "_tensor_name", ""))


def has_global_hooks() -> bool:
    """Whether hooks are registered that run for every module (`_global_forward_hooks`, 1.5). Missing: False."""
    return any(_global_hooks)


def inside_compiled(module: nn.Module) -> nn.Module | None:
    """The module that a `torch.compile` wrapper runs (`OptimizedModule._orig_mod`, 2.0); None for any other.

    Importing the wrapper's class takes seconds, so it is recognised by its module. Missing: None.
    """
    inner: nn.Module | None = table_of(module, CHILDREN).get("_orig_mod")
    return inner if inner is not None and any(_in_dynamo(base.__module__) for base in type(module).__mro__) else None


def is_compiled_function(function: Callable[..., Any]) -> bool:
    """Whether `torch.compile` returned this function, which wraps the user's (2.0). Missing: False."""
    return _in_dynamo(getattr(function, "__globals__", {}).get("__name__", ""))


def _in_dynamo(module: str) -> bool:
    return module == _DYNAMO or module.startswith(_DYNAMO + ".")


_conv, _conv_transpose = (_look_up("torch.nn.modules.conv", name) for name in ("_ConvNd", "_ConvTransposeNd"))

CONVOLUTIONS: tuple[type[Any], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d) if _conv is None else (_conv,)
"""Classes of the convolutions, transposed ones included (`_ConvNd`, 0.1). Missing: those that PyTorch documents."""

TRANSPOSED_CONVOLUTIONS: tuple[type[Any], ...] = (
    (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d) if _conv_transpose is None else (_conv_transpose,)
)
"""Classes of the transposed convolutions (`_ConvTransposeNd`, 1.5). Missing: those that PyTorch documents."""


# Operations and modes

GRAD_MODE_CALLS = frozenset({"_set_grad_enabled", "set_grad_enabled"})
"""The calls that a function mode sees of `torch.no_grad()` and similar (1.5). Missing: it sees none."""

_device_context = _look_up("torch.utils._device", "DeviceContext")


def argument_names(operation: Any) -> list[str]:
    """The names of an operation's arguments (`OpOverload._schema`, 1.11). Missing: none."""
    schema = getattr(operation, "_schema", None)
    return [] if schema is None else [argument.name for argument in schema.arguments]


def thread_device(device: torch.device) -> AbstractContextManager[Any]:
    """A context in which new tensors of this thread are on the device (`torch.utils._device.DeviceContext`, 2.0).

    `with device:` does the same, but also writes a process-wide variable. Missing: it is used all the same.
    """
    return device if _device_context is None else _entered(_device_context(device))


@contextmanager
def _entered(mode: TorchFunctionMode) -> Iterator[None]:
    TorchFunctionMode.__enter__(mode)
    try:
        yield
    finally:
        TorchFunctionMode.__exit__(mode, None, None, None)


_MODES = "torch.utils._python_dispatch"
if not TYPE_CHECKING:
    TorchDispatchMode = _look_up(_MODES, "TorchDispatchMode") or object
_push_mode, _pop_mode = (_look_up(_MODES, name) for name in ("_push_mode", "_pop_mode"))


class ThreadDispatchMode(TorchDispatchMode):
    """A dispatch mode that other threads cannot notice. Override `handle`, not `__torch_dispatch__`.

    PyTorch dispatches by a stack of modes that belongs to one thread. But `TorchDispatchMode.__enter__` also sets flags
    of the whole process, and `__exit__` puts back what it found there. While they are set, `torch.compile` may leave
    code of any thread uncompiled, and after modes of two threads have overlapped they stay set for good. So this class
    pushes itself onto the stack and leaves the flags alone (`_push_mode`, `_pop_mode`, 2.0).

    It also does without `torch._dynamo` in a process that compiles nothing: newer releases would import it when the
    first operation reaches a mode, which takes seconds (`_should_skip_dynamo`).

    Missing: without those two functions the mode is entered as PyTorch does it, flags and all; without
    `TorchDispatchMode` it sees nothing.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __enter__(self) -> ThreadDispatchMode:
        if _DYNAMO in sys.modules:
            _keep_dynamo_out()
        if _push_mode is not None and _pop_mode is not None:
            _push_mode(self)
        elif hasattr(TorchDispatchMode, "__enter__"):
            super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *exception: Any) -> None:
        if _push_mode is not None and _pop_mode is not None:
            _pop_mode()
        elif hasattr(TorchDispatchMode, "__exit__"):
            super().__exit__(*exception)  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # see `_keep_dynamo_out`

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return self.handle(func, args, kwargs or {})

    def handle(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of `func`, an operation that this thread calls. The mode is off in here."""
        raise NotImplementedError


@cache
def _keep_dynamo_out() -> None:
    """Keep `torch.compile` from compiling our modes when compiled code calls an operation."""
    dispatch = ThreadDispatchMode.__torch_dispatch__
    ThreadDispatchMode.__torch_dispatch__ = torch.compiler.disable(dispatch)  # type: ignore[method-assign]


# Tracing

_TRACER = "torch.fx._symbolic_trace"  # not all of torch.fx: a GraphModule may fail by itself


def is_tracing() -> bool:
    """Whether `torch.fx` is tracing a model now, in any thread (`torch.fx._symbolic_trace`, 1.8).

    While it does, also for `torch.export` or `make_fx`, `nn.Module.__call__` is patched for the whole process.
    Missing: False.
    """
    return getattr(nn.Module.__call__, "__globals__", {}).get("__name__") == _TRACER


def raised_by_tracer(error: BaseException) -> bool:
    """Whether the error comes from a tracer that a module ran into. Missing: False."""
    return any(frame.f_globals.get("__name__") == _TRACER for frame, _ in traceback.walk_tb(error.__traceback__))
