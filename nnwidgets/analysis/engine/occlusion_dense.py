"""Occlusion by running the whole model on every covered image, in batches. Works for every model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import first_tensor, layer_names, record
from nnwidgets.analysis.engine.by_sample import by_sample
from nnwidgets.analysis.engine.layer_calls import LayerInfo
from nnwidgets.analysis.engine.occlusion_problem import Problem


class DenseEngine:
    """Scores and layer sums of covered images by complete forward passes, exact by construction.

    `module` is a shadow's; `score_fn` maps its output to `(n, classes)`.
    """

    def __init__(self, module: nn.Module, problem: Problem, *, score_fn: Callable[[Any], Tensor]) -> None:
        self._module, self._problem, self._score_fn = module, problem, score_fn
        device = problem.images.device
        self._origins = [torch.tensor(each, device=device) for each in problem.origins]
        self._along = [torch.arange(size, device=device) for size in problem.size]

    def evaluate(self, image: Tensor, place: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return scores `(n, classes)`, and each layer's values summed over positions `(n, channels)`, on the device.

        `image` `(n,)` int64 are indices of images; `place` `(n, axes)` int64 are indices of the problem's origins along
        each axis, -1 where nothing is covered. Raises KeyError for an unknown layer, ValueError without a class axis.
        """
        images = self._problem.images
        image, place = image.to(images.device), place.to(images.device)
        sums: dict[str, Tensor] = {}

        def add(name: str, value: Tensor) -> None:
            sums[name] = position_sums(value, self._problem.arranged[name], len(image))

        extra = (of_images(argument, image, len(images)) for argument in self._problem.extra)
        output = record(
            self._module, (self._covered(image, place), *extra), layers=self._problem.layers, on_activation=add
        )
        return checked_scores(self._score_fn(output), len(image)), sums

    def _covered(self, image: Tensor, place: Tensor) -> Tensor:
        """Return the images with their squares covered."""
        fill, images, axes = self._problem.fill, self._problem.images, len(self._along)
        square = (place[:, 0] >= 0).reshape(-1, *[1] * (images.ndim - 1))
        for axis, (along, origins) in enumerate(zip(self._along, self._origins, strict=True)):
            at = along - origins[place[:, axis]][:, None]
            within = (at >= 0) & (at < self._problem.patch[axis])
            shape = [len(image), *[1] * (images.ndim - 1)]
            shape[axis - axes] = -1
            square = square & within.reshape(shape)
        return torch.where(square, fill if len(fill) == 1 else fill[image], images[image])


def checked_scores(scores: Tensor, batch: int) -> Tensor:
    """Return the scores, detached; raises ValueError unless they are `(batch, classes)`."""
    if scores.ndim != 2 or len(scores) != batch:
        raise ValueError(
            f"model output: expected scores of shape (batch={batch}, classes), got {tuple(scores.shape)}; "
            "give a model, or a score_fn, that returns one score per class for each image"
        )
    return scores.detach()


def position_sums(value: Tensor, layer: LayerInfo, images: int) -> Tensor:
    """Return a layer's values for so many images summed over positions, `(n, channels)` float64.

    Raises ValueError where rows are not images, or channels are not known.
    """
    found = by_sample(value, layer, images)
    if found.of != "samples":
        raise ValueError(
            f"layers: expected layers that answer each image, got {layer.name!r}, whose rows are no images"
        )
    return found.values.flatten(2).sum(2, dtype=torch.float64) if found.values.ndim > 2 else found.values.double()


def arranged(module: nn.Module, problem: Problem) -> dict[str, LayerInfo]:
    """Return how the output of each layer of the problem is arranged, found by running the first image.

    A container that only passes values on is arranged as its last layer is.
    """
    known = dict(problem.arranged)
    if not set(problem.layers) - set(known):
        return known
    first = torch.zeros(1, dtype=torch.int64)
    every = layer_names(module, [of_images(each, first, len(problem.images)) for each in problem.arguments()])
    found = {layer.name: layer for layer in every} | known
    for name in problem.layers:
        within = [layer for layer in every if layer.name.startswith(name.partition(":")[0] + ".")]
        if name not in found and within:
            found[name] = replace(within[-1], name=name)
    return found


def of_images(argument: Any, image: Tensor, batch: int) -> Any:
    """Return a further argument of the model for these images; a tensor as long as the batch is indexed by image."""
    per_image = isinstance(argument, Tensor) and argument.ndim and len(argument) == batch
    return argument[image.to(argument.device)] if per_image else argument


def class_scores(output: Any) -> Tensor:
    """Return the logits of a model's output: its field `logits`, else its first floating-point tensor.

    >>> class_scores((torch.ones(1, 2), "aux")).shape
    torch.Size([1, 2])
    """
    logits = output.get("logits") if isinstance(output, dict) else getattr(output, "logits", None)
    scores = first_tensor(logits) if logits is not None else first_tensor(output)
    if scores is None:
        raise ValueError(f"model output: expected a floating-point tensor of scores, got {type(output).__name__}")
    return scores
