"""How long others take for a position of an occlusion map."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from captum.attr import Occlusion
from torch import Tensor, nn

LARGE = 100  # pixels a side from which a position costs tens of milliseconds


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def captum_s(model: Callable[[Tensor], Tensor], image: Tensor, per_evaluation: int, *, target: int = 0) -> float:
    """Seconds a position of Captum's map, on a grid of about four by four squares, or eight by eight small ones."""
    channels, side = image.shape[1], image.shape[2]
    square = (channels, *[side // (4 if side > LARGE else 8)] * 2)
    positions = (side // square[1]) ** 2
    explain = Occlusion(model)
    ask = lambda: explain.attribute(  # noqa: E731
        image, square, strides=square, target=target, perturbations_per_eval=per_evaluation
    )
    return seconds(ask) / positions


def loop_s(model: nn.Module, image: Tensor, batch: int, layout: torch.memory_format) -> float:
    """Seconds a position of the plain loop: covered images in batches, in inference mode."""
    model.to(memory_format=layout)  # type: ignore[call-overload]
    images = image.repeat(batch, 1, 1, 1).contiguous(memory_format=layout)
    times = 1 if image.shape[2] > LARGE else 3
    with torch.inference_mode():
        model(images)
        return seconds(lambda: [model(images) for _ in range(times)]) / (times * batch)
