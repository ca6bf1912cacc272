"""Which models can be copied, and why others cannot. Reads only."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from nnwidgets.shadow.torch_internals import BUFFERS, COMPILED_CALL, PARAMETERS, inside_compiled, is_fake, table_of


class UnsupportedModelError(TypeError):
    """No faithful private copy of the model can be made. The message says why, and what to do instead."""


class UninitializedModelError(UnsupportedModelError):
    """The model has lazy parameters without a shape. It can be copied after one forward pass."""


class BeingTracedError(UnsupportedModelError):
    """The model holds no data while torch.export traces it. It can be copied afterwards."""


def unwrap(model: nn.Module) -> nn.Module:
    """The module inside wrappers of `torch.compile`, `DistributedDataParallel` and `DataParallel`.

    >>> layer = nn.Linear(2, 2)
    >>> unwrap(nn.DataParallel(layer)) is layer
    True
    """
    while (inner := _wrapped(model)) is not None:
        model = inner
    return model


def is_compiled(module: nn.Module) -> bool:
    """Whether `module` runs through `torch.compile`, as a wrapper or in place (`module.compile()`)."""
    return inside_compiled(module) is not None or vars(module).get(COMPILED_CALL) is not None


def refuse_unsupported(model: object) -> None:
    """Raise an error unless the model can be copied.

    Raises:
        UninitializedModelError: Some parameters are lazy and have no shape yet.
        UnsupportedModelError: No faithful copy of the model can be made.
    """
    if not isinstance(model, nn.Module):
        raise UnsupportedModelError(
            f"model: expected a torch.nn.Module, got {type(model).__name__}; pass the module itself"
        )
    for name, module in model.named_modules():
        where = f"model: layer {name!r}" if name else "model"
        if problem := _module_problem(module):
            raise UnsupportedModelError(f"{where}: {problem}")
        for key, tensor in itertools.chain(*(table_of(module, name).items() for name in (PARAMETERS, BUFFERS))):
            if tensor is None:
                continue
            if is_lazy(tensor):
                raise UninitializedModelError(
                    f"{where}: expected initialised parameters, got {key!r} without a shape; "
                    "run one forward pass first, so that the lazy layers learn their shapes"
                )
            if is_fake(tensor):
                raise BeingTracedError(
                    f"{where}, tensor {key!r}: expected data, got a FakeTensor, which has none; wait until the model "
                    "is exported"
                )
            if problem := _tensor_problem(tensor):
                raise UnsupportedModelError(f"{where}, tensor {key!r}: {problem}")


def _module_problem(module: nn.Module) -> str | None:
    if isinstance(module, torch.jit.ScriptModule):
        return (
            "expected an eager module, got a TorchScript module, which can be neither copied by attributes nor hooked; "
            "pass the module it was scripted or traced from"
        )
    eval_method = getattr(vars(module).get("eval"), "__module__", None) or ""
    if _comes_from(module, "torch.export") or eval_method.startswith("torch.export"):
        return (
            "expected an eager module, got a torch.export program, whose training mode is fixed; "
            "pass the module it was exported from"
        )
    if _comes_from(module, "torch.ao.nn.quantized") or _comes_from(module, "torch.ao.nn.intrinsic.quantized"):
        return (
            f"expected plain weights, got the quantised layer {type(module).__name__}, whose weights are packed; "
            "pass the float model"
        )
    if _comes_from(module, "torch.distributed.fsdp"):
        return (
            "expected whole parameters, got FSDP shards, which only a collective of all ranks can assemble; "
            "pass an unsharded copy of the model on one rank"
        )
    return None


def _tensor_problem(tensor: torch.Tensor) -> str | None:
    if any(base.__module__.startswith("torch.distributed.tensor") for base in type(tensor).__mro__):
        return (
            "expected a whole tensor, got a DTensor, which only a collective of all ranks can assemble; "
            "pass an unsharded copy of the model on one rank"
        )
    if tensor.device.type == "meta":
        return "expected data, got a tensor on the meta device, which has none; load the weights first"
    if tensor.is_quantized:
        return f"expected a floating point or integer tensor, got {tensor.dtype}; pass the float model"
    if tensor.is_inference():
        return (
            "expected a normal tensor, got an inference tensor, whose changes cannot be seen; "
            "build the model outside torch.inference_mode()"
        )
    return None


def _wrapped(module: nn.Module) -> nn.Module | None:
    if isinstance(module, (nn.parallel.DistributedDataParallel, nn.DataParallel)):
        return module.module  # type: ignore[no-any-return]
    return inside_compiled(module)


def _comes_from(module: nn.Module, package: str) -> bool:
    bases = (base.__module__ for base in type(module).__mro__)
    return any(base == package or base.startswith(package + ".") for base in bases)
