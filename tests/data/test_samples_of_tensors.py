"""Samples of tensors, which are indexed directly: the same batches as one by one, and nothing of the user's in them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.data.sets import IMAGES, LABELS, TwoInputs, samples_of


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (LABELS, LABELS),
        (LABELS.to(torch.uint8), LABELS),
        (LABELS[:, None], LABELS),
        (LABELS % 2 == 0, (LABELS % 2 == 0).long()),
        (LABELS / 4, LABELS / 4),
        (LABELS[:, None] + torch.arange(3), LABELS[:, None] + torch.arange(3)),
    ],
    ids=["classes", "bytes", "a column", "booleans", "numbers", "several"],
)
def test_tensors_are_batched_in_one_go_as_they_are_one_by_one(targets: Tensor, expected: Tensor) -> None:
    chosen = [7, 2, 7, 19]
    rows = IMAGES[:, :1], IMAGES[:, 1:2], targets
    whole = samples_of(rows, TwoInputs()).batch(chosen)
    single = samples_of([tuple(each[i] for each in rows) for i in range(20)], TwoInputs()).batch(chosen)
    assert whole.indices == single.indices == tuple(chosen)
    assert whole.kwargs == single.kwargs == {}
    for batch in (whole, single):
        assert [torch.equal(arg, each[chosen]) for arg, each in zip(batch.args, rows[:2], strict=True)] == [True, True]
        assert batch.targets is not None
        torch.testing.assert_close(batch.targets, expected[chosen], rtol=0, atol=0)


def test_a_batch_of_tensors_is_a_copy_without_gradients() -> None:
    inputs = IMAGES.clone().requires_grad_()
    samples = samples_of((inputs, LABELS.clone()))
    batch = samples.batch(range(20))
    assert not batch.args[0].requires_grad
    batch.args[0].zero_()
    assert batch.targets is not None
    batch.targets.zero_()
    assert torch.equal(inputs, IMAGES)
    assert torch.equal(samples.batch([3]).args[0], IMAGES[[3]])
    with pytest.raises(ValueError, match="indices: expected at least one sample, got none"):
        samples.batch([])
