"""Maps that follow training: quality, identity of points, and what a failure leaves behind."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import numpy as np
import pytest
import torch

from nnwidgets.analysis.embedding import tsne
from nnwidgets.analysis.engine.layout import overlap
from nnwidgets.analysis.live_tsne import LiveTSNE
from tests.analysis.clouds import clusters, digits, displacement, label_agreement, normal


def test_a_live_map_keeps_its_quality_and_its_places() -> None:
    x, labels = digits(500)
    live = LiveTSNE()
    last = live.update(x)
    for step in range(1, 4):
        moved = x + 0.5 * step * normal(500, 64, seed=step)
        now = live.update(moved)
        assert now.iterations == 150
        assert now.kl_divergence <= 1.10 * tsne(moved).kl_divergence
        assert displacement(last.positions, now.positions) < 0.25
        assert label_agreement(now.positions, labels) > 0.9
        last = now


def test_the_stable_map_moves_little_and_re_forms_each_fifth_time() -> None:
    x = digits(200)[0]
    live = LiveTSNE(stability="stable")
    maps = [live.update(x + 0.05 * step * normal(200, 64, seed=7)) for step in range(7)]
    assert [each.iterations for each in maps] == [300, 25, 25, 25, 25, 150, 25]
    for before, after in itertools.pairwise(maps[:5]):
        assert displacement(before.positions, after.positions) < 0.1
    live.update(normal(200, 64))
    assert (
        live.update(normal(200, 64, seed=5)).iterations == 150
    )  # other neighbours: a warm start would keep the old map


@pytest.mark.parametrize("stability", ["faithful", "stable"])
def test_the_map_of_a_layer_at_rest_rests_and_gets_better(stability: Literal["faithful", "stable"]) -> None:
    x, order = digits(300)[0], torch.randperm(300, generator=torch.Generator().manual_seed(0))
    live = LiveTSNE(stability=stability)
    maps = [live.update(x) for _ in range(8)]
    assert [each.iterations for each in maps] == [300, *[25] * 7]
    assert maps[-1].kl_divergence < maps[0].kl_divergence
    for before, after in itertools.pairwise(maps):
        assert displacement(before.positions, after.positions) < 0.03
    by_order = live.update(x[order], ids=order)
    assert by_order.iterations == 25
    assert displacement(maps[-1].positions[order], by_order.positions) < 0.03


def test_new_rows_and_other_neighbours_re_form_the_map() -> None:
    x, live = clusters(60), LiveTSNE()
    x[-1] = 100.0  # no other row's neighbour
    live.update(x[:-1])
    assert live.update(x).iterations == 150
    assert live.update(x).iterations == 25
    changed = x.clone()
    changed[7] = x[100]
    assert live.update(changed).iterations == 150


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
    assert live.update(clusters(20), ids=range(100, 180)).iterations == 300


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
    assert after.iterations == 150
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


def test_overlap_counts_common_neighbours() -> None:
    assert overlap(torch.tensor([[1, 2], [0, 2]]), torch.tensor([[2, 3], [2, 0]])) == 0.75
