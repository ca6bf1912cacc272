"""The result of an occlusion analysis: scores at every position, and the importance of each pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

_AT_ONCE = 1024  # pixels: for a long sequence, the table of all pixels and patches would not fit in memory

ToProbabilities: TypeAlias = Callable[[Tensor], Tensor]


def over_classes(scores: Tensor) -> Tensor:
    """Softmax over classes, the last axis."""
    return scores.softmax(-1)


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """Scores of the model with a patch at every position of a grid. All tensors are on the CPU.

    Tensors are float64 for a float64 model, else float32; NaN at positions that are not computed yet. `*grid` is the
    number of positions along each axis: (rows, cols) for pictures, (steps,) for sequences, (channels, steps) if the
    patch is a pair, (slices, rows, cols) for volumes.

    Attributes:
        scores: `(batch, *grid, classes)`, raw outputs with the patch's corner at `origins[0][i], origins[1][j] ...`.
        clean: `(batch, classes)`, raw outputs of the uncovered images.
        layer_sums: layer -> `(batch, *grid, channels)`, the layer's values summed over its positions.
        clean_layer_sums: layer -> `(batch, channels)`, the same for the uncovered images.
        computed: `(batch, *grid)` bool.
        exact: `(batch, *grid)` bool: computed, and not as a preview.
        origins: where patches begin along each axis, in pixels.
        patch: sides of the patch, in pixels: height and width of a square.
        stride: step between patches, in pixels. The last step along an axis may be shorter, to touch the border.
        image_size: size of the images along the same axes, in pixels: height and width of pictures.
        windowed_share: share of the multiply-accumulates (of convolutions and linear layers) done on windows around the
            square instead of on whole maps.
        work_share: multiply-accumulates done, as a share of those of one forward pass per position.
        dense_from: the first layer that was computed on whole maps; "" if none was, or all were.
        memory_bytes: bytes of clean values held besides the model and this map.
        why_whole: why whole images were run through the model, as a sentence; "" if windows were used.
        notes: sentences on what limits exactness and on non-finite scores; empty if there is nothing to say.
        to_probabilities: scores `(…, classes)` -> probabilities of the same shape.
    """

    scores: Tensor
    clean: Tensor
    layer_sums: dict[str, Tensor]
    clean_layer_sums: dict[str, Tensor]
    computed: Tensor
    exact: Tensor
    origins: tuple[tuple[int, ...], ...]
    patch: tuple[int, ...]
    stride: tuple[int, ...]
    image_size: tuple[int, ...]
    windowed_share: float = 0.0
    work_share: float = 1.0
    dense_from: str = ""
    memory_bytes: int = 0
    why_whole: str = ""
    notes: tuple[str, ...] = ()
    to_probabilities: ToProbabilities = over_classes

    @property
    def rows(self) -> tuple[int, ...]:
        """Top edges of the squares, in pixels; first channels of blocks.

        Raises:
            AttributeError: the map does not have two axes. `cols` raises it, too.
        """
        return self._along_two("rows")[0]

    @property
    def cols(self) -> tuple[int, ...]:
        """Left edges of the squares, in pixels; first steps of blocks."""
        return self._along_two("cols")[1]

    @property
    def done(self) -> bool:
        """Whether every position is computed, and none is a preview."""
        return bool(self.exact.all())

    @property
    def computed_share(self) -> float:
        """Share of the positions that are computed, 0 to 1."""
        return float(self.computed.double().mean())

    @property
    def probabilities(self) -> Tensor:
        """Those of `scores`, `(batch, *grid, classes)`."""
        return self.to_probabilities(self.scores)

    @property
    def clean_probabilities(self) -> Tensor:
        """Those of `clean`, `(batch, classes)`."""
        return self.to_probabilities(self.clean)

    @property
    def predicted(self) -> Tensor:
        """The class with the highest score at each position, `(batch, *grid)` int64; -1 where not computed."""
        return torch.where(self.computed, self.scores.argmax(-1), -1)

    def importance(
        self, target: int | Sequence[int] | Tensor, *, kind: Literal["logit", "probability"] = "logit"
    ) -> Tensor:
        """Return the importance of each pixel for a class, `(batch, *image_size)`; positive where covering it lowers
        the score.

        This is the mean of (clean - covered) over the computed patches that cover the pixel, as in Captum. NaN where
        none is computed, or none covers it (`gaps=True`).

        Args:
            target: a class, or one for each image.
            kind: "logit" for the raw output, "probability" for its probability.

        Raises:
            ValueError: a target that is not a class, a different number of targets than images, or an unknown kind.
        """
        if kind not in ("logit", "probability"):
            raise ValueError(f"kind: expected 'logit' or 'probability', got {kind!r}")
        classes = self._targets(target)
        scores, clean = (self.scores, self.clean) if kind == "logit" else (self.probabilities, self.clean_probabilities)
        batch = torch.arange(len(clean))
        covered = scores.movedim(-1, 1)[batch, classes].double()
        change = clean[batch, classes].double().reshape(-1, *[1] * len(self.origins)) - covered
        usable = self.computed & change.isfinite()
        sums, counts = self._over_pixels(torch.where(usable, change, 0.0)), self._over_pixels(self.computed.double())
        # A non-finite score makes exactly the pixels under its patch NaN.
        spoiled = self._over_pixels((self.computed & ~usable).double())
        return torch.where(spoiled > 0, torch.nan, sums / counts).to(self.scores.dtype)

    def _over_pixels(self, values: Tensor) -> Tensor:
        """Sum `values`, `(batch, *grid)`, over the patches that cover each pixel, `(batch, *image_size)`."""
        for axis, (origins, patch, size) in enumerate(zip(self.origins, self.patch, self.image_size, strict=True)):
            lines, origin = values.movedim(axis + 1, -1), torch.tensor(origins)
            parts = []
            for pixel in torch.arange(size)[:, None].split(_AT_ONCE):
                covers = (pixel >= origin) & (pixel < origin + patch)
                parts.append(lines @ covers.T.double())
            values = torch.cat(parts, -1).movedim(-1, axis + 1)
        return values

    def _along_two(self, name: str) -> tuple[tuple[int, ...], ...]:
        if len(self.origins) != 2:
            raise AttributeError(f"{name}: expected a map along 2 axes, got one along {len(self.origins)}; use origins")
        return self.origins

    def _targets(self, target: int | Sequence[int] | Tensor) -> Tensor:
        """Return one class per image, `(batch,)` int64."""
        batch, classes = self.clean.shape
        values = torch.as_tensor(target).cpu()
        if values.is_floating_point() or values.dtype == torch.bool or values.ndim > 1:
            raise ValueError(f"target: expected a class or one class for each image, got {target!r}")
        if values.ndim == 1 and len(values) != batch:
            raise ValueError(f"target: expected one class for each of {batch} images, got {len(values)}")
        if bool(((values < 0) | (values >= classes)).any()):
            raise ValueError(f"target: expected a class from 0 to {classes - 1}, got {target!r}")
        return values.to(torch.int64).expand(batch)
