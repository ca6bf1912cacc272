"""How good a t-SNE map is, by measures that know nothing of how it was made."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torch.nn.functional import one_hot

from nnwidgets.analysis.engine.affinities import Graph
from nnwidgets.analysis.engine.compiled import compiled
from tests.analysis.tsne_sets import Samples
from tests.benchmarks.tsne import kl, reference

NEIGHBOURS = 10
COMPARED = 2000


@dataclass(frozen=True)
class Quality:
    """kl: KL(P || Q) in nats, exact, over the P of 90 exact neighbours at perplexity 30.
    label_accuracy: share of samples whose label most of the 10 nearest others on the map have, 0 to 1.
    trustworthiness: scikit-learn's, of 10 neighbours, among 2 000 evenly spaced samples where there are more, 0 to 1.
    """

    kl: float
    label_accuracy: float
    trustworthiness: float


class Judge:
    """Judges maps of the same samples."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._graph: Graph = reference(samples.x)

    def kl(self, positions: Tensor) -> float:
        return kl(self._graph, positions, compiled())

    def __call__(self, positions: Tensor) -> Quality:
        x, n = self._samples.x, len(positions)
        some = torch.linspace(0, n - 1, min(n, COMPARED)).long()
        trust = trustworthiness(x[some].numpy(), positions[some].numpy(), n_neighbors=NEIGHBOURS)
        return Quality(self.kl(positions), label_accuracy(positions, self._samples.labels), float(trust))


def label_accuracy(positions: Tensor, labels: Tensor) -> float:
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(positions.numpy()).kneighbors(return_distance=False)
    votes = one_hot(labels)[torch.tensor(near)].sum(1)
    return float((votes.argmax(1) == labels).double().mean())
