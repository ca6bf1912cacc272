"""t-SNE beside openTSNE and scikit-learn: milliseconds an iteration, whole maps, and the KL divergence of both.

One thread for everybody. An iteration is timed on the same map, our finished one, with a P of as many neighbours. The
KL divergence is exact, in float64, over one P for all: 90 exact neighbours, perplexity 30.
"""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import numpy as np
import torch
from openTSNE import TSNEEmbedding, affinity
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE as BarnesHut  # noqa: N811
from torch import Tensor

from nnwidgets.analysis import LiveTSNE, tsne
from nnwidgets.analysis.engine.affinities import Graph, conditional, joint_graph
from nnwidgets.analysis.engine.compiled import Loops, compiled
from nnwidgets.analysis.engine.neighbours import all_pairs
from nnwidgets.analysis.engine.pace import finished
from nnwidgets.analysis.engine.tsne_forces import FINISHED_SPACING, LIVE_SPACING, SparseForces
from tests.benchmarks.occlusion_timing import seconds
from tests.benchmarks.report import Result, Table, median

NEIGHBOURS, PERPLEXITY = 90, 30.0
ITERATIONS = 10
SETTINGS = {
    "live": (LIVE_SPACING, True),
    "finished": (FINISHED_SPACING, True),
    "finished, without numba": (FINISHED_SPACING, False),
}


def clouds(n: int) -> Tensor:
    """Ten clusters of 50 features, some nearer to each other than others: (n, 50) float64."""
    generator = torch.Generator().manual_seed(0)
    centres = 2.0 * torch.randn(10, 50, generator=generator, dtype=torch.float64)
    own = torch.arange(n) % 10
    return centres[own] + torch.randn(n, 50, generator=generator, dtype=torch.float64)


def reference(x: Tensor) -> Graph:
    """P of all, over exact neighbours."""
    near = finished(all_pairs(x - x.mean(0), min(NEIGHBOURS, len(x) - 1)))
    return finished(joint_graph(near.indices, finished(conditional(near.distances, PERPLEXITY)), loops=None))


def kl(graph: Graph, positions: Tensor, loops: Loops) -> float:
    """Over all pairs, in float64."""
    forces = SparseForces(graph, 2, spacing=None, loops=loops)
    return float(finished(forces.kl_divergence(positions.double().contiguous())))


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


def measure(name: str, x: Tensor, *, whole_peers: bool) -> dict[str, Any]:
    loops = compiled()
    tsne(x[:500])  # loads what is compiled
    graph = reference(x)
    begin = time.perf_counter()
    ours = tsne(x)
    one: dict[str, Any] = {"name": name, "n": len(x), "ours_s": time.perf_counter() - begin, "recall": ours.recall}
    one["ours_kl"] = kl(graph, ours.positions, loops)
    for setting, (spacing, fast) in SETTINGS.items():
        one[setting] = iteration_s(graph, ours.positions, spacing, loops if fast else None)
    methods = ("fft", "bh") if len(x) < 4000 else ("fft",)
    one["peer"] = min(peer_iteration_s(x, ours.positions, method) for method in methods)
    live = LiveTSNE()
    live.update(x)
    one["live_refresh_s"] = seconds(lambda: live.update(x + 1e-3 * x.roll(1, 0)))
    if whole_peers:
        from openTSNE import TSNE

        begin = time.perf_counter()
        found = TSNE(n_jobs=1, random_state=0, negative_gradient_method=methods[-1]).fit(x.numpy())
        one["peer_s"] = time.perf_counter() - begin
        one["peer_kl"] = kl(graph, torch.tensor(np.asarray(found)), loops)
    return one


def barnes_hut(x: Tensor, graph: Graph) -> tuple[float, float]:
    begin = time.perf_counter()
    found = BarnesHut(random_state=0, n_jobs=1).fit_transform(x.numpy())
    return time.perf_counter() - begin, kl(graph, torch.tensor(found), compiled())


def run(*, quick: bool) -> Result:
    """About five minutes."""
    digits = torch.tensor(load_digits().data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the peers
        figures = [measure("digits", digits, whole_peers=True)]
        figures[0]["sklearn_s"], figures[0]["sklearn_kl"] = (
            (math.nan, math.nan) if quick else barnes_hut(digits, reference(digits))
        )
        if not quick:
            figures.append(measure("clusters", clouds(10_000), whole_peers=True))
            figures.append(measure("clusters", clouds(70_000), whole_peers=False))
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
        "recall",
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
        f"{one['recall']:.3f}",
        f"{one['live_refresh_s']:.2f}",
    )
