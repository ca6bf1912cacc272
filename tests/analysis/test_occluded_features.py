"""One value covered at a time: the same numbers as a plain loop and as Captum."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from captum.attr import FeatureAblation
from torch import Tensor, nn

from nnwidgets.analysis import feature_occlusion, feature_occlusion_steps


class Text(nn.Module):
    """Tokens with a mask, by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.mix = nn.Embedding(20, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head, self.drop = nn.Linear(8, 3), nn.Dropout(0.5)

    def forward(self, *, tokens: Tensor, mask: Tensor) -> dict[str, Tensor]:
        mixed = self.mix(self.embed(tokens)) * mask[:, :, None]
        return {"logits": self.head(self.drop(mixed.sum(1) / mask.sum(1, keepdim=True)))}


def by_loop(model: nn.Module, rows: Tensor, fill: Any, call: Callable[[nn.Module, Tensor, int], Tensor]) -> Tensor:
    """(rows, values, classes): one forward pass for each value of each row."""
    alone = copy.deepcopy(model).eval()
    fills = torch.as_tensor(fill).expand(rows.shape[1])
    scores = []
    with torch.no_grad():
        for at, row in enumerate(rows):
            for place in range(len(row)):
                covered = row.clone()
                covered[place] = fills[place]
                scores.append(call(alone, covered[None], at)[0])
    return torch.stack(scores).reshape(*rows.shape, -1)


def table_net(features: int, dtype: torch.dtype = torch.float64) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3)).to(dtype)


@pytest.mark.parametrize("features", [1, 2, 4, 37])
@pytest.mark.parametrize("fill", ["zero", "mean"])
def test_a_table_is_covered_as_in_a_plain_loop(features: int, fill: str) -> None:
    rows = torch.randn(5, features, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    model = table_net(features)
    value: Any = 0.0 if fill == "zero" else rows.mean(0)
    found = feature_occlusion(model, rows, fill=value)
    assert found.done
    torch.testing.assert_close(found.scores, by_loop(model, rows, value, lambda net, row, _: net(row)))
    with torch.no_grad():
        torch.testing.assert_close(found.clean, copy.deepcopy(model).eval()(rows))
    assert model.training


def test_tokens_are_covered_as_in_a_plain_loop_and_the_mask_goes_along() -> None:
    torch.manual_seed(0)
    model = Text().double()
    tokens = torch.randint(20, (4, 7))
    mask = (torch.arange(7)[None] < torch.tensor([7, 3, 5, 6])[:, None]).double()
    found = feature_occlusion(model, (), {"tokens": tokens, "mask": mask}, fill=2)
    looped = by_loop(model, tokens, 2, lambda net, row, at: net(tokens=row, mask=mask[at : at + 1])["logits"])
    torch.testing.assert_close(found.scores, looped)


def test_what_is_lost_is_what_captum_says() -> None:
    rows, model = torch.randn(6, 9), table_net(9, torch.float32)
    targets = torch.arange(6) % 3
    theirs = FeatureAblation(copy.deepcopy(model).eval()).attribute(rows, baselines=0.5, target=targets)
    ours = feature_occlusion(model, rows, fill=0.5).lost(targets)
    torch.testing.assert_close(ours, theirs.float(), rtol=1e-4, atol=1e-5)


def test_it_grows_row_after_row_and_what_came_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnwidgets.analysis.occluded_features._SLICE_S", 0.0)
    monkeypatch.setattr("nnwidgets.analysis.occluded_features._FEWEST", 3)
    rows = torch.randn(3, 11)
    model = table_net(11, torch.float32)
    steps = list(feature_occlusion_steps(model, rows))
    assert len(steps) > 3
    assert steps[-1].done
    for before, after in itertools.pairwise(steps):
        assert int(after.computed.sum()) >= int(before.computed.sum())
        torch.testing.assert_close(before.scores[before.computed], after.scores[before.computed])
        assert bool(before.scores[~before.computed].isnan().all())


def test_memory_that_runs_out_makes_passes_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hungry(nn.Module):
        def forward(self, rows: Tensor) -> Tensor:
            if len(rows) > 2:
                raise MemoryError
            return rows[:, :2]

    rows = torch.rand(4, 5)
    assert feature_occlusion(Hungry(), rows).done


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"args": ()}, "expected a tensor among the inputs, got none"),
        ({"args": torch.rand(2, 3, 4)}, r"expected a first tensor of shape \(rows, values\), got \(2, 3, 4\)"),
        ({"args": torch.rand(2, 3), "fill": torch.rand(4)}, r"fill: expected a number or shape \(3,\), got \(4,\)"),
    ],
)
def test_bad_input_is_refused_at_the_call(given: dict[str, Any], text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        feature_occlusion_steps(table_net(3), **given)


def test_an_output_without_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="expected scores of shape"):
        feature_occlusion(nn.Flatten(0), torch.rand(2, 3))
