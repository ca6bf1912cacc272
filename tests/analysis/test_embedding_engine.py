"""What embeddings are made of, against plain loops and closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from nnwidgets.analysis.engine.affinities import conditional
from nnwidgets.analysis.engine.neighbour_pairs import all_pairs
from nnwidgets.analysis.engine.principal import follow_basis, principal_scores
from nnwidgets.analysis.engine.slicing import finished
from nnwidgets.analysis.engine.tsne_forces import SparseForces
from tests.analysis.clouds import clusters, graph_of, joint_of, normal


def test_the_gradient_is_the_slope_of_the_divergence() -> None:
    forces, y, step = (
        SparseForces(graph_of(joint_of(normal(30, 5), 8.0)), 2, spacing=None, loops=None),
        normal(30, 2, seed=1),
        1e-6,
    )
    gradient = finished(forces.gradient(y, 1.0))
    for row, axis in [(0, 0), (7, 1), (29, 0)]:
        nudge = torch.zeros_like(y)
        nudge[row, axis] = step
        up, down = (float(finished(forces.kl_divergence(y + sign * nudge))) for sign in (1, -1))
        assert (up - down) / (2 * step) == pytest.approx(float(gradient[row, axis]), abs=1e-7)


@pytest.mark.parametrize("perplexity", [2.0, 10.0, 30.0, 60.0])
@pytest.mark.parametrize("kind", ["normal", "clusters", "outlier", "heavy tails"])
def test_each_row_reaches_the_perplexity(kind: str, perplexity: float) -> None:
    x = normal(240, 10)
    if kind == "clusters":
        x = clusters(60, noise=0.01)
    if kind == "outlier":
        x[0] *= 1e4
    if kind == "heavy tails":
        x = torch.exp(3 * x)
    near = finished(all_pairs(x, math.ceil(3 * perplexity)))
    p = finished(conditional(near.distances, perplexity))
    entropy = -torch.xlogy(p, p).sum(1)
    torch.testing.assert_close(entropy.exp(), torch.full((240,), perplexity).double(), rtol=1e-6, atol=0)


def test_coinciding_neighbours_share_their_probability_equally() -> None:
    distances = torch.tensor([[0.0] * 6 + [1.0] * 3], dtype=torch.float64)
    p = finished(conditional(distances, 3.0))
    torch.testing.assert_close(p[0, :6], torch.full((6,), 1 / 6).double(), rtol=1e-6, atol=0)
    assert float(p[0, 6:].max()) < 1e-9


def test_joint_probabilities_are_symmetric_and_sum_to_one() -> None:
    p = joint_of(normal(100, 6))
    assert torch.equal(p, p.T)
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-12)
    assert float(p.diagonal().abs().max()) == 0.0


def test_a_followed_basis_holds_nearly_the_variance_of_the_exact_one() -> None:
    generator = torch.Generator().manual_seed(0)
    mixing = normal(600, 600, seed=3) * torch.linspace(1, 0.02, 600).double().square()
    x, basis = normal(700, 600) @ mixing.T, None
    for step in range(4):
        moved = x + step * 0.05 * normal(700, 600, seed=step) @ mixing.T
        moved -= moved.mean(0)
        basis = finished(follow_basis(moved, 50, basis, generator))
        share = float((moved @ basis).square().sum() / moved.square().sum())
        assert share > 0.995 * principal_scores(moved, 50)[1]
        torch.testing.assert_close(basis.T @ basis, torch.eye(50).double(), rtol=0, atol=1e-10)
