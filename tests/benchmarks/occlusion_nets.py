"""Nets of the sizes that occlusion maps are made of: 28, 32 and 224 pixels a side. Random weights, eval mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from tests.benchmarks.workloads import Block

VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # 0 is a pool
MOBILE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def vgg16() -> nn.Module:
    """Simonyan & Zisserman 2015, configuration D: 138 million parameters."""
    head = (512 * 49, 4096, 4096, 1000)
    layers = [*_stack(3, VGG16, norm=False), nn.AdaptiveAvgPool2d(7), nn.Flatten()]
    for inputs, outputs in pairwise(head[:3]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True), nn.Dropout()]
    return nn.Sequential(*layers, nn.Linear(*head[2:]))


def resnet18() -> nn.Module:
    """He et al., CVPR 2016: 11.7 million parameters."""
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    return _residual(stem, (64, 128, 256, 512), blocks=2, classes=1000)


def resnet20() -> nn.Module:
    """The same paper's net for 32 x 32 pixels: 0.3 million parameters."""
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    return _residual(stem, (16, 32, 64), blocks=3, classes=10)


class Inverted(nn.Module):
    """Sandler et al., CVPR 2018, figure 3b: expand, filter each channel, project."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        widen = [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.Hardswish(inplace=True)]
        self.body = nn.Sequential(
            *(widen if expansion > 1 else []),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.Hardswish(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.same = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.same else self.body(x)  # type: ignore[no-any-return]


def mobilenet() -> nn.Module:
    """MobileNetV2 with Hardswish: 3.5 million parameters."""
    layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.Hardswish(inplace=True)]
    inputs = 32
    for expansion, outputs, repeats, stride in MOBILE:
        for repeat in range(repeats):
            layers.append(Inverted(inputs, outputs, 1 if repeat else stride, expansion))
            inputs = outputs
    layers += [nn.Conv2d(inputs, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.Hardswish(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


def mnist_cnn() -> nn.Module:
    convolutions = _stack(1, (32, 32, 0, 64, 0), norm=False)
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10))


def cifar_cnn() -> nn.Module:
    convolutions = _stack(3, (64, 64, 0, 128, 128, 0, 256, 256, 0), norm=True)
    return nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))


def _stack(channels: int, widths: tuple[int, ...], *, norm: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in widths:
        if not width:
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=not norm))
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers.append(nn.ReLU(inplace=True))
        channels = width
    return layers


def _residual(stem: list[nn.Module], widths: tuple[int, ...], *, blocks: int, classes: int) -> nn.Module:
    layers, inputs = list(stem), widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(Block(inputs, width, 2 if stage and not block else 1))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


@dataclass(frozen=True)
class Case:
    """A net, its images, the square, and the work that windows of one size need at best.

    Attributes:
        work: whole forward passes over the multiply-accumulates of windows, all of the size of the largest.
    """

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, int, int]
    patch: int
    stride: int
    work: float

    def model(self) -> nn.Module:
        """The net with random weights that keep the scale of values from layer to layer."""
        torch.manual_seed(0)
        net = self.build()
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)
        return net.eval()

    def image(self) -> Tensor:
        return torch.randn(1, *self.shape, generator=torch.Generator().manual_seed(1))


CASES = (
    Case("VGG-16", vgg16, (3, 224, 224), 16, 8, 6.5),
    Case("ResNet-18", resnet18, (3, 224, 224), 16, 8, 2.15),
    Case("MobileNetV2", mobilenet, (3, 224, 224), 16, 8, 1.8),
    Case("MNIST CNN", mnist_cnn, (1, 28, 28), 6, 1, 3.9),
    Case("CIFAR CNN", cifar_cnn, (3, 32, 32), 8, 2, 1.9),
    Case("ResNet-20", resnet20, (3, 32, 32), 8, 2, 1.4),
)
