"""Working through the positions of an occlusion map in slices of time, coarse first.

Knows the order, the chunks and the buffers; must not know how an engine evaluates a covered image.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from nnwidgets.analysis.engine.occlusion_dense import DenseEngine
from nnwidgets.analysis.engine.occlusion_problem import Problem
from nnwidgets.analysis.engine.room import halving

__all__ = ["Run"]

_CHUNK_VALUES = 1 << 24  # input values of one forward pass at most, 64 MB in float32


class Run:
    """The state of one map being computed: what is still to do, and the buffers it goes to.

    Attributes:
        problem: what is computed.
        engine: what evaluates covered images.
        computed: `(batch, rows, cols)` bool.
        scores: `(batch, 1 + rows * cols, classes)` on the CPU, the clean image first; NaN where not computed.
        sums: layer -> `(batch, 1 + rows * cols, channels)`, likewise.
    """

    def __init__(self, engine: DenseEngine, problem: Problem) -> None:
        self.engine = engine
        self.problem = problem
        self._todo = _work_order(problem)
        self._next = 0
        self._chunk = 1
        batch, rows, cols = len(problem.images), len(problem.rows), len(problem.cols)
        self.computed = torch.zeros(batch, rows, cols, dtype=torch.bool)
        self._slots = 1 + rows * cols
        self.scores = torch.empty(0)  # made when the number of classes is known
        self.sums: dict[str, Tensor] = {}
        self._most = max(1, _CHUNK_VALUES // problem.images[0].numel())

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self._next == len(self._todo)

    def advance(self, seconds: float) -> None:
        """Compute for about so long, in at least one forward pass; passes grow until one fills the time."""
        start = time.perf_counter()
        spent = 0.0
        while not self.done:
            size = min(self._chunk, self._most, len(self._todo) - self._next)
            _, done = halving(size, lambda rows: self._evaluate(self._todo[self._next : self._next + rows]))
            if done < size:
                size = self._most = done
            self._next += size
            before, spent = spent, time.perf_counter() - start
            each = (spent - before) / size
            self._chunk = max(1, min(2 * size, int(seconds / max(each, 1e-9))))
            if spent + each * min(self._chunk, self._most) > seconds:
                return

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


def _work_order(problem: Problem) -> Tensor:
    """Return rows of (image, row, col): the clean images as row and col -1, then positions from coarse to fine."""
    i, j = torch.meshgrid(torch.arange(len(problem.rows)), torch.arange(len(problem.cols)), indexing="ij")
    level = torch.full_like(i, 2)
    level[(i % 2 == 0) & (j % 2 == 0)] = 1
    level[(i % 4 == 0) & (j % 4 == 0)] = 0
    order = level.flatten().argsort(stable=True)
    places = torch.cat([torch.full((1, 2), -1), torch.stack([i.flatten()[order], j.flatten()[order]], 1)])
    batch = len(problem.images)
    return torch.cat([torch.arange(batch).repeat(len(places))[:, None], places.repeat_interleave(batch, 0)], 1)
