"""Trustworthiness against scikit-learn, and of maps that keep or lose all."""

from __future__ import annotations

import pytest

from nnwidgets.analysis import pca, trustworthiness
from tests.analysis.clouds import clusters, normal


@pytest.mark.parametrize("neighbours", [1, 5, 12])
def test_it_is_that_of_scikit_learn(neighbours: int) -> None:
    manifold = pytest.importorskip("sklearn.manifold")
    x = clusters(40)
    for positions in (pca(x).positions, normal(160, 2), x[:, :2] ** 3):
        expected = manifold.trustworthiness(x.numpy(), positions.numpy(), n_neighbors=neighbours)
        assert trustworthiness(x, positions, neighbours=neighbours) == pytest.approx(expected, abs=1e-9)


def test_rows_are_sampled_when_there_are_many() -> None:
    manifold = pytest.importorskip("sklearn.manifold")
    x = normal(2600, 5)
    expected = manifold.trustworthiness(x.numpy(), x[:, :2].numpy(), n_neighbors=10)
    found = trustworthiness(x, x[:, :2])
    assert found == pytest.approx(expected, abs=0.01)
    assert found == trustworthiness(x, x[:, :2])
    assert found != trustworthiness(x, x[:, :2], seed=1)


@pytest.mark.parametrize(("rows", "neighbours", "message"), [(19, 5, "positions: expected"), (20, 10, "neighbours: ")])
def test_other_shapes_are_refused(rows: int, neighbours: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trustworthiness(normal(20, 3), normal(rows, 2), neighbours=neighbours)
