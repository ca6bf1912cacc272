"""Occlusion with changes multiplied in bfloat16: off by a small share of what the squares change."""

from __future__ import annotations

import itertools
import logging

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map, occlusion_steps
from nnwidgets.analysis.engine import occlusion_rules
from nnwidgets.analysis.engine.occlusion_dense import class_scores
from nnwidgets.analysis.engine.occlusion_engine import Engine
from nnwidgets.analysis.engine.occlusion_problem import Problem, parse_problem
from nnwidgets.shadow import shadow_module
from tests.analysis.random_nets import RandomNet
from tests.benchmarks.occlusion_nets import CASES, Case

CPU = torch.device("cpu")
MAX_BYTES = 1 << 30


def problem_of(images: Tensor, patch: int, stride: int) -> Problem:
    return parse_problem(images, patch=patch, stride=stride, fill=1.5, layers=(), extra=None, device=CPU)


def evaluated(model: nn.Module, problem: Problem, *, preview: bool) -> tuple[Tensor, Tensor, Engine]:
    """Scores of some covered images, those of the clean ones, and what computed them."""
    engine = Engine(shadow_module(model), problem, score_fn=class_scores, max_bytes=MAX_BYTES, preview=preview)
    work = torch.cartesian_prod(*(torch.arange(length) for length in (len(problem.images), *problem.grid)))
    some = work[torch.linspace(0, len(work) - 1, 24).long()]
    covered, _ = engine.evaluate(some[:, 0], some[:, 1:])
    clean, _ = engine.evaluate(some[:, 0], torch.full_like(some[:, 1:], -1))
    return covered, clean, engine


@pytest.mark.parametrize("seed", range(12))
def test_random_nets_are_off_by_little_of_what_the_squares_change(seed: int) -> None:
    net = RandomNet(seed).eval()
    problem = problem_of(torch.randn(1 + seed % 2, net.channels, *net.size), 3, 2)
    exact, clean, _ = evaluated(net, problem, preview=False)
    found, also_clean, engine = evaluated(net, problem, preview=True)
    assert engine.why_whole == ""
    assert torch.equal(also_clean, clean)
    assert (found - exact).abs().max() <= 0.05 * (exact - clean).abs().max()


@pytest.mark.parametrize("case", CASES[3:], ids=lambda case: case.name)
def test_it_is_much_nearer_than_the_model_in_bfloat16(case: Case) -> None:
    model = case.model()
    problem = problem_of(case.image(), case.patch, case.stride)
    exact, clean, _ = evaluated(model, problem, preview=False)
    found, _, engine = evaluated(model, problem, preview=True)
    model.bfloat16()
    whole, whole_clean, _ = evaluated(
        model, problem_of(case.image().bfloat16(), case.patch, case.stride), preview=False
    )
    change = exact - clean
    error = ((found - clean) - change).abs().max() / change.abs().max()
    direct = ((whole - whole_clean).float() - change).abs().max() / change.abs().max()
    assert 0 < error <= direct / 2
    assert error <= 0.03
    assert 0 < engine.off_by <= 0.03


def test_a_preview_that_is_far_off_is_noticed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4 * 13 * 12, 4))
    problem = problem_of(torch.randn(1, 2, 17, 16), 4, 3)
    monkeypatch.setattr(
        occlusion_rules, "in_bfloat16", lambda change, weight, *how: F.conv2d(change, weight.float(), None, *how) * 2
    )
    with caplog.at_level(logging.WARNING):
        found, _, engine = evaluated(net.eval(), problem, preview=True)
    assert engine.why_whole == "whole images: windows gave other values from 2"
    monkeypatch.undo()
    exact, _, _ = evaluated(net, problem, preview=False)
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-6)


def test_steps_begin_with_a_whole_preview_that_is_replaced_by_the_exact_map() -> None:
    case = CASES[4]
    model, image = case.model(), case.image()
    grid = {"patch": 8, "stride": 4}
    whole = occlusion_map(model, image, **grid)  # type: ignore[arg-type]
    maps = list(occlusion_steps(model, image, mode="preview", **grid))  # type: ignore[arg-type]
    previewed = next(part for part in maps if bool(part.computed.all()))
    assert not previewed.done
    assert not previewed.exact.any()
    assert previewed.notes[0].startswith("preview at 49 of 49 positions: bfloat16, off by ")
    error = (previewed.scores - whole.scores).abs().max()
    assert 0 < error <= 0.03 * (whole.scores - whole.clean[0]).abs().max()
    for before, after in itertools.pairwise(maps):
        assert bool((after.exact >= before.exact).all()), "what was exact was taken back"
        assert torch.equal(after.scores[after.exact & before.exact], before.scores[after.exact & before.exact])
    assert any(bool(part.exact.any()) and not part.done for part in maps), "replaced at one stroke"
    assert maps[-1].done
    assert maps[-1].notes == whole.notes == ()
    torch.testing.assert_close(maps[-1].scores, whole.scores, rtol=1e-5, atol=1e-5)


def test_a_preview_where_no_windows_are_is_exact() -> None:
    class Sorting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).double().sort(1).values[:, :3].float()

    found = occlusion_map(Sorting(), torch.rand(1, 3, 4), patch=2, stride=2, mode="preview")
    assert found.done
    assert found.notes == ()
