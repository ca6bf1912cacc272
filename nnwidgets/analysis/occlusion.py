"""How the scores of a classifier change when a square of the picture is covered (Zeiler & Fergus 2014, ECCV, section
4.2).

Knows the result and the order of work; how a covered image is evaluated is an engine's business, and nothing here knows
a widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import device_of
from nnwidgets.analysis.engine.occlusion_dense import class_scores
from nnwidgets.analysis.engine.occlusion_engine import Engine, rounds_to_tf32
from nnwidgets.analysis.engine.occlusion_problem import Fill, pose
from nnwidgets.analysis.engine.occlusion_run import Run
from nnwidgets.shadow import free_memory, shadow_module

__all__ = ["OcclusionMap", "occlusion_map", "occlusion_steps"]

_SLICE_S = 0.04  # work between two partial maps: what a waiting click can bear, less the copy of the map
_MEMORY_SHARE = 0.1  # of what is free
_WHOLE_S = 1.0  # work in one forward pass when nobody waits: larger batches gain nothing


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """Scores of the model with a square at every position of a grid. All tensors are on the CPU.

    Tensors are float64 for a float64 model, else float32; NaN where a position isn't computed yet.

    Attributes:
        scores: `(batch, rows, cols, classes)`, raw outputs with the square's top left corner at `(self.rows[i],
            self.cols[j])`.
        clean: `(batch, classes)`, raw outputs of the uncovered images.
        layer_sums: layer -> `(batch, rows, cols, channels)`, the layer's values summed over its positions.
        clean_layer_sums: layer -> `(batch, channels)`, the same for the uncovered images.
        computed: `(batch, rows, cols)` bool.
        rows: top edges of the squares, in pixels.
        cols: left edges of the squares, in pixels.
        patch: height and width of the square, in pixels.
        stride: step between squares, in pixels; the last one of a row or column may be nearer, so that every pixel is
            covered.
        image_size: height and width of the images, in pixels.
        windowed_share: share of the multiply-accumulates (of convolutions and linear layers) that were done on windows
            around the square instead of on whole maps.
        work_share: multiply-accumulates done, as a share of those of one forward pass for each position.
        dense_from: the first layer that was computed on whole maps; "" where none was, or all were.
        memory_bytes: bytes of clean values that were held beside the model and this map.
        why_whole: why whole images were run through the model, as a sentence; "" where windows were used.
        notes: what limits exactness, as sentences; empty when the values are those of the model itself.
    """

    scores: Tensor
    clean: Tensor
    layer_sums: dict[str, Tensor]
    clean_layer_sums: dict[str, Tensor]
    computed: Tensor
    rows: tuple[int, ...]
    cols: tuple[int, ...]
    patch: tuple[int, ...]
    stride: tuple[int, ...]
    image_size: tuple[int, ...]
    windowed_share: float = 0.0
    work_share: float = 1.0
    dense_from: str = ""
    memory_bytes: int = 0
    why_whole: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def done(self) -> bool:
        """Whether every position is computed."""
        return bool(self.computed.all())

    @property
    def computed_share(self) -> float:
        """Share of the positions that are computed, 0 to 1."""
        return float(self.computed.double().mean())

    @property
    def probabilities(self) -> Tensor:
        """Softmax of `scores` over classes, `(batch, rows, cols, classes)`."""
        return self.scores.softmax(-1)

    @property
    def clean_probabilities(self) -> Tensor:
        """Softmax of `clean` over classes, `(batch, classes)`."""
        return self.clean.softmax(-1)

    @property
    def predicted(self) -> Tensor:
        """Class with the highest score at each position, `(batch, rows, cols)` int64; -1 where not computed."""
        return torch.where(self.computed, self.scores.argmax(-1), -1)

    def importance(
        self, target: int | Sequence[int] | Tensor, *, kind: Literal["logit", "probability"] = "logit"
    ) -> Tensor:
        """Return what each pixel is worth to a class, `(batch, height, width)`: above 0 the score falls when it is
        covered.

        Mean of (clean - covered) over the computed squares that cover the pixel, Captum's convention; NaN where none is
        computed.

        Args:
            target: a class, or one for each image.
            kind: "logit" for the raw output, "probability" for its softmax.

        Raises:
            ValueError: a target that isn't a class, another number of targets than images, or an unknown kind.
        """
        if kind not in ("logit", "probability"):
            raise ValueError(f"kind: expected 'logit' or 'probability', got {kind!r}")
        classes = self._targets(target)
        scores, clean = (self.scores, self.clean) if kind == "logit" else (self.probabilities, self.clean_probabilities)
        batch = torch.arange(len(clean))
        covered = scores[batch, :, :, classes].double()
        change = clean[batch, classes].double()[:, None, None] - covered
        usable = self.computed & change.isfinite()
        over_rows = _covers(self.rows, self.patch[0], self.image_size[0])
        over_cols = _covers(self.cols, self.patch[1], self.image_size[1])
        sums = over_rows @ torch.where(usable, change, 0.0) @ over_cols.T
        counts = over_rows @ self.computed.double() @ over_cols.T
        # A score that is NaN or infinite spoils exactly the pixels it covers.
        spoiled = over_rows @ (self.computed & ~usable).double() @ over_cols.T
        return torch.where(spoiled > 0, torch.nan, sums / counts).to(self.scores.dtype)

    def _targets(self, target: int | Sequence[int] | Tensor) -> Tensor:
        """Return one class for each image, `(batch,)` int64."""
        batch, classes = self.clean.shape
        values = torch.as_tensor(target).cpu()
        if values.is_floating_point() or values.dtype == torch.bool or values.ndim > 1:
            raise ValueError(f"target: expected a class or one class for each image, got {target!r}")
        if values.ndim == 1 and len(values) != batch:
            raise ValueError(f"target: expected one class for each of {batch} images, got {len(values)}")
        if bool(((values < 0) | (values >= classes)).any()):
            raise ValueError(f"target: expected a class from 0 to {classes - 1}, got {target!r}")
        return values.to(torch.int64).expand(batch)


def occlusion_map(
    model: nn.Module,
    images: Tensor,
    *,
    patch: int | tuple[int, int],
    stride: int | tuple[int, int],
    fill: Fill = 0.0,
    layers: Sequence[str] | str = (),
    mode: Literal["exact"] = "exact",
    additional_forward_args: Any = None,
    score_fn: Callable[[Any], Tensor] = class_scores,
    max_memory: int | None = None,
) -> OcclusionMap:
    """Return the model's scores with a square at every position of a grid, exact.

    Only what each square changes is computed, layer by layer, up to the layer in which that is nearly everything; what
    acts on whole maps is computed on whole maps. The model itself is asked about some positions, and about all of them
    where the two don't agree (`OcclusionMap.why_whole`).

    Origins along an axis of length H are `range(0, H - patch + 1, stride)`, and `H - patch` when that isn't among them.
    The model runs as a private copy in eval mode and stays as it is.

    For users of Captum's `Occlusion`: `sliding_window_shapes=(C, *patch)`, `strides=(C, *stride)`, `baselines=fill`,
    `attribute(..., target=t)` = `.importance(t)`, `perturbations_per_eval` is chosen here. One pass gives all classes.
    Captum clips the last square at the border instead of moving it inside: compare where `(H - patch) % stride == 0`.

    Args:
        model: a classifier of pictures.
        images: `(batch, channels, height, width)`, floating point, finite; preprocessed as in training; moved to the
            model's device.
        patch: side of the square in pixels, or (height, width).
        stride: step in pixels, at most `patch`, or (rows, cols).
        fill: what the square is filled with: a number, one number per channel, or "mean", each image's own mean per
            channel.
        layers: names as in `layer_names` whose values are summed over positions, per channel.
        mode: "exact" is the only one.
        additional_forward_args: further positional arguments of the model, one or a tuple; a tensor as long as the
            batch goes with its images, anything else is handed on unchanged.
        score_fn: the model's output -> `(batch, classes)`; default: its `logits`, else its first tensor.

        max_memory: bytes that the clean images' values and windows may take; where they need more, whole images are
            run. Default: a tenth of what is free.

    Raises:
        TypeError: images that aren't a floating-point tensor; sizes that aren't integers.
        ValueError: wrong shapes, sizes or fill; NaN in the images; an output without a class axis.
        KeyError: an unknown layer; the message lists the nearest names.

    >>> centre = nn.Sequential(nn.Flatten(), nn.Linear(9, 2, bias=False))
    >>> _ = centre[1].weight.data.zero_()[0, 4] = 1.0
    >>> result = occlusion_map(centre, torch.ones(1, 1, 3, 3), patch=1, stride=1)
    >>> result.importance(0)[0].tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    asked = model, images, patch, stride, fill, layers, mode, additional_forward_args, score_fn, max_memory
    run = _start(*asked, coarse_first=False)
    while not run.done:
        run.advance(_WHOLE_S)
    return _result(run)


def occlusion_steps(
    model: nn.Module,
    images: Tensor,
    *,
    patch: int | tuple[int, int],
    stride: int | tuple[int, int],
    fill: Fill = 0.0,
    layers: Sequence[str] | str = (),
    mode: Literal["exact"] = "exact",
    additional_forward_args: Any = None,
    score_fn: Callable[[Any], Tensor] = class_scores,
    max_memory: int | None = None,
    target: int | None = None,
) -> Iterator[OcclusionMap]:
    """Return an iterator over the same map growing: every fourth position first, then every second, then all.

    With a `target`, positions around which the probability of that class differs most come first within each of these.

    Arguments and errors are those of `occlusion_map`; arguments are checked at the call, the model's output at the
    first step. A step takes about 50 ms, or one forward pass of one image where that is longer. Each map is the
    receiver's own; the last is done.

    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    >>> *_, last = occlusion_steps(model, torch.zeros(1, 1, 8, 8), patch=2, stride=1)
    >>> last.done, tuple(last.scores.shape)
    (True, (1, 7, 7, 3))
    """
    asked = model, images, patch, stride, fill, layers, mode, additional_forward_args, score_fn, max_memory
    return _grow(_start(*asked, target=target))


def _grow(run: Run) -> Iterator[OcclusionMap]:
    while not run.done:
        run.advance(_SLICE_S)
        yield _result(run)


def _start(
    model: nn.Module,
    images: Tensor,
    patch: int | tuple[int, int],
    stride: int | tuple[int, int],
    fill: Fill,
    layers: Sequence[str] | str,
    mode: str,
    extra: Any,
    score_fn: Callable[[Any], Tensor],
    max_memory: int | None,
    **order: Any,
) -> Run:
    if mode != "exact":
        raise ValueError(f"mode: expected 'exact', the only one, got {mode!r}")
    module = shadow_module(model)
    device = device_of(module)
    problem = pose(images, patch=patch, stride=stride, fill=fill, layers=layers, extra=extra, device=device)
    room = int(_MEMORY_SHARE * free_memory(device)) if max_memory is None else max_memory
    return Run(Engine(module, problem, score_fn=score_fn, room=room), problem, **order)


def _result(run: Run) -> OcclusionMap:
    """Return the map so far; its tensors are its own."""
    problem = run.problem
    grid = (len(problem.images), *problem.grid, -1)
    return OcclusionMap(
        scores=run.scores[:, 1:].reshape(grid).clone(),
        clean=run.scores[:, 0].clone(),
        layer_sums={layer: sums[:, 1:].reshape(grid).clone() for layer, sums in run.sums.items()},
        clean_layer_sums={layer: sums[:, 0].clone() for layer, sums in run.sums.items()},
        computed=run.computed.clone(),
        rows=problem.origins[0],
        cols=problem.origins[1],
        patch=problem.patch,
        stride=problem.stride,
        image_size=tuple(problem.images.shape[2:]),
        windowed_share=run.engine.windowed_share,
        work_share=run.engine.work_share,
        dense_from=run.engine.dense_from,
        memory_bytes=run.engine.nbytes,
        why_whole=run.engine.why_whole,
        notes=_precision_notes(problem.images),
    )


def _covers(origins: tuple[int, ...], patch: int, size: int) -> Tensor:
    """Return `(size, len(origins))`, 1 where the square at an origin covers the pixel."""
    pixel, origin = torch.arange(size)[:, None], torch.tensor(origins)
    return ((pixel >= origin) & (pixel < origin + patch)).double()


def _precision_notes(images: Tensor) -> tuple[str, ...]:
    """Say when values are rounded below float32."""
    if images.dtype in (torch.bfloat16, torch.float16):
        return (f"computed in {str(images.dtype).removeprefix('torch.')}",)
    return ("TF32: convolutions keep 10 bits of mantissa",) if rounds_to_tf32(images) else ()
