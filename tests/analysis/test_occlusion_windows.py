"""Occlusion on windows against the model itself, position by position, and what it does where windows can't be used."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnwidgets.analysis.engine.occlusion_dense import DenseEngine, class_scores
from nnwidgets.analysis.engine.occlusion_engine import Engine
from nnwidgets.analysis.engine.occlusion_problem import Problem, parse_problem
from nnwidgets.analysis.engine.occlusion_reference_pass import Step
from nnwidgets.analysis.engine.occlusion_rules import RULES
from nnwidgets.analysis.engine.occlusion_windows import Windows
from nnwidgets.shadow import shadow_module
from tests.analysis.random_nets import RandomNet
from tests.benchmarks.occlusion_nets import CASES, Case

CPU = torch.device("cpu")
MAX_BYTES = 1 << 30


def problem_of(images: Tensor, patch: Any, stride: Any, *, fill: Any = 0.0, layers: Any = ()) -> Problem:
    return parse_problem(images, patch=patch, stride=stride, fill=fill, layers=layers, extra=None, device=CPU)


def places(problem: Problem) -> tuple[Tensor, Tensor]:
    """Image and place of every position of every image."""
    work = torch.cartesian_prod(*(torch.arange(length) for length in (len(problem.images), *problem.grid)))
    return work[:, 0], work[:, 1:]


def one_by_one(model: nn.Module, problem: Problem) -> Tensor:
    """The model's own scores of every covered image, each in a batch of its own."""
    scores = []
    with torch.no_grad():
        for image, (i, j) in zip(*places(problem), strict=True):
            top, left = problem.origins[0][i], problem.origins[1][j]
            covered = problem.images[image : image + 1].clone()
            fill = problem.fill[image if len(problem.fill) > 1 else 0]
            covered[:, :, top : top + problem.patch[0], left : left + problem.patch[1]] = fill
            scores.append(model(covered))
    return torch.cat(scores)


def check(model: nn.Module, problem: Problem) -> Engine:
    """Compare all positions with the model's own answers; returns the engine."""
    model.eval()
    engine = Engine(shadow_module(model), problem, score_fn=class_scores, max_bytes=MAX_BYTES)
    image, place = places(problem)
    with torch.no_grad():
        clean = model(problem.images.clone())[image]
    own, (found, _) = one_by_one(model, problem), engine.evaluate(image, place)
    change, largest = (own - clean).abs().max(), own.abs().max()
    assert change >= 0.01 * largest, "the squares change too little: the clean scores would pass for an answer"
    exact = problem.images.dtype == torch.float64
    assert (found - own).abs().max() <= min(1e-3 * change, (1e-10 if exact else 1e-5) * largest)
    return engine


@pytest.mark.parametrize("seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(30, 300))])
def test_random_nets_give_the_models_own_scores(seed: int) -> None:
    dtype = torch.float64 if seed % 3 == 0 else torch.float32
    net = RandomNet(seed).to(dtype)
    patch = (2 + seed % 3, 2 + seed % 4)
    images = torch.randn(1 + seed % 2, net.channels, *net.size, dtype=dtype)
    fill = [1.5, -2.0, 1.0][: net.channels] if seed % 2 else 2.0
    with torch.no_grad():  # so that what a small square changes in the mean of a large map is no small part of a score
        net.head.bias.sub_(net.eval()(images).mean(0), alpha=0.9)
    engine = check(net, problem_of(images, patch, min(patch), fill=fill))
    assert engine.why_whole == ""
    assert engine.report()["windowed_share"] > 0
    assert engine.report()["work_share"] < 1


class Squeezing(nn.Module):
    """A gate over channels that is computed from the whole map (Hu et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate, self.last = nn.Conv2d(2, 6, 3), nn.Conv2d(6, 6, 1), nn.Conv2d(6, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        x = x * self.gate(F.adaptive_avg_pool2d(x, 1)).sigmoid()
        return torch.amax(self.last(x), (2, 3))


class Normalising(nn.Module):
    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Conv2d(2, 4, 3, padding=1), norm, nn.Linear(4 * 17 * 16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.first(x)).relu().flatten(1))  # type: ignore[no-any-return]


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(2, 8, 4, stride=4)
        self.mix = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.mix(self.patches(x).flatten(2).transpose(1, 2)).mean(1))  # type: ignore[no-any-return]


class Slicing(nn.Module):
    """Views that are written to, a value that is read after it was overwritten elsewhere, a clone that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        early = F.max_pool2d(y, 3, 1, 1)
        kept = y.clone()
        y.relu_()
        y[:, :2] *= 2.0
        return torch.mean(self.last(y - early + kept.neg_()), (-1, -2))


class Upsampling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.up, self.last = nn.Conv2d(2, 6, 3), nn.ConvTranspose2d(6, 4, 2, 2), nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.mean(self.last(F.interpolate(self.up(self.first(x)), scale_factor=2)), (2, 3))


class Centring(nn.Module):
    """Writes to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(2, 4, 3), nn.Linear(4 * 15 * 14, 4)

    def forward(self, x: Tensor) -> Tensor:
        x -= 0.5
        x.mul_(2.0)
        return self.head(self.first(x).flatten(1))  # type: ignore[no-any-return]


class Viewing(nn.Module):
    """Views as tutorials write them: with the batch's size, and without."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last, self.head = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4 * 13 * 12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.last(self.first(x).relu().view(x.size(0), 4, 15, 14))
        return self.head(x.view(-1, 4 * 13 * 12))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("build", "dense_from"),
    [
        (Squeezing, "gate"),
        (lambda: Normalising(nn.GroupNorm(2, 4)), "norm"),
        (lambda: Normalising(nn.LayerNorm([4, 17, 16])), "norm"),
        (lambda: Normalising(nn.InstanceNorm2d(4, affine=True)), "norm"),
        (Attending, "patches"),
        (Slicing, "first"),
        (Upsampling, "up"),
        (Viewing, "first"),
        (Centring, "first"),
    ],
)
def test_what_mixes_positions_is_computed_as_a_whole(build: Callable[[], nn.Module], dense_from: str) -> None:
    torch.manual_seed(0)
    engine = check(build(), problem_of(torch.randn(2, 2, 17, 16), 4, 3))
    assert engine.why_whole == ""
    assert engine.report()["dense_from"] == dense_from
    assert 0 < engine.report()["windowed_share"] < 1


class Deciding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(2, 4, 3), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.head((x.relu() if float(x.mean()) > 0 else x.neg()).mean((2, 3)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("build", [Deciding, lambda: Normalising(nn.BatchNorm2d(4, track_running_stats=False))])
def test_images_that_influence_each_other_in_a_batch_are_evaluated_alone(build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(1)
    engine = check(build(), problem_of(torch.randn(1, 2, 17, 16), 4, 3))
    assert engine.why_whole.startswith("one whole image at a time")


class Hidden(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.flip(x, (2,)).relu()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0]


def mirrored(x: Tensor) -> Tensor:
    return torch.flip(x, (3,)).relu()


def scripted() -> Callable[[Tensor], Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(mirrored)


@pytest.mark.parametrize("hidden", [lambda: Hidden.apply, scripted])
def test_operations_that_cannot_be_seen_are_exact(hidden: Callable[[], Callable[[Tensor], Tensor]]) -> None:
    hide = hidden()

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Conv2d(2, 4, 3), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(hide(self.first(x))[:, :, 3:].mean((2, 3)))  # type: ignore[no-any-return]

    torch.manual_seed(0)
    check(Model(), problem_of(torch.randn(1, 2, 17, 16), 4, 3))


def test_wrong_windows_are_noticed_named_and_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(624, 4))
    right = RULES[torch.tanh]

    def wrong(step: Step, x: Windows, *args: Any, **kwargs: Any) -> Any:
        return right(step, replace(x, values=x.values * 1.01), *args, **kwargs)

    monkeypatch.setitem(RULES, torch.tanh, wrong)
    with caplog.at_level(logging.WARNING):
        engine = check(net, problem_of(torch.randn(1, 2, 17, 16), 4, 3))
    assert engine.why_whole == "whole images: windows gave other values from 3"
    assert [record.getMessage() for record in caplog.records] == [f"occlusion map by {engine.why_whole}"]


def test_later_maps_check_one_position_and_catch_weights_that_break_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = shadow_module(nn.Sequential(nn.Conv2d(2, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(840, 4)))
    problem = problem_of(torch.randn(1, 2, 17, 16), 4, 3)
    checked: list[list[tuple[int, ...]]] = []
    compare = Engine._check

    def noted(engine: Engine, windows: Any, image: Tensor, place: Tensor, found: Tensor) -> None:
        checked[-1].append(tuple(place[0].tolist()))
        compare(engine, windows, image, place, found)

    monkeypatch.setattr(Engine, "_check", noted)
    for _ in range(3):
        checked.append([])
        check(net, problem)
    first, second, third = checked
    assert len(set(first)) >= 3
    assert len(second) == len(third) == 1
    assert second != third


@pytest.mark.parametrize("spoilt", ["a checked position", "another"])
def test_one_wrong_position_is_noticed_when_it_is_checked(spoilt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(840, 4)).eval()
    problem = problem_of(torch.randn(1, 2, 17, 16), 4, 3)
    right = RULES[F.conv2d]
    wanted = 0 if spoilt == "a checked position" else 3  # a corner, or the next in that row

    def wrong(step: Step, *args: Any, **kwargs: Any) -> Any:
        found = right(step, *args, **kwargs)
        if isinstance(found, Windows):
            x = args[0]
            found.values[(x.rows.low[x.chunk.row] == 0) & (x.cols.low[x.chunk.col] == wanted)] += 1.0
        return found

    monkeypatch.setitem(RULES, F.conv2d, wrong)  # type: ignore[misc]
    if wanted:
        with pytest.raises(AssertionError):
            check(net, problem)
    else:
        assert check(net, problem).why_whole == "whole images: windows gave other values from 0"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_nets_of_the_benchmark_need_little_more_than_the_least_work(case: Case) -> None:
    model = case.model()
    problem = problem_of(case.image(), case.patch, case.stride)
    image, place = places(problem)
    some = torch.linspace(0, len(image) - 1, 24).long()
    engine = Engine(shadow_module(model), problem, score_fn=class_scores, max_bytes=MAX_BYTES)
    scores, _ = engine.evaluate(image[some], place[some])
    assert engine.why_whole == ""
    assert 1 / engine.report()["work_share"] >= case.work / 1.25
    for at in some[::8].tolist():
        own, _ = DenseEngine(shadow_module(model), problem, score_fn=class_scores).evaluate(
            image[at : at + 1], place[at : at + 1]
        )
        torch.testing.assert_close(scores[some == at], own, rtol=1e-4, atol=1e-5 * float(own.abs().max()))
