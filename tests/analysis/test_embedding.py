"""Embeddings against plain loops, closed forms, scikit-learn and openTSNE; live maps against their promises."""

from __future__ import annotations

import itertools
import math
import random
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

from nnwidgets.analysis.embedding import LiveTSNE, features, pca, tsne
from nnwidgets.analysis.engine.affinities import conditional, joint, nearest
from nnwidgets.analysis.engine.layout import overlap
from nnwidgets.analysis.engine.pace import finished
from nnwidgets.analysis.engine.principal import follow_basis, principal_scores
from nnwidgets.analysis.engine.tsne_exact import ExactForces


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
    indices, distances = finished(nearest(x - x.mean(0), min(len(x) - 1, math.ceil(3 * perplexity))))
    return joint(indices, finished(conditional(distances, perplexity)), dtype=torch.float64)


def kl_of(p: Tensor, positions: Tensor) -> float:
    """KL(P || Q) written out over whole matrices."""
    kernel = 1 / (1 + torch.cdist(positions.double(), positions.double()).square())
    kernel.fill_diagonal_(0)
    q = kernel / kernel.sum()
    held = p > 0
    return float((p[held] * (p[held] / q[held]).log()).sum())


def label_agreement(positions: Tensor, labels: Tensor) -> float:
    near: Tensor = torch.cdist(positions, positions).topk(6, largest=False).indices[:, 1:]
    return float((labels[near] == labels[:, None]).double().mean())


def global_states() -> tuple[bytes, bytes, object]:
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - the legacy state is the one to watch
    return torch.get_rng_state().numpy().tobytes(), numpy_state["state"]["key"].tobytes(), random.getstate()


def displacement(a: Tensor, b: Tensor) -> float:
    """Median way a point went, as a share of the map's radius, both maps drawn at one size."""
    a, b = ((each - each.mean(0)) / (each - each.mean(0)).norm(dim=1).mean() for each in (a, b))
    return float((a - b).norm(dim=1).median())


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("exaggeration", [1.0, 12.0])
def test_the_gradient_is_that_of_a_plain_loop(dims: int, exaggeration: float) -> None:
    p, y = joint_of(normal(50, 8), 10.0), normal(50, dims, seed=1) * 3
    points, probabilities = y.tolist(), p.tolist()

    def kernel(i: int, j: int) -> float:
        return 1.0 / (1.0 + sum((a - b) ** 2 for a, b in zip(points[i], points[j], strict=True)))

    total = sum(kernel(i, j) for i in range(50) for j in range(50) if i != j)
    expected = [
        [
            4.0
            * sum(
                (exaggeration * probabilities[i][j] - kernel(i, j) / total)
                * kernel(i, j)
                * (points[i][axis] - points[j][axis])
                for j in range(50)
                if j != i
            )
            for axis in range(dims)
        ]
        for i in range(50)
    ]
    gradient = finished(ExactForces(p).gradient(y, exaggeration))
    torch.testing.assert_close(gradient, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-10)


def test_the_gradient_is_the_slope_of_the_divergence() -> None:
    forces, y, step = ExactForces(joint_of(normal(30, 5), 8.0)), normal(30, 2, seed=1), 1e-6
    gradient = finished(forces.gradient(y, 1.0))
    for row, axis in [(0, 0), (7, 1), (29, 0)]:
        nudge = torch.zeros_like(y)
        nudge[row, axis] = step
        up, down = (float(finished(forces.kl_divergence(y + sign * nudge))) for sign in (1, -1))
        assert (up - down) / (2 * step) == pytest.approx(float(gradient[row, axis]), abs=1e-7)


def test_float32_forces_stay_within_1e_4_of_float64_on_a_wide_map() -> None:
    p, y = joint_of(normal(300, 20)), normal(300, 2, seed=1) * 40
    exact = finished(ExactForces(p).gradient(y, 1.0))
    single = finished(ExactForces(p.float()).gradient(y.float(), 1.0)).double()
    assert float((single - exact).norm() / exact.norm()) < 1e-4


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
    _, distances = finished(nearest(x, math.ceil(3 * perplexity)))
    p = finished(conditional(distances, perplexity))
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
@pytest.mark.parametrize("dims", [2, 3])
def test_odd_samples_give_a_finite_map_with_extent(x: Tensor, dims: int) -> None:
    result = tsne(x, dims=dims, perplexity=8.0)
    assert bool(result.positions.isfinite().all())
    assert float(result.positions.std(0).min()) > 0.1
    live = LiveTSNE(dims=dims, perplexity=8.0)
    for _ in range(2):
        assert bool(live.update(x).positions.isfinite().all())


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
        (torch.zeros(4, 2, 2), r"expected \(n, features\)"),
        (torch.zeros(0, 3), "at least one sample"),
        (torch.zeros(3, 0), "at least one sample and one feature"),
    ],
)
def test_unusable_samples_are_refused_with_the_reason(embed, x: Tensor, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        embed(x)


@pytest.mark.parametrize("dims", [0, 1, 4])
def test_maps_have_two_or_three_axes(dims: int) -> None:
    for embed in (
        lambda: pca(normal(9, 3), dims=dims),
        lambda: tsne(normal(9, 3), dims=dims),
        lambda: LiveTSNE(dims=dims),
    ):
        with pytest.raises(ValueError, match="dims: expected 2 or 3"):
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


def test_more_samples_than_the_exact_engine_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 10000 samples, got 10001"):
        tsne(torch.zeros(10_001, 1))


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


def test_a_live_map_keeps_its_quality_and_its_places() -> None:
    x, labels = digits(300)
    live = LiveTSNE()
    last = live.update(x)
    for step in range(1, 4):
        moved = x + 0.5 * step * normal(300, 64, seed=step)
        now = live.update(moved)
        assert now.iterations == 100
        assert now.kl_divergence <= 1.10 * tsne(moved).kl_divergence
        assert displacement(last.positions, now.positions) < 0.25
        assert label_agreement(now.positions, labels) > 0.9
        last = now


def test_the_stable_map_moves_little_and_re_forms_each_fifth_time() -> None:
    x = digits(200)[0]
    live = LiveTSNE(stability="stable")
    maps = [live.update(x + 0.05 * step * normal(200, 64, seed=7)) for step in range(7)]
    assert [each.iterations for each in maps] == [750, 25, 25, 25, 25, 100, 25]
    for before, after in itertools.pairwise(maps[:5]):
        assert displacement(before.positions, after.positions) < 0.1
    live.update(normal(200, 64))
    assert (
        live.update(normal(200, 64, seed=5)).iterations == 100
    )  # other neighbours: a warm start would keep the old map


def test_permuted_ids_keep_every_point_the_same_point() -> None:
    x = clusters(40)
    live = LiveTSNE()
    before = live.update(x, ids=range(160))
    order = torch.randperm(160, generator=torch.Generator().manual_seed(0))
    after = live.update(x[order], ids=order)
    assert displacement(before.positions[order], after.positions) < 0.25
    assert displacement(before.positions, after.positions) > 0.5


def test_new_points_start_among_their_neighbours_and_old_ones_stay() -> None:
    x, labels = clusters(40), torch.arange(4).repeat_interleave(40)
    known = torch.arange(160) % 5 != 0
    live = LiveTSNE(perplexity=15.0, stability="stable")
    names = np.array([f"image {i}" for i in range(160)])
    before = live.update(x[known], ids=list(names[known.numpy()]))
    after = live.update(x, ids=list(names))
    assert label_agreement(after.positions, labels) == 1.0
    assert displacement(before.positions, after.positions[known]) < 0.3
    fewer = live.update(x[:100], ids=list(names[:100]))
    assert displacement(after.positions[:100], fewer.positions) < 0.3


def test_a_map_of_other_points_starts_anew() -> None:
    live = LiveTSNE(perplexity=8.0)
    live.update(clusters(20), ids=range(80))
    assert live.update(clusters(20), ids=range(100, 180)).iterations == 750


@pytest.mark.parametrize("ids", [[1, 2], [0] * 40])
def test_ids_must_name_each_row_once(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="ids: expected"):
        LiveTSNE().update(normal(40, 3), ids=ids)


def test_a_diverged_layer_leaves_the_last_map_usable() -> None:
    x = clusters(30)
    undisturbed, disturbed = LiveTSNE(), LiveTSNE()
    for live in (undisturbed, disturbed):
        live.update(x)
    with pytest.raises(ValueError, match="120 NaN"):
        disturbed.update(torch.where(torch.arange(16) == 3, math.nan, x))
    assert torch.equal(disturbed.update(x).positions, undisturbed.update(x).positions)


def test_updates_do_the_work_of_update_and_may_be_dropped() -> None:
    x = clusters(100)
    whole, sliced = LiveTSNE(), LiveTSNE()
    expected = [whole.update(x), whole.update(x + 0.1)]
    *pauses, first = sliced.updates(x)
    assert pauses
    assert set(pauses) == {None}
    assert first is not None
    assert torch.equal(first.positions, expected[0].positions)
    dropped = sliced.updates(x * 2)
    assert next(dropped) is None
    dropped.close()  # type: ignore[attr-defined]
    again = list(sliced.updates(x + 0.1))[-1]
    assert again is not None
    assert displacement(again.positions, expected[1].positions) < 0.25


def test_a_layer_of_another_width_goes_on_from_the_same_map() -> None:
    live = LiveTSNE()
    before = live.update(clusters(40, width=80))
    after = live.update(clusters(40, width=120))
    assert after.iterations == 100
    assert bool(after.positions.isfinite().all())
    assert before.positions.shape == after.positions.shape


def test_too_few_points_and_back_again() -> None:
    live = LiveTSNE(perplexity=5.0)
    x = normal(30, 4)
    live.update(x)
    assert live.update(x[:5]).method == "pca"
    assert live.update(x).method == "tsne"


def test_an_unknown_stability_is_refused() -> None:
    with pytest.raises(ValueError, match="stability: expected 'faithful' or 'stable'"):
        LiveTSNE(stability="frozen")  # type: ignore[arg-type]


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


def test_overlap_counts_common_neighbours() -> None:
    assert overlap(torch.tensor([[1, 2], [0, 2]]), torch.tensor([[2, 3], [2, 0]])) == 0.75
