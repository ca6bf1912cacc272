"""Embeddings against closed forms, scikit-learn and openTSNE, and on input that breaks naive ones."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nnwidgets.analysis.embedding import Embedding, features, pca, tsne, with_neighbours
from nnwidgets.analysis.engine.layout import overlap
from nnwidgets.analysis.engine.slicing import finished
from nnwidgets.analysis.live_tsne import LiveTSNE
from tests.analysis.clouds import clusters, digits, joint_of, kl_of, label_agreement, normal


def global_states() -> tuple[bytes, bytes, object]:
    numpy_state = np.random.get_state(legacy=False)
    return torch.get_rng_state().numpy().tobytes(), numpy_state["state"]["key"].tobytes(), random.getstate()


@pytest.mark.parametrize("shape", [(60, 7), (20, 200), (30, 30), (5, 3)])
def test_pca_is_the_singular_value_decomposition(shape: tuple[int, int]) -> None:
    x = normal(*shape) * torch.linspace(1, 3, shape[1]).double() + 5.0
    result = pca(x, dims=3)
    u, s, _ = np.linalg.svd((x - x.mean(0)).numpy(), full_matrices=False)
    expected = u[:, :3] * s[:3]
    signs = np.sign(expected[np.abs(expected).argmax(0), range(3)])
    np.testing.assert_allclose(result.positions.numpy(), expected * signs, atol=1e-5 * s[0])
    assert result.explained == pytest.approx((s[:3] ** 2).sum() / (s**2).sum(), abs=1e-12)
    assert result.method == "pca"
    assert math.isnan(result.kl_divergence)


def test_the_reported_divergence_is_over_the_optimised_p() -> None:
    x = digits(300)[0]
    result = tsne(x)
    assert result.kl_divergence == pytest.approx(kl_of(joint_of(x), result.positions), rel=1e-4)


@pytest.mark.slow
def test_the_map_is_as_good_as_those_of_scikit_learn_and_opentsne() -> None:
    manifold, peer = pytest.importorskip("sklearn.manifold"), pytest.importorskip("openTSNE")
    x, labels = digits(300)
    p, ours, theirs = joint_of(x), [], {"scikit-learn": [], "openTSNE": []}  # type: ignore[var-annotated]
    for seed in range(3):
        mine = tsne(x, seed=seed, init=1e-4 * normal(300, 2, seed=seed)).positions
        ours.append(kl_of(p, mine))
        assert label_agreement(mine, labels) > 0.9
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside the peers
            sk = manifold.TSNE(random_state=seed, init="random").fit_transform(x.numpy())
            ot = peer.TSNE(random_state=seed, initialization="random", n_jobs=1).fit(x.numpy())
        theirs["scikit-learn"].append(kl_of(p, torch.tensor(np.asarray(sk))))
        theirs["openTSNE"].append(kl_of(p, torch.tensor(np.asarray(ot))))
    for values in theirs.values():
        assert np.mean(ours) <= 1.02 * np.mean(values)


def test_the_same_seed_gives_the_same_map_and_no_global_state_moves() -> None:
    x = normal(100, 5)
    states = global_states()
    first, second = tsne(x, seed=4), tsne(x, seed=4)
    assert torch.equal(first.positions, second.positions)
    assert global_states() == states


def test_permuted_rows_give_the_permuted_map() -> None:
    x = clusters(30)
    order = torch.randperm(120, generator=torch.Generator().manual_seed(0))
    start = normal(120, 2) * 1e-2
    agreed = label_agreement(tsne(x[order], init=start[order]).positions, torch.arange(4).repeat_interleave(30)[order])
    assert agreed == label_agreement(tsne(x, init=start).positions, torch.arange(4).repeat_interleave(30)) == 1.0


@pytest.mark.parametrize("n", range(1, 21))
def test_few_samples_give_a_finite_map(n: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = tsne(normal(n, 4))
    assert result.positions.shape == (n, 2)
    assert bool(result.positions.isfinite().all())
    assert result.method == ("pca" if n < 8 else "tsne")
    if n > 1:
        assert float(result.positions.std(0).norm()) > 1e-2


@pytest.mark.parametrize(
    "x",
    [
        torch.ones(40, 6),
        torch.full((40, 6), 0.1),
        torch.zeros(40, 6),
        normal(40, 1),
        normal(40, 6) * 1e20,
        normal(40, 6) * 1e-20,
        normal(40, 6) * 1e300,
        normal(40, 6) + 1e6,
        normal(10, 6).repeat(4, 1),
        torch.cat([normal(40, 3), torch.ones(40, 3)], 1),
        torch.cat([normal(20, 6), torch.zeros(20, 6)]),
        normal(40, 6).to(torch.bfloat16),
        torch.arange(240).reshape(40, 6),
        normal(40, 300),
    ],
    ids=[
        "constant", "constant with rounding", "zero", "one column", "1e20", "1e-20", "1e300", "offset", "duplicates",
        "constant columns", "zero rows", "bfloat16", "integers", "wide",
    ],
)  # fmt: skip
def test_odd_samples_give_a_finite_map_with_extent(x: Tensor) -> None:
    result = tsne(x, perplexity=8.0)
    live = LiveTSNE(dims=3, perplexity=8.0)
    for each in (result, live.update(x), live.update(x)):
        assert bool(each.positions.isfinite().all())
        assert float(each.positions.std(0).min()) > 0.1


def test_scale_and_offset_do_not_change_the_quality() -> None:
    x = digits(200)[0]
    base = tsne(x).kl_divergence
    for changed in (x * 1e18, x * 1e-18, x + 1e6):
        assert tsne(changed).kl_divergence == pytest.approx(base, rel=0.1)  # another local minimum at most


@pytest.mark.parametrize("embed", [pca, tsne, lambda x, **_: LiveTSNE().update(x)])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([[0.0, math.nan], [math.inf, 1.0], [-math.inf, 2.0]]), "1 NaN and 2 infinite among 3 × 2"),
        (torch.zeros(4), r"expected \(n, features\), got shape \(4,\)"),
        (torch.zeros(0, 2, 2), "at least one sample"),
        (torch.zeros(0, 3), "at least one sample"),
        (torch.zeros(3, 0), "at least one sample and one feature"),
    ],
)
def test_unusable_samples_are_refused_with_the_reason(embed: Callable[..., Embedding], x: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embed(x)


@pytest.mark.parametrize("dims", [0, 1, 4, "2", None, 2.5, True])
def test_maps_have_two_or_three_axes(dims: Any) -> None:
    for embed in (
        lambda: pca(normal(9, 3), dims=dims),
        lambda: tsne(normal(9, 3), dims=dims),
        lambda: LiveTSNE(dims=dims),
    ):
        with pytest.raises(ValueError, match="dims: expected 2 or 3, got "):
            embed()


@pytest.mark.parametrize("perplexity", [1.0, 0.0, -3.0, math.nan, math.inf])
def test_a_perplexity_of_one_or_less_is_refused(perplexity: float) -> None:
    with pytest.raises(ValueError, match="perplexity: expected a number above 1"):
        tsne(normal(50, 3), perplexity=perplexity)
    with pytest.raises(ValueError, match="perplexity"):
        LiveTSNE(perplexity=perplexity)


@pytest.mark.parametrize("perplexity", [30.0, 50.0, 1000.0])
def test_a_perplexity_too_large_for_the_samples_is_lowered_aloud(perplexity: float) -> None:
    with pytest.warns(UserWarning, match="perplexity lowered from .* to 16.3: 50 samples") as caught:
        result = tsne(normal(50, 3), perplexity=perplexity)
    assert caught[0].filename == __file__
    assert result.perplexity == pytest.approx(49 / 3)
    assert result.notes


def test_a_start_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"init: expected finite positions \(50, 2\), got shape \(50, 3\)"):
        tsne(normal(50, 3), perplexity=5.0, init=normal(50, 3))


@pytest.mark.slow
def test_a_map_of_many_samples_keeps_its_clusters_and_says_what_is_approximate() -> None:
    x = clusters(900, count=10, width=20, noise=0.8)
    result = tsne(x)
    assert 0.98 <= result.recall < 1
    assert result.notes == (f"neighbours approximate, {100 * result.recall:.1f} % of them right",)
    some = torch.arange(0, len(x), 3)
    labels = torch.arange(10).repeat_interleave(900)
    assert label_agreement(result.positions[some], labels[some]) > 0.95
    assert tsne(x[:500]).recall == 1.0


@pytest.mark.parametrize(("dims", "most"), [(2, 100_000), (3, 20_000)])
def test_more_samples_than_a_map_takes_are_refused(dims: int, most: int) -> None:
    with pytest.raises(ValueError, match=f"at most {most} samples, got {most + 1}"):
        tsne(torch.zeros(most + 1, 1), dims=dims)


def test_features_flatten_small_maps_and_average_large_ones() -> None:
    small = normal(3, 4, 5, 5)
    rows, note = features(small)
    assert note is None
    torch.testing.assert_close(rows, small.float().flatten(1))
    rows, note = features(torch.arange(2 * 64 * 16 * 16.0).reshape(2, 64, 16, 16))
    expected = torch.arange(2 * 64 * 256.0).reshape(2, 64, 8, 2, 8, 2).mean((3, 5)).flatten(1)
    torch.testing.assert_close(rows, expected)
    assert note == "maps of 16×16 averaged to 8×8"
    assert features(normal(2, 8, 10, 11, 12))[0].shape[1] <= 4096
    assert features(normal(2, 8, 9000), limit=100)[0].shape == (2, 96)
    assert features(normal(2, 5000, 3, 3))[0].shape == (2, 5000)
    assert features(normal(6))[0].shape == (6, 1)


def test_gradients_autocast_and_matmul_precision_of_the_caller_do_not_reach_the_map() -> None:
    x = normal(60, 5).float()
    expected = tsne(x, perplexity=10.0).positions
    precision = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = tsne(x.clone().requires_grad_(), perplexity=10.0).positions
    finally:
        torch.set_float32_matmul_precision(precision)
    assert torch.equal(got, expected)
    assert not got.requires_grad


def test_a_map_carries_the_true_neighbours_of_each_row_and_their_distances() -> None:
    x = 40.0 * normal(60, 12) + 7.0
    apart = torch.cdist(x.double(), x.double()).fill_diagonal_(math.inf)
    distances, rows = apart.sort(1)
    maps = [tsne(x, perplexity=8.0), LiveTSNE(perplexity=8.0).update(x), finished(with_neighbours(pca(x), x))]
    for map_ in maps:
        assert map_.neighbours is not None
        assert map_.distances is not None
        assert map_.neighbours.tolist() == rows[:, :10].tolist()
        assert torch.allclose(map_.distances.double(), distances[:, :10], rtol=1e-5)
    assert pca(x).neighbours is None
    assert tsne(x[:5]).neighbours is None
    assert finished(with_neighbours(pca(x[:5]), x[:5])).neighbours is None


def test_neighbours_of_wide_rows_are_those_among_fifty_components() -> None:
    x = clusters(40, width=300)
    near = finished(with_neighbours(pca(x), x)).neighbours
    assert near is not None
    centred = x.double() - x.double().mean(0)
    reduced = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:50].T
    expected = torch.cdist(reduced, reduced).fill_diagonal_(math.inf).argsort(1)[:, :10]
    assert overlap(near.long(), expected) > 0.95


@pytest.mark.parametrize("size", [0.0, 1e-12, 1.0, 1e6])
def test_a_start_of_any_size_gives_a_map(size: float) -> None:
    x = clusters(30)
    map_ = tsne(x, init=size * pca(x).positions)
    assert map_.kl_divergence <= 1.1 * tsne(x).kl_divergence
