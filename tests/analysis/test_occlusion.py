"""Occlusion maps against a plain loop and Captum, and what they must say about wrong input."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from nnwidgets.analysis import OcclusionMap, capture, occlusion_map, occlusion_steps

CLASSES = 5


class Net(nn.Module):
    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.norm(self.conv1(x)).relu_()).tanh()
        return self.head(self.drop(x.mean((2, 3))))  # type: ignore[no-any-return]


@pytest.fixture
def model() -> Net:
    torch.manual_seed(0)
    net = Net()
    net.norm.running_mean = torch.tensor([0.1, -0.2, 0.3, 0.0])
    return net.eval()


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return torch.randn(3, 2, 11, 9, generator=generator)


def origins(size: int, patch: int, stride: int) -> list[int]:
    every = list(range(0, size - patch + 1, stride))
    return every if every[-1] == size - patch else [*every, size - patch]


def covered(images: Tensor, row: int, col: int, patch: tuple[int, int], fill: Tensor) -> Tensor:
    copy = images.clone()
    copy[:, :, row : row + patch[0], col : col + patch[1]] = fill
    return copy


def loop_importance(result: OcclusionMap, target: int, scores: Tensor, clean: Tensor) -> Tensor:
    """Mean of clean - covered over the squares that hold a pixel, pixel by pixel."""
    batch, (height, width) = len(clean), result.image_size
    out = torch.full((batch, height, width), math.nan, dtype=torch.float64)
    for n in range(batch):
        for y in range(height):
            for x in range(width):
                drops = [
                    float(clean[n, target] - scores[n, i, j, target])
                    for i, row in enumerate(result.rows)
                    for j, col in enumerate(result.cols)
                    if row <= y < row + result.patch[0] and col <= x < col + result.patch[1]
                    and bool(result.computed[n, i, j])
                ]  # fmt: skip
                if drops:
                    out[n, y, x] = sum(drops) / len(drops)
    return out


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6), (torch.bfloat16, 2e-2)]
)
@pytest.mark.parametrize(("patch", "stride"), [(3, 2), (4, 3), ((5, 2), (3, 1)), ((11, 9), 1), (1, 1)])
def test_scores_sums_and_importance_equal_a_plain_loop(
    model: Net, images: Tensor, patch: Any, stride: Any, dtype: torch.dtype, tolerance: float
) -> None:
    model, images = model.to(dtype), images.to(dtype)
    height, width = patch if isinstance(patch, tuple) else (patch, patch)
    step_h, step_w = stride if isinstance(stride, tuple) else (stride, stride)

    result = occlusion_map(model, images, patch=patch, stride=stride, fill=0.25, layers=["conv2", "head"])

    assert list(result.rows) == origins(11, height, step_h)
    assert list(result.cols) == origins(9, width, step_w)
    with torch.no_grad():
        clean = model(images)
        scores = torch.zeros(3, len(result.rows), len(result.cols), CLASSES, dtype=dtype)
        for i, row in enumerate(result.rows):
            for j, col in enumerate(result.cols):
                pictures = covered(images, row, col, (height, width), torch.tensor(0.25))
                scores[:, i, j] = model(pictures)
                sums = model.conv2(model.norm(model.conv1(pictures)).relu()).double().sum((2, 3))
                torch.testing.assert_close(
                    result.layer_sums["conv2"][:, i, j].double(), sums, rtol=20 * tolerance, atol=20 * tolerance
                )
    kept = torch.float64 if dtype == torch.float64 else torch.float32
    close: dict[str, Any] = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(result.scores, scores.to(kept), **close)
    torch.testing.assert_close(result.layer_sums["head"], scores.to(kept), **close)
    torch.testing.assert_close(result.clean, clean.to(kept), **close)
    torch.testing.assert_close(result.clean_layer_sums["head"], clean.to(kept), **close)
    expected = loop_importance(result, 1, result.scores, result.clean)
    torch.testing.assert_close(result.importance(1).double(), expected, rtol=1e-5, atol=1e-6)


# Captum sums in float32 whatever the model's dtype.
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-7), (torch.float32, 2e-6)])
@pytest.mark.parametrize(("patch", "stride"), [((3, 3), (2, 2)), ((5, 3), (3, 3)), ((1, 9), (1, 1))])
@pytest.mark.parametrize("target", [0, 3])
def test_importance_equals_captum_where_the_grid_fits(
    model: Net,
    images: Tensor,
    patch: tuple[int, int],
    stride: tuple[int, int],
    target: int,
    dtype: torch.dtype,
    tolerance: float,
) -> None:
    model, images = model.to(dtype), images.to(dtype)

    result = occlusion_map(model, images, patch=patch, stride=stride, fill=-0.5)

    captum = Occlusion(model).attribute(
        images, sliding_window_shapes=(2, *patch), strides=(2, *stride), baselines=-0.5, target=target
    )
    expected = captum[:, 0].to(dtype)  # the same for both channels, as the square covers both
    torch.testing.assert_close(result.importance(target), expected, rtol=tolerance, atol=tolerance)


def test_probability_importance_is_that_of_the_softmax(model: Net, images: Tensor) -> None:
    direct = occlusion_map(model, images, patch=3, stride=2)
    through = occlusion_map(nn.Sequential(model, nn.Softmax(-1)), images, patch=3, stride=2)

    torch.testing.assert_close(direct.importance(2, kind="probability"), through.importance(2), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(direct.probabilities, through.scores, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(direct.clean_probabilities, through.clean, rtol=1e-5, atol=1e-6)
    assert torch.equal(direct.predicted, through.scores.argmax(-1))


def test_each_image_may_have_its_own_target(model: Net, images: Tensor) -> None:
    result = occlusion_map(model, images, patch=3, stride=2)

    mixed = result.importance([4, 0, 2])

    for image, target in enumerate([4, 0, 2]):
        torch.testing.assert_close(mixed[image], result.importance(target)[image], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("fill", "values"),
    [
        (0.5, lambda images: torch.full((3, 2, 1, 1), 0.5)),
        ([0.1, -0.2], lambda images: torch.tensor([0.1, -0.2]).reshape(1, 2, 1, 1)),
        (torch.tensor([0.1, -0.2]).reshape(2, 1, 1), lambda images: torch.tensor([0.1, -0.2]).reshape(1, 2, 1, 1)),
        ("mean", lambda images: images.mean((2, 3), keepdim=True)),
    ],
)
def test_the_square_is_filled_as_asked(
    model: Net, images: Tensor, fill: Any, values: Callable[[Tensor], Tensor]
) -> None:
    result = occlusion_map(model, images, patch=4, stride=4, fill=fill)

    with torch.no_grad():
        expected = model(covered(images, result.rows[1], result.cols[2], (4, 4), values(images)))
    torch.testing.assert_close(result.scores[:, 1, 2], expected, rtol=1e-6, atol=1e-6)


def test_covering_a_background_with_its_own_colour_changes_nothing(model: Net, generator: torch.Generator) -> None:
    images = torch.full((1, 2, 12, 12), 0.3)
    images[:, :, :4, :4] = torch.randn(1, 2, 4, 4, generator=generator)

    result = occlusion_map(model, images, patch=4, stride=2, fill=0.3)

    background = torch.tensor([[row >= 4 or col >= 4 for col in result.cols] for row in result.rows])
    change = (result.scores - result.clean[:, None, None]).abs().amax(-1)[0]
    assert change[background].max() < 1e-6
    assert change[~background].min() > 1e-4


def test_permuting_classes_permutes_scores(model: Net, images: Tensor) -> None:
    order = torch.tensor([3, 1, 4, 0, 2])
    result = occlusion_map(model, images, patch=3, stride=3)
    with torch.no_grad():
        model.head.weight.copy_(model.head.weight[order])
        model.head.bias.copy_(model.head.bias[order])

    permuted = occlusion_map(model, images, patch=3, stride=3)

    torch.testing.assert_close(permuted.scores, result.scores[..., order], rtol=0, atol=1e-6)


def test_steps_grow_from_coarse_to_fine_and_end_in_the_whole_map(model: Net, images: Tensor) -> None:
    whole = occlusion_map(model, images, patch=3, stride=1, layers=["conv2"])

    maps = list(occlusion_steps(SlowNet(model), images, patch=3, stride=1, layers=["net.conv2"]))

    assert len(maps) > 3
    shares = [part.computed_share for part in maps]
    assert shares == sorted(shares)
    assert [part.done for part in maps] == [False] * (len(maps) - 1) + [True]
    torch.testing.assert_close(maps[-1].scores, whole.scores, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(maps[-1].layer_sums["net.conv2"], whole.layer_sums["conv2"], rtol=1e-5, atol=1e-5)
    coarse = torch.zeros(9, 7, dtype=torch.bool)
    coarse[::4, ::4] = True
    for part in maps:
        assert part.windowed_share > 0 or not part.computed.any()
        assert torch.equal(part.scores[..., 0].isnan(), ~part.computed)
        assert torch.equal(part.predicted == -1, ~part.computed)
        assert bool(part.computed[:, coarse].all()) or not bool(part.computed[:, ~coarse].any())


def test_a_partial_map_averages_over_what_is_computed(model: Net, images: Tensor) -> None:
    maps = list(occlusion_steps(SlowNet(model), images, patch=3, stride=1))
    part = next(part for part in maps if 0.05 < part.computed_share < 0.5)

    importance = part.importance(1)

    expected = loop_importance(part, 1, part.scores, part.clean)
    torch.testing.assert_close(importance.double(), expected, rtol=1e-5, atol=1e-6, equal_nan=True)


class SlowNet(nn.Module):
    """Takes 4 ms an image, so that a slice of time holds few of them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        import time

        time.sleep(0.004 * len(x))
        return self.net(x)  # type: ignore[no-any-return]


def test_a_step_does_not_change_the_maps_before_it(model: Net, images: Tensor) -> None:
    steps = occlusion_steps(SlowNet(model), images, patch=3, stride=1)
    first = next(steps)
    scores, computed = first.scores.clone(), first.computed.clone()

    list(steps)

    assert torch.equal(first.computed, computed)
    torch.testing.assert_close(first.scores, scores, rtol=0, atol=0, equal_nan=True)


def test_a_model_in_training_stays_as_it_is_and_is_seen_in_eval_mode(model: Net, images: Tensor) -> None:
    expected = occlusion_map(model, images, patch=3, stride=2).scores
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()

    scores = occlusion_map(model, images, patch=3, stride=2).scores

    torch.testing.assert_close(scores, expected, rtol=0, atol=0)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)


def test_layer_sums_of_the_clean_image_are_those_of_the_captured_maps(model: Net, images: Tensor) -> None:
    result = occlusion_map(model, images, patch=3, stride=3, layers=["conv1", "conv2"])

    for layer, value in capture(model, images, layers=["conv1", "conv2"]).items():
        torch.testing.assert_close(result.clean_layer_sums[layer], value.sum((2, 3)), rtol=1e-4, atol=1e-4)


def test_further_arguments_go_with_their_image(model: Net, images: Tensor, generator: torch.Generator) -> None:
    class Conditional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = model

        def forward(self, x: Tensor, shift: Tensor, scale: float) -> Any:
            return {"loss": None, "logits": scale * self.net(x) + shift}

    shift = torch.randn(3, CLASSES, generator=generator)

    result = occlusion_map(Conditional(), images, patch=3, stride=3, additional_forward_args=(shift, 2.0))

    plain = occlusion_map(model, images, patch=3, stride=3)
    torch.testing.assert_close(result.scores, 2 * plain.scores + shift[:, None, None], rtol=1e-5, atol=1e-5)


def test_a_score_fn_says_where_the_classes_are(model: Net, images: Tensor) -> None:
    result = occlusion_map(
        nn.Sequential(model, nn.Unflatten(1, (1, CLASSES))), images, patch=3, stride=3, score_fn=lambda out: out[:, 0]
    )

    torch.testing.assert_close(result.scores, occlusion_map(model, images, patch=3, stride=3).scores, rtol=0, atol=1e-6)


def test_a_score_that_is_not_finite_spoils_only_the_pixels_it_covers(images: Tensor) -> None:
    class Explodes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            top_left_is_covered = (x[:, 0, 0, 0] == 0).float()[:, None]
            return x.mean((1, 2, 3))[:, None] / (1 - top_left_is_covered)

    importance = occlusion_map(Explodes(), images, patch=3, stride=3).importance(0)

    spoiled = torch.zeros(11, 9, dtype=torch.bool)
    spoiled[:3, :3] = True
    assert torch.equal(importance.isnan(), spoiled.expand(3, 11, 9))


@pytest.mark.cuda
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-3)])
def test_cuda_gives_the_same_map_on_the_cpu(model: Net, images: Tensor, dtype: torch.dtype, tolerance: float) -> None:
    expected = occlusion_map(model.to(dtype), images.to(dtype), patch=3, stride=2, layers=["conv2"])

    result = occlusion_map(model.cuda(), images.to(dtype), patch=3, stride=2, layers=["conv2"])

    torch.testing.assert_close(result.scores, expected.scores, rtol=tolerance, atol=tolerance)
    assert result.scores.device.type == "cpu"
    tf32 = dtype == torch.float32 and torch.backends.cudnn.allow_tf32 and torch.cuda.get_device_capability() >= (8, 0)
    assert bool(result.notes) == tf32
