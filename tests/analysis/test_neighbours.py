"""Nearest neighbours against scikit-learn and plain loops, by either way, and on input that breaks naive ones."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nnwidgets.analysis.engine import neighbour_pairs, neighbours
from nnwidgets.analysis.engine.compiled import Loops
from nnwidgets.analysis.engine.neighbour_pairs import Neighbours, all_pairs
from nnwidgets.analysis.engine.neighbours import nearest
from nnwidgets.analysis.engine.slicing import finished
from tests.analysis.clouds import clusters, digits, normal

WAYS = ["all pairs", "balls"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Takes either way, whatever the number of rows."""
    monkeypatch.setattr(neighbours, "EXACT_BELOW", 0 if request.param == "balls" else 10**9)
    return str(request.param)


@pytest.fixture
def balls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT_BELOW", 0)


def of_loop(x: Tensor, count: int) -> tuple[list[list[int]], list[list[float]]]:
    rows = x.tolist()
    found = []
    for i, a in enumerate(rows):
        others = [(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)), j) for j, b in enumerate(rows) if j != i]
        found.append(sorted(others)[:count])
    return [[j for _, j in row] for row in found], [[d for d, _ in row] for row in found]


def peer(x: Tensor, count: int) -> Tensor:
    """Distances (n, count), squared, of scikit-learn."""
    sklearn = pytest.importorskip("sklearn.neighbors")
    tree = sklearn.NearestNeighbors(n_neighbors=count, algorithm="brute").fit(x.double().numpy())
    return torch.from_numpy(tree.kneighbors()[0]).square()


def by_differences(x: Tensor, count: int) -> Tensor:
    """Distances (n, count), squared, where the products of scikit-learn would round."""
    between = torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")
    return between.topk(count + 1, largest=False, sorted=True).values[:, 1:].square()


def recall(found: Neighbours, true: Tensor) -> float:
    return float((found.distances <= true[:, -1:] * (1 + 1e-6)).double().mean())


def check_consistent(x: Tensor, found: Neighbours, count: int) -> None:
    n = len(x)
    assert found.indices.shape == found.distances.shape == (n, count)
    assert found.indices.dtype == torch.int64
    assert found.distances.dtype == x.dtype
    assert not bool((found.indices == torch.arange(n)[:, None]).any())
    assert all(len(set(row)) == count for row in found.indices.tolist())
    assert bool((found.distances.diff(dim=1) >= 0).all())
    written_out = (x[found.indices].double() - x[:, None].double()).square().sum(2)
    tolerance = 1e-9 if x.dtype == torch.float64 else 1e-5
    torch.testing.assert_close(found.distances.double(), written_out, rtol=tolerance, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_neighbours_are_those_of_a_plain_loop(way: str, dtype: torch.dtype, loops: Loops) -> None:
    x = normal(120, 5).to(dtype)
    found = finished(nearest(x, 9, loops=loops))
    indices, distances = of_loop(x.double(), 9)
    check_consistent(x, found, 9)
    if way == "all pairs" or found.recall == 1.0:
        assert found.indices.tolist() == indices
        torch.testing.assert_close(found.distances.double(), torch.tensor(distances).double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_all_pairs_are_those_of_scikit_learn(dtype: torch.dtype, loops: Loops) -> None:
    x = clusters(500, width=30).to(dtype)
    found = finished(nearest(x, 40, loops=loops))
    assert found.recall == 1.0
    torch.testing.assert_close(found.distances.double(), peer(x, 40), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("kind", ["clusters", "noise", "digits", "one dimension"])
def test_what_balls_find_is_nearly_all_there_is(kind: str, balls: None, loops: Loops) -> None:
    x = {
        "clusters": lambda: clusters(100, 40, 20),
        "noise": lambda: torch.rand(3000, 8, generator=torch.Generator().manual_seed(0)).double() - 0.5,
        "digits": lambda: digits(1797)[0].float(),
        "one dimension": lambda: normal(3000, 1),
    }[kind]()
    found = finished(nearest(x, 30, loops=loops))
    check_consistent(x, found, 30)
    measured = recall(found, peer(x, 30))
    assert found.recall >= 0.98
    assert measured >= 0.975  # 256 sampled rows stand for all of them
    assert measured == pytest.approx(found.recall, abs=0.01)


@pytest.mark.data
def test_what_balls_find_among_real_images_is_nearly_all_there_is(data_folder: Path, loops: Loops) -> None:
    raw = gzip.decompress((data_folder / "mnist-t10k-images-idx3-ubyte.gz").read_bytes())
    images = torch.frombuffer(bytearray(raw[16:]), dtype=torch.uint8).view(10_000, 784).double() / 255
    images -= images.mean(0)
    x = images @ torch.linalg.eigh(images.T @ images).eigenvectors[:, -50:]
    found = finished(nearest(x, 90, loops=loops))
    assert 0.98 <= found.recall < 1.0
    assert recall(found, peer(x, 90)) == pytest.approx(found.recall, abs=0.01)


def test_many_rows_are_searched_by_balls_and_few_exactly(loops: Loops) -> None:
    assert finished(nearest(normal(400, 3), 5)).recall == 1.0
    found = finished(nearest(clusters(250, 40, 10), 15, loops=loops))
    assert 0.98 <= found.recall < 1.0


def test_where_balls_would_need_most_rows_all_pairs_are_taken(balls: None, loops: Loops) -> None:
    x = normal(400, 60)
    found = finished(nearest(x, 90, loops=loops))
    assert found.recall == 1.0
    torch.testing.assert_close(found.distances, peer(x, 90))


@pytest.mark.parametrize(
    "x",
    [
        normal(600, 6) + 1e6,
        (normal(600, 6) + 100.0).float(),
        torch.cat([normal(600, 3), torch.full((600, 3), 0.1).double()], 1),
        clusters(150, noise=1e-6),
        torch.cat([normal(599, 6), torch.full((1, 6), 1e8).double()]),
    ],
    ids=["offset", "offset32", "constant columns", "tight clusters", "outlier"],
)
def test_odd_samples_have_right_neighbours(way: str, x: Tensor, loops: Loops) -> None:
    found = finished(nearest(x, 12, loops=loops))
    check_consistent(x, found, 12)
    assert recall(found, by_differences(x, 12)) >= (0.975 if way == "balls" else 1)


def test_equal_rows_are_at_distance_zero_and_come_first(way: str, loops: Loops) -> None:
    x = (clusters(50, noise=0.1) + 3.0).repeat(4, 1).float()
    found = finished(nearest(x, 10, loops=loops))
    assert float(found.distances[:, :3].max()) == 0.0
    twins = {frozenset(row) for row in torch.cat([torch.arange(800)[:, None], found.indices[:, :3]], 1).tolist()}
    assert twins == {frozenset(range(i, 800, 200)) for i in range(200)}
    assert float(found.distances[:, 3].min()) > 0.0


@pytest.mark.parametrize("alike", [700, 500])
def test_dead_rows_are_each_others_neighbours(way: str, alike: int, loops: Loops) -> None:
    x = torch.cat([normal(700 - alike, 5) + 8.0, torch.zeros(alike, 5)])
    found = finished(nearest(x, 20, loops=loops))
    check_consistent(x, found, 20)
    assert float(found.distances[700 - alike :].max()) == 0.0
    assert int(found.indices[700 - alike :].min()) >= 700 - alike


def test_every_other_row_may_be_asked_for(way: str, loops: Loops) -> None:
    for n in (2, 3, 50):
        x = normal(n, 2)
        found = finished(nearest(x, n - 1, loops=loops))
        check_consistent(x, found, n - 1)
        assert found.recall == 1.0


def test_permuted_rows_have_the_permuted_neighbours(way: str, loops: Loops) -> None:
    x = clusters(150, 8, 12)
    order = torch.randperm(1200, generator=torch.Generator().manual_seed(5))
    plain, permuted = finished(nearest(x, 20, loops=loops)), finished(nearest(x[order], 20, loops=loops))
    same = (order[permuted.indices][:, :, None] == plain.indices[order][:, None]).any(2)
    assert float(same.double().mean()) >= (0.96 if way == "balls" else 1.0)


def test_the_same_seed_finds_the_same_and_no_global_state_moves(balls: None) -> None:
    x = clusters(400, 8, 12)
    np.random.seed(3)
    states = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].tobytes(), random.getstate()
    first, second, other = (finished(nearest(x, 20, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first.indices, second.indices)
    assert not torch.equal(first.indices, other.indices)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state(legacy=False)["state"]["key"].tobytes() == states[1]
    assert random.getstate() == states[2]


def test_the_settings_of_the_caller_do_not_reach_the_neighbours(way: str) -> None:
    x = clusters(300, 8, 12).float()
    kept, expected = x.clone(), finished(nearest(x, 20))
    precision = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.device("meta"):  # a default device
            got = finished(nearest(x.requires_grad_(), 20))
    finally:
        torch.set_float32_matmul_precision(precision)
    assert torch.equal(got.indices, expected.indices)
    assert torch.equal(got.distances, expected.distances)
    assert not got.distances.requires_grad
    assert torch.equal(x, kept)


def test_products_that_are_rounded_are_seen_and_done_in_float64(monkeypatch: pytest.MonkeyPatch, balls: None) -> None:
    exact, seen = neighbours._products, []

    def rounded(squares: Tensor, rows: Tensor, points: Tensor) -> Tensor:
        seen.append(rows.dtype)
        single = rows.dtype == torch.float32
        return exact(squares, rows.bfloat16().float() if single else rows, points)

    monkeypatch.setattr(neighbours, "_products", rounded)
    found = finished(nearest(clusters(300, 8, 12).float(), 20))
    assert found.recall >= 0.98
    assert seen.count(torch.float32) == 1  # the one that told


def test_a_search_may_be_dropped_or_interleaved_and_leaves_nothing_behind(way: str) -> None:
    x = clusters(250, 8, 12)
    expected = finished(nearest(x, 20))
    dropped, going = nearest(x, 20), nearest(x, 20)
    for _ in range(4):
        next(going)
        assert not torch.is_autocast_enabled("cpu")
        with torch.autocast("cpu"):
            next(dropped)
            assert torch.is_autocast_enabled("cpu")
    dropped.close()
    assert torch.equal(finished(going).indices, expected.indices)


def test_least_values_are_those_of_a_sort() -> None:
    for columns, count in [(30, 30), (100, 7), (1003, 20), (5000, 90)]:
        values = normal(6, columns).float()
        got = values.gather(1, neighbour_pairs.least(values, count)).sort(1).values
        assert torch.equal(got, values.sort(1).values[:, :count])


@pytest.mark.cuda
def test_a_gpu_finds_the_same_neighbours() -> None:
    x = clusters(300, 8, 12).float()
    expected = finished(all_pairs(x, 20))
    allowed = torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cuda.matmul.allow_tf32 = True
        with torch.autocast("cuda", dtype=torch.float16):
            found = finished(nearest(x.cuda(), 20))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
    assert found.recall == 1.0
    torch.testing.assert_close(found.distances.cpu(), expected.distances, rtol=1e-5, atol=0)
    assert float((found.indices.cpu() == expected.indices).double().mean()) > 0.999


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["clusters", "noise"])
def test_a_hundred_thousand_rows_are_searched_well(kind: str, loops: Loops) -> None:
    x = clusters(2500, 40, 50) if kind == "clusters" else normal(100_000, 8)
    found = finished(nearest(x, 90, loops=loops))
    rows = torch.randperm(100_000, generator=torch.Generator().manual_seed(9))[:200]
    between = torch.cdist(x[rows], x, compute_mode="donot_use_mm_for_euclid_dist").square()
    farthest = between.topk(91, largest=False, sorted=True).values[:, -1:]
    assert float((found.distances[rows] <= farthest * (1 + 1e-6)).double().mean()) >= 0.975
