"""Occlusion of models in which images of one batch influence each other, whichever way they are found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnwidgets.analysis import OcclusionMap, occlusion_map, occlusion_steps
from nnwidgets.shadow import Shadow
from tests.analysis.occlusion_loop import one_by_one


class Mixing(nn.Module):
    """A small classifier of pictures that lets images influence each other before or after its convolution."""

    def __init__(self, *, before: Callable[[Tensor], Tensor] | None = None, after: Any = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.last = nn.Conv2d(2, 6, 3), nn.Conv2d(6, 4, 3)
        self._before, self._after = before, after

    def forward(self, x: Tensor) -> Tensor:
        x = self._before(x) if self._before is not None else x
        y = torch.mean(self.last(self.conv(x).relu()), (2, 3))
        return y if self._after is None else self._after(y)


BEFORE: dict[str, Callable[[Tensor], Tensor]] = {
    "largest value": lambda x: x / x.abs().max(),
    "largest value of data": lambda x: x / x.data.abs().max(),
    "range": lambda x: (x - x.min()) / (x.max() - x.min()),
}
AFTER: dict[str, Callable[[Tensor], Tensor]] = {
    "mean by einsum": lambda y: y - torch.einsum("bc->c", y) / len(y) * 0.5,
    "normalised over the batch": lambda y: F.normalize(y, dim=0),
    "products of images": lambda y: y @ y.T @ y,
    "norm of all": lambda y: y / torch.linalg.norm(y),
    "size of the batch": lambda y: y / len(y),
    "less the first": lambda y: y - 0.5 * y[:1],
    "sorted": lambda y: y.sort(0).values,
}
MODELS: dict[str, Callable[[], Mixing]] = {
    **{name: lambda mix=mix: Mixing(before=mix) for name, mix in BEFORE.items()},  # type: ignore[misc]
    **{name: lambda mix=mix: Mixing(after=mix) for name, mix in AFTER.items()},  # type: ignore[misc]
}


def check(model: nn.Module, images: Tensor, found: OcclusionMap, tolerance: float = 1e-5) -> None:
    with torch.no_grad():
        clean = torch.cat([model(image[None]) for image in images])
    scores = one_by_one(model, images, found).to(found.scores)
    assert found.why_whole.startswith("one whole image at a time: ")
    torch.testing.assert_close(found.clean, clean.to(found.clean), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(found.scores, scores, rtol=tolerance, atol=tolerance)


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return torch.randn(3, 2, 9, 8, generator=generator)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_images_are_run_alone(name: str, batch: int, images: Tensor) -> None:
    model, some = MODELS[name]().eval(), images[:batch]
    check(model, some, occlusion_map(model, some, patch=3, stride=2))


@pytest.mark.parametrize("name", MODELS)
def test_a_preview_is_no_excuse(name: str, images: Tensor) -> None:
    model = MODELS[name]().eval()
    *_, found = occlusion_steps(model, images, patch=3, stride=2, mode="preview")
    check(model, images, found)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_copy_of_a_model_is_known_the_second_time(name: str, images: Tensor) -> None:
    model = MODELS[name]().eval()
    shadow = Shadow(model)
    for _ in range(3):
        check(model, images, occlusion_map(shadow.module, images, patch=3, stride=2))


@pytest.mark.parametrize("max_memory", [0, 1000, 20_000])
def test_too_little_memory_hides_nothing(max_memory: int, images: Tensor) -> None:
    model = MODELS["largest value"]().eval()
    check(model, images, occlusion_map(model, images, patch=3, stride=2, max_memory=max_memory))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 5e-3)])
def test_formats_of_few_bits_are_looked_at_too(dtype: torch.dtype, tolerance: float, images: Tensor) -> None:
    model = MODELS["largest value"]().to(dtype).eval()
    found = occlusion_map(model, images.to(dtype), patch=3, stride=2)
    check(model, images.to(dtype), found, tolerance)


def test_a_mean_over_stacked_branches_is_none_over_images(images: Tensor) -> None:
    class Ensemble(Mixing):
        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x).relu()
            return torch.stack([torch.mean(self.last(y), (2, 3)), torch.amax(self.last(y), (2, 3))]).mean(0)

    found = occlusion_map(Ensemble().eval(), images, patch=3, stride=2)
    assert found.why_whole == ""
    assert found.windowed_share > 0


def test_a_model_for_single_images_gets_them(images: Tensor) -> None:
    class Single(Mixing):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.view(1, 2, 9, 8))

    model = Single().eval()
    check(model, images[:1], occlusion_map(model, images[:1], patch=3, stride=2))
