"""The private names of PyTorch that are used are there, are used in one place only, and can be missing."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.utils import prune
from torch.overrides import TorchFunctionMode

from nnwidgets.shadow import torch_internals
from tests.shadow.zoo import compile_eagerly

PACKAGE = Path(torch_internals.__file__).parents[1]

# No 2.4 can be installed beside the PyTorch of these tests, so this is written down from the history of its sources.
IN_2_4 = {
    "torch.Tensor._version",
    "torch._foreach_copy_",
    "torch._subclasses.fake_tensor.FakeTensor",
    "torch.nn.modules.conv._ConvNd",
    "torch.nn.modules.conv._ConvTransposeNd",
    "torch.nn.modules.module._global_forward_hooks",
    "torch.nn.modules.module._global_forward_pre_hooks",
    "torch.utils._device.DeviceContext",
    "torch.utils._python_dispatch.TorchDispatchMode",
    "torch.utils._python_dispatch._pop_mode",
    "torch.utils._python_dispatch._push_mode",
    "torch.utils._pytree.tree_leaves",
    "torch.utils._pytree.tree_map",
}
MODULE_ATTRIBUTES_IN_2_4 = {
    "training",
    "_parameters",
    "_buffers",
    "_non_persistent_buffers_set",
    "_backward_pre_hooks",
    "_backward_hooks",
    "_is_full_backward_hook",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
    "_modules",
    "_compiled_call_impl",
}


@pytest.mark.parametrize("name", sorted(set(torch_internals.LOOKED_UP)))
def test_a_name_that_is_looked_up_is_there_now_and_in_the_oldest_release(name: str) -> None:
    parts = name.split(".")
    depth = max(at for at in range(1, len(parts)) if importlib.util.find_spec(".".join(parts[:at])) is not None)
    found = importlib.import_module(".".join(parts[:depth]))
    for part in parts[depth:]:
        found = getattr(found, part)
    assert name in IN_2_4


def test_what_a_module_holds_is_known_and_was_there_in_the_oldest_release() -> None:
    module = nn.Linear(1, 1)
    module.compile(backend="eager")
    assert vars(module).keys() - {"in_features", "out_features"} == torch_internals.MODULE_ATTRIBUTES
    assert torch_internals.MODULE_ATTRIBUTES >= MODULE_ATTRIBUTES_IN_2_4


# Names that cannot be looked up, as they belong to instances or are strings: what is used of them works.


def test_tables_of_a_module_hold_its_own_tensors_and_children_none_included() -> None:
    module = nn.Sequential(nn.Linear(1, 1, bias=False))
    module.register_buffer("empty", None)
    assert list(torch_internals.table_of(module[0], torch_internals.PARAMETERS)) == ["weight", "bias"]
    assert torch_internals.table_of(module, torch_internals.BUFFERS) == {"empty": None}
    assert torch_internals.table_of(module, torch_internals.CHILDREN) == {"0": module[0]}


def test_a_pruning_hook_names_its_tensor() -> None:
    layer = nn.Linear(4, 4)
    prune.random_unstructured(layer, "bias", amount=1)
    (hook,) = torch_internals.forward_pre_hooks(layer).values()
    assert torch_internals.pruned_tensor(hook) == "bias"


def test_what_torch_compile_returns_is_known_from_what_it_was_given() -> None:
    layer = nn.Linear(1, 1)
    assert torch_internals.inside_compiled(compile_eagerly(layer)) is layer
    assert torch_internals.inside_compiled(nn.Sequential(layer)) is None
    assert torch_internals.is_compiled_function(torch.compile(len, backend="eager"))
    assert not torch_internals.is_compiled_function(test_a_pruning_hook_names_its_tensor)


def test_global_hooks_are_seen() -> None:
    assert not torch_internals.has_global_hooks()
    handle = register_module_forward_hook(lambda *_: None)
    try:
        assert torch_internals.has_global_hooks()
    finally:
        handle.remove()


def test_arguments_of_an_operation_have_names() -> None:
    assert torch_internals.argument_names(torch.ops.aten.bernoulli.p) == ["self", "p", "generator"]


def test_a_function_mode_sees_no_grad_by_the_names_listed() -> None:
    seen: list[str] = []

    class Names(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.append(func.__name__)
            return func(*args, **(kwargs or {}))

    with Names(), torch.no_grad():
        pass
    assert seen
    assert set(seen) <= torch_internals.GRAD_MODE_CALLS


def test_a_fake_tensor_is_known() -> None:
    with FakeTensorMode():
        fake = torch.ones(2)
    assert torch_internals.is_fake(fake)
    assert not torch_internals.is_fake(torch.ones(2))


def test_writes_to_inference_tensors_are_not_counted() -> None:
    tensor = torch.ones(2)
    before = torch_internals.version(tensor)
    assert torch_internals.version_if_counted(tensor.add_(1)) == before + 1
    with torch.inference_mode():
        assert torch_internals.version_if_counted(torch.ones(2)) is None


def test_a_trace_is_noticed_while_it_goes_on_and_by_the_error_it_raises() -> None:
    noticed: list[bool] = []

    class Traced(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            noticed.append(torch_internals.is_tracing())
            return x

    class Untraceable(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    torch.fx.symbolic_trace(Traced())
    assert noticed == [True]
    assert not torch_internals.is_tracing()
    with pytest.raises(torch.fx.proxy.TraceError) as raised:
        torch.fx.symbolic_trace(Untraceable())
    assert torch_internals.raised_by_tracer(raised.value)
    assert not torch_internals.raised_by_tracer(ValueError())


# A release that lacks the names.


def reloaded(missing: Callable[[str, str], bool], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A second copy of the module that does not find some names."""
    find = importlib.import_module

    def lacking(name: str, package: str | None = None) -> ModuleType:
        found = find(name, package)
        kept = {key: value for key, value in vars(found).items() if not missing(name, key)}
        lacks = ModuleType(name)
        vars(lacks).update(kept)
        return lacks

    spec = importlib.util.spec_from_file_location("lacking_internals", torch_internals.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setattr(importlib, "import_module", lacking)
        spec.loader.exec_module(module)
    return module


def test_without_any_of_the_names_things_work_less_well_and_nothing_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = reloaded(lambda _module, _name: True, monkeypatch)
    assert bare.version(torch.ones(1).add_(1)) == 0
    target = torch.zeros(2)
    bare.copy_all([target], [torch.ones(2)], non_blocking=False)
    assert target.tolist() == [1.0, 1.0]
    assert not bare.is_fake(target)
    point = namedtuple("point", "x y")
    tree = {"a": (1, [2, point(3, 4)])}
    assert bare.map_leaves(lambda leaf: leaf + 1, tree) == {"a": (2, [3, point(4, 5)])}
    assert bare.leaves(tree) == [1, 2, 3, 4]
    assert not bare.has_global_hooks()
    assert isinstance(nn.LazyConv2d(1, 1), bare.CONVOLUTIONS)
    assert isinstance(nn.ConvTranspose1d(1, 1, 1), bare.TRANSPOSED_CONVOLUTIONS)
    assert bare.argument_names(object()) == []
    with bare.thread_device(torch.device("meta")):
        assert torch.ones(1).is_meta
    assert not torch.ones(1).is_meta

    base: Any = bare.ThreadDispatchMode

    class Blind(base):
        def handle(self, func: Any, args: Any, kwargs: Any) -> Any:
            raise AssertionError

    with Blind():
        assert torch.ones(1).item() == 1.0


def test_without_a_way_to_the_stack_a_mode_is_entered_as_pytorch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = reloaded(lambda _module, name: name in ("_push_mode", "_pop_mode"), monkeypatch)
    seen: list[str] = []

    base: Any = lacking.ThreadDispatchMode

    class Names(base):
        def handle(self, func: Any, args: Any, kwargs: Any) -> Any:
            seen.append(str(func))
            return func(*args, **kwargs)

    with Names():
        torch.ones(1).neg()
    assert "aten.neg.default" in seen
    seen.clear()
    torch.ones(1).neg()
    assert seen == []


# One place.

OF_INSTANCES = {
    "_version", "_schema", "_parameters", "_buffers", "_modules", "_orig_mod", "_compiled_call_impl",
    "_forward_pre_hooks", "_forward_hooks", "_tensor_name", "_set_grad_enabled",
}  # fmt: skip


def private_names(path: Path) -> Iterator[str]:
    """What a source file takes from PyTorch under a name with a leading underscore."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torch":
            parts = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            yield from (part for part in parts if part.startswith("_"))
        elif isinstance(node, ast.Import):
            parts = [part for alias in node.names if alias.name.startswith("torch") for part in alias.name.split(".")]
            yield from (part for part in parts if part.startswith("_"))
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if node.attr in OF_INSTANCES or (isinstance(root, ast.Name) and root.id in ("torch", "nn", "F")):
                yield node.attr
        elif isinstance(node, ast.Constant) and node.value in OF_INSTANCES:
            yield str(node.value)


@pytest.mark.parametrize(
    "path",
    [path for part in ("shadow", "analysis", "data") for path in sorted((PACKAGE / part).rglob("*.py"))],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_private_names_are_taken_in_one_module_only(path: Path) -> None:
    if path == Path(torch_internals.__file__):
        assert set(private_names(path)), "this test would see no private name"
    else:
        assert set(private_names(path)) == set()
