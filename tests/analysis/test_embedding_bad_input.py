"""Samples and settings that break naive maps: refused with a reason, or shown without NaN and without a collapse."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nnwidgets.analysis import Embedding, LiveTSNE, live_tsne, tsne
from tests.analysis.clouds import clusters, displacement, normal
from tests.waiting import inspecting, shown


def check_map(made: Embedding, n: int, dims: int = 2) -> None:
    assert made.positions.shape == (n, dims)
    assert bool(made.positions.isfinite().all())


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 9, 12, 20])
def test_a_live_map_of_few_samples_is_finite_at_each_update(n: int, dims: int) -> None:
    live = LiveTSNE(dims=dims)
    for seed in range(2):
        made = live.update(normal(n, 4) + 0.1 * normal(n, 4, seed=seed))
        check_map(made, n, dims)
        assert made.method == ("pca" if n < 8 else "tsne")
        assert n < 2 or float(made.positions.std(0).max()) > 0.1
        assert n >= 8 or made.notes == (f"PCA: t-SNE needs at least 8 samples, got {n}",)


def test_a_live_map_goes_on_while_samples_come_and_go() -> None:
    live = LiveTSNE()
    for n in (20, 3, 1, 40, 8, 120):
        check_map(live.update(normal(n, 4)), n)


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "larger": lambda x: x * 1e20,
    "smaller": lambda x: x * 1e-20,
    "subnormal": lambda x: x * 1e-310,
    "far from zero": lambda x: x + 1e6,
    "far from zero in float32": lambda x: (x + 1e6).float(),
    "one column": lambda x: x[:, :1],
    "mostly zero": lambda x: x * (torch.arange(len(x)) % 4 == 0)[:, None],
    "three distinct rows": lambda x: x[:3].repeat(len(x) // 3, 1),
    "one far away": lambda x: torch.cat([x[:-1], torch.full_like(x[:1], 1e12)]),
    "yes and no": lambda x: x > 0,
    "a view of every other feature": lambda x: x[:, ::2],
    "an array in Fortran order": lambda x: np.asfortranarray(x.numpy()),  # type: ignore[return-value, dict-item]
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    "n", [60, pytest.param(1200, marks=pytest.mark.soak), pytest.param(4500, marks=pytest.mark.soak)]
)
def test_a_layer_that_turns_odd_and_back_keeps_a_finite_map_with_extent(
    n: int, change: Callable[[Tensor], Tensor]
) -> None:
    live, x = LiveTSNE(), normal(n, 6)
    for layer in (x, change(x), x):
        made = live.update(layer)
        check_map(made, n)
        assert float(made.positions.std(0).min()) > 0.1


@pytest.mark.parametrize("x", [torch.zeros(60, 6), torch.full((60, 6), 0.1)], ids=["zero", "constant"])
def test_a_layer_that_dies_and_recovers_gets_its_map_back(x: Tensor) -> None:
    live, alive = LiveTSNE(), clusters(15)
    live.update(alive)
    check_map(live.update(x), 60)
    live.update(alive)
    again = live.update(alive)
    check_map(again, 60)
    assert again.kl_divergence <= 1.2 * tsne(alive, perplexity=59 / 3).kl_divergence


def test_duplicates_lie_together_and_apart_from_others() -> None:
    x = clusters(40, noise=1.0)
    doubled = tsne(torch.cat([x, x])).positions
    apart = (doubled[:160] - doubled[160:]).norm(dim=1).median()
    assert float(apart) < 0.05 * float((doubled - doubled.mean(0)).norm(dim=1).mean())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("when", [0, 1])
def test_a_live_map_names_what_is_not_finite_and_goes_on(bad: float, when: int) -> None:
    x, live = clusters(15), LiveTSNE()
    broken = x.clone()
    broken[7, 3] = bad
    for _ in range(when):
        live.update(x)
    with pytest.raises(
        ValueError, match=r"expected finite values, got \d NaN and \d infinite among 60 × 16; the layer may"
    ):
        live.update(broken)
    before, after = live.update(x), live.update(x)
    assert displacement(before.positions, after.positions) < 0.25


@pytest.mark.parametrize("n", [9, 60])
@pytest.mark.parametrize("perplexity", [8.0, 9.0, 60.0, 1e6])
def test_a_live_perplexity_too_large_is_lowered_and_noted_without_a_warning(n: int, perplexity: float) -> None:
    made = LiveTSNE(perplexity=perplexity).update(normal(n, 4))
    assert made.perplexity == pytest.approx(min(perplexity, (n - 1) / 3))
    assert (made.notes == ()) == (perplexity <= (n - 1) / 3)


def test_a_refresh_that_runs_out_of_memory_leaves_the_last_map(monkeypatch: pytest.MonkeyPatch) -> None:
    x, live, undisturbed = clusters(15), LiveTSNE(), LiveTSNE()
    for each in (live, undisturbed):
        each.update(x)

    def full(*_: object, **__: object) -> None:
        raise MemoryError("no room for P")

    with monkeypatch.context() as patch:
        patch.setattr(live_tsne, "graph_of", full)
        with pytest.raises(MemoryError, match="no room for P"):
            live.update(x + 0.1)
    torch.testing.assert_close(live.update(x).positions, undisturbed.update(x).positions, rtol=0, atol=0)


GROWTH = """
import resource, torch
from nnwidgets.analysis import tsne
x = torch.randn(12_000, 8, generator=torch.Generator().manual_seed(0))
tsne(x[:2_000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tsne(x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_square_of_the_samples() -> None:
    grown_kb = int(subprocess.run([sys.executable, "-c", GROWTH], check=True, capture_output=True, text=True).stdout)
    assert grown_kb * 1024 < 12_000**2 * 4 / 2, "as much as half a matrix of all pairs"


TARGETS: dict[str, tuple[list[Any], list[int]]] = {
    "names": (["cat", "dog"] * 12, [-1] * 24),
    "numbers with a fraction": ([0.5, 1.5] * 12, [-1] * 24),
    "one mask a sample": ([torch.zeros(3, 3)] * 24, [-1] * 24),
    "some to be ignored": ([0, -100] * 12, [0, -1] * 12),
    "some that are no class of the net": ([1, 1999] * 12, [1, -1] * 12),
    "none": ([None] * 24, [-1] * 24),
}


@pytest.mark.filterwarnings("ignore:labels:UserWarning")  # names: tests/data/test_labels.py has what is said of them
@pytest.mark.parametrize(("targets", "labels"), TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_targets_that_are_no_classes_leave_points_without_a_label(
    method: str, targets: list[Any], labels: list[int]
) -> None:
    data = list(zip(normal(24, 6).float(), targets, strict=True))
    with inspecting(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)), data, probe=8) as inspector:
        made = shown(inspector.embedding(points=24, method=method))
    order = made.indices.argsort()
    assert made.labels[order].tolist() == labels
    check_map(made.embedding, 24)
