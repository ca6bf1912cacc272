"""A model that no faithful copy can be made of is refused with what was expected, what was found, and what to do."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.distributed import HashStore  # type: ignore[attr-defined]
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from nnwidgets.shadow import Shadow, UninitializedModelError, UnsupportedModelError, unwrap
from tests.shadow.zoo import compile_eagerly, mlp, noise


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return nn.Sequential(torch.jit.script(nn.Linear(2, 2)))


def exported() -> nn.Module:
    return torch.export.export(mlp().eval(), (noise(2, 6),)).module()


def quantised() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(mlp(), {nn.Linear})  # type: ignore[no-any-return]


def in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return nn.Linear(2, 2)


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "scripted": (scripted, "layer '0': expected an eager module, got a TorchScript module, .*; pass the module it was"),
    "exported": (exported, "expected an eager module, got a torch.export program, .*; pass the module it was"),
    "quantised": (quantised, "layer '0': expected plain weights, got the quantised layer .*; pass the float model"),
    "meta": (lambda: nn.Linear(2, 2, device="meta"), "'weight': expected data, got a tensor on the meta device"),
    "inference": (in_inference_mode, "'weight': expected a normal tensor, .*; build the model outside"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_unsupported_model_is_refused_with_the_repair(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=message):
        Shadow(build())


def test_a_lazy_model_is_refused_until_its_first_forward_pass() -> None:
    live = nn.Sequential(nn.LazyLinear(4), nn.LazyBatchNorm1d())
    with pytest.raises(UninitializedModelError, match="run one forward pass first"):
        Shadow(live)
    live(noise(3, 5))
    live.eval()
    assert torch.equal(Shadow(live).run(noise(3, 5)), live(noise(3, 5)))


def test_a_sharded_model_is_refused() -> None:
    torch.distributed.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    try:
        live = mlp()
        fully_shard(live, mesh=init_device_mesh("cpu", (1,)))
        with pytest.raises(UnsupportedModelError, match="FSDP shards"):
            Shadow(live)
    finally:
        torch.distributed.destroy_process_group()


def test_something_that_is_no_module_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match=r"expected a torch\.nn\.Module, got function"):
        Shadow(lambda x: x)  # type: ignore[arg-type]


def test_a_model_that_becomes_unsupported_is_refused_at_the_refill() -> None:
    live = mlp()
    shadow = Shadow(live)
    live.to("meta")
    with pytest.raises(UnsupportedModelError, match="meta device"):
        shadow.refill()


def test_wrappers_are_unwrapped_however_deep() -> None:
    layer = nn.Linear(2, 2)
    assert unwrap(nn.DataParallel(compile_eagerly(layer))) is layer
    assert unwrap(layer) is layer
