"""Occlusion by recomputing only what each square changes, on windows, until they cover the whole map."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.engine.layer_calls import named_modules
from nnwidgets.analysis.engine.occlusion_covered import CoveredPass, held, whole
from nnwidgets.analysis.engine.occlusion_dense import checked_scores, of_images, position_sums
from nnwidgets.analysis.engine.occlusion_problem import Problem
from nnwidgets.analysis.engine.occlusion_reference_pass import ReferencePass
from nnwidgets.analysis.engine.occlusion_spans import Span
from nnwidgets.analysis.engine.occlusion_windows import Chunk, CleanMap, Windows

Answer = tuple[Tensor, dict[str, Tensor]]
_FEWEST = 2  # a single image is computed twice, see `_covered`
_ALIVE = 4  # at most this many values as large as the largest map exist at once


class WindowEngine:
    """Scores and layer sums of covered images, computed on windows around the squares as far as the model allows.

    `module` is a shadow's, `max_bytes` is for clean values and windows, `preview` multiplies changes in bfloat16.

    most: how many covered images fit in at once.
    mixes: why images of one batch may influence each other; "" if they do not. If set, do not use this engine.
    short_dtype: a dtype of fewer than 32 bits in which the model computes; None if none. The same applies.
    """

    def __init__(
        self,
        module: nn.Module,
        problem: Problem,
        *,
        score_fn: Callable[[Any], Tensor],
        max_bytes: int,
        preview: bool = False,
    ) -> None:
        self._module, self._problem, self._score_fn = module, problem, score_fn
        self._windowed = self._dense = self._whole = 0
        self._dense_from = ""
        self._clean = CleanMap(problem.images)
        self._rows, self._cols = (
            Span(np.array(origins), np.array(origins) + side, size)
            for origins, side, size in zip(problem.origins, problem.patch, problem.images.shape[2:], strict=True)
        )
        given = problem.arguments()
        clean = ReferencePass(
            len(problem.images), [each for each in given if isinstance(each, Tensor)], max_bytes=max_bytes // 2
        )
        self._clean_answer = self._run_clean(clean, given)
        self._steps = clean.finish(preview=preview)
        self.mixes, self.short_dtype = clean.mixes, clean.short_dtype
        self.most = max(_FEWEST, max_bytes // 2 // max(1, _ALIVE * clean.largest))

    def report(self) -> dict[str, Any]:
        """What was computed how so far, and the bytes of the clean values held, as fields of `OcclusionMap`."""
        done = self._windowed + self._dense
        held = {id(step.output): step.output for step in self._steps if step.output is not None}
        return {
            "windowed_share": self._windowed / max(1, done),
            "work_share": done / max(1, self._whole),
            "dense_from": self._dense_from,
            "memory_bytes": sum(clean.nbytes for clean in held.values()),
        }

    def evaluate(self, image: Tensor, place: Tensor) -> Answer:
        """Return what `DenseEngine.evaluate` does. Raises StrayedError if covered images take another path."""
        covered = place[:, 0] >= 0
        scores, sums = self._clean_answer
        if not bool(covered.any()):
            return scores[image], {layer: value[image] for layer, value in sums.items()}
        rows = covered.nonzero().flatten()
        found_scores, found_sums = self._covered(image[rows], place[rows])
        if len(rows) == len(image):
            return found_scores, found_sums
        place = rows.to(found_scores.device)
        return (
            scores[image].index_copy(0, place, found_scores),
            {layer: sums[layer][image].index_copy(0, place, value) for layer, value in found_sums.items()},
        )

    def _covered(self, image: Tensor, place: Tensor) -> Answer:
        n = len(image)
        if n == 1:  # with two, values per image can be distinguished from values shared by all images
            image, place = image.repeat(2), place.repeat(2, 1)
        square = self._problem.squares(image, place)
        image, place = image.to(square.device), place.to(square.device)
        chunk = Chunk(image, place[:, 0], place[:, 1])
        run = CoveredPass(self._steps, image)
        sums: dict[str, Tensor] = {}

        def add(name: str, value: Tensor) -> None:
            run.paused = True
            inside, layer = held(value), self._problem.arranged[name]
            sums[name] = inside.sums() if isinstance(inside, Windows) else position_sums(inside, layer, len(image))
            run.paused = False

        extra = [of_images(argument, image, len(self._problem.images)) for argument in self._problem.extra]
        placeholder = run.cover(Windows(square, self._rows, self._cols, self._clean, chunk))
        with run:
            output = record(self._module, (placeholder, *extra), layers=self._problem.layers, on_activation=add)
            scores = self._score_fn(output)
        scores = checked_scores(whole(scores), len(image))
        self._windowed += len(image) * run.windowed
        self._dense += len(image) * run.dense
        self._whole += len(image) * sum(step.work for step in self._steps)
        if run.first_dense is not None:
            self._dense_from = run.first_dense.layer or getattr(run.first_dense.func, "__name__", "")
        for step in self._steps:  # free clean values that no place of the map needs
            if step.output is not None and not step.output.needed:
                step.output.drop()
        return scores[:n], {layer: value[:n] for layer, value in sums.items()}

    def _run_clean(self, clean: ReferencePass, given: list[Any]) -> Answer:
        problem, sums = self._problem, dict[str, Tensor]()

        def add(name: str, value: Tensor) -> None:
            clean.paused = True
            clean.use(value)
            sums[name] = position_sums(value, problem.arranged[name], len(problem.images))
            clean.paused = False

        with ExitStack() as hooks, clean:
            for name, child in named_modules(self._module).items():
                hooks.callback(child.register_forward_pre_hook(partial(clean.enter, name)).remove)
            output = record(self._module, given, layers=problem.layers, on_activation=add)
            scores = checked_scores(self._score_fn(output), len(problem.images))
        return scores, sums
