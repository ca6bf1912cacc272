"""What an occlusion map holds beside the model and itself: as little as windows need, and never more than asked for."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnwidgets.analysis import OcclusionMap, occlusion_map, occlusion_steps
from nnwidgets.analysis.engine.occlusion_engine import Engine
from nnwidgets.analysis.engine.occlusion_windowed import Answer, WindowEngine

KB = 1000


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 8), (8, 8), (8, 16)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4)).eval()


def mapped(net: nn.Sequential, images: Tensor, max_memory: int | None) -> OcclusionMap:
    return occlusion_map(net, images, patch=4, stride=2, max_memory=max_memory)


def test_only_clean_values_that_windows_are_laid_over_are_held(net: nn.Sequential) -> None:
    images = torch.randn(2, 3, 24, 24)
    found = mapped(net, images, None)
    assert found.why_whole == ""
    # Three activations: those of convolutions are normalised and clipped where they arise.
    assert found.memory_bytes == 4 * len(images) * 24 * 24 * (8 + 8 + 16)


def test_with_too_little_room_whole_images_give_the_same_scores(net: nn.Sequential) -> None:
    images = torch.randn(1, 3, 24, 24)
    ample, tight = mapped(net, images, None), mapped(net, images, 100 * KB)
    assert tight.memory_bytes == 0
    assert tight.windowed_share == 0
    assert tight.why_whole.endswith("takes more than 0.05 MB; allow more, or give fewer images at once")
    torch.testing.assert_close(tight.scores, ample.scores, rtol=1e-5, atol=1e-6)


def test_few_positions_at_once_where_room_is_short(net: nn.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randn(1, 3, 24, 24)
    sizes: list[int] = []
    evaluate = WindowEngine.evaluate

    def noted(engine: WindowEngine, image: Tensor, place: Tensor) -> Answer:
        sizes.append(len(image))
        return evaluate(engine, image, place)

    monkeypatch.setattr(WindowEngine, "evaluate", noted)
    largest = 4 * 16 * 24 * 24
    max_bytes = 2 * 4 * largest * 9
    found, free = mapped(net, images, max_bytes), mapped(net, images, None)
    assert found.why_whole == ""
    assert max(sizes[: len(sizes) // 2]) == 9
    assert torch.allclose(found.scores, free.scores, rtol=1e-5, atol=1e-6)


def test_views_and_weights_take_no_room(net: nn.Sequential) -> None:
    class Viewing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for _ in range(50):
                x = x.view(x.shape)
            return x

    images, max_bytes = torch.randn(1, 3, 24, 24), 600 * KB
    plain, viewing = mapped(net, images, max_bytes), mapped(nn.Sequential(Viewing(), net), images, max_bytes)
    assert plain.why_whole == viewing.why_whole == ""


def test_memory_that_runs_out_in_the_last_check_ends_in_whole_images(
    net: nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = torch.randn(1, 3, 24, 24)
    check = Engine._check

    def short(engine: Engine, *given: Any) -> None:
        if not engine._unchecked:
            raise MemoryError
        check(engine, *given)

    expected = mapped(net, images, None)
    monkeypatch.setattr(Engine, "_check", short)
    found = mapped(net, images, None)
    assert found.why_whole == "whole images: MemoryError: "
    torch.testing.assert_close(found.scores, expected.scores, rtol=1e-5, atol=1e-6)


def test_memory_that_runs_out_at_a_single_position_ends_in_whole_images(
    net: nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows compute a single position twice, so there may be room for the one whole image."""
    images = torch.randn(1, 3, 24, 24)
    expected = mapped(net, images, None)
    steps = occlusion_steps(net, images, patch=4, stride=2)
    evaluate = Engine.evaluate

    def short(*_: object) -> Answer:
        raise MemoryError

    def once_prepared(engine: Engine, image: Tensor, place: Tensor) -> Answer:
        if engine.prepared:
            monkeypatch.setattr(WindowEngine, "evaluate", short)
        return evaluate(engine, image, place)

    monkeypatch.setattr(Engine, "evaluate", once_prepared)
    *_, found = steps
    assert found.why_whole == "whole images: MemoryError: "
    torch.testing.assert_close(found.scores, expected.scores, rtol=1e-5, atol=1e-6)


def test_a_refined_preview_holds_one_engine(net: nn.Sequential) -> None:
    alive: weakref.WeakSet[WindowEngine] = weakref.WeakSet()
    build = WindowEngine.__init__

    def noted(engine: WindowEngine, *given: Any, **named: Any) -> None:
        build(engine, *given, **named)
        alive.add(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WindowEngine, "__init__", noted)
        counts = [
            (bool(part.computed.all()), len(alive))
            for part in occlusion_steps(net, torch.randn(1, 3, 24, 24), patch=4, stride=1, mode="preview")
        ]
    assert max(count for _, count in counts) == 1
