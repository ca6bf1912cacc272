"""Point clouds for the tests of embeddings, and measures that judge any map alike."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from nnwidgets.analysis.engine.affinities import Graph, conditional
from nnwidgets.analysis.engine.neighbour_pairs import all_pairs
from nnwidgets.analysis.engine.slicing import finished


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def clusters(per_cluster: int, count: int = 4, width: int = 16, *, seed: int = 0, noise: float = 0.3) -> Tensor:
    centres = normal(count, width, seed=99)
    return centres.repeat_interleave(per_cluster, 0) + noise * normal(per_cluster * count, width, seed=seed)


def digits(count: int) -> tuple[Tensor, Tensor]:
    datasets = pytest.importorskip("sklearn.datasets")
    data = datasets.load_digits()
    return torch.tensor(data.data[:count]), torch.tensor(data.target[:count])


def joint_of(x: Tensor, perplexity: float = 30.0) -> Tensor:
    """P in float64 as `tsne` uses it, for judging any layout by the same measure."""
    near = finished(all_pairs(x - x.mean(0), min(len(x) - 1, math.ceil(3 * perplexity))))
    return joint(near.indices, finished(conditional(near.distances, perplexity)), dtype=torch.float64)


def joint(indices: Tensor, conditionals: Tensor, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """P as a matrix: (p(j|i) + p(i|j)) / 2n."""
    n = len(indices)
    directed = torch.zeros((n, n), dtype=dtype)
    directed[torch.arange(n)[:, None], indices] = (conditionals / (2 * n)).to(dtype)
    return directed + directed.T


def graph_of(p: Tensor) -> Graph:
    """A dense P as the edges it has."""
    rows, columns = p.nonzero(as_tuple=True)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), torch.bincount(rows, minlength=len(p)).cumsum(0)])
    return Graph(offsets, columns.int(), p[rows, columns])


def kl_of(p: Tensor, positions: Tensor) -> float:
    """KL(P || Q) written out over whole matrices."""
    kernel = 1 / (1 + torch.cdist(positions.double(), positions.double()).square())
    kernel.fill_diagonal_(0)
    q = kernel / kernel.sum()
    held = p > 0
    terms: Tensor = p[held] * (p[held] / q[held]).log()
    return float(terms.sum())


def label_agreement(positions: Tensor, labels: Tensor) -> float:
    near: Tensor = torch.cdist(positions, positions).topk(6, largest=False).indices[:, 1:]
    same: Tensor = labels[near] == labels[:, None]
    return float(same.double().mean())


def displacement(a: Tensor, b: Tensor) -> float:
    """Median way a point went, as a share of the map's radius, both maps drawn at one size."""
    a, b = ((each - each.mean(0)) / (each - each.mean(0)).norm(dim=1).mean() for each in (a, b))
    ways: Tensor = (a - b).norm(dim=1)
    return float(ways.median())
