"""Working through the positions of an occlusion map in slices of time, coarse first.

Knows the order, the chunks and the buffers; must not know how an engine evaluates a covered image.
"""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_engine import Engine
from nnwidgets.analysis.engine.occlusion_problem import Problem
from nnwidgets.analysis.engine.room import halving

__all__ = ["Run"]

_GROWTH = 16  # from one forward pass to the next, at most
_FEWEST = 2  # a single covered image costs as much as two
_CHUNK_VALUES = 1 << 24  # input values of one forward pass at most, 64 MB in float32


class Run:
    """The state of one map being computed: what is still to do, and the buffers it goes to.

    Args:
        engine: what evaluates covered images.
        problem: what is computed.
        target: class whose map is to become sharp early: positions where it changes most come first.

    Attributes:
        problem: what is computed.
        engine: what evaluates covered images.
        computed: `(batch, rows, cols)` bool.
        scores: `(batch, 1 + rows * cols, classes)` on the CPU, the clean image first; NaN where not computed.
        sums: layer -> `(batch, 1 + rows * cols, channels)`, likewise.
    """

    def __init__(self, engine: Engine, problem: Problem, *, target: int | None = None) -> None:
        self.engine = engine
        self.problem = problem
        self._target = target
        self._levels = _levels(problem)
        self._todo = torch.cat(
            [torch.arange(len(problem.images))[:, None], torch.full((len(problem.images), 2), -1)], 1
        )
        self._next = 0
        self._chunk = _FEWEST
        batch, rows, cols = len(problem.images), len(problem.rows), len(problem.cols)
        self.computed = torch.zeros(batch, rows, cols, dtype=torch.bool)
        self._slots = 1 + rows * cols
        self.scores = torch.empty(0)  # made when the number of classes is known
        self.sums: dict[str, Tensor] = {}
        self._most = max(1, _CHUNK_VALUES // problem.images[0].numel())

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self._next == len(self._todo) and not self._levels

    def advance(self, seconds: float) -> None:
        """Compute for about so long, in at least one forward pass; passes grow until one fills the time."""
        start = time.perf_counter()
        spent = 0.0
        while not self.done:
            if self._next == len(self._todo):
                if not self.engine.prepared:
                    self.engine.prepare()
                    if time.perf_counter() - start > seconds:
                        return
                    continue
                self._begin_level()
            size = min(self._chunk, self._most, len(self._todo) - self._next)
            _, done = halving(size, lambda rows: self._evaluate(self._todo[self._next : self._next + rows]))
            if done < size:
                size = self._most = done
            self._next += size
            before, spent = spent, time.perf_counter() - start
            each = (spent - before) / size
            self._chunk = max(_FEWEST, min(_GROWTH * size, int(seconds / max(each, 1e-9))))
            if spent + each * min(self._chunk, self._most) > seconds:
                return

    def _begin_level(self) -> None:
        step, places = self._levels.pop(0)
        images = len(self.problem.images)
        work = torch.cat([torch.arange(images).repeat(len(places))[:, None], places.repeat_interleave(images, 0)], 1)
        if step and self._target is not None:
            work = work[self._unrest(step, work, self._target).argsort(descending=True, stable=True)]
        self._todo, self._next = work, 0

    def _unrest(self, step: int, work: Tensor, target: int) -> Tensor:
        """Return how much the target's probability differs between the answers around each place, `(n,)`."""
        if not 0 <= target < self.scores.shape[2]:
            raise ValueError(f"target: expected a class from 0 to {self.scores.shape[2] - 1}, got {target}")
        grid = len(self.problem.images), len(self.problem.rows), len(self.problem.cols)
        known = self.scores[:, 1:].softmax(-1)[:, :, target].reshape(grid)[:, ::step, ::step]
        known = known.nan_to_num(0.0)[:, None]
        highest, lowest = F.max_pool2d(known, 3, 1, 1), -F.max_pool2d(-known, 3, 1, 1)
        image, i, j = work.unbind(1)
        return (highest - lowest)[image, 0, i // step, j // step]

    def _evaluate(self, work: Tensor) -> None:
        """Evaluate `(n, 3)` rows of image, slot row and slot column, and keep the answers."""
        image, i, j = work.unbind(1)
        clean = i < 0
        tops = torch.tensor(self.problem.rows)[i.clamp(min=0)]
        lefts = torch.tensor(self.problem.cols)[j.clamp(min=0)]
        tops = torch.where(clean, self.problem.images.shape[2], tops)
        scores, sums = self.engine.evaluate(image, tops, lefts)
        slot = torch.where(clean, 0, 1 + i * len(self.problem.cols) + j)
        dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
        self.scores = self._keep(self.scores, scores, image, slot, dtype)
        for layer, value in sums.items():
            self.sums[layer] = self._keep(self.sums.get(layer, torch.empty(0)), value, image, slot, dtype)
        self.computed[image[~clean], i[~clean], j[~clean]] = True

    def _keep(self, buffer: Tensor, values: Tensor, image: Tensor, slot: Tensor, dtype: torch.dtype) -> Tensor:
        if not buffer.numel():
            buffer = torch.full((len(self.problem.images), self._slots, values.shape[1]), torch.nan, dtype=dtype)
        buffer[image, slot] = values.to("cpu", dtype)
        return buffer


def _levels(problem: Problem) -> list[tuple[int, Tensor]]:
    """Return positions `(n, 2)` from coarse to fine, each level with the step between those before it; 0: none."""
    i, j = torch.meshgrid(torch.arange(len(problem.rows)), torch.arange(len(problem.cols)), indexing="ij")
    i, j = i.flatten(), j.flatten()
    level = torch.full_like(i, 2)
    level[(i % 2 == 0) & (j % 2 == 0)] = 1
    level[(i % 4 == 0) & (j % 4 == 0)] = 0
    places = torch.stack([i, j], 1)
    return [(step, places[level == number]) for number, step in enumerate((0, 4, 2)) if bool((level == number).any())]
