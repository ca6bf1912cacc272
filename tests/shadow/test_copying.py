"""The private copy computes what the live model computes in eval mode, and shares nothing with it."""

import threading
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributed import FileStore  # type: ignore[attr-defined]
from torch.utils.data import TensorDataset

from nnwidgets.shadow import Shadow, check_leaks, shadow_module, unwrap
from tests.shadow.zoo import ZOO, eval_output, everything_left_alone, first_tensor, mlp, noise, pickled, train

every_model = pytest.mark.parametrize("name", ZOO)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@every_model
def test_after_a_refill_the_copy_gives_the_live_eval_output(name: str) -> None:
    case = ZOO[name]
    live = case.build()
    shadow = Shadow(live)
    # The live one takes the fast path of attention in eval mode, which rounds otherwise.
    atol = 1e-6 if name == "transformer" else 0.0
    for _ in range(3):
        found = first_tensor(shadow.run(*case.args, **case.kwargs))
        torch.testing.assert_close(found, eval_output(live, case), rtol=0, atol=atol)
        train(live, case)
        shadow.refill()


@every_model
def test_training_moves_the_copy_only_at_a_refill(name: str) -> None:
    case = ZOO[name]
    live = case.build()
    shadow = Shadow(live)
    before = first_tensor(shadow.run(*case.args, **case.kwargs)).clone()
    train(live, case)
    assert torch.equal(first_tensor(shadow.run(*case.args, **case.kwargs)), before)
    shadow.refill()
    if list(live.parameters()):
        assert not torch.equal(first_tensor(shadow.run(*case.args, **case.kwargs)), before)
    for (key, value), (key_there, there) in zip(
        unwrap(live).state_dict().items(), shadow.module.state_dict().items(), strict=True
    ):
        assert key.replace("_orig_mod.", "") == key_there
        assert torch.equal(value, there)
        assert value.data_ptr() != there.data_ptr()


@every_model
def test_shadowing_leaves_the_live_model_alone(name: str) -> None:
    case = ZOO[name]
    live = case.build()
    train(live, case, steps=1)
    with everything_left_alone(live):
        shadow = Shadow(live)
        shadow.run(*case.args, **case.kwargs)
        shadow.refill()
        shadow.replica().refill_from(shadow)
        shadow.is_current()
        assert check_leaks(shadow, live, case.args, case.kwargs) == ()


def test_a_shadowed_model_pickles_to_the_same_bytes() -> None:
    live = mlp()
    before = pickled(live)
    Shadow(live).refill()
    assert pickled(live) == before


@every_model
def test_the_copy_is_in_eval_mode_and_wants_no_gradients(name: str) -> None:
    shadow = Shadow(ZOO[name].build())
    assert not any(module.training for module in shadow.module.modules())
    assert not any(parameter.requires_grad for parameter in shadow.module.parameters())
    assert not first_tensor(shadow.run(*ZOO[name].args, **ZOO[name].kwargs)).requires_grad


def test_the_copy_has_none_of_the_users_hooks() -> None:
    module = Shadow(ZOO["hooked"].build()).module
    tables = [(key, value) for child in module.modules() for key, value in vars(child).items() if "hooks" in key]
    assert len(tables) >= 10
    assert all(not table for _, table in tables)


@pytest.mark.parametrize("name", ["compiled", "data parallel"])
def test_the_copy_has_no_wrapper_and_no_prefix_in_its_names(name: str) -> None:
    module = Shadow(ZOO[name].build()).module
    assert type(module) is nn.Sequential
    assert not any("_orig_mod" in key or "module." in key for key in module.state_dict())


def test_a_layer_compiled_in_place_is_eager_in_the_copy() -> None:
    live = mlp()
    live[0].compile(backend="eager")
    shadow = Shadow(live)
    assert shadow.module.get_submodule("0")._compiled_call_impl is None
    assert shadow.notes[0].startswith("torch.compile is left out")


def test_a_distributed_model_is_unwrapped(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        live = nn.parallel.DistributedDataParallel(mlp())
        shadow = Shadow(live)
        with torch.no_grad():
            live.module[0].weight.add_(1.0)
        shadow.refill()
        assert list(shadow.module.state_dict()) == list(live.module.state_dict())
        live.eval()
        assert torch.equal(shadow.run(noise(5, 6)), live(noise(5, 6)))
    finally:
        torch.distributed.destroy_process_group()


def test_tied_weights_stay_tied() -> None:
    module = Shadow(ZOO["tied weights"].build()).module
    assert module.get_parameter("decoder.weight") is module.get_parameter("embedding.weight")


def test_lists_of_weights_and_weak_references_point_into_the_copy() -> None:
    live = nn.LSTM(3, 4)
    private: Any = Shadow(live).module
    assert private._flat_weights[0] is private.weight_ih_l0
    assert private._flat_weight_refs[0]() is private.weight_ih_l0


def test_a_bound_method_is_bound_to_the_copy() -> None:
    private: Any = Shadow(ZOO["attributes"].build()).module
    assert isinstance(private.step, types.MethodType)
    assert private.step.__self__ is private.body


def test_modules_inside_a_plain_object_follow_too() -> None:
    live: Any = ZOO["attributes"].build()
    shadow = Shadow(live)
    nn.init.constant_(live.namespace.inner.weight, 0.25)
    nn.init.constant_(live.unregistered[0].weight, 0.75)
    assert not shadow.is_current()
    shadow.refill()
    private: Any = shadow.module
    assert private.namespace.inner.weight.unique().tolist() == [0.25]
    assert private.unregistered[0].weight.unique().tolist() == [0.75]
    assert not private.namespace.inner.training


def test_what_cannot_be_copied_is_shared_and_said() -> None:
    live: Any = mlp()
    live.lock = threading.Lock()
    live.parts = [nn.Linear(2, 2), threading.Lock()]
    shadow = Shadow(live)
    private: Any = shadow.module
    assert private.lock is live.lock
    assert private.parts[1] is live.parts[1]
    assert private.parts[0] is not live.parts[0]
    assert len(shadow.notes) == 2
    assert "'lock' of the model is shared with the model by reference" in shadow.notes[0]


def test_optimizers_and_datasets_are_shared_not_copied() -> None:
    live: Any = mlp()
    live.optimizer = torch.optim.Adam(live.parameters())
    live.data = TensorDataset(torch.zeros(3, 6))
    shadow = Shadow(live)
    private: Any = shadow.module
    assert private.optimizer is live.optimizer
    assert private.data is live.data
    assert [note for note in shadow.notes if "TensorDataset" in note]


def test_the_copy_forgets_its_trainer() -> None:
    live: Any = mlp()
    live._trainer = types.SimpleNamespace(model=live)
    private: Any = Shadow(live).module
    assert private._trainer is None
    assert live._trainer is not None


def test_a_generator_is_copied_with_its_state() -> None:
    live: Any = ZOO["own generator"].build()
    torch.randn(3, generator=live.generator)
    private: Any = Shadow(live).module
    assert private.generator is not live.generator
    assert torch.equal(torch.randn(3, generator=private.generator), torch.randn(3, generator=live.generator))


def test_an_analysis_gets_the_shadow_itself_and_a_copy_of_anything_else() -> None:
    live = mlp()
    private = shadow_module(live)
    assert private is not live
    assert shadow_module(private) is private
    assert shadow_module(private.get_submodule("0")) is private.get_submodule("0")


def test_a_replica_moves_only_when_told_and_only_to_the_private_values() -> None:
    live = nn.Linear(1, 1, bias=False)
    nn.init.constant_(live.weight, 1.0)
    shadow = Shadow(live)
    replica = shadow.replica()
    nn.init.constant_(live.weight, 2.0)
    replica.refill_from(shadow)
    assert replica.run(torch.ones(1)).item() == 1.0
    shadow.refill()
    assert replica.run(torch.ones(1)).item() == 1.0
    replica.refill_from(shadow)
    assert replica.run(torch.ones(1)).item() == 2.0


def test_a_replica_follows_a_shadow_that_was_copied_anew() -> None:
    live = nn.Sequential(nn.Linear(1, 1, bias=False))
    shadow = Shadow(live)
    replica = shadow.replica()
    live[0] = nn.Linear(1, 3, bias=False)
    shadow.refill()
    replica.refill_from(shadow)
    assert torch.equal(replica.run(torch.ones(1)), shadow.run(torch.ones(1)))
    assert replica.run(torch.ones(1)).shape == (3,)


def test_the_memory_of_the_copy_is_counted_once_per_tied_tensor() -> None:
    assert Shadow(ZOO["tied weights"].build()).nbytes == 7 * 5 * 4
