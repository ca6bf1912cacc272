"""Small nets of many kinds, each with data it can learn, for tests that train."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

N = 96
CLASSES = 3


@dataclass(frozen=True)
class Net:
    """How a net is built and what it is trained on: inputs (N, …) and labels (N,)."""

    build: Callable[[], nn.Module]
    inputs: Tensor
    labels: Tensor

    @property
    def pictures(self) -> bool:
        return self.inputs.ndim == 4


def _data(*shape: int, dtype: torch.dtype = torch.float32, tokens: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(CLASSES, (N,), generator=generator)
    if tokens:
        return torch.randint(tokens, (N, *shape), generator=generator), labels
    noise = torch.randn(N, *shape, generator=generator, dtype=torch.float64)
    return (noise + labels.reshape(-1, *[1] * len(shape))).to(dtype), labels


def cnn() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, CLASSES))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, CLASSES))


class Residual(nn.Module):
    """BatchNorm, dropout, in-place and functional operations, a residual sum, one module called twice."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False, dtype=dtype)
        self.norm = nn.BatchNorm2d(4, dtype=dtype)
        self.again = nn.Conv2d(4, 4, 3, padding=1, dtype=dtype)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, CLASSES, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.stem(x)))
        x = x + functional.dropout(self.again(self.again(x)), 0.2, training=self.training)
        return self.head(functional.adaptive_avg_pool2d(functional.relu(x), 1).flatten(1))  # type: ignore[no-any-return]


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.head = nn.Linear(5, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.lstm(self.embedding(tokens))[0][:, -1])  # type: ignore[no-any-return]


class Attention(nn.Module):
    """A transformer layer with a padding mask made in the forward pass, and weights tied to the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.tied = nn.Linear(8, 11, bias=False)
        self.tied.weight = self.embedding.weight
        self.head = nn.Linear(11, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.layer(self.embedding(tokens), src_key_padding_mask=tokens == 0)
        return self.head(self.tied(hidden.mean(1)))  # type: ignore[no-any-return]


class Noisy(nn.Module):
    """Draws random numbers in eval mode too, as a variational autoencoder does."""

    def __init__(self) -> None:
        super().__init__()
        self.body = cnn()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x + 0.01 * torch.randn_like(x))  # type: ignore[no-any-return]


def old_norms() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        first = torch.nn.utils.weight_norm(nn.Conv2d(1, 4, 3))
    return nn.Sequential(first, nn.ReLU(), nn.Flatten(), torch.nn.utils.spectral_norm(nn.Linear(144, CLASSES)))


def parametrized() -> nn.Module:
    return nn.Sequential(
        parametrizations.weight_norm(nn.Linear(6, 8)), nn.Tanh(), parametrizations.spectral_norm(nn.Linear(8, CLASSES))
    )


def depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, groups=3),
        nn.Hardswish(),
        nn.Conv2d(6, 4, 1),
        nn.GroupNorm(2, 4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, CLASSES),
    )


def sequence() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(8, CLASSES)
    )


def compiled() -> nn.Module:
    return torch.compile(cnn(), backend="eager")  # type: ignore[return-value]


NETS: dict[str, Net] = {
    "cnn": Net(cnn, *_data(1, 8, 8)),
    "mlp": Net(mlp, *_data(6)),
    "residual": Net(Residual, *_data(3, 8, 8)),
    "residual float64": Net(lambda: Residual(torch.float64), *_data(3, 8, 8, dtype=torch.float64)),
    "recurrent": Net(Recurrent, *_data(7, tokens=11)),
    "attention": Net(Attention, *_data(7, tokens=11)),
    "noisy in eval": Net(Noisy, *_data(1, 8, 8)),
    "old norms": Net(old_norms, *_data(1, 8, 8)),
    "parametrized": Net(parametrized, *_data(6)),
    "depthwise": Net(depthwise, *_data(3, 8, 8)),
    "sequence": Net(sequence, *_data(2, 9)),
    "compiled": Net(compiled, *_data(1, 8, 8)),
}


@dataclass
class Training:
    """A model, its optimizer and the data; `step()` is one update. The same seed gives the same bits."""

    net: Net
    seed: int = 0

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        self.model = self.net.build()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        self.steps = 0

    def step(self) -> Tensor:
        rows = torch.randint(N, (16,))
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.model(self.net.inputs[rows]), self.net.labels[rows])
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        return loss

    def everything(self) -> dict[str, Any]:
        """All that training leaves behind, as bytes and plain values that can be compared."""
        import random

        import numpy as np

        state: dict[str, Any] = {f"model {name}": bits(value) for name, value in self.model.state_dict().items()}
        for index, slot in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer {index} {name}": bits(value) for name, value in slot.items()}
        for name, parameter in self.model.named_parameters():
            state[f"grad {name}"] = bits(parameter.grad) if parameter.grad is not None else None
        for name, module in self.model.named_modules():
            state[f"mode {name}"] = module.training
            state[f"hooks {name}"] = (
                len(module._forward_hooks),
                len(module._forward_pre_hooks),
                len(module._backward_hooks),
            )
            state[f"attributes {name}"] = sorted(vars(module))
        state["pickles"] = _pickles(self.model)
        state["torch"] = bits(torch.get_rng_state())
        state["numpy"] = [str(part) for part in np.random.get_state()]
        state["python"] = random.getstate()
        return state


def _pickles(model: nn.Module) -> str:
    """What comes of pickling a model: nothing, or what is in its way."""
    try:
        pickle.dumps(model)
    except Exception as error:
        return type(error).__name__
    return ""


def bits(value: Any) -> Any:
    return (
        value.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        if isinstance(value, Tensor) and value.numel()
        else value
    )
