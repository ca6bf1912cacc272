"""Habits of models that people write, and what occlusion makes of each: exact always, on windows where it can be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnwidgets.analysis import OcclusionMap, occlusion_map
from nnwidgets.analysis.engine import occlusion_engine
from nnwidgets.analysis.engine.occlusion_windowed import WindowEngine

Forward = Callable[["Model", Tensor], Tensor]


class Model(nn.Module):
    """Two convolutions and a head, and a forward pass to be chosen."""

    mean: Tensor
    scale: Tensor
    grid: Tensor

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.head = nn.BatchNorm2d(6), nn.Linear(6, 4)
        self.register_buffer("mean", torch.full((2, 1, 1), 0.2, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(2.0))
        self.way = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self, x)

    def end(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.second(self.first(x).relu())).amax((2, 3)))  # type: ignore[no-any-return]


def in_place(model: Model, x: Tensor) -> Tensor:
    x.sub_(0.5)
    return model.end(x.mul_(2.0))


def in_place_of_a_slice(model: Model, x: Tensor) -> Tensor:
    x = model.first(x)
    x[:, 0] *= 2.0
    return model.head(x.mean((2, 3)))  # type: ignore[no-any-return]


def clamped(model: Model, x: Tensor) -> Tensor:
    return model.end(F.relu(x.clamp_(-1, 1), inplace=True))


def least_and_largest(model: Model, x: Tensor) -> Tensor:
    return model.end((x - x.min()) / (x.max() - x.min()))


def of_the_largest(model: Model, x: Tensor) -> Tensor:
    y = model.first(x)
    return model.head((y / y.abs().max()).mean((2, 3)))  # type: ignore[no-any-return]


def weights_of_the_batch(model: Model, x: Tensor) -> Tensor:
    y = model.first(x)
    return model.head((y * y.mean((2, 3)).mean(0)[:, None, None]).mean((2, 3)))  # type: ignore[no-any-return]


def writing_to_a_view(model: Model, x: Tensor) -> Tensor:
    y = model.first(x)
    part = y[:, :3]
    part.mul_(2.0)
    return model.head(y.relu().mean((2, 3)))  # type: ignore[no-any-return]


def masked(model: Model, x: Tensor) -> Tensor:
    return model.end(x).masked_fill(torch.tensor([False, True, False, False]), -torch.inf)


def narrow(model: Model, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return model.end(x).float()


def cached(model: Model, x: Tensor) -> Tensor:
    if not hasattr(model, "grid"):
        model.grid = torch.linspace(0.5, 1.5, 6)[:, None, None]
    return model.head((model.first(x) * model.grid).mean((2, 3)))  # type: ignore[no-any-return]


def keywords(model: Model, x: Tensor) -> Tensor:
    x = torch.sub(x, other=model.mean.to(x))
    y = F.conv2d(input=x, weight=model.first.weight, bias=model.first.bias, padding="same")
    y = F.pad(input=torch.add(y, other=y), pad=(1, 1), value=0.0)
    return F.linear(input=torch.mean(input=F.relu(input=y), dim=(2, 3)), weight=model.head.weight)


def reads_a_setting(model: Model, x: Tensor) -> Tensor:
    return model.end(x * float(model.scale.item()))


def arithmetic(model: Model, x: Tensor) -> Tensor:
    y = model.first(x)
    return model.head(torch.cat([(y**2)[:, :3], 1 / (2 + y[:, 3:].abs())], 1).log1p().mean((2, 3)))  # type: ignore[no-any-return]


def without_gradients(model: Model, x: Tensor) -> Tensor:
    with torch.no_grad():
        y = model.first(x)
    with torch.enable_grad():
        return model.head(y.relu().mean((2, 3)))  # type: ignore[no-any-return]


def compare(model: nn.Module, images: Tensor, **options: object) -> OcclusionMap:
    """Compare with the model's own scores, one position at a time; returns the map."""
    model.eval()
    before = images.clone()
    found = occlusion_map(model, images, patch=3, stride=3, **options)  # type: ignore[arg-type]
    assert torch.equal(images, before), "the user's images were written to"
    extra = options.get("additional_forward_args")
    for n, i, j in found.computed.nonzero().tolist():
        covered = images[n : n + 1].clone()
        covered[:, :, found.rows[i] : found.rows[i] + 3, found.cols[j] : found.cols[j] + 3] = 0.0
        with torch.no_grad():
            own = model(covered, *([extra[n : n + 1].clone()] if isinstance(extra, Tensor) else []))
        torch.testing.assert_close(found.scores[n, i, j][None], own, rtol=1e-4, atol=1e-6)
    return found


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return torch.randn(2, 2, 14, 13, generator=generator)


@pytest.mark.parametrize(
    ("habit", "why"),
    [
        (in_place, ""),
        (in_place_of_a_slice, ""),
        (clamped, ""),
        (least_and_largest, "one whole image at a time: it reduces over the batch"),
        (of_the_largest, "one whole image at a time: it reduces over the batch"),
        (weights_of_the_batch, "one whole image at a time: it reduces over the batch"),
        (writing_to_a_view, ""),
        (masked, ""),
        (cached, ""),
        (keywords, ""),
        (reads_a_setting, ""),
        (arithmetic, ""),
        (without_gradients, ""),
    ],
)
def test_a_habit_is_exact(habit: Forward, why: str, images: Tensor) -> None:
    found = compare(Model(habit), images)
    assert found.why_whole == why
    assert (found.windowed_share > 0) == (not why)


def test_a_model_that_computes_in_half_precision_is_run_as_a_whole(images: Tensor) -> None:
    found = occlusion_map(Model(narrow).eval(), images, patch=3, stride=3)
    assert found.why_whole == "whole images: the model computes in torch.bfloat16"


def test_further_tensors_that_belong_to_the_images_go_with_them(images: Tensor, generator: torch.Generator) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Conv2d(2, 4, 3), nn.Linear(7, 4)

        def forward(self, x: Tensor, z: Tensor) -> Tensor:
            z -= 1.0
            return self.head(torch.cat([self.first(x).tanh().mean((2, 3)), z], 1))  # type: ignore[no-any-return]

    other = torch.randn(2, 3, generator=generator)
    before = other.clone()
    found = compare(Two(), images, additional_forward_args=other)
    assert found.why_whole == ""
    assert torch.equal(other, before)


def test_infinite_scores_do_not_switch_the_check_off(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = WindowEngine._covered
    monkeypatch.setattr(
        WindowEngine, "_covered", lambda self, *at: (evaluate(self, *at)[0] * 1.01, evaluate(self, *at)[1])
    )
    assert compare(Model(masked), images).why_whole.startswith("whole images: windows gave other values")


def test_memory_that_does_not_hold_the_clean_maps_holds_whole_images(
    images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_named: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(occlusion_engine, "WindowEngine", full)
    assert compare(Model(in_place), images).why_whole == "whole images: MemoryError: no room"


def test_an_error_within_the_model_is_told_as_it_is(images: Tensor) -> None:
    def broken(model: Model, x: Tensor) -> Tensor:
        with torch.no_grad():
            raise ArithmeticError("of the model's own")

    with pytest.raises(ArithmeticError, match="of the model's own"):
        occlusion_map(Model(broken).eval(), images, patch=3, stride=3)


def test_layer_sums_are_finite_where_the_square_covers_what_is_not() -> None:
    ten = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(ten.weight, 10.0)
    model = nn.Sequential(ten, nn.Flatten(), nn.Linear(81, 2)).eval()
    image = torch.rand(1, 1, 9, 9)
    image[0, 0, 4, 4] = 3e38
    found = occlusion_map(model, image, patch=3, stride=3, layers=["0"])
    covered = torch.zeros(3, 3, dtype=torch.bool)
    covered[1, 1] = True
    assert torch.equal(found.layer_sums["0"][0, :, :, 0].isfinite(), covered)


def test_a_convolution_padded_by_as_much_as_its_kernel_is_left_to_the_model(generator: torch.Generator) -> None:
    """Channels last oneDNN dies of it; the process with it."""
    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, (3, 1), 2, padding=(2, 1), dilation=2)]
    model = nn.Sequential(nn.AdaptiveAvgPool2d((5, 1)), *layers, nn.Flatten(), nn.LazyLinear(3))
    images = torch.randn(2, 1, 5, 3, generator=generator)
    model(images)
    found = compare(model, images)
    assert found.why_whole == "whole images: ValueError: a convolution is padded by as much as its kernel"
