"""Hidden layers of three kinds of net while they train on digits: what live maps are judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

STEPS_BETWEEN = 10
BATCH = 64
CLASSES = 10


@dataclass(frozen=True)
class Course:
    """A layer's activations of the same samples at each refresh, (n, features) each, and the samples' labels (n,)."""

    layers: list[Tensor]
    labels: Tensor


class Mlp(nn.Module):
    def __init__(self, side: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(side * side, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.head = nn.Linear(64, CLASSES)


class Cnn(nn.Module):
    def __init__(self, side: int) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1)]
        dense = [nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * (side // 4) ** 2, 64), nn.ReLU()]
        self.hidden = nn.Sequential(*convolutions, *dense)
        self.head = nn.Linear(64, CLASSES)


class LastState(nn.Module):
    """An LSTM that reads a picture row by row; its last hidden state."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(side, 64, batch_first=True)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.lstm(pictures[:, 0])[0][:, -1]  # type: ignore[no-any-return]


class Lstm(nn.Module):
    def __init__(self, side: int) -> None:
        super().__init__()
        self.hidden = LastState(side)
        self.head = nn.Linear(64, CLASSES)


NETS: dict[str, Callable[[int], nn.Module]] = {"MLP": Mlp, "CNN": Cnn, "LSTM": Lstm}


def course(net: str, pictures: Tensor, labels: Tensor, *, shown: int, refreshes: int, seed: int = 0) -> Course:
    """`net` trained on `pictures` (n, 1, side, side) from 0 to 1, its last hidden layer kept every ten steps.

    The first is of the untrained net. The first `shown` pictures are those kept.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NETS[net](pictures.shape[-1])
    hidden, head = model.hidden, model.head
    assert isinstance(hidden, nn.Module)
    assert isinstance(head, nn.Module)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    draws = torch.Generator().manual_seed(seed)
    layers = []
    for step in range(STEPS_BETWEEN * (refreshes - 1) + 1):
        if step % STEPS_BETWEEN == 0:
            with torch.no_grad():
                layers.append(hidden(pictures[:shown]))
        rows = torch.randint(len(pictures), (BATCH,), generator=draws)
        optimizer.zero_grad()
        cross_entropy(head(hidden(pictures[rows])), labels[rows]).backward()
        optimizer.step()
    return Course(layers, labels[:shown])
