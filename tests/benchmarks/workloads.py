"""Four nets that people train, with data of the right shape: what the benchmarks run on. CPU, float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SAMPLES = 1000
CLASSES = 10
TOKENS = 256


class CNN(nn.Module):
    """The quickstart's net for digits of 28 x 28 pixels: 208 thousand parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1, self.pool1 = nn.Conv2d(1, 16, 7, padding=3), nn.ReLU(), nn.MaxPool2d(2)
        self.conv2, self.relu2, self.pool2 = nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        self.fc1, self.relu3, self.fc2 = nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        return self.fc2(self.relu3(self.fc1(x.flatten(1))))  # type: ignore[no-any-return]


def mlp() -> nn.Module:
    """Digits of 28 x 28 pixels again: 536 thousand parameters."""
    sizes = (784, 512, 256)
    layers = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(sizes[-1], CLASSES))


class Block(nn.Module):
    """He et al., CVPR 2016, section 3.3: two convolutions and the identity or a projection."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.short: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.norm2(self.conv2(hidden)) + self.short(x))  # type: ignore[no-any-return]


def resnet18(width: int = 32) -> nn.Module:
    """ResNet-18 for 32 x 32 pixels, at half the width, so that a CPU core makes a few steps a second: 2.8 million."""
    stages: list[nn.Module] = []
    inputs = width
    for stage in range(4):
        outputs = width * 2**stage
        stages += [Block(inputs, outputs, 2 if stage else 1), Block(outputs, outputs, 1)]
        inputs = outputs
    stem = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES))


class Transformer(nn.Module):
    """Four encoder layers over 64 tokens, then the mean: 0.8 million parameters."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 4)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.encoder(self.embedding(tokens)).mean(1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Workload:
    """A net, the shape of one of its inputs and the batch it is trained with; `tokens` are integers, else pixels."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    batch: int
    tokens: bool = False

    @property
    def pictures(self) -> bool:
        return len(self.shape) == 3

    def data(self) -> tuple[Tensor, Tensor]:
        """Inputs (SAMPLES, …) in which the labels (SAMPLES,) can be recognised."""
        generator = torch.Generator().manual_seed(0)
        labels = torch.randint(CLASSES, (SAMPLES,), generator=generator)
        if self.tokens:
            return (
                torch.randint(TOKENS, (SAMPLES, *self.shape), generator=generator) + labels[:, None]
            ) % TOKENS, labels
        noise = torch.rand(SAMPLES, *self.shape, generator=generator)
        return noise + labels.reshape(-1, *[1] * len(self.shape)) / CLASSES, labels


WORKLOADS = (
    Workload("CNN", CNN, (1, 28, 28), 64),
    Workload("MLP", mlp, (1, 28, 28), 128),
    Workload("ResNet-18", resnet18, (3, 32, 32), 16),
    Workload("transformer", Transformer, (64,), 16, tokens=True),
)


class Training:
    """A net in training, one `step()` at a time; the gradients are there until the next."""

    def __init__(self, workload: Workload, device: str = "cpu") -> None:
        torch.manual_seed(0)
        self.workload = workload
        self.model = workload.build().to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.inputs, self.labels = (tensor.to(device) for tensor in workload.data())

    def step(self) -> None:
        rows = torch.randint(SAMPLES, (self.workload.batch,), device=self.labels.device)
        self.optimizer.zero_grad()
        functional.cross_entropy(self.model(self.inputs[rows]), self.labels[rows]).backward()
        self.optimizer.step()
