"""The samples that maps are measured on, the same at each call: two of real digits and three that are drawn."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from tests.analysis.clouds import normal

MNIST = "MNIST"


@dataclass(frozen=True)
class Samples:
    """x: (n, features) float64.   labels: (n,) int64."""

    x: Tensor
    labels: Tensor

    @property
    def fingerprint(self) -> float:
        """The same wherever the samples are, to a rounding; another axis or sign of a PCA does not change it."""
        return float(self.x.square().sum())


def pictures(folder: Path) -> tuple[Tensor, Tensor]:
    """MNIST's test images (10 000, 1, 28, 28) float32 from 0 to 1 and their labels (10 000,) int64."""
    raw, labels = (
        bytearray(gzip.decompress((folder / f"mnist-t10k-{kind}-ubyte.gz").read_bytes()))
        for kind in ("images-idx3", "labels-idx1")
    )
    images = torch.frombuffer(raw[16:], dtype=torch.uint8).view(-1, 1, 28, 28).float() / 255
    return images, torch.frombuffer(labels[8:], dtype=torch.uint8).long()


def small_pictures() -> tuple[Tensor, Tensor]:
    """scikit-learn's digits (1 797, 1, 8, 8) float32 from 0 to 1 and their labels (1 797,) int64."""
    data = load_digits()
    return torch.tensor(data.images[:, None] / 16, dtype=torch.float32), torch.tensor(data.target)


def _digits() -> Samples:
    data = load_digits()
    return Samples(torch.tensor(data.data), torch.tensor(data.target))


def _mnist(folder: Path) -> Samples:
    images, labels = pictures(folder)
    x = images.flatten(1).double()
    x -= x.mean(0)
    return Samples(x @ torch.linalg.eigh(x.T @ x).eigenvectors[:, -50:], labels)


def _unequal_clusters() -> Samples:
    """Ten clusters of 60 to 540 samples, the widest four times as wide as the narrowest, some of them in touch."""
    sizes = torch.arange(60, 541, 53)[:10]
    labels = torch.arange(10).repeat_interleave(sizes)
    spreads = torch.logspace(-0.3, 0.3, 10, dtype=torch.float64)[torch.tensor([7, 2, 9, 0, 5, 3, 8, 1, 6, 4])]
    return Samples(1.2 * normal(10, 50)[labels] + spreads[labels, None] * normal(len(labels), 50, seed=1), labels)


def _swiss_roll() -> Samples:
    """A rolled sheet in three dimensions, without clusters; the labels are ten stretches of equal length along it."""
    along, across = torch.rand(2, 2000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angle = 1.5 * torch.pi * (1 + 2 * along)
    x = torch.stack([angle * angle.cos(), 21 * across, angle * angle.sin()], 1) + 0.05 * normal(2000, 3)
    return Samples(x, (10 * along).long())


def _nested_clusters() -> Samples:
    """Five groups of three clusters of three: 45 labels, 4 500 samples."""
    labels = torch.arange(45).repeat_interleave(100)
    centres = 4 * normal(5, 30)[labels // 9] + 1.5 * normal(15, 30, seed=1)[labels // 3]
    return Samples(centres + 0.7 * normal(45, 30, seed=2)[labels] + 0.5 * normal(4500, 30, seed=3), labels)


DRAWN: dict[str, Callable[[], Samples]] = {
    "digits": _digits,
    "unequal clusters": _unequal_clusters,
    "Swiss roll": _swiss_roll,
    "nested clusters": _nested_clusters,
}


def samples(name: str, folder: Path | None) -> Samples:
    """Those of that name; `folder` is needed for MNIST only."""
    if name != MNIST:
        return DRAWN[name]()
    if folder is None:
        raise ValueError(f"folder: expected that of the real data sets for {MNIST}, got None")
    return _mnist(folder)
