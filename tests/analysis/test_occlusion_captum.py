"""Occlusion maps of nets of real size beside those of Captum."""

from __future__ import annotations

import pytest
import torch
from captum.attr import Occlusion

from nnwidgets.analysis import occlusion_map
from tests.benchmarks.occlusion_nets import CASES, Case

GRIDS = {28: (7, 3), 32: (8, 4), 224: (56, 56)}  # (side - patch) % stride == 0: where Captum clips no square
TARGET = 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.soak] if case.name == "VGG-16" else []) for case in CASES],
    ids=lambda case: case.name,
)
def test_importance_of_real_nets_is_that_of_captum(case: Case, dtype: torch.dtype) -> None:
    model, image = case.model().to(dtype), case.image().to(dtype)
    patch, stride = GRIDS[image.shape[2]]
    channels = image.shape[1]

    found = occlusion_map(model, image, patch=patch, stride=stride)

    captum = Occlusion(model).attribute(
        image, sliding_window_shapes=(channels, patch, patch), strides=(channels, stride, stride), target=TARGET
    )
    importance = found.importance(TARGET)
    assert found.windowed_share > 0
    # In float32 both are differences of scores, each rounded.
    rounded = importance if dtype == torch.float64 else found.clean
    difference = (importance - captum[:, 0].to(importance.dtype)).abs().max()
    assert difference <= 1e-5 * rounded.abs().max()
