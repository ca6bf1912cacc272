"""Scores that are NaN or infinite are told of, with the first place, and nothing else is."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map, occlusion_steps
from tests.analysis.nets_of_any_axes import built


class Breaks(nn.Module):
    """Says `value` for class 1 where the pixel is covered with 0."""

    def __init__(self, pixel: tuple[int, ...], value: float, *, image_mean: float | None = None) -> None:
        super().__init__()
        self.pixel, self.value, self.image_mean = pixel, value, image_mean

    def forward(self, x: Tensor) -> Tensor:
        at: tuple[Any, ...] = (slice(None), *self.pixel)
        breaks = x[at] == 0
        if self.image_mean is not None:
            breaks &= x.flatten(1).amax(1) == self.image_mean
        scores = x.flatten(1)[:, :3]
        return torch.where(breaks[:, None] & torch.tensor([False, True, False]), self.value, scores)


@pytest.mark.parametrize(("value", "name"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite")])
@pytest.mark.parametrize(
    ("shape", "pixel", "patch", "where"),
    [
        ((1, 12, 20), (0, 4, 8), 2, "4 of 209 positions, first with the square at row 3, col 7"),
        ((3, 12, 20), (2, 0, 19), 2, "1 of 209 positions, first with the square at row 0, col 18"),
        ((3, 12), (1, 5), 3, "3 of 10 positions, first with the patch at step 3"),
        ((3, 12), (1, 5), (1, 3), "3 of 30 positions, first with the patch at channel 1, step 3"),
        ((1, 5, 5, 5), (0, 4, 2, 0), 1, "1 of 125 positions, first with the patch at slice 4, row 2, col 0"),
    ],
)
def test_scores_that_are_not_finite_are_told_with_the_first_place(
    shape: tuple[int, ...], pixel: tuple[int, ...], patch: Any, where: str, value: float, name: str
) -> None:
    found = occlusion_map(Breaks(pixel, value), torch.ones(1, *shape), patch=patch, stride=1)

    assert found.notes == (f"{name} scores at {where}",)


def test_of_several_images_the_first_is_named() -> None:
    images = torch.ones(3, 1, 9, 9) * torch.arange(1.0, 4.0).reshape(3, 1, 1, 1)

    found = occlusion_map(Breaks((0, 0, 0), math.nan, image_mean=2.0), images, patch=3, stride=3)

    assert found.notes == ("NaN scores at 1 of 27 positions, first with the square at row 0, col 0 of image 1",)


@pytest.mark.parametrize(("name", "word"), [("conv2d", "square"), ("conv1d", "patch")])
def test_scores_that_break_without_a_patch_are_told(name: str, word: str) -> None:
    model, images = built(name)
    with torch.no_grad():
        next(model.parameters())[0] = math.nan

    found = occlusion_map(model, images[:1], patch=3, stride=3)

    assert found.notes[0] == f"NaN scores without a {word}"
    assert found.notes[1].startswith(f"NaN scores at {found.computed.numel()} of {found.computed.numel()} positions, ")
    assert len(found.notes) == 2


def test_nan_and_infinity_are_told_apart() -> None:
    class Both(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            first, last = x[:, 0, 0], x[:, 0, -1]
            return torch.stack([first / first, last.log(), 1 / last], 1)

    found = occlusion_map(Both(), torch.ones(1, 1, 6), patch=2, stride=2)

    assert found.notes == (
        "NaN scores at 1 of 3 positions, first with the patch at step 0",
        "infinite scores at 1 of 3 positions, first with the patch at step 4",
    )


def test_what_is_not_computed_yet_is_not_told_as_nan() -> None:
    class Slow(Breaks):
        def forward(self, x: Tensor) -> Tensor:
            time.sleep(0.03 * len(x))
            return super().forward(x)

    parts = list(occlusion_steps(Slow((0, 5), math.nan), torch.ones(5, 1, 8), patch=1, stride=1))

    assert len(parts) > 5
    for part in parts:
        broken = part.computed[:, 5].nonzero().flatten().tolist()
        expected = (
            f"NaN scores at {len(broken)} of {int(part.computed.sum())} positions, "
            f"first with the patch at step 5 of image {min(broken, default=0)}"
        )
        assert part.notes == ((expected,) if broken else ())
    assert parts[-1].computed_share == 1.0


def test_half_precision_is_told_before_what_is_broken() -> None:
    found = occlusion_map(Breaks((0, 0), math.nan), torch.ones(1, 1, 4, dtype=torch.bfloat16), patch=1, stride=1)

    assert found.notes == ("computed in bfloat16", "NaN scores at 1 of 4 positions, first with the patch at step 0")
