"""Descents end where the KL divergence falls no more, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nnwidgets.analysis import Embedding, tsne
from nnwidgets.analysis.engine import tsne_optimizer
from nnwidgets.analysis.engine.slicing import Steps, finished
from nnwidgets.analysis.engine.tsne_optimizer import Descent, Phase
from tests.analysis.clouds import clusters, digits, normal


def both(x: Tensor, perplexity: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Embedding, Embedding]:
    """The map as it is made, and by the whole schedule."""
    made = tsne(x, perplexity=perplexity)
    with monkeypatch.context() as patch:
        patch.setattr(tsne_optimizer, "_SETTLED", 0.0)
        return made, tsne(x, perplexity=perplexity)


@pytest.mark.parametrize("x", [digits(60)[0], normal(80, 8)], ids=["digits", "normal"])
def test_a_map_that_settles_early_ends_early_with_the_same_divergence(
    x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, whole = both(x, 19.0, monkeypatch)
    assert made.iterations <= 700 < whole.iterations == 750
    assert made.kl_divergence == pytest.approx(whole.kl_divergence, rel=1e-4)


@pytest.mark.parametrize("x", [clusters(50), digits(999)[0]], ids=["clusters that drift apart", "many digits"])
def test_a_map_that_does_not_settle_runs_its_whole_schedule(x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    made, whole = both(x, 30.0, monkeypatch)
    assert made.iterations == whole.iterations == 750
    assert torch.equal(made.positions, whole.positions)


class Slope:
    """Points that roll down a x^2 / 2 - b y^2 / 2 + y^4 / 4 each: to a minimum where b < 0, else first to a saddle."""

    def __init__(self, a: float, b: float) -> None:
        self._a, self._b = a, b

    def gradient(self, positions: Tensor, exaggeration: float) -> Steps[Tensor]:
        yield
        x, y = positions.unbind(1)
        return torch.stack([self._a * x, y**3 - self._b * y], 1)


def rolled(slope: Slope, start: tuple[float, float]) -> tuple[int, float]:
    """Iterations of 500 for four points about the origin, and how far along y they end."""
    sides = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    points = Descent(sides * torch.tensor(start))
    taken = finished(points.run(slope.gradient, (Phase(500, 1.0, 0.8),)))
    return taken, float(points.positions[:, 1].abs().mean())


def test_a_descent_ends_in_a_minimum() -> None:
    taken, end = rolled(Slope(0.5, -0.5), (1.0, 1.0))
    assert taken < 300
    assert end < 1e-3


@pytest.mark.parametrize("height", [1e-2, 1e-4, 1e-6])
def test_a_rest_on_a_saddle_is_not_taken_for_a_minimum(height: float) -> None:
    taken, end = rolled(Slope(0.1, 0.003), (1.0, height))
    assert taken < 300
    assert end == pytest.approx(0.003**0.5, rel=0.02)


def test_a_layout_still_too_small_to_be_pushed_apart_goes_on() -> None:
    assert rolled(Slope(0.0, 0.005), (0.0, 1e-8))[1] == pytest.approx(0.005**0.5, rel=0.02)


def test_the_same_seed_ends_at_the_same_iteration() -> None:
    x = digits(60)[0]
    first, second = (tsne(x, perplexity=19.0, seed=1) for _ in range(2))
    assert first.iterations == second.iterations < 750
    assert torch.equal(first.positions, second.positions)
