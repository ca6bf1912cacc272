"""Random convolutional nets out of everything that occlusion can do on windows. A seed gives the same net again."""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 4
ACTIVATIONS = (nn.ReLU, nn.SiLU, nn.Hardswish, nn.GELU, nn.Tanh, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.PReLU)
SMALLEST = 5
LARGEST_KERNEL = 9  # in pixels, dilation included


class RandomNet(nn.Module):
    """Blocks drawn by `seed`, then a pooled or a flattened head.

    Attributes:
        size: height and width of the images it takes.
        channels: of those images.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        draw = random.Random(seed)
        self.channels = draw.choice((1, 2, 3))
        self.size = draw.randint(14, 31), draw.randint(14, 31)
        self.blocks = nn.ModuleList()
        x = torch.randn(2, self.channels, *self.size)
        for _ in range(draw.randint(2, 6)):
            block = (draw.choice(BLOCKS) if len(self.blocks) else ConvNorm)(draw, x.shape[1])
            with torch.no_grad():
                out = block(x) if min(x.shape[2:]) >= LARGEST_KERNEL else x
            if out is not x and min(out.shape[2:]) >= SMALLEST:
                self.blocks.append(block)
                x = out
        self.pooled = draw.choice(("adaptive", "mean", "flat"))
        self.head = nn.Linear(x.shape[1] if self.pooled != "flat" else x[0].numel(), CLASSES)
        for module in self.modules():
            self._spread(module)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        if self.pooled == "mean":
            x = x.mean((2, 3))
        elif self.pooled == "adaptive":
            x = F.adaptive_avg_pool2d(x, 1)
        return self.head(x.flatten(1))  # type: ignore[no-any-return]

    @staticmethod
    def _spread(module: nn.Module) -> None:
        """Weights with which a square changes much, and running statistics that are not those of a new net."""
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.05)
        elif isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)


def _convolution(draw: random.Random, channels: int) -> nn.Conv2d:
    kernel = draw.choice((1, 2, 3, 3, 5)), draw.choice((1, 3, 3, 4))
    dilation = draw.choice((1, 1, 2))
    padding = draw.randint(0, kernel[0] - 1), draw.randint(0, kernel[1] - 1)
    groups = channels if draw.random() < 0.25 else 1
    outputs = groups * draw.choice((1, 2)) * (1 if groups > 1 else draw.choice((2, 3, 4)))
    stride, bias = draw.choice((1, 1, 2)), draw.random() < 0.6
    return nn.Conv2d(channels, outputs, kernel, stride, padding, dilation, groups, bias)


class ConvNorm(nn.Module):
    """Convolution, normalisation and activation, each perhaps, in either order."""

    def __init__(self, draw: random.Random, channels: int) -> None:
        super().__init__()
        convolution = _convolution(draw, channels)
        if draw.random() < 0.15:
            convolution = nn.utils.parametrizations.weight_norm(convolution)
        norm_first = draw.random() < 0.2
        parts: list[nn.Module] = [nn.BatchNorm2d(channels), convolution] if norm_first else [convolution]
        if not norm_first and draw.random() < 0.7:
            parts.append(nn.BatchNorm2d(convolution.out_channels))
        kind = draw.choice(ACTIVATIONS)
        parts.append(kind(inplace=True) if kind in (nn.ReLU, nn.SiLU, nn.Hardswish, nn.ELU, nn.LeakyReLU) else kind())
        self.body = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)  # type: ignore[no-any-return]


class Pool(nn.Module):
    def __init__(self, draw: random.Random, channels: int) -> None:
        super().__init__()
        kernel = draw.choice((2, 3))
        padding = draw.randint(0, kernel // 2)
        stride = draw.choice((1, 2))
        self.pool = (
            nn.MaxPool2d(kernel, stride, padding, ceil_mode=draw.random() < 0.3)
            if draw.random() < 0.6
            else nn.AvgPool2d(kernel, stride, padding)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Two convolutions that keep the size, added to, multiplied with or taken from what they are given."""

    def __init__(self, draw: random.Random, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=2, dilation=2)
        self.how = draw.choice(("add", "in place", "multiply", "reversed"))

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.norm(self.first(x)).relu_())
        if self.how == "in place":
            y += x
            return F.relu(y, inplace=True)
        if self.how == "multiply":
            return torch.mul(y, x.sigmoid())
        return (1.0 - y).sub(x, alpha=0.5) if self.how == "reversed" else torch.add(y, x, alpha=2)


class Branches(nn.Module):
    """Two ways of the same size put side by side, one of them through a module that is used twice."""

    def __init__(self, draw: random.Random, channels: int) -> None:
        super().__init__()
        self.twice = nn.Conv2d(channels, channels, 3, padding="same")
        self.other = nn.Conv2d(channels, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.twice(self.twice(x).tanh())
        return torch.cat([y, self.other(x), x.abs()], dim=1)


class Padded(nn.Module):
    """Padding that is an operation of its own, and not the same on all sides."""

    def __init__(self, draw: random.Random, channels: int) -> None:
        super().__init__()
        self.sides = tuple(draw.randint(0, 2) for _ in range(4))
        self.convolution = nn.Conv2d(channels, 4, 3, stride=draw.choice((1, 2)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(self.convolution(F.pad(x, self.sides, value=0.5)), -2, 2)


BLOCKS = (ConvNorm, ConvNorm, ConvNorm, Pool, Residual, Branches, Padded)
