"""A refill copies every kind of live state, notices a changed form, and `is_current` knows whether one is due."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from nnwidgets.shadow import Shadow, _mirror, torch_internals
from tests.shadow.zoo import Convolutional, mlp, noise

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "single": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, foreach=False),
    "foreach": lambda p: torch.optim.Adam(p, lr=0.1, foreach=True),
    "fused": lambda p: torch.optim.AdamW(p, lr=0.1, fused=True),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> None:
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_step_makes_the_shadow_stale_and_a_refill_makes_it_current(name: str) -> None:
    live = Convolutional()
    optimizer = OPTIMIZERS[name](live.parameters())
    shadow = Shadow(live)
    assert shadow.is_current()
    for _ in range(3):
        step(live, optimizer, noise(2, 2, 6, 6))
        assert not shadow.is_current()
        shadow.refill()
        assert shadow.is_current()
        for ours, theirs in zip(shadow.module.state_dict().values(), live.state_dict().values(), strict=True):
            assert torch.equal(ours, theirs)


def test_a_forward_pass_in_training_mode_is_seen_through_the_batch_statistics() -> None:
    live = Convolutional()
    shadow = Shadow(live)
    live(noise(2, 2, 6, 6))
    assert not shadow.is_current()


def test_a_mode_flip_of_the_live_model_changes_nothing() -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    live.eval()
    assert shadow.is_current()
    live.train()
    shadow.refill()
    assert not any(module.training for module in shadow.module.modules())


def test_a_refill_keeps_the_module_as_long_as_the_form_stays() -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    module, weight = shadow.module, shadow.module.get_parameter("0.weight")
    with torch.no_grad():
        live[0].weight.mul_(2.0)
    shadow.refill()
    assert shadow.module is module
    assert shadow.module.get_parameter("0.weight") is weight


def replace_layer(live: Any) -> None:
    live[3] = nn.Linear(8, 5)


def replace_parameter(live: Any) -> None:
    live[0].weight = nn.Parameter(torch.full_like(live[0].weight, 0.5))


def replace_data(live: Any) -> None:
    live[0].weight.data = torch.full_like(live[0].weight, 0.5)


def retype(live: Any) -> None:
    live.double()


def add_buffer(live: Any) -> None:
    live.register_buffer("extra", torch.ones(2))


def add_attribute(live: Any) -> None:
    live.attention = torch.ones(2)


def shrink(live: Any) -> None:
    live[3].weight.data, live[3].bias.data = torch.ones(1, 8), torch.ones(1)


@pytest.mark.parametrize(
    "change", [replace_layer, replace_parameter, replace_data, retype, add_buffer, add_attribute, shrink]
)
def test_a_model_that_changed_its_form_is_followed(change: Callable[[Any], None]) -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    change(live)
    assert not shadow.is_current()
    shadow.refill()
    assert shadow.is_current()
    live.eval()
    x = noise(5, 6).to(live[0].weight.dtype)
    with torch.no_grad():
        assert torch.equal(shadow.run(x), live(x))
    ours, theirs = shadow.module.state_dict(), live.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(ours[key].dtype == value.dtype and torch.equal(ours[key], value) for key, value in theirs.items())


def test_simple_attributes_follow() -> None:
    live: Any = mlp()
    live.temperature = 1.0
    shadow = Shadow(live)
    module: Any = shadow.module
    live.temperature = 0.5
    assert not shadow.is_current()
    shadow.refill()
    assert shadow.module is module
    assert module.temperature == 0.5
    assert shadow.is_current()


def test_what_the_copy_does_to_its_own_attributes_is_undone_by_a_refill() -> None:
    live: Any = mlp()
    live.calls = 0
    shadow = Shadow(live)
    module: Any = shadow.module
    module.calls = 17
    shadow.refill()
    assert module.calls == 0


def test_a_tensor_bound_anew_at_every_step_is_followed() -> None:
    live: Any = mlp()
    live.memory = torch.zeros(3)
    shadow = Shadow(live)
    module = shadow.module
    values = (torch.ones(3), torch.ones(2, 2).double(), None, torch.full((3,), 4.0, requires_grad=True) * 2)
    for value in values:
        live.memory = value
        assert not shadow.is_current()
        shadow.refill()
        assert shadow.module is module
        assert shadow.is_current()
        memory: Any = shadow.module.memory
        if value is None:
            assert memory is None
        else:
            assert torch.equal(memory, value)
            assert not memory.requires_grad
            assert memory.data_ptr() != value.data_ptr()


def test_an_attribute_that_becomes_a_tensor_is_followed() -> None:
    live: Any = mlp()
    live.memory = None
    shadow = Shadow(live)
    live.memory = torch.ones(3)
    shadow.refill()
    live.memory.add_(1.0)
    assert not shadow.is_current()
    shadow.refill()
    module: Any = shadow.module
    assert module.memory.tolist() == [2.0, 2.0, 2.0]
    assert shadow.is_current()


def test_a_sparse_buffer_is_followed() -> None:
    live: Any = mlp()
    live.register_buffer("adjacency", torch.eye(3).to_sparse())
    shadow = Shadow(live)
    live.adjacency.copy_(torch.ones(3, 3).triu().to_sparse())
    shadow.refill()
    module: Any = shadow.module
    assert torch.equal(module.adjacency.to_dense(), torch.ones(3, 3).triu())


def test_two_parameters_over_one_storage_are_both_followed() -> None:
    live: Any = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    live[1].weight = nn.Parameter(live[0].weight.data)
    shadow = Shadow(live)
    with torch.no_grad():
        live[0].weight.fill_(2.0)
    shadow.refill()
    assert torch.equal(shadow.module.get_parameter("1.weight"), live[1].weight)


def test_a_write_during_the_copy_leaves_the_shadow_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    copy = torch_internals.copy_all

    def torn_copy(*args: Any, **kwargs: Any) -> None:
        copy(*args, **kwargs)
        with torch.no_grad():
            live[0].weight.add_(1.0)

    monkeypatch.setattr(_mirror, "copy_all", torn_copy)
    shadow.refill()
    assert not shadow.is_current()


def test_shadows_made_and_refilled_in_inference_mode_stay_usable() -> None:
    live: Any = mlp()
    with torch.inference_mode():
        shadow = Shadow(live)
        shadow.refill()
        output = shadow.run(noise(5, 6).clone())
    shadow.refill()
    assert not output.is_inference()
    assert not any(parameter.is_inference() for parameter in shadow.module.parameters())


def test_a_refill_with_gradients_enabled_keeps_no_graph() -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    with torch.enable_grad():
        shadow.refill()
    assert all(p.grad_fn is None and not p.requires_grad for p in shadow.module.parameters())


@pytest.mark.cuda
def test_a_cuda_model_is_followed_on_its_device_without_waiting() -> None:
    live = Convolutional().cuda()
    optimizer = torch.optim.SGD(live.parameters(), lr=0.1)
    shadow = Shadow(live)
    assert shadow.device == torch.device("cuda", torch.cuda.current_device())
    for _ in range(3):
        step(live, optimizer, noise(2, 2, 6, 6).cuda())
        torch.cuda.set_sync_debug_mode("error")
        try:
            shadow.refill()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        for ours, theirs in zip(shadow.module.state_dict().values(), live.state_dict().values(), strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.cuda
def test_a_cuda_model_can_be_shadowed_on_the_cpu() -> None:
    live: Any = mlp().cuda()
    shadow = Shadow(live, device="cpu")
    with torch.no_grad():
        live[0].weight.add_(1.0)
    shadow.refill()
    assert shadow.device == torch.device("cpu")
    assert torch.equal(shadow.module.get_parameter("0.weight"), live[0].weight.cpu())


@pytest.mark.cuda
def test_a_model_moved_to_cuda_is_followed_there() -> None:
    live: Any = mlp()
    shadow = Shadow(live)
    live.cuda()
    shadow.refill()
    assert shadow.device.type == "cuda"
    assert torch.equal(shadow.module.get_parameter("0.weight"), live[0].weight)


@pytest.mark.cuda
def test_a_cuda_lstm_runs_without_a_warning_about_scattered_weights() -> None:
    live: Any = nn.LSTM(4, 5, num_layers=2).cuda().eval()
    shadow = Shadow(live)
    x = noise(3, 2, 4).cuda()
    with torch.no_grad():
        live.weight_ih_l0.add_(1.0)
        shadow.refill()
        assert torch.equal(shadow.run(x)[0], live(x)[0])
