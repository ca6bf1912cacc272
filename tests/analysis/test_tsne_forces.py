"""Attraction over edges and repulsion by a grid, against plain loops, all pairs, and each other's way to sum."""

from __future__ import annotations

import importlib
import math

import pytest
import torch
from torch import Tensor

from nnwidgets.analysis import tsne
from nnwidgets.analysis.engine.compiled import Loops, compiled, loaded, worth_loading
from nnwidgets.analysis.engine.slicing import finished
from nnwidgets.analysis.engine.tsne_forces import DenseForces, SparseForces, forces_for
from nnwidgets.analysis.engine.tsne_grid import GridRepulsion
from nnwidgets.analysis.engine.tsne_sums import attract
from tests.analysis.clouds import digits, graph_of, joint_of, kl_of, normal


def plain_gradient(p: Tensor, y: Tensor, exaggeration: float) -> Tensor:
    """dKL/dy in plain Python."""
    points, probabilities, n, dims = y.tolist(), p.tolist(), len(y), y.shape[1]

    def kernel(i: int, j: int) -> float:
        squared: float = sum((a - b) ** 2 for a, b in zip(points[i], points[j], strict=True))
        return 1.0 / (1.0 + squared)

    total = sum(kernel(i, j) for i in range(n) for j in range(n) if i != j)
    rows = [[0.0] * dims for _ in range(n)]
    for i in range(n):
        for j in range(n):
            weight = (exaggeration * probabilities[i][j] - kernel(i, j) / total) * kernel(i, j) if i != j else 0.0
            for axis in range(dims):
                rows[i][axis] += 4.0 * weight * (points[i][axis] - points[j][axis])
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("exaggeration", [1.0, 12.0])
def test_the_gradient_over_all_pairs_is_that_of_a_plain_loop(dims: int, exaggeration: float, loops: Loops) -> None:
    p, y = joint_of(normal(50, 8), 10.0), normal(50, dims, seed=1) * 3
    forces = SparseForces(graph_of(p), dims, spacing=None, loops=loops)
    expected = plain_gradient(p, y, exaggeration)
    for each in (forces, DenseForces(graph_of(p))):
        torch.testing.assert_close(finished(each.gradient(y, exaggeration)), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dims", [2, 3])
def test_attraction_is_the_same_in_any_blocks_of_rows(dims: int, loops: Loops) -> None:
    graph, y = graph_of(joint_of(normal(200, 8))), normal(200, dims, seed=1) * 10
    whole, parts = torch.empty_like(y), torch.empty_like(y)
    attract(graph, y, slice(0, 200), whole, loops=loops)
    for rows in (slice(0, 16), slice(16, 17), slice(17, 130), slice(130, 200)):
        attract(graph, y, rows, parts, loops=loops)
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_divergence_is_that_of_whole_matrices(dims: int, loops: Loops) -> None:
    p, y = joint_of(normal(300, 8)), normal(300, dims, seed=1) * 10
    for forces in (SparseForces(graph_of(p), dims, spacing=None, loops=loops), DenseForces(graph_of(p))):
        assert float(finished(forces.kl_divergence(y))) == pytest.approx(kl_of(p, y), abs=1e-9)


def test_float32_stays_near_float64_on_a_wide_map(loops: Loops) -> None:
    p, y = joint_of(normal(300, 20)), normal(300, 2, seed=1) * 40
    exact = finished(SparseForces(graph_of(p), 2, spacing=None, loops=loops).gradient(y, 1.0))
    graph = graph_of(p.float())
    for forces in (SparseForces(graph, 2, spacing=None, loops=loops), DenseForces(graph)):
        single = finished(forces.gradient(y.float(), 1.0)).double()
        assert float((single - exact).norm() / exact.norm()) < 2e-4  # 1.1e-4 without fused multiply-add


def all_pairs(y: Tensor) -> tuple[Tensor, float]:
    """Repulsion and normaliser in float64, whole matrices."""
    difference = y.double()[:, None] - y.double()
    q = 1 / (1 + difference.square().sum(2))
    return (q.square()[:, :, None] * difference).sum(1), float(q.sum())


def error_of_grid(y: Tensor, spacing: float, loops: Loops) -> float:
    """Relative to the norm over all points; the normaliser is checked on the way."""
    out = torch.empty_like(y)
    total = GridRepulsion(spacing, loops=loops)(y, out)
    expected, mass = all_pairs(y)
    assert float(total) == pytest.approx(mass, rel=2e-3)
    return float((out.double() - expected).norm() / expected.norm())


def test_the_grid_is_as_near_as_promised_on_a_finished_map_and_nearer_when_finer(loops: Loops) -> None:
    x, _ = digits(1797)
    map_ = tsne(x).positions
    errors = [error_of_grid(map_, spacing, loops) for spacing in (1 / 2, 1 / 3, 1 / 4, 1 / 8)]
    assert errors[0] <= 4e-2
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] <= 2e-3


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1.0, 3.0])
def test_a_shrunken_map_is_no_less_exact(scale: float, loops: Loops) -> None:
    y = (normal(500, 2) * scale).float()
    assert error_of_grid(y, 1 / 2, loops) <= 1.5e-2


@pytest.mark.parametrize(
    "y",
    [
        pytest.param(torch.zeros(40, 2), id="one place"),
        pytest.param(torch.arange(40.0)[:, None] * torch.tensor([[1.0, 0.0]]), id="a line"),
        pytest.param(torch.cat([torch.zeros(39, 2), torch.tensor([[300.0, -200.0]])]), id="an outlier"),
        pytest.param(normal(40, 2).float() + 1e4, id="far away"),
    ],
)
def test_odd_maps_have_finite_forces_of_the_right_size(y: Tensor, loops: Loops) -> None:
    out = torch.empty_like(y)
    total = GridRepulsion(1 / 2, loops=loops)(y, out)
    expected, mass = all_pairs(y)
    assert float(total) == pytest.approx(mass, rel=1e-2)
    assert float((out.double() - expected).abs().max()) <= 0.05 * max(1.0, float(expected.abs().max()))


def test_loops_and_torch_give_the_same() -> None:
    pytest.importorskip("numba")
    graph, y = graph_of(joint_of(normal(1500, 10)).float()), normal(1500, 2).float() * 20
    found = []
    for loops in (compiled(), None):
        forces = SparseForces(graph, 2, spacing=1 / 2, loops=loops)
        forces._grid = GridRepulsion(1 / 2, loops=loops)
        found.append((finished(forces.gradient(y, 4.0)), float(finished(forces.kl_divergence(y)))))
    (first, kl), (second, also) = found
    assert float((first - second).norm() / first.norm()) <= 1e-5
    assert kl == pytest.approx(also, rel=1e-6)
    assert math.isfinite(kl)


def test_many_points_take_the_grid_few_and_three_dimensions_all_pairs() -> None:
    many = graph_of(torch.eye(5000)[torch.randperm(5000, generator=torch.Generator().manual_seed(0))])
    few = graph_of(joint_of(normal(60, 4)).float())
    assert SparseForces(many, 2, spacing=1 / 2, loops=None)._grid is not None
    assert SparseForces(many, 2, spacing=None, loops=None)._grid is None
    assert SparseForces(many, 3, spacing=1 / 2, loops=None)._grid is None
    assert SparseForces(few, 2, spacing=1 / 2, loops=None)._grid is None


@pytest.mark.parametrize("n", [40, 1001])
def test_few_points_without_loops_are_a_matrix(n: int) -> None:
    graph = graph_of(torch.eye(n)[torch.arange(n).roll(1)])
    assert isinstance(forces_for(graph, 2, spacing=1 / 2, loops=None), DenseForces) == (n == 40)
    loops = pytest.importorskip("nnwidgets.analysis.engine.tsne_loops")
    assert isinstance(forces_for(graph, 2, spacing=1 / 2, loops=loops), SparseForces)


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_without_numba_or_a_place_to_keep_its_work_torch_sums(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> None:
        raise error(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    assert compiled.__wrapped__() is None


def test_loops_are_used_once_they_are_loaded_whole() -> None:
    pytest.importorskip("numba")
    compiled.cache_clear()
    assert loaded(10**4) is None
    assert worth_loading(10) is None
    loops = worth_loading(10**4)
    assert loops is not None
    assert loaded(10**4) is loops
    assert loaded(10) is None
