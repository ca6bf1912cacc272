"""Where hardware is fast in bfloat16 the Occlusion view shows a preview, says so, and sharpens it to the exact map."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.display.view import Strong
from nnwidgets.measures import ModelAtStep
from nnwidgets.views.occlusion import OcclusionView
from nnwidgets.views.occlusion import view as occlusion
from tests.waiting import inspecting, unanswered


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    stem = [nn.Conv2d(1, 8, 5, 2, padding=2), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*stem, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 5))


def captions(view: OcclusionView) -> list[list[str]]:
    """What each of the growing maps is said to be."""
    model = ModelAtStep(view.run.shadow.module, view.run.samples.batch([view.sample]), None)
    maps = [each for each in view.compute(model, view.run.record) if isinstance(each, OcclusionResult)]
    return [view.caption(each) for each in maps]


@pytest.mark.parametrize(("side", "fast", "previews"), [(64, True, True), (64, False, False), (32, True, False)])
def test_large_pictures_are_previewed_where_that_is_fast(
    net: nn.Sequential, side: int, fast: bool, previews: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occlusion, "multiplies_bfloat16", lambda device: fast)
    data: Any = (torch.rand(8, 1, side, side), torch.arange(8) % 5)
    with inspecting(net, data, probe=4) as inspector:
        with unanswered(inspector):
            view = inspector.occlusion(sample=3, patch=8, stride=4)
        said = captions(view)
    last = said[-1]
    assert any("exact" in text for text in last)
    assert not any(isinstance(text, Strong) for text in last)
    warned = [text for parts in said for text in parts if isinstance(text, Strong) and text.startswith("preview at ")]
    assert any(text.startswith("preview at 225 of 225 positions: bfloat16, off by ") for text in warned) == previews
    assert bool(warned) == previews
