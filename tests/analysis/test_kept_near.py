"""How many neighbours a map keeps near, against a plain loop."""

from __future__ import annotations

import pytest
import torch

from nnwidgets.analysis.kept_near import kept_near


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("k", [1, 5, 29])
def test_it_counts_what_a_plain_loop_counts(dims: int, k: int) -> None:
    generator = torch.Generator().manual_seed(dims)
    positions = torch.randn(30, dims, generator=generator)
    for row in range(30):
        near = [other for other in torch.randperm(30, generator=generator).tolist() if other != row][:k]
        by_distance = sorted(
            (sum((float(a) - float(b)) ** 2 for a, b in zip(positions[row], positions[other], strict=True)), other)
            for other in range(30)
            if other != row
        )
        nearest = [other for _, other in by_distance[:k]]
        assert kept_near(positions, row, near) == sum(other in nearest for other in near)


def test_all_are_kept_by_the_map_itself_and_by_any_turn_or_scale_of_it() -> None:
    positions = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    apart = torch.cdist(positions, positions).fill_diagonal_(torch.inf)
    near = apart.argsort(dim=1)[:, :6].tolist()
    turned = 7.5 * positions.flip(1) * torch.tensor([1.0, -1.0]) + 100
    for each in (positions, turned):
        assert [kept_near(each, row, near[row]) for row in range(20)] == [6] * 20


def test_a_duplicate_of_the_row_is_its_nearest() -> None:
    assert kept_near(torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), 0, [1]) == 1


def test_without_neighbours_none_is_kept_and_the_map_is_left_as_it_is() -> None:
    positions = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    before = positions.clone()
    assert kept_near(positions, 1, []) == 0
    assert torch.equal(positions, before)


def test_rows_that_are_not_there_and_too_many_neighbours_are_refused() -> None:
    positions = torch.zeros(3, 2)
    for row in (-1, 3):
        with pytest.raises(IndexError, match=f"row: expected 0 to 2, got {row}"):
            kept_near(positions, row, [1])
    with pytest.raises(ValueError, match="near: expected at most 2 rows, as many as there are others, got 3"):
        kept_near(positions, 0, [1, 2, 0])
