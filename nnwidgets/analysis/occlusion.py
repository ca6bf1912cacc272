"""How the scores of a classifier change when a square of the picture is covered, or a part of a sequence or volume.

Zeiler & Fergus 2014, ECCV, section 4.2. This module handles the arguments and the order of work; an engine evaluates
the covered images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, NamedTuple, get_args

from torch import Tensor, nn

from nnwidgets.analysis.capture import device_of
from nnwidgets.analysis.engine.layer_calls import Layers
from nnwidgets.analysis.engine.occlusion_dense import arranged, class_scores
from nnwidgets.analysis.engine.occlusion_engine import Engine
from nnwidgets.analysis.engine.occlusion_fill import Fill
from nnwidgets.analysis.engine.occlusion_problem import Problem, parse_problem
from nnwidgets.analysis.engine.occlusion_result import OcclusionMap, ToProbabilities, over_classes
from nnwidgets.analysis.engine.occlusion_run import Run
from nnwidgets.analysis.engine.out_of_memory import is_out_of_memory
from nnwidgets.shadow import free_memory, shadow_module

__all__ = ["OcclusionMap", "occlusion_map", "occlusion_steps"]

_SLICE_S = 0.04  # time between two partial maps: a click waits at most about 50 ms, which includes copying the map
_MEMORY_SHARE = 0.1  # of the free memory
_WHOLE_S = 1.0  # time of one forward pass when nobody waits: larger batches gain nothing
Mode = Literal["exact", "preview"]
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Reading(NamedTuple):
    """How outputs are read: as scores `(batch, classes)`, and these as probabilities."""

    score_fn: Callable[[Any], Tensor]
    to_probabilities: ToProbabilities


def occlusion_map(
    model: nn.Module,
    images: Tensor,
    *,
    patch: int | tuple[int, ...],
    stride: int | tuple[int, ...],
    fill: Fill = 0.0,
    gaps: bool = False,
    layers: Layers = (),
    mode: Mode = "exact",
    additional_forward_args: Any = None,
    score_fn: Callable[[Any], Tensor] = class_scores,
    to_probabilities: ToProbabilities = over_classes,
    max_memory: int | None = None,
) -> OcclusionMap:
    """Return the model's exact scores with a patch at every position of a grid.

    For pictures only what each square changes is computed, layer by layer, up to the layer where that is nearly the
    whole map; operations on whole maps are computed as such. Some positions are checked against the model itself. Where
    the two disagree, and for sequences and volumes, the whole model runs for every position (`OcclusionMap.why_whole`).

    Origins along an axis of length H are `range(0, H - patch + 1, stride)`, and `H - patch` if that is not among them.
    The model runs as a private copy in eval mode, without its forward hooks, and does not change.

    For users of Captum's `Occlusion`: `sliding_window_shapes=(C, *patch)`, `strides=(C, *stride)`, `baselines=fill`;
    `attribute(..., target=t)` is `.importance(t)`. There is no `perturbations_per_eval`, and one call covers all
    classes. Captum clips the last square at the border instead of moving it inside, so compare where
    `(H - patch) % stride == 0`.

    Args:
        model: a classifier of pictures, sequences or volumes.
        images: `(batch, channels, height, width)`, `(batch, channels, length)` or `(batch, channels, depth, height,
            width)`, floating point, finite; preprocessed as in training; moved to the model's device.
        patch: side of the square in pixels, or (height, width); for volumes (depth, height, width). For sequences, the
            number of steps covered in all channels at once, or (channels, steps) of a block.
        stride: step in pixels, at most `patch`; or one integer for each axis of the patch.
        fill: what the model sees in place of the patch. A number; one number per channel; "mean", each image's own mean
            per channel; "blur", the image blurred by a Gaussian of sigma = patch / 4 along each axis but the channels,
            cut at 4 sigma, with the last pixel repeated beyond the border; or images, `(1 or batch, channels, *size)`.
        gaps: allow a stride larger than the patch. Pixels between patches are then never covered, and their importance
            is NaN.
        layers: sum the values of these layers over positions, per channel. Names or layers, as for `capture`.
        mode: "exact"; or "preview": convolutions multiply only what changes, in bfloat16, and add it to the clean
            values. The error is a few percent of the largest change; the map's `notes` give it. For hardware that
            multiplies bfloat16 matrices (CPUs with AMX, GPUs since Ampere); slower than "exact" elsewhere.
        additional_forward_args: further positional arguments of the model, one or a tuple. A tensor as long as the
            batch is split with the images; anything else is passed unchanged.
        score_fn: the model's output -> `(batch, classes)`; default: its `logits`, else its first tensor.
        to_probabilities: scores `(…, classes)` -> the map's probabilities; default: their softmax. For several labels
            give `torch.sigmoid`.
        max_memory: bytes that clean values and windows may take; if they need more, whole images are run. Default: a
            tenth of the free memory.

    Raises:
        TypeError: images are not a floating-point tensor; sizes are not integers, or not one per axis.
        ValueError: wrong shapes, sizes or fill; NaN in the images; an output without a class axis.
        KeyError: an unknown layer (the message lists the closest names), or one that the model does not call.

    >>> import torch
    >>> centre = nn.Sequential(nn.Flatten(), nn.Linear(9, 2, bias=False))
    >>> _ = centre[1].weight.data.zero_()[0, 4] = 1.0
    >>> result = occlusion_map(centre, torch.ones(1, 1, 3, 3), patch=1, stride=1)
    >>> result.importance(0)[0].tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]

    The third of four steps of a sequence:

    >>> third = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    >>> _ = third[1].weight.data.zero_()[0, 2] = 1.0
    >>> occlusion_map(third, torch.ones(1, 1, 4), patch=1, stride=1).importance(0)[0].tolist()
    [0.0, 0.0, 1.0, 0.0]
    """
    given = {"patch": patch, "stride": stride, "fill": fill, "gaps": gaps, "layers": layers}
    module, problem = _checked(model, images, mode, max_memory, extra=additional_forward_args, **given)
    reading = Reading(score_fn, to_probabilities)
    run = _begun(module, problem, reading, max_memory, _WHOLE_S, preview=mode == "preview", coarse_first=False)
    while not run.done:
        run.advance(_WHOLE_S)
    return run.result()


def occlusion_steps(
    model: nn.Module,
    images: Tensor,
    *,
    patch: int | tuple[int, ...],
    stride: int | tuple[int, ...],
    fill: Fill = 0.0,
    gaps: bool = False,
    layers: Layers = (),
    mode: Mode = "exact",
    additional_forward_args: Any = None,
    score_fn: Callable[[Any], Tensor] = class_scores,
    to_probabilities: ToProbabilities = over_classes,
    max_memory: int | None = None,
    target: int | None = None,
) -> Iterator[OcclusionMap]:
    """Return an iterator over the same map as it grows: every fourth position first, then every second, then all.

    With a `target`, each of these rounds begins where the probability of that class varies most.

    Arguments and errors are those of `occlusion_map`. Arguments are checked at the call, the model's output at the
    first step. A step takes about 50 ms, or one forward pass of one image if that is longer. Each map is a copy that
    later steps do not change; the last one is done. With `mode="preview"` a complete preview comes first and is then
    replaced.

    >>> import torch
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    >>> *_, last = occlusion_steps(model, torch.zeros(1, 1, 8, 8), patch=2, stride=1)
    >>> last.done, tuple(last.scores.shape)
    (True, (1, 7, 7, 3))
    """
    given = {"patch": patch, "stride": stride, "fill": fill, "gaps": gaps, "layers": layers}
    module, problem = _checked(model, images, mode, max_memory, target, extra=additional_forward_args, **given)
    return _grow(module, problem, Reading(score_fn, to_probabilities), max_memory, target, preview=mode == "preview")


def _checked(
    model: nn.Module, images: Tensor, mode: str, max_memory: Any, target: Any = None, **given: Any
) -> tuple[nn.Module, Problem]:
    """Return the shadow's module and the problem, once all arguments are checked."""
    for name, value, kind in (("max_memory", max_memory, "number of bytes"), ("target", target, "class")):
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise TypeError(f"{name}: expected a {kind}, got {value!r}")
    if max_memory is not None and max_memory < 0:
        raise ValueError(f"max_memory: expected at least 0 bytes, got {max_memory}")
    module = shadow_module(model)
    if mode not in get_args(Mode):
        raise ValueError(f"mode: expected 'exact' or 'preview', got {mode!r}")
    return module, parse_problem(images, device=device_of(module), **given)


def _grow(
    module: nn.Module,
    problem: Problem,
    reading: Reading,
    max_memory: int | None,
    target: int | None,
    *,
    preview: bool,
) -> Iterator[OcclusionMap]:
    before: Run | None = None
    for previews in (True, False) if preview else (False,):
        run = _begun(module, problem, reading, max_memory, _SLICE_S, preview=previews, before=before, target=target)
        problem = run.problem
        yield run.result()
        while not run.done:
            run.advance(_SLICE_S)
            yield run.result()
        if bool(run.exact.all()):
            return
        run.engine.release()
        before = run


def _begun(
    module: nn.Module,
    problem: Problem,
    reading: Reading,
    max_memory: int | None,
    seconds: float,
    *,
    preview: bool,
    coarse_first: bool = True,
    target: int | None = None,
    before: Run | None = None,
) -> Run:
    """Return a run that has worked for this long, starting from the results of the run `before`."""
    max_bytes = int(_MEMORY_SHARE * free_memory(problem.images.device)) if max_memory is None else max_memory
    try:
        if before is None:
            problem = replace(problem, arranged=arranged(module, problem))
        engine = Engine(module, problem, score_fn=reading.score_fn, max_bytes=max_bytes, preview=preview)
        run = Run(engine, problem, coarse_first=coarse_first, target=target, to_probabilities=reading.to_probabilities)
        if before is not None:
            run.refine(before)
        run.advance(seconds)
    except (RuntimeError, IndexError, ValueError) as error:
        # A picture without a batch axis looks like a sequence.
        shape = tuple(problem.images.shape)
        along = (len(each.kernel_size) for each in module.modules() if isinstance(each, _CONVOLUTIONS))
        if is_out_of_memory(error) or max(along, default=0) <= len(shape) - 2:
            raise
        raise ValueError(
            f"images: the model convolves along more axes than shape {shape} has beside batch and channels: {error}; "
            "add a batch axis with images[None]"
        ) from error
    return run
