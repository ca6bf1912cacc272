"""t-SNE beside openTSNE and scikit-learn: milliseconds an iteration, whole maps, and the KL divergence of both.

One thread for everybody. An iteration is timed on the same map, our finished one, with a P of as many neighbours. The
KL divergence is exact, in float64, over one P for all: 90 exact neighbours, perplexity 30.
"""

from __future__ import annotations

import math
import time
import warnings
from functools import partial
from typing import Any

import numpy as np
import torch
from openTSNE import TSNEEmbedding, affinity
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE as BarnesHut  # noqa: N811
from torch import Tensor

from nnwidgets.analysis import LiveTSNE, tsne
from nnwidgets.analysis.engine.affinities import Graph, graph_of
from nnwidgets.analysis.engine.compiled import Loops, compiled
from nnwidgets.analysis.engine.neighbour_pairs import all_pairs
from nnwidgets.analysis.engine.neighbours import nearest
from nnwidgets.analysis.engine.slicing import finished
from nnwidgets.analysis.engine.tsne_forces import FINISHED_SPACING, LIVE_SPACING, SparseForces
from tests.benchmarks.occlusion_timing import seconds
from tests.benchmarks.report import Result, Table, median

NEIGHBOURS, PERPLEXITY = 90, 30.0
ITERATIONS = 10
REFRESHES = 3
SETTINGS = {
    "live": (LIVE_SPACING, True),
    "finished": (FINISHED_SPACING, True),
    "finished, without numba": (FINISHED_SPACING, False),
}


def clouds(n: int) -> tuple[Tensor, Tensor]:
    """Ten clusters of 50 features, some nearer to each other than others: (n, 50) float64, and whose (n,) each is."""
    generator = torch.Generator().manual_seed(0)
    centres = 2.0 * torch.randn(10, 50, generator=generator, dtype=torch.float64)
    own = torch.arange(n) % 10
    return centres[own] + torch.randn(n, 50, generator=generator, dtype=torch.float64), own


def reference(x: Tensor) -> Graph:
    """P of all, over exact neighbours."""
    near = finished(all_pairs(x - x.mean(0), min(NEIGHBOURS, len(x) - 1)))
    return finished(graph_of(near.indices, near.distances, PERPLEXITY, loops=None))


def kl(graph: Graph, positions: Tensor, loops: Loops) -> float:
    """Over all pairs, in float64."""
    forces = SparseForces(graph, 2, spacing=None, loops=loops)
    return float(finished(forces.kl_divergence(positions.double().contiguous())))


def accuracy(positions: Tensor, labels: Tensor) -> float:
    """Share of up to 2 000 points whose label is that of most of their 10 nearest on the map."""
    rows = torch.arange(0, len(labels), max(1, len(labels) // 2000))
    near = torch.cdist(positions[rows].float(), positions.float()).topk(11, largest=False).indices[:, 1:]
    return float((labels[near].mode(1).values == labels[rows]).double().mean())


def iteration_s(graph: Graph, positions: Tensor, spacing: float, loops: Loops) -> float:
    forces = SparseForces(graph, 2, spacing=spacing, loops=loops)
    finished(forces.gradient(positions, 1.0))
    return median([seconds(lambda: finished(forces.gradient(positions, 1.0))) for _ in range(ITERATIONS)])


def peer_iteration_s(x: Tensor, positions: Tensor, method: str) -> float:
    """openTSNE's, with its own P of as many neighbours, from the same map."""
    p = affinity.PerplexityBasedNN(x.numpy(), perplexity=PERPLEXITY, method="exact", n_jobs=1)
    options: dict[str, Any] = {"negative_gradient_method": method, "n_jobs": 1, "learning_rate": 1e-6}
    found = TSNEEmbedding(positions.double().numpy().copy(), p, **options)
    found = found.optimize(2, inplace=False)
    return seconds(lambda: found.optimize(ITERATIONS, inplace=True)) / ITERATIONS


def preparations(x: Tensor, loops: Loops) -> tuple[float, float]:
    """Seconds for the neighbours and for P, as a map takes them."""
    begin = time.perf_counter()
    near = finished(nearest(x - x.mean(0), NEIGHBOURS, loops=loops))
    between = time.perf_counter()
    finished(graph_of(near.indices, near.distances, PERPLEXITY, loops=loops))
    return between - begin, time.perf_counter() - between


def measure(name: str, x: Tensor, labels: Tensor, *, whole_peers: bool) -> dict[str, Any]:
    loops = compiled()
    graph = reference(x)
    begin = time.perf_counter()
    ours = tsne(x)
    one: dict[str, Any] = {"name": name, "n": len(x), "ours_s": time.perf_counter() - begin, "recall": ours.recall}
    one["ours_kl"], one["ours_accuracy"] = kl(graph, ours.positions, loops), accuracy(ours.positions, labels)
    one["neighbours_s"], one["p_s"] = preparations(x, loops)
    for setting, (spacing, fast) in SETTINGS.items():
        one[setting] = iteration_s(graph, ours.positions, spacing, loops if fast else None)
    methods = ("fft", "bh") if len(x) < 4000 else ("fft",)
    one["peer"] = min(peer_iteration_s(x, ours.positions, method) for method in methods)
    live = LiveTSNE()
    live.update(x)
    moved = [x + (1 + k) * 1e-3 * x.roll(1, 0) for k in range(REFRESHES)]
    one["live_refresh_s"] = median([seconds(partial(live.update, each)) for each in moved])
    if whole_peers:
        from openTSNE import TSNE

        begin = time.perf_counter()
        found = TSNE(n_jobs=1, random_state=0, negative_gradient_method=methods[-1]).fit(x.numpy())
        one["peer_s"] = time.perf_counter() - begin
        positions = torch.tensor(np.asarray(found))
        one["peer_kl"], one["peer_accuracy"] = kl(graph, positions, loops), accuracy(positions, labels)
    return one


def barnes_hut(x: Tensor, graph: Graph) -> tuple[float, float]:
    begin = time.perf_counter()
    found = BarnesHut(random_state=0, n_jobs=1).fit_transform(x.numpy())
    return time.perf_counter() - begin, kl(graph, torch.tensor(found), compiled())


def run(*, quick: bool) -> Result:
    """About five minutes."""
    digits, digit = (torch.tensor(each) for each in load_digits(return_X_y=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the peers
        figures = [measure("digits", digits, digit, whole_peers=True)]
        figures[0]["sklearn_s"], figures[0]["sklearn_kl"] = (
            (math.nan, math.nan) if quick else barnes_hut(digits, reference(digits))
        )
        if not quick:
            figures.append(measure("clusters", *clouds(10_000), whole_peers=True))
            figures.append(measure("clusters", *clouds(70_000), whole_peers=False))
    rows = [_row(one) for one in figures]
    header = (
        "data, samples",
        "openTSNE, best",
        *SETTINGS,
        "× live",
        "× finished",
        "× without numba",
        "whole map (s): openTSNE",
        "nnwidgets",
        "KL: openTSNE",
        "nnwidgets",
        "10-NN accuracy: openTSNE",
        "nnwidgets",
        "neighbours (s)",
        "recall",
        "P (s)",
        "live refresh (s)",
    )
    note = (
        "Milliseconds an iteration. openTSNE: the better of FFT and Barnes-Hut. A live refresh is 150 iterations and P."
    )
    if not quick:
        note += f" scikit-learn, digits: {figures[0]['sklearn_s']:.1f} s, KL {figures[0]['sklearn_kl']:.3f}."
    return Result({f"{one['name']} {one['n']}": one for one in figures}, [Table("t-SNE", header, rows, note)])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    peer, *ours = (1e3 * one[key] for key in ("peer", *SETTINGS))

    def text(key: str, digits: int) -> str:
        return f"{one[key]:.{digits}f}" if key in one else "–"

    return (
        f"{one['name']}, {one['n']}",
        f"{peer:.1f}",
        *(f"{each:.2f}" for each in ours),
        *(f"{peer / each:.1f}" for each in ours),
        text("peer_s", 1),
        text("ours_s", 1),
        text("peer_kl", 3),
        text("ours_kl", 3),
        text("peer_accuracy", 3),
        text("ours_accuracy", 3),
        text("neighbours_s", 2),
        text("recall", 3),
        text("p_s", 2),
        text("live_refresh_s", 2),
    )
