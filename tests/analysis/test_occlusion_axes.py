"""Occlusion of sequences and volumes, and of blocks of channels, against a plain loop and Captum."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from nnwidgets.analysis import occlusion_map, occlusion_steps
from tests.analysis.nets_of_any_axes import CASES, CLASSES, Recurrent, built
from tests.analysis.occlusion_loop import importance_by_pixel, one_by_one, origins

GRIDS = [(name, *grid) for name, case in CASES.items() for grid in (*case.fits, *case.moves_inside)]
FITTING = [(name, *grid) for name, case in CASES.items() for grid in case.fits]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
@pytest.mark.parametrize(("name", "patch", "stride"), GRIDS)
def test_scores_and_importance_equal_a_plain_loop(
    name: str, patch: Any, stride: Any, dtype: torch.dtype, tolerance: float
) -> None:
    model, images = built(name, dtype)

    found = occlusion_map(model, images, patch=patch, stride=stride, fill=0.3)

    axes = len(found.origins)
    assert found.image_size == images.shape[-axes:]
    assert axes == (len(patch) if isinstance(patch, tuple) else images.ndim - 2)
    sides, steps = (each if isinstance(each, tuple) else (each,) * axes for each in (patch, stride))
    assert [list(each) for each in found.origins] == list(map(origins, found.image_size, sides, steps))
    assert found.why_whole == ("" if name == "conv2d" else "whole images: windows are for pictures")
    assert (found.done, found.notes, found.scores.dtype) == (True, (), dtype)
    own = one_by_one(model, images, found, 0.3)
    assert (own - found.clean.reshape(2, *[1] * axes, CLASSES)).abs().max() > 0.01
    torch.testing.assert_close(found.scores, own, rtol=tolerance, atol=tolerance)
    expected = importance_by_pixel(found, 1)
    torch.testing.assert_close(found.importance(1).double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "patch", "stride"), FITTING)
def test_importance_equals_captum_where_the_grid_fits(name: str, patch: Any, stride: Any) -> None:
    model, images = built(name)

    found = occlusion_map(model, images, patch=patch, stride=stride, fill=-0.5)

    every_channel = () if len(found.patch) == images.ndim - 1 else (images.shape[1],)
    captum = Occlusion(model).attribute(
        images,
        sliding_window_shapes=(*every_channel, *found.patch),
        strides=(*every_channel, *found.stride),
        baselines=-0.5,
        target=2,
    )
    expected = captum[:, 0] if every_channel else captum
    torch.testing.assert_close(found.importance(2), expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_several_images_equal_images_one_by_one(name: str) -> None:
    model, images = built(name)
    patch, stride = CASES[name].moves_inside[0]

    together = occlusion_map(model, images, patch=patch, stride=stride)

    for n in range(len(images)):
        alone = occlusion_map(model, images[n : n + 1], patch=patch, stride=stride)
        torch.testing.assert_close(together.scores[n], alone.scores[0], rtol=2e-6, atol=2e-6)
        torch.testing.assert_close(together.importance([1, 3])[n], alone.importance([1, 3][n])[0], rtol=1e-5, atol=2e-6)


def test_the_order_of_the_classes_is_that_of_the_scores() -> None:
    model, images = built("lstm")
    order = torch.tensor([2, 0, 3, 1])

    class Permuted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return model(x)[:, order]  # type: ignore[no-any-return]

    plain, permuted = (occlusion_map(each, images, patch=3, stride=3) for each in (model, Permuted()))

    torch.testing.assert_close(permuted.scores, plain.scores[..., order], rtol=0, atol=1e-6)
    torch.testing.assert_close(permuted.importance(0), plain.importance(2), rtol=0, atol=1e-6)


def test_further_arguments_go_with_their_sequence() -> None:
    class Weighed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read = built("gru")[0]

        def forward(self, x: Tensor, weight: Tensor) -> Any:
            return {"logits": self.read(x) * weight}

    model, (_, images) = Weighed().eval(), built("gru")
    weight = torch.tensor([[1.0], [-3.0]])

    found = occlusion_map(model, images, patch=4, stride=2, additional_forward_args=weight)

    own = one_by_one(model.read, images, found) * weight.reshape(2, 1, 1)
    torch.testing.assert_close(found.scores, own, rtol=1e-5, atol=1e-6)


def test_a_net_that_takes_the_batch_for_time_sees_one_sequence_at_a_time() -> None:
    torch.manual_seed(0)
    model, images = Recurrent(nn.LSTM, batch_first=False).eval(), torch.randn(2, 3, 12)

    found = occlusion_map(model, images, patch=4, stride=4)

    assert found.why_whole == "one whole image at a time: images of a batch influence each other"
    torch.testing.assert_close(found.scores, one_by_one(model, images, found), rtol=2e-6, atol=2e-6)


def test_a_long_sequence_has_importance_all_along(generator: torch.Generator) -> None:
    head = nn.Linear(2100, 2, bias=False)
    model = nn.Sequential(nn.Flatten(), head).double()
    images = torch.randn(1, 1, 2100, dtype=torch.float64, generator=generator)

    importance = occlusion_map(model, images, patch=100, stride=100).importance(1)[0]

    lost = (images[0, 0] * head.weight[1].detach()).reshape(21, 100).sum(1)
    torch.testing.assert_close(importance, lost.repeat_interleave(100), rtol=1e-10, atol=1e-10)


def test_memory_that_holds_one_sequence_at_a_time_is_enough() -> None:
    class Small(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if len(x) > 1:
                raise MemoryError("no room")
            return x[:, 0]

    images = torch.arange(1.0, 9.0).reshape(1, 1, 8)

    found = occlusion_map(Small(), images, patch=2, stride=2)

    assert found.why_whole == "one whole image at a time: MemoryError: no room"
    torch.testing.assert_close(found.scores, one_by_one(Small(), images, found), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["conv1d", "conv3d"])
def test_a_model_in_training_stays_as_it_is(name: str) -> None:
    model, images = built(name)
    expected = occlusion_map(model, images, patch=4, stride=4).scores
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    generator = torch.get_rng_state()

    scores = occlusion_map(model, images, patch=4, stride=4).scores

    assert torch.equal(scores, expected)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)


def test_rows_and_cols_are_of_pictures_and_of_blocks() -> None:
    model, images = built("conv1d")
    blocks = occlusion_map(model, images, patch=(2, 6), stride=(1, 6))
    steps = occlusion_map(model, images, patch=6, stride=6)

    assert (blocks.rows, blocks.cols) == ((0, 1), (0, 6, 12, 14))
    assert steps.origins == ((0, 6, 12, 14),)
    for name in ("rows", "cols"):
        with pytest.raises(
            AttributeError, match=f"^{name}: expected a map along 2 axes, got one along 1; use origins$"
        ):
            getattr(steps, name)


class Slow(nn.Module):
    """Takes its time over each image, and looks at one place of it."""

    def __init__(self, place: tuple[int, ...], seconds: float) -> None:
        super().__init__()
        self.place, self.seconds = place, seconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds * len(x))
        at: tuple[Any, ...] = (slice(None), 0, *self.place)
        score = x[at]
        return torch.stack([score, -score], 1)


@pytest.mark.parametrize(
    ("size", "place", "seconds"), [((61,), (28,), 0.025), ((13, 13), (0, 4), 0.01), ((13, 5, 13), (0, 4, 12), 0.01)]
)
def test_every_fourth_position_comes_first_and_then_those_around_the_largest_change(
    size: tuple[int, ...], place: tuple[int, ...], seconds: float
) -> None:
    every_fourth = torch.zeros(size, dtype=torch.bool)
    every: tuple[Any, ...] = (slice(None, None, 4),) * len(size)
    every_fourth[every] = True
    steps = occlusion_steps(Slow(place, seconds), torch.ones(1, 1, *size), patch=1, stride=1, target=1)

    for part in steps:
        others = (part.computed[0] & ~every_fourth).nonzero()
        if len(others):
            break
        assert not part.done

    assert bool(part.computed[0][every_fourth].all())
    assert bool(((others // 4 - torch.tensor(place) // 4).abs() <= 1).all()), others
    assert len(others) < int((~every_fourth).sum()) / 3


@pytest.mark.parametrize("name", ["conv1d", "conv3d"])
def test_steps_of_any_axes_end_in_the_whole_map(name: str) -> None:
    model, images = built(name)

    *_, last = occlusion_steps(model, images, patch=2, stride=1, target=0, layers="0")

    whole = occlusion_map(model, images, patch=2, stride=1, layers="0")
    assert last.done
    torch.testing.assert_close(last.scores, whole.scores, rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(last.layer_sums["0"], whole.layer_sums["0"], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("name", "patch", "stride"), [("conv1d", 2, 5), ("conv2d", (3, 2), (4, 2)), ("conv3d", 1, 4)])
def test_gaps_are_allowed_where_asked_for_and_say_nothing_of_their_pixels(name: str, patch: Any, stride: Any) -> None:
    model, images = built(name)

    found = occlusion_map(model, images, patch=patch, stride=stride, gaps=True)

    torch.testing.assert_close(found.scores, one_by_one(model, images, found), rtol=2e-6, atol=2e-6)
    importance, expected = found.importance(1).double(), importance_by_pixel(found, 1)
    torch.testing.assert_close(importance, expected, rtol=1e-5, atol=1e-6, equal_nan=True)
    assert 0 < int(importance.isnan().sum()) < importance.numel()
    assert all(
        each[-1] == size - side for each, size, side in zip(found.origins, found.image_size, found.patch, strict=True)
    )
