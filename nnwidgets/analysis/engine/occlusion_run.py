"""Work through the positions of an occlusion map in slices of time, coarse first."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_engine import Engine
from nnwidgets.analysis.engine.occlusion_problem import Problem
from nnwidgets.analysis.engine.occlusion_result import OcclusionMap, ToProbabilities, over_classes
from nnwidgets.analysis.engine.out_of_memory import halving
from nnwidgets.analysis.engine.precision import rounding_notes

_GROWTH = 16  # from one forward pass to the next, at most
_FEWEST = 2  # a single covered image costs as much as two
_CHUNK_VALUES = 1 << 24  # most input values of one forward pass: 64 MB in float32
_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


class Run:
    """A map in the making: the positions left, and the buffers for the results.

    `coarse_first`: every fourth position comes first, then every second. `target`: class whose map shall become sharp
    early: positions where it varies most come first.

    computed, exact: as in `OcclusionMap`.
    """

    def __init__(
        self,
        engine: Engine,
        problem: Problem,
        *,
        coarse_first: bool = True,
        target: int | None = None,
        to_probabilities: ToProbabilities = over_classes,
    ) -> None:
        self.engine, self.problem, self._target, self._to_probabilities = engine, problem, target, to_probabilities
        self._levels = _levels(problem, coarse_first=coarse_first)
        batch = len(problem.images)
        self._todo = torch.cat([torch.arange(batch)[:, None], torch.full((batch, len(problem.grid)), -1)], 1)
        self._next = 0
        self._chunk = _FEWEST
        self.computed = torch.zeros(batch, *problem.grid, dtype=torch.bool)
        self.exact = torch.zeros_like(self.computed)
        self._off_by = 0.0  # error of a preview at the checked positions, as a share of the largest change
        self._computed_clean = torch.zeros(batch, dtype=torch.bool)
        # `(batch, 1 + positions, classes)`, without a patch first; NaN where not computed. Made by the first answer.
        self._scores = torch.empty(0)
        self._sums: dict[str, Tensor] = {}  # layer -> the same of its channels
        self._most = max(1, _CHUNK_VALUES // problem.images[0].numel())

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self._next == len(self._todo) and not self._levels

    def refine(self, preview: Run) -> None:
        """Start from the results of another run, which are then replaced position by position."""
        self._scores = preview._scores.clone()
        self._sums = {layer: sums.clone() for layer, sums in preview._sums.items()}
        self.computed, self.exact = preview.computed.clone(), preview.exact.clone()
        self._computed_clean, self._off_by = preview._computed_clean.clone(), preview._off_by

    def advance(self, seconds: float) -> None:
        """Compute for about this long, at least one forward pass. Passes grow until one fills the time."""
        start = time.perf_counter()
        spent = 0.0
        while not self.done:
            if self._next == len(self._todo):
                if not self.engine.prepared:
                    alone = self.engine.alone
                    self.engine.prepare()
                    if self.engine.alone and not alone:  # the clean images have influenced each other
                        self._next = 0
                    if time.perf_counter() - start > seconds:
                        return
                    continue
                self._begin_level()
            size = min(self._chunk, self._most, self.engine.most or self._most, len(self._todo) - self._next)
            _, done = halving(size, lambda rows: self._evaluate(self._todo[self._next : self._next + rows]))
            if done < size:
                size = self._most = done
            self._next += size
            before, spent = spent, time.perf_counter() - start
            each = (spent - before) / size
            self._chunk = max(_FEWEST, min(_GROWTH * size, int(seconds / max(each, 1e-9))))
            if spent + each * min(self._chunk, self._most) > seconds:
                return

    def result(self) -> OcclusionMap:
        """Return the map so far, with copies of the tensors."""
        problem = self.problem
        grid = (len(problem.images), *problem.grid, -1)
        return OcclusionMap(
            scores=self._scores[:, 1:].reshape(grid).clone(),
            clean=self._scores[:, 0].clone(),
            layer_sums={layer: sums[:, 1:].reshape(grid).clone() for layer, sums in self._sums.items()},
            clean_layer_sums={layer: sums[:, 0].clone() for layer, sums in self._sums.items()},
            computed=self.computed.clone(),
            exact=self.exact.clone(),
            origins=problem.origins,
            patch=problem.patch,
            stride=problem.stride,
            image_size=problem.size,
            to_probabilities=self._to_probabilities,
            notes=(*self._preview_notes(), *rounding_notes(problem.images), *self._not_finite()),
            **self.engine.report(),
        )

    def _preview_notes(self) -> list[str]:
        previewed = self.computed & ~self.exact
        if not bool(previewed.any()):
            return []
        return [
            f"preview at {int(previewed.sum())} of {previewed.numel()} positions: bfloat16, "
            f"off by {100 * self._off_by:.1f} % of the largest change where it was checked"
        ]

    def _not_finite(self) -> list[str]:
        """Return sentences about scores that are NaN, then about infinite ones; none if all are finite."""
        problem, notes = self.problem, []
        word = "square" if problem.axes == ("row", "col") else "patch"
        for name, spoilt in (("NaN", self._scores.isnan().any(-1)), ("infinite", self._scores.isinf().any(-1))):
            without = (spoilt[:, 0] & self._computed_clean).nonzero().flatten().tolist()
            if without:
                notes.append(f"{name} scores without a {word}{self._of_image(without[0])}")
            found = (spoilt[:, 1:].reshape(self.computed.shape) & self.computed).nonzero()
            if len(found):
                image, *place = found[0].tolist()
                along = zip(problem.axes, problem.origins, place, strict=True)
                where = ", ".join(f"{axis} {origins[index]}" for axis, origins, index in along)
                notes.append(
                    f"{name} scores at {len(found)} of {int(self.computed.sum())} positions, "
                    f"first with the {word} at {where}{self._of_image(image)}"
                )
        return notes

    def _of_image(self, image: int) -> str:
        return f" of image {image}" if len(self.problem.images) > 1 else ""

    def _begin_level(self) -> None:
        step, places = self._levels.pop(0)
        images = len(self.problem.images)
        work = torch.cat([torch.arange(images).repeat(len(places))[:, None], places.repeat_interleave(images, 0)], 1)
        if step and self._target is not None:
            work = work[self._unrest(step, work, self._target).argsort(descending=True, stable=True)]
        self._todo, self._next = work, 0

    def _unrest(self, step: int, work: Tensor, target: int) -> Tensor:
        """Return how much the target's probability varies among the known positions around each place, `(n,)`."""
        if not 0 <= target < self._scores.shape[2]:
            raise ValueError(f"target: expected a class from 0 to {self._scores.shape[2] - 1}, got {target}")
        grid = self.problem.grid
        known = self._to_probabilities(self._scores[:, 1:])[:, :, target].reshape(-1, 1, *grid)
        every: tuple[Any, ...] = (..., *[slice(None, None, step)] * len(grid))
        known = known[every].nan_to_num(0.0)
        pool = _POOLS[len(grid)]
        unrest = pool(known, 3, 1, 1) + pool(-known, 3, 1, 1)
        image, *place = work.unbind(1)
        at: tuple[Any, ...] = (image, 0, *(each // step for each in place))
        return unrest[at]

    def _evaluate(self, work: Tensor) -> None:
        """Evaluate `(n, 1 + axes)` rows of image and place, and store the results."""
        image, place = work[:, 0], work[:, 1:]
        scores, sums = self.engine.evaluate(image, place)
        slot = torch.zeros_like(image)
        for each, length in zip(place.unbind(1), self.problem.grid, strict=True):
            slot = slot * length + each
        clean = place[:, 0] < 0
        slot = torch.where(clean, 0, 1 + slot)
        dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
        self._scores = self._keep(self._scores, scores, image, slot, dtype)
        for layer, value in sums.items():
            self._sums[layer] = self._keep(self._sums.get(layer, torch.empty(0)), value, image, slot, dtype)
        covered = work[~clean].unbind(1)
        self.computed[covered] = True
        self.exact[covered] = self.engine.exact
        if not self.engine.exact:
            self._off_by = self.engine.off_by
        self._computed_clean[image[clean]] = True

    def _keep(self, buffer: Tensor, values: Tensor, image: Tensor, slot: Tensor, dtype: torch.dtype) -> Tensor:
        if not buffer.numel():
            slots = 1 + math.prod(self.problem.grid)
            buffer = torch.full((len(self.problem.images), slots, values.shape[1]), torch.nan, dtype=dtype)
        buffer[image, slot] = values.to("cpu", dtype)
        return buffer


def _levels(problem: Problem, *, coarse_first: bool) -> list[tuple[int, Tensor]]:
    """Return places `(n, axes)` from coarse to fine, each level with the step of the level before it; 0: the first."""
    places = torch.cartesian_prod(*(torch.arange(length) for length in problem.grid)).reshape(-1, len(problem.grid))
    if not coarse_first:
        return [(0, places)]
    level = torch.full((len(places),), 2)
    level[(places % 2 == 0).all(1)] = 1
    level[(places % 4 == 0).all(1)] = 0
    return [(step, places[level == number]) for number, step in enumerate((0, 4, 2)) if bool((level == number).any())]
