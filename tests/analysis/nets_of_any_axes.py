"""Small nets of sequences, pictures and volumes, and grids to cover their images by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

CLASSES = 4


def of_steps() -> nn.Module:
    norm = nn.BatchNorm1d(5)
    norm.running_mean = torch.linspace(-0.3, 0.3, 5)
    return nn.Sequential(
        nn.Conv1d(3, 5, 3, padding=1), norm, nn.ReLU(inplace=True), nn.Conv1d(5, 6, 3, stride=2), nn.Tanh(),
        nn.Flatten(), nn.Dropout(), nn.LazyLinear(CLASSES),
    )  # fmt: skip


class Recurrent(nn.Module):
    """Reads `(batch, channels, length)` as a sequence, and answers by its last state."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU], *, batch_first: bool = True) -> None:
        super().__init__()
        self.read = kind(3, 7, batch_first=batch_first, bidirectional=True)
        self.head = nn.Linear(14, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.read(x.transpose(1, 2))
        return self.head(states[:, -1])  # type: ignore[no-any-return]


def of_volumes() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(4, 5, 2), nn.Tanh(),
        nn.Flatten(), nn.LazyLinear(CLASSES),
    )  # fmt: skip


def of_pictures() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 3, stride=2), nn.Tanh(),
        nn.Flatten(), nn.LazyLinear(CLASSES),
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A net, the size of its images without the batch, and grids where (size - patch) % stride == 0, and others."""

    net: Callable[[], nn.Module]
    shape: tuple[int, ...]
    fits: tuple[tuple[Any, Any], ...]
    moves_inside: tuple[tuple[Any, Any], ...]


CASES = {
    "conv1d": Case(
        of_steps, (3, 20), ((4, 2), ((3,), (1,)), ((1, 5), (1, 3)), ((3, 4), (2, 4))), ((6, 4), ((2, 6), 2))
    ),
    "lstm": Case(lambda: Recurrent(nn.LSTM), (3, 12), ((3, 3), ((1, 4), (1, 2))), (((2, 5), (1, 3)),)),
    "gru": Case(lambda: Recurrent(nn.GRU), (3, 12), ((12, 1), ((1, 1), 1)), ((5, 4),)),
    "conv2d": Case(of_pictures, (2, 11, 9), ((3, 2), ((5, 3), (3, 3))), ((4, 3),)),
    "conv3d": Case(of_volumes, (2, 6, 8, 6), ((2, 2), ((2, 4, 3), (2, 4, 3))), ((3, 2), ((1, 8, 5), (1, 1, 3)))),
}


def built(name: str, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, Tensor]:
    case = CASES[name]
    torch.manual_seed(0)
    model, images = case.net(), torch.randn(2, *case.shape)
    model.eval()(images)
    return model.to(dtype), images.to(dtype)
