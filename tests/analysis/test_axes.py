"""Samples and channels are found wherever a layer has them: what a plain hook sees, moved by hand, is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnwidgets.analysis import activation_stats, layer_names, occlusion_map
from nnwidgets.analysis.engine.by_sample import by_sample
from nnwidgets.analysis.engine.layer_calls import LayerInfo

N = 5


class TimesFirst(nn.Module):
    """An LSTM in its default layout: (times, samples, features)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.act, self.head = nn.LSTM(3, 7), nn.Tanh(), nn.Linear(7, 2)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x.transpose(0, 1))
        return self.head(self.act(states)[-1])  # type: ignore[no-any-return]


class ChannelsLast(nn.Module):
    """Maps (samples, height, width, channels) between convolutions, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.LayerNorm(6)
        self.wide, self.gelu, self.back = nn.Linear(6, 10), nn.GELU(), nn.Identity()
        self.head = nn.Linear(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.gelu(self.wide(self.norm(self.conv(x).permute(0, 2, 3, 1))))
        x = self.back(x.permute(0, 3, 1, 2))
        return self.head(x.mean((2, 3)))  # type: ignore[no-any-return]


class Tokens(nn.Module):
    """A ViT before its first Linear: tokens of patches, a class token before them, positions added."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.drop = nn.Conv2d(3, 12, 4, stride=4), nn.Dropout(0.1)
        self.positions = nn.Embedding(5, 12)
        self.first = nn.Parameter(torch.randn(1, 1, 12))
        self.norm, self.head = nn.LayerNorm(12), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1)
        x = self.drop(x + self.positions(torch.arange(5)[None]))
        return self.head(self.norm(x)[:, 0])  # type: ignore[no-any-return]


class Windows(nn.Module):
    """Windows of a picture in the batch: (samples · windows, tokens, channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.mix, self.head = nn.Conv2d(3, 6, 1), nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).unfold(2, 4, 4).unfold(3, 4, 4)  # (n, 6, 2, 2, 4, 4)
        x = self.mix(x.permute(0, 2, 3, 4, 5, 1).reshape(-1, 16, 6))
        return self.head(x.reshape(-1, 64, 8).mean(1))  # type: ignore[no-any-return]


class TimesInBatch(nn.Module):
    """Times folded into the batch, the samples alternating: (times · samples, channels, length)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv1d(1, 4, 3), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        times = x.transpose(0, 1).reshape(-1, 1, x.shape[2])  # (t · n, 1, length)
        return self.head(self.conv(times).mean(2).reshape(x.shape[1], -1, 4).mean(0))  # type: ignore[no-any-return]


class Heads(nn.Module):
    """Attention written out: (samples, heads, tokens, tokens)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.drop, self.out = nn.Linear(8, 24), nn.Dropout(0.1), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        n, t, c = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, 2, 4).permute(2, 0, 3, 1, 4)
        weights = self.drop(functional.softmax(q @ k.transpose(-2, -1), dim=-1))
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, c).mean(1))  # type: ignore[no-any-return]


def images(side: int = 8) -> Tensor:
    return torch.randn(N, 3, side, side)


def sequences(times: int = 9, features: int = 3) -> Tensor:
    return torch.randn(N, times, features)


Move = Callable[[Tensor], Tensor]
# net, inputs, and for some layers how a plain hook's value becomes (samples, channels, positions …).
CASES: list[tuple[type[nn.Module], Tensor, dict[str, Move]]] = [
    (
        TimesFirst,
        sequences(),
        {"lstm": lambda v: v.permute(1, 2, 0), "act": lambda v: v.permute(1, 2, 0), "head": lambda v: v},
    ),
    (TimesFirst, sequences(times=N), {"lstm": lambda v: v.permute(1, 2, 0)}),  # as many times as samples
    (TimesFirst, sequences(times=7), {"lstm": lambda v: v.permute(1, 2, 0)}),  # as many times as channels
    (
        ChannelsLast,
        images(),
        {
            "conv": lambda v: v,
            "norm": lambda v: v.permute(0, 3, 1, 2),
            "wide": lambda v: v.permute(0, 3, 1, 2),
            "gelu": lambda v: v.permute(0, 3, 1, 2),
            "back": lambda v: v,
        },
    ),
    (ChannelsLast, images(6), {"norm": lambda v: v.permute(0, 3, 1, 2), "back": lambda v: v}),  # sides of 6 as channels
    (
        Tokens,
        images(),
        {"patches": lambda v: v, "drop": lambda v: v.transpose(1, 2), "norm": lambda v: v.transpose(1, 2)},
    ),
    (Windows, images(), {"mix": lambda v: v.reshape(N, 4, 16, 8).permute(0, 3, 1, 2)}),
    (TimesInBatch, torch.randn(N, 6, 11), {"conv": lambda v: v.reshape(6, N, 4, 9).permute(1, 2, 0, 3)}),
    (Heads, torch.randn(N, 6, 8), {"qkv": lambda v: v.transpose(1, 2), "drop": lambda v: v}),
]


def hooked(model: nn.Module, *args: Any) -> dict[str, Tensor]:
    """What plain forward hooks on the model itself see."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: seen.update({name: output[0] if isinstance(output, tuple) else output})

    hooks = [child.register_forward_hook(keep(name)) for name, child in model.named_modules() if name]
    with torch.no_grad():
        model.eval()(*args)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize(("net", "inputs", "moves"), CASES)
def test_values_by_sample_are_those_of_a_plain_hook_moved_by_hand(
    net: type[nn.Module], inputs: Tensor, moves: dict[str, Move]
) -> None:
    torch.manual_seed(0)
    model = net()
    layers = {layer.name: layer for layer in layer_names(model, inputs[:2])}
    seen = hooked(model, inputs)
    for name, move in moves.items():
        found = by_sample(seen[name], layers[name], N)
        assert found.of == "samples"
        assert torch.equal(found.values, move(seen[name])), name


@pytest.mark.parametrize(("net", "inputs", "moves"), CASES)
def test_statistics_over_layers_with_any_axes_equal_those_of_the_moved_values(
    net: type[nn.Module], inputs: Tensor, moves: dict[str, Move]
) -> None:
    torch.manual_seed(0)
    model = net()
    seen = hooked(model, inputs)
    found = activation_stats(seen, layers=layer_names(model, inputs[:2]))
    for name, move in moves.items():
        values = move(seen[name]).flatten(2) if seen[name].ndim > 2 else move(seen[name])[..., None]
        torch.testing.assert_close(found[name].mean, values.mean((0, 2)))
        torch.testing.assert_close(found[name].std, values.movedim(1, 0).flatten(1).std(1, correction=0))
        assert found[name].samples == N


def test_what_is_the_same_for_all_samples_is_said_to_be_so() -> None:
    model = Tokens()
    layer = {each.name: each for each in layer_names(model, images()[:2])}["positions"]
    assert (layer.batch_dim, layer.per_sample, layer.channel_dim) == (None, 1, 2)
    found = by_sample(hooked(model, images())["positions"], layer, N)
    assert (found.of, tuple(found.values.shape)) == ("all", (1, 12, 1, 5))


class Experts(nn.Module):
    """Each sample goes to one expert, by the sign of its first feature; the third is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(4, 6), nn.ReLU()) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        scores = x.new_zeros(len(x), 6)
        for at, chosen in enumerate((x[:, 0] > 0, x[:, 0] <= 0)):
            if chosen.any():
                scores[chosen] = self.experts[at](x[chosen])
        return scores


def test_experts_are_found_though_not_every_sample_reaches_them() -> None:
    x = torch.randn(2, 4).abs()
    x[1, 0] = -1
    layers = {each.name: each for each in layer_names(Experts(), x)}
    assert list(layers) == ["experts.0.0", "experts.0.1", "experts.1.0", "experts.1.1", "experts.2.0"]
    assert layers["experts.1.0"].channel_dim == 1
    assert layers["experts.2.0"].unclear.startswith("not called")
    rows = by_sample(torch.arange(12.0).reshape(2, 6), layers["experts.1.0"], 3)
    assert rows.of == "rows"
    assert torch.equal(rows.values, torch.arange(12.0).reshape(2, 6).T[None])


class Blind(nn.Module):
    """Nothing says which axis of what `mix` returns is one of channels."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x * 2).flatten(1)  # type: ignore[no-any-return]


def test_axes_that_cannot_be_told_are_refused_with_what_to_do() -> None:
    (layer,) = layer_names(Blind(), torch.randn(2, 5, 4))
    with pytest.raises(ValueError, match=r'which axis of 2×5×4 holds its channels .* give Inspector\(axes={"mix": …}'):
        by_sample(torch.zeros(2, 5, 4), layer, 2)


class Pairs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.alike = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.alike(x @ x.T)  # type: ignore[no-any-return]


def test_an_output_with_two_axes_of_samples_is_refused() -> None:
    (layer,) = layer_names(Pairs(), torch.randn(3, 4))
    assert layer.unclear == "axes 0 and 1 both follow the number of samples"


class NestedRows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        rows = torch.nested.nested_tensor([x[0, :2], *x[1:]])
        means: list[Tensor] = [each.mean(0) for each in self.embed(rows).unbind()]
        return torch.stack(means)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_rows_are_set_one_after_the_other() -> None:
    x, model = torch.randn(3, 5, 3), NestedRows()
    layer = LayerInfo("embed", "Linear", (3, 5, 4), 1, 2)
    found = by_sample(hooked(model, x)["embed"], layer, 3)
    own = model.embed(torch.cat([x[0, :2], x[1], x[2]]))
    assert found.of == "rows"
    torch.testing.assert_close(found.values[0].T, own)


def test_complex_layers_are_seen_by_their_magnitude() -> None:
    class Spectrum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.rfft(x)  # type: ignore[no-any-return]

    model, x = nn.Sequential(nn.Linear(4, 6), Spectrum()), torch.randn(N, 4)
    layers = {each.name: each for each in layer_names(model, x)}
    found = by_sample(hooked(model, x)["1"], layers["1"], N).values
    assert torch.equal(found, torch.fft.rfft(model[0](x)).abs())


def test_layer_sums_of_occlusion_are_over_the_positions_of_layers_with_channels_last() -> None:
    torch.manual_seed(0)
    model, x = ChannelsLast().eval(), images()[:1]
    found = occlusion_map(model, x, patch=4, stride=4, layers=["gelu"])
    for row, top in enumerate(found.rows):
        for col, left in enumerate(found.cols):
            covered = x.clone()
            covered[:, :, top : top + 4, left : left + 4] = 0
            torch.testing.assert_close(
                found.layer_sums["gelu"][0, row, col].float(), hooked(model, covered)["gelu"].sum((1, 2))[0]
            )
