"""Which axis of a picture holds channels: squares and colours are right, or refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnwidgets.analysis.engine.occlusion_fill import blurred
from nnwidgets.views.occlusion import OcclusionView
from tests.waiting import answered, frame, inspecting, shown

GENERATOR = torch.Generator().manual_seed(2)
Y = torch.arange(12) % 3
PLANES = torch.rand(12, 8, 8, generator=GENERATOR)


class AddsChannel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(1, 2, 3), nn.Linear(72, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(functional.relu(self.conv(x[:, None])).flatten(1))
        return found


@pytest.mark.parametrize("fill", ["zero", "mean", "blur"])
def test_squares_cover_pictures_without_an_axis_of_channels(fill: str) -> None:
    model, picture = AddsChannel(), PLANES[5:6]
    with inspecting(model, (PLANES, Y[:12]), probe=4) as inspector:
        view = inspector.occlusion(sample=5, patch=4, stride=2, fill=fill, kind="logit", target=1)
        assert isinstance(view, OcclusionView)
        found = shown(view).map
        filled = {"zero": torch.zeros_like(picture), "mean": picture.mean().expand_as(picture)}
        with_what = filled.get(fill, blurred(picture[:, None], (4, 4))[:, 0])
        for row, top in enumerate(found.rows):
            for column, left in enumerate(found.cols):
                covered = picture.clone()
                at = (slice(None), slice(top, top + 4), slice(left, left + 4))
                covered[at] = with_what[at]
                with torch.no_grad():
                    torch.testing.assert_close(found.scores[0, row, column], model(covered)[0], rtol=1e-4, atol=1e-5)
        assert view.header()["state"]["kind"] != "failed"
        assert frame(view)[0]["caption"]
        view.figure()
        shown(inspector.activations(layer="conv", sample=5))


def test_a_picture_given_by_keyword_is_told_how_to_give_it() -> None:
    rows = [{"x": plane, "other": 1, "label": int(label)} for plane, label in zip(PLANES, Y, strict=True)]
    with inspecting(AddsChannel(), rows, probe=4) as inspector:
        view = inspector.occlusion()
        answered(view)
        assert "give unpack=, which returns ((picture,), {}, target)" in view.header()["state"]["text"]
    with inspecting(AddsChannel(), rows, probe=4, unpack=lambda row: ((row["x"],), {}, row["label"])) as inspector:
        shown(inspector.occlusion(patch=4, stride=4))


class Volumes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv3d(1, 2, 3), nn.Linear(72, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.conv(x[:, None]).flatten(1))
        return found


def test_a_volume_of_three_slices_is_not_drawn_in_colours() -> None:
    volumes = torch.rand(8, 3, 8, 8, generator=GENERATOR)
    with inspecting(Volumes(), (volumes, Y[:8]), probe=4) as inspector:
        picture = inspector._session.samples.picture(2)
        assert picture is not None
        np.testing.assert_allclose(picture, 255 * volumes[2].mean(0), atol=0.51)
        assert "pictures show the mean of 3 slices" in inspector.notes


def test_a_width_of_three_is_no_axis_of_channels_where_the_model_has_others() -> None:
    pictures = torch.rand(6, 7, 9, 3, generator=GENERATOR)
    first = nn.Sequential(nn.Conv2d(7, 2, 3), nn.Flatten(), nn.Linear(14, 3))
    with inspecting(first, (pictures, Y[:6]), probe=4) as inspector:
        picture = inspector._session.samples.picture(1)
        assert picture is not None
        np.testing.assert_allclose(picture, 255 * pictures[1].mean(0), atol=0.51)
        shown(inspector.occlusion(sample=1, patch=2, stride=1))


def test_pictures_with_channels_last_are_drawn_and_have_no_squares() -> None:
    class Turns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 2, 3), nn.Linear(72, 3)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.head(self.conv(x.movedim(-1, 1)).flatten(1))
            return found

    pictures = torch.rand(6, 8, 8, 3, generator=GENERATOR)
    with inspecting(Turns(), (pictures, Y[:6]), probe=4) as inspector:
        picture = inspector._session.samples.picture(1)
        assert picture is not None
        np.testing.assert_allclose(picture, 255 * pictures[1], atol=0.51)
        view = inspector.occlusion()
        answered(view)
        assert "these are (height, width, channels)" in view.header()["state"]["text"]
