"""The Occlusion view: whose map it is of, what stays on show meanwhile, what it holds, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

import nnwidgets as nnw
from nnwidgets.analysis import occlusion_map
from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.blocks.heat import Heat
from nnwidgets.display.view import Strong
from nnwidgets.measures import ModelAtStep, Progress
from nnwidgets.views.occlusion import OcclusionView
from nnwidgets.views.occlusion.view import _progress
from tests.training.toys import flush
from tests.waiting import answered, command, inspecting, shown, unanswered

NAMES = ["cat", "dog", "fox"]
X = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(1))
Y = torch.arange(12) % 3


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.Flatten(), nn.Linear(108, 3))


@pytest.fixture
def inspector(net: nn.Sequential) -> Iterator[nnw.Inspector]:
    with inspecting(net, (X, Y), probe=4, class_names=NAMES) as made:
        yield made


@pytest.fixture
def in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every slice is as short as can be, however fast the machine."""
    monkeypatch.setattr("nnwidgets.analysis.occlusion._SLICE_S", 0.0)


def model_of(view: OcclusionView) -> ModelAtStep:
    """What the view would get of the model as it is now."""
    return ModelAtStep(view.run.shadow.module, view.run.samples.batch([view.sample]), None)


def steps_of(view: OcclusionView) -> list[Any]:
    """All that one computation yields."""
    return list(view.compute(model_of(view), view.run.record))


def replace_map(result: OcclusionResult, **changes: Any) -> OcclusionResult:
    return replace(result, map=replace(result.map, **changes))


def block_of(view: OcclusionView) -> Heat:
    shown(view)
    (block,) = view.layout(view.result)
    return block


def test_the_block_has_the_numbers_of_the_analysis(inspector: nnw.Inspector, net: nn.Sequential) -> None:
    inspector.selection.layer = "1"
    block = block_of(inspector.occlusion(sample=5, patch=4, stride=2))
    alone = occlusion_map(net, X[5:6], patch=4, stride=2, layers="1")
    target = int(Y[5])
    score, activity, predicted = block.panels
    np.testing.assert_allclose(score.values, alone.probabilities[0][..., target], rtol=1e-4)
    assert score.without == pytest.approx(float(alone.clean_probabilities[0, target]), rel=1e-4)
    unit = int(activity.title.split()[1])
    np.testing.assert_allclose(activity.values, alone.layer_sums["1"][0][..., unit], rtol=1e-4)
    assert predicted.classes is not None
    np.testing.assert_array_equal(predicted.classes, alone.predicted[0])
    np.testing.assert_allclose(block.values, alone.importance(target, kind="probability")[0], atol=1e-6)
    assert block.squares is not None
    assert (tuple(block.squares.rows), block.squares.size, block.computed) == ((0, 2, 4), (4, 4), None)
    assert (score.title, activity.title) == ("p(fox)", f"Map {unit} of `1`")


def test_kind_and_target_are_laid_out_anew_and_nothing_is_computed(inspector: nnw.Inspector) -> None:
    view = inspector.occlusion(sample=5, patch=4, stride=4)
    before = shown(view)
    view.kind = "logit"
    assert command(view, "option", {"name": "target", "value": 1}) is None
    assert inspector.selection.target == 1
    block = block_of(view)
    assert view.result is before
    np.testing.assert_array_equal(block.panels[0].values, before.map.scores[0][..., 1])
    assert (block.title, block.decimals, block.panels[0].title) == ("Logit of dog lost", None, "logit dog")
    assert view.header()["caption"][1][0].startswith("Logit of dog lost")


def test_a_target_that_is_pinned_moves_with_its_own_menu_only(inspector: nnw.Inspector) -> None:
    view = inspector.occlusion(sample=5, target=0, patch=4, stride=4)
    shown(view)
    inspector.selection.target = 1
    assert view.target == 0
    assert command(view, "option", {"name": "target", "value": 2}) is None
    assert view.target == 2
    assert view.header()["options"][0]["value"] == 2
    assert block_of(view).title == "Probability of fox lost"


@pytest.mark.parametrize("value", [3, -1, True, "1", None, [], float("nan")])
def test_a_target_that_is_no_class_is_refused(inspector: nnw.Inspector, value: Any) -> None:
    view = inspector.occlusion(patch=4, stride=4)
    shown(view)
    said = command(view, "option", {"name": "target", "value": value})
    assert said is not None
    assert "expected a class from 0 to 2" in said


def test_the_summed_layer_follows_the_selection_until_one_is_chosen(inspector: nnw.Inspector) -> None:
    inspector.selection.layer = "0"
    view = inspector.occlusion(patch=4, stride=4)
    assert shown(view).layer == "0"
    inspector.selection.layer = "3"  # without maps: the last one before it
    assert shown(view).layer == "2"
    assert command(view, "option", {"name": "map_layer", "value": "1"}) is None
    assert shown(view).layer == "1"
    inspector.selection.layer = "0"
    assert shown(view).layer == "1"
    view.map_layer = ""
    assert shown(view).layer == "0"


def test_a_model_without_maps_has_no_panel_of_them() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with inspecting(model, (X, Y), probe=4) as made:
        view = made.occlusion(patch=4, stride=4)
        assert [panel.title for panel in block_of(view).panels] == [f"p({view.target})", "Predicted class"]


def test_a_smaller_patch_takes_the_stride_with_it(inspector: nnw.Inspector) -> None:
    view = inspector.occlusion(patch=6, stride=5)
    view.patch = 3
    assert (view.patch, view.stride) == (3, 3)
    assert shown(view).map.patch == (3, 3)
    with pytest.raises(traitlets.TraitError, match=r"patch: expected 1 to 8 \(the picture's smaller side\), got 9"):
        view.patch = 9
    with pytest.raises(traitlets.TraitError, match=r"stride: expected 1 to patch \(3\), got 4"):
        view.stride = 4
    assert (view.patch, view.stride) == (3, 3)


def test_without_arguments_the_squares_fit_the_picture(inspector: nnw.Inspector) -> None:
    view = inspector.occlusion()
    assert (view.patch, view.stride) == (2, 1)


@pytest.mark.usefixtures("in_slices")
def test_a_first_map_grows_with_its_progress_told(inspector: nnw.Inspector) -> None:
    with unanswered(inspector):
        view = inspector.occlusion(patch=2, stride=1)
    *made, last = steps_of(view)
    maps = [each for each in made if isinstance(each, OcclusionResult)]
    told = [each for each in made if isinstance(each, Progress)]
    assert last.map.done
    assert len(maps) == len(told) >= 2
    assert not any(each.map.done for each in maps)
    for each, progress in zip(maps, told, strict=True):
        assert progress.share == pytest.approx(each.map.computed_share)
        assert progress.text.startswith(f"Covering {int(each.map.computed.sum())} of 49 positions")


@pytest.mark.usefixtures("in_slices")
def test_a_whole_map_stays_until_the_next_one_is_whole(inspector: nnw.Inspector) -> None:
    view = inspector.occlusion(patch=2, stride=1)
    shown(view)
    *before, last = steps_of(view)
    assert set(before) == {None}
    assert last.map.done
    with unanswered(inspector):
        view.patch = 3  # something else is asked for: there it grows
    made = steps_of(view)
    assert [type(each) for each in made[:2]] == [OcclusionResult, Progress]
    assert None not in made


def test_what_is_not_computed_yet_is_told_to_page_and_reader(inspector: nnw.Inspector) -> None:
    view = inspector.view(OcclusionView, patch=4, stride=2)
    result = shown(view)
    half = result.map.computed.clone()
    half[:, 1:] = False
    scores = torch.where(half[..., None], result.map.scores, torch.nan)
    partial = replace_map(result, computed=half, exact=half, scores=scores)
    (block,) = view.layout(partial)
    np.testing.assert_array_equal(block.computed, half[0])
    assert block.panels[2].classes is not None
    assert (block.panels[2].classes[1:] == -1).all()
    strong = [str(part) for part in view.caption(partial) if isinstance(part, Strong)]
    assert strong == ["partial: hatched is not computed yet"]


def test_nan_scores_without_a_square_are_refused(inspector: nnw.Inspector, net: nn.Sequential) -> None:
    with torch.no_grad():
        next(net.parameters())[0] = torch.nan
    view = inspector.occlusion(patch=4, stride=4)
    answered(view)
    assert view.result is None
    assert view.failure is not None
    assert "expected finite values, got NaN" in view.failure[0]


def test_what_is_left_is_told_from_a_twentieth_on_and_is_right_where_the_pace_is_even(inspector: nnw.Inspector) -> None:
    view = inspector.occlusion(patch=4, stride=1)
    grid = shown(view).map
    total, second_each = grid.exact.numel(), 0.01
    for done in range(1, total, 7):
        exact = (torch.arange(total) < done).reshape(grid.exact.shape)
        told = _progress(replace_map(shown(view), exact=exact).map, done * second_each).text.partition("about ")[2]
        left = (total - done) * second_each
        assert bool(told) == (done >= 0.05 * total)
        if told:
            number, unit = told.removesuffix(" left").split("\u202f")
            seconds = float(number) / (1000 if unit == "ms" else 1)
            assert left / 2 <= seconds <= 2 * left


def test_what_a_map_holds_is_counted_until_it_is_done(inspector: nnw.Inspector) -> None:
    view = inspector.view(OcclusionView, patch=2, stride=1)
    shown(view)
    session = view.run
    counted = [session.kept_bytes.get(view) for _ in view.compute(model_of(view), session.record)]
    assert all(each is not None for each in counted)
    assert view not in session.kept_bytes
    left = view.compute(model_of(view), session.record)
    next(left)
    left.close()
    assert view not in session.kept_bytes, "cancelled"


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (
            (torch.rand(12, 5), Y),
            {},
            "Squares need inputs that are pictures; these are vectors of shape (5,), which inspector.occlusion() "
            "covers one value at a time",
        ),
        ((X, Y), {"score_fn": None}, "Occlusion needs class scores; give Inspector(score_fn=…)"),
    ],
)
def test_what_can_never_be_shown_is_said_and_not_computed(data: Any, options: Any, words: str) -> None:
    flat = nn.Sequential(nn.Linear(5, 3))
    maps = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(0))  # no axis of classes
    with inspecting(maps if options else flat, data, probe=4) as made:
        view = made.view(OcclusionView)
        flush(made._session.worker, 30.0)
        assert (view.blocked(), view.result, view.failure) == (words, None, None)
        assert view.header()["state"]["text"] == words
        assert view.header()["options"] == []
        tabs = {tab["name"]: tab["reason"] for tab in made.dashboard()._tabs()["tabs"]}
        assert tabs == {"activations": "", "filters": "", "embedding": "", "occlusion": words if options else ""}


@pytest.mark.parametrize("times", [1, 10])
def test_squares_are_of_the_input_whatever_to_image_draws(times: int) -> None:
    def drawn(image: torch.Tensor) -> torch.Tensor:
        return (255 - 255 * image[0].clamp(0, 1)).byte().repeat_interleave(times, 0).repeat_interleave(times, 1)

    torch.manual_seed(0)
    maps = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    with inspecting(maps, (X, Y), probe=4, to_image=drawn) as made:
        view = made.view(OcclusionView, sample=made._session.samples.probe_indices[0])
        result = shown(view)
        assert (view.patch, result.map.patch) == (2, (2, 2))
        picture = view.layout(result)[0].picture
        samples = made._session.samples
        own = samples.picture(result.sample) if times == 1 else samples.input_picture(result.sample)
        np.testing.assert_array_equal(picture, own)
        assert own is not None
        assert own.shape[:2] == X.shape[2:]
        with pytest.raises(ValueError, match="patch: expected 1 to 8"):
            made.occlusion(patch=20)


@pytest.mark.parametrize(
    ("data", "model", "words"),
    [
        (
            torch.rand(6, 4, 30),
            nn.Conv1d(4, 3, 30),
            "these are sequences of shape (4, 30); nnwidgets.analysis.occlusion",
        ),
        (
            torch.rand(6, 1, 4, 8, 8),
            nn.Conv3d(1, 3, 4),
            "inputs of shape (1, 4, 8, 8); nnwidgets.analysis.occlusion_map",
        ),
    ],
)
def test_inputs_that_are_no_pictures_are_told_what_covers_them(data: Any, model: nn.Module, words: str) -> None:
    with inspecting(nn.Sequential(model), data, probe=4, to_image=lambda _: torch.zeros(9, 9)) as made:
        assert words in made.occlusion().blocked_reason
