"""Which layers a model has, and that their values are those of the forward pass."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnwidgets.analysis import capture, channels_first, layer_names, record
from nnwidgets.shadow import shadow_module


class Residual(nn.Module):
    """The residual sum overwrites a value and feeds an in-place ReLU that is used twice, as in torchvision."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 2, 3, padding=1)
        self.conv2 = nn.Conv2d(2, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(self.relu(self.conv1(x)))
        out += x
        return self.relu(out)  # type: ignore[no-any-return]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU())
        self.block = Residual()
        self.head = nn.Linear(2 * 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.stem(x)).flatten(1))  # type: ignore[no-any-return]


@pytest.fixture
def model() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return torch.randn(2, 1, 4, 4, generator=generator)


def test_layers_are_leaves_and_containers_that_compute_in_forward_order(model: Net, images: Tensor) -> None:
    layers = layer_names(model, (images,))

    assert [layer.name for layer in layers] == [
        "stem.0", "stem.1", "stem.2", "block.conv1", "block.relu", "block.conv2", "block.relu:2", "block", "head",
    ]  # fmt: skip
    assert [layer.call for layer in layers] == [1, 1, 1, 1, 1, 1, 2, 1, 1]
    assert layers[-2].kind == "Residual"
    assert layers[-1].shape == (2, 3)


def test_values_are_those_of_the_forward_pass_written_out(model: Net, images: Tensor) -> None:
    with torch.no_grad():
        stem = functional.relu(model.stem[1](model.stem[0](images)))
        conv1 = model.block.conv1(stem)
        conv2 = model.block.conv2(conv1.clamp(min=0))
        block = (conv2 + stem).clamp(min=0)
        expected = {
            "block.conv1": conv1,  # overwritten by the in-place ReLU after it
            "block.relu": conv1.clamp(min=0),
            "block.conv2": conv2,  # overwritten by the residual sum
            "block.relu:2": block,
            "block": block,
            "head": model.head(block.flatten(1)),
        }

    values = capture(model, images)

    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, rtol=0, atol=0, msg=name)


def test_naming_layers_gives_those_and_the_same_values(model: Net, images: Tensor) -> None:
    every = capture(model, images)

    some = capture(model, images, layers=["block.relu:2", "stem"])

    assert list(some) == ["stem", "block.relu:2"]  # forward order; "stem" computes nothing itself but was asked for
    torch.testing.assert_close(some["block.relu:2"], every["block.relu:2"], rtol=0, atol=0)
    torch.testing.assert_close(some["stem"], every["stem.2"], rtol=0, atol=0)


def test_nothing_is_left_on_the_model_and_its_mode_and_statistics_stay(model: Net, images: Tensor) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()

    values = capture(model, images)

    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert not any(value.requires_grad for value in values.values())


def test_hooks_are_removed_when_the_model_or_the_callback_raises(model: Net, images: Tensor) -> None:
    def fail(_name: str, _value: Tensor) -> None:
        raise RuntimeError("from the callback")

    private = shadow_module(model)
    with pytest.raises(RuntimeError, match="from the callback"):
        record(private, (images,), on_activation=fail)
    with pytest.raises(RuntimeError, match="shape"):
        record(private, (images[:, :, :2],))

    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in private.modules())


def test_the_callback_gets_every_value_while_the_model_runs(model: Net, images: Tensor) -> None:
    sums: dict[str, float] = {}

    output = record(model, (images,), on_activation=lambda name, value: sums.update({name: float(value.sum())}))

    assert sums == {name: float(value.sum()) for name, value in capture(model, images).items()}
    torch.testing.assert_close(output, model(images), rtol=0, atol=0)
    assert not output.requires_grad


def test_autocast_of_the_caller_does_not_reach_the_values(model: Net, images: Tensor) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = capture(model, images)

    assert {value.dtype for value in values.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("block.conv3", "'block.conv3' is not a layer.*block.conv1, block.conv2"),
        ("block.relu:0", "'block.relu:0' is not a layer"),
        ("block.relu:3", "'block.relu:3' was not called"),
    ],
)
def test_an_unknown_layer_is_an_error_that_lists_the_nearest(
    model: Net, images: Tensor, layer: str, message: str
) -> None:
    with pytest.raises(KeyError, match=message):
        capture(model, images, layers=[layer])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.rnn = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x: Tensor, *, scale: float = 1.0) -> Any:
        mixed, weights = self.attention(x, x, x)
        return {"logits": self.rnn(scale * mixed)[0], "weights": weights}


def test_attention_and_lstm_give_the_first_tensor_of_their_output(generator: torch.Generator) -> None:
    torch.manual_seed(0)
    model = Attention().eval()
    tokens = torch.randn(3, 5, 8, generator=generator)

    values = capture(model, {"x": tokens, "scale": 0.5})

    assert {name: tuple(value.shape) for name, value in values.items()} == {"attention": (3, 5, 8), "rnn": (3, 5, 4)}
    torch.testing.assert_close(values["attention"], model.attention(tokens, tokens, tokens)[0], rtol=0, atol=1e-6)


def test_containers_that_only_view_or_copy_are_not_layers() -> None:
    class Reorder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.linear(x)
            return x.transpose(0, 1)[None].contiguous().to(torch.float64)

    class Scale(Reorder):
        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x) * 2  # type: ignore[no-any-return]

    class InPlace(Reorder):
        def forward(self, x: Tensor) -> Tensor:
            x = self.linear(x)
            x[0] = 0.0
            return x

    def names(container: nn.Module) -> list[str]:
        return [layer.name for layer in layer_names(nn.Sequential(container), (torch.ones(2, 2),))]

    assert names(Reorder()) == ["0.linear"]
    assert names(Scale()) == ["0.linear", "0"]
    assert names(InPlace()) == ["0.linear", "0"]


def test_a_model_that_is_a_leaf_goes_by_its_class() -> None:
    assert [layer.name for layer in layer_names(nn.Linear(2, 3), (torch.ones(1, 2),))] == ["Linear"]


def test_a_parametrised_convolution_is_one_leaf() -> None:
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 2, 3)))

    assert [layer.name for layer in layer_names(model, (torch.ones(1, 1, 4, 4),))] == ["0"]


def test_an_exception_that_the_model_catches_does_not_confuse_what_is_whose() -> None:
    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("not today")

    class Forgives(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fails, self.linear = Fails(), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            try:
                return self.fails(x)  # type: ignore[no-any-return]
            except RuntimeError:
                return self.linear(x) + 1  # type: ignore[no-any-return]

    layers = layer_names(nn.Sequential(Forgives()), (torch.ones(1, 2),))

    assert [layer.name for layer in layers] == ["0.linear", "0"]


def test_channels_of_sequences_are_found_from_the_layer_before() -> None:
    conv = nn.Sequential(nn.Conv1d(2, 5, 3), nn.ReLU())
    linear = nn.Sequential(nn.Linear(2, 5), nn.ReLU())

    for model, shape in ((conv, (1, 2, 9)), (linear, (1, 9, 2))):
        last = layer_names(model, (torch.zeros(shape),))[-1]
        assert channels_first(torch.zeros(last.shape), channel_dim=last.channel_dim).shape[1] == 5


def test_inputs_of_a_wrong_kind_are_an_error() -> None:
    with pytest.raises(TypeError, match="inputs: expected a tensor"):
        capture(nn.ReLU(), "abc")


def test_inputs_made_in_inference_mode_can_be_captured() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.layer(x)  # type: ignore[no-any-return]

    model = nn.Sequential(Residual())
    with torch.inference_mode():
        inputs = torch.ones(2, 3)
    values = capture(model, inputs)
    assert list(values) == ["0.layer", "0"]
    assert torch.equal(values["0"], inputs + values["0.layer"])


def test_a_live_model_in_training_mode_is_only_read(model: Net, images: Tensor) -> None:
    model.train()
    running = {name: value.clone() for name, value in model.state_dict().items()}
    during: list[bool] = []

    def look(_name: str, _value: Tensor) -> None:
        during.append(any(module._forward_hooks or module._forward_pre_hooks for module in model.modules()))

    record(model, images, on_activation=look)
    layer_names(model, images)
    assert during
    assert not any(during)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, running[name]) for name, value in model.state_dict().items())


def test_layers_may_be_what_layer_names_returned(model: Net, images: Tensor) -> None:
    layers = layer_names(model, images)
    assert list(capture(model, images, layers=layers)) == [layer.name for layer in layers]
    assert list(capture(model, images, layers=layers[1])) == [layers[1].name]
    assert list(capture(model, images, layers=[layers[0], layers[2].name])) == [layers[0].name, layers[2].name]
