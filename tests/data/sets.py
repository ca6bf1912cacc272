"""Small datasets and models, and a second thread to ask from."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import (
    Dataset,
)

from nnwidgets.data import Samples

IMAGES = torch.arange(20 * 3 * 8 * 8, dtype=torch.float32).reshape(20, 3, 8, 8) / 4000
LABELS = torch.arange(20) % 4


class OneInput(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class TwoInputs(nn.Module):
    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return x + other


class Optional(nn.Module):
    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x


class WithTargets(nn.Module):
    def forward(self, tokens: Tensor, targets: Tensor | None = None) -> Tensor:
        return tokens


class Many(nn.Module):
    def forward(self, *inputs: Tensor) -> Tensor:
        return inputs[0]


class Named(nn.Module):
    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return input_ids


class Augmented(Dataset[tuple[Tensor, int]]):
    """The user's code: counts its reads and draws from every global generator."""

    classes = ("cat", "dog", "fox", "owl")

    def __init__(self) -> None:
        self.targets = LABELS.tolist()
        self.reads: list[int] = []
        self.threads: set[int] = set()

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.reads.append(index)
        self.threads.add(threading.get_ident())
        torch.rand(1)
        np.random.rand()
        random.random()
        return IMAGES[index], int(LABELS[index])


def samples_of(dataset: Any, model: nn.Module | None = None, **options: Any) -> Samples:
    return Samples(dataset, model=model or OneInput(), device="cpu", **{"max_bytes": 10_000_000, **options})


def elsewhere(action: Callable[[], Any]) -> Any:
    """What `action` returns or raises in another thread."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(action())
        except BaseException as error:  # handed to the caller below
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


def states() -> tuple[bytes, Any, Any]:
    numpy_state: Any = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), random.getstate(), numpy_state[1].tobytes()


LIST = [(image, int(label)) for image, label in zip(IMAGES, LABELS, strict=True)]
