"""P as a graph against the dense one, scikit-learn and openTSNE; conditionals in blocks against one loop a row."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from nnwidgets.analysis.engine import affinities
from nnwidgets.analysis.engine.affinities import Graph, conditional, joint_graph
from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.neighbours import nearest
from nnwidgets.analysis.engine.slicing import finished
from tests.analysis.clouds import clusters, digits, joint, normal


def affinities_of(x: Tensor, perplexity: float) -> tuple[Tensor, Tensor, Tensor]:
    """Indices, squared distances and conditionals (n, 3 · perplexity)."""
    found = finished(nearest(x, min(len(x) - 1, math.ceil(3 * perplexity))))
    return found.indices, found.distances, finished(conditional(found.distances, perplexity))


def dense(graph: Graph) -> Tensor:
    n = len(graph.offsets) - 1
    p = torch.zeros((n, n))
    p[torch.arange(n).repeat_interleave(graph.offsets.diff()), graph.columns.long()] = graph.values
    return p


def row_by_bisection(distances: list[float], perplexity: float) -> list[float]:
    """p(j|i) of one row, by halving an interval two hundred times."""
    low, high = -60.0, 60.0
    for _ in range(200):
        middle = (low + high) / 2
        weights = [math.exp(-math.exp(middle) * (d - distances[0])) for d in distances]
        p = [w / sum(weights) for w in weights]
        entropy = -sum(each * math.log(each) for each in p if each > 0)
        low, high = (middle, high) if entropy > math.log(perplexity) else (low, middle)
    return p


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)], ids=["float64", "float32"]
)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_conditionals_are_those_of_a_bisection(dtype: torch.dtype, tolerance: float, scale: float) -> None:
    distances = (normal(40, 30).square().sort(1).values * scale).to(dtype)
    expected = [row_by_bisection(row, 8.0) for row in distances.tolist()]
    got = finished(conditional(distances, 8.0))
    assert got.dtype == dtype
    torch.testing.assert_close(got.double(), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=tolerance)


def test_blocks_of_rows_do_not_change_the_conditionals(monkeypatch: pytest.MonkeyPatch) -> None:
    distances = torch.exp(3 * normal(500, 40)).sort(1).values
    monkeypatch.setattr(affinities, "_SOLVED_ENTRIES", 10**9)
    whole = finished(conditional(distances, 12.0))
    monkeypatch.setattr(affinities, "_SOLVED_ENTRIES", 16 * 40)
    torch.testing.assert_close(finished(conditional(distances, 12.0)), whole, rtol=1e-9, atol=1e-15)
    assert sum(1 for _ in conditional(distances, 12.0)) >= 5 * math.ceil(500 / 16)


@pytest.mark.parametrize("entries", [1 << 7, 1 << 12, 1 << 30], ids=["many blocks", "some blocks", "one block"])
@pytest.mark.parametrize("kind", ["normal", "clusters", "digits", "duplicates", "hub"])
def test_the_graph_is_the_dense_matrix(kind: str, entries: int, monkeypatch: pytest.MonkeyPatch, loops: Loops) -> None:
    for limit in ("_SORTED_EDGES", "_DEALT_EDGES"):
        monkeypatch.setattr(affinities, limit, entries)
    x = {
        "normal": lambda: normal(300, 6),
        "clusters": lambda: clusters(75),
        "digits": lambda: digits(300)[0],
        "duplicates": lambda: normal(30, 4).repeat(10, 1),
        "hub": lambda: torch.nn.functional.normalize(normal(300, 400)) * (torch.arange(300) > 0)[:, None],
    }[kind]()
    indices, _, conditionals = affinities_of(x, 10.0)
    graph = finished(joint_graph(indices, conditionals, loops=loops))
    torch.testing.assert_close(dense(graph), joint(indices, conditionals), rtol=0, atol=1e-7)
    check_form(graph, 300)


def check_form(graph: Graph, n: int) -> None:
    assert (graph.offsets.dtype, graph.columns.dtype, graph.values.dtype) == (torch.int64, torch.int32, torch.float32)
    assert graph.offsets.shape == (n + 1,)
    assert int(graph.offsets[0]) == 0
    assert int(graph.offsets[-1]) == len(graph.columns) == len(graph.values)
    rows = torch.arange(n).repeat_interleave(graph.offsets.diff())
    assert bool(((rows * n + graph.columns).diff() > 0).all())  # ascending, none twice
    assert not bool((rows == graph.columns).any())
    assert float(graph.values.double().sum()) == pytest.approx(1.0, abs=1e-6)
    p = dense(graph)
    assert torch.equal(p, p.T)


def test_the_graph_is_that_of_a_plain_loop(loops: Loops) -> None:
    indices, _, conditionals = affinities_of(normal(40, 3), 4.0)
    p = [[0.0] * 40 for _ in range(40)]
    for i, (row, values) in enumerate(zip(indices.tolist(), conditionals.tolist(), strict=True)):
        for j, value in zip(row, values, strict=True):
            p[i][j] += value / 80
            p[j][i] += value / 80
    graph = finished(joint_graph(indices, conditionals, loops=loops))
    torch.testing.assert_close(dense(graph), torch.tensor(p), rtol=0, atol=1e-8)
    assert len(graph.values) == sum(value > 0 for row in p for value in row)


@pytest.mark.parametrize("peer", ["scikit-learn", "openTSNE"])
def test_the_graph_is_that_of_the_peers(peer: str, loops: Loops) -> None:
    x = digits(600)[0] / 16
    indices, distances, conditionals = affinities_of(x, 30.0)
    if peer == "scikit-learn":
        sparse, sklearn = pytest.importorskip("scipy.sparse"), pytest.importorskip("sklearn.manifold._t_sne")
        offsets = np.arange(0, 600 * 90 + 1, 90)
        near = sparse.csr_matrix((distances.numpy().ravel(), indices.numpy().ravel(), offsets), shape=(600, 600))
        expected = sklearn._joint_probabilities_nn(near, 30.0, verbose=0)
    else:
        other = pytest.importorskip("openTSNE.affinity")
        expected = other.joint_probabilities_nn(indices.numpy(), distances.sqrt().numpy(), [30.0], n_jobs=1)
    got = dense(finished(joint_graph(indices, conditionals, loops=loops))).double()
    # the peers stop their search for the entropy at 1e-5 and 1e-8
    torch.testing.assert_close(got, torch.from_numpy(expected.toarray()).double(), rtol=2e-3, atol=1e-9)


def test_permuted_rows_give_the_permuted_graph(loops: Loops) -> None:
    x, order = clusters(60), torch.randperm(240, generator=torch.Generator().manual_seed(2))
    plain, permuted = (
        dense(finished(joint_graph(indices, conditionals, loops=loops)))
        for indices, _, conditionals in (affinities_of(x, 9.0), affinities_of(x[order], 9.0))
    )
    torch.testing.assert_close(permuted, plain[order][:, order], rtol=1e-5, atol=0)


def test_the_settings_of_the_caller_do_not_reach_the_graph(loops: Loops) -> None:
    indices, distances, conditionals = affinities_of(clusters(60), 9.0)
    expected = finished(joint_graph(indices, conditionals, loops=loops))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.device("meta"):  # a default device
        got = finished(joint_graph(indices, finished(conditional(distances, 9.0)), loops=loops))
    assert torch.equal(got.offsets, expected.offsets)
    assert torch.equal(got.columns, expected.columns)
    assert torch.equal(got.values, expected.values)


def test_a_graph_may_be_dropped_or_interleaved(monkeypatch: pytest.MonkeyPatch, loops: Loops) -> None:
    for limit in ("_SORTED_EDGES", "_DEALT_EDGES"):
        monkeypatch.setattr(affinities, limit, 1 << 10)
    indices, _, conditionals = affinities_of(clusters(60), 9.0)
    expected = finished(joint_graph(indices, conditionals, loops=loops))
    dropped, going = joint_graph(indices, conditionals, loops=loops), joint_graph(indices, conditionals, loops=loops)
    for _ in range(6):
        next(dropped)
        next(going)
    dropped.close()
    assert torch.equal(finished(going).values, expected.values)


def test_two_points_are_each_others_neighbours(loops: Loops) -> None:
    graph = finished(joint_graph(torch.tensor([[1], [0]]), torch.ones(2, 1), loops=loops))
    assert graph.offsets.tolist() == [0, 1, 2]
    assert graph.columns.tolist() == [1, 0]
    assert graph.values.tolist() == [0.5, 0.5]


@pytest.mark.cuda
def test_a_gpu_makes_the_same_graph() -> None:
    indices, distances, conditionals = affinities_of(clusters(200), 20.0)
    expected = finished(joint_graph(indices, conditionals, loops=None))
    there = finished(joint_graph(indices.cuda(), finished(conditional(distances.cuda(), 20.0)), loops=None))
    assert torch.equal(there.offsets.cpu(), expected.offsets)
    assert torch.equal(there.columns.cpu(), expected.columns)
    torch.testing.assert_close(there.values.cpu(), expected.values, rtol=1e-5, atol=0)
