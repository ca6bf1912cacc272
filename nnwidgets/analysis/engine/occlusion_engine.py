"""Choose how an occlusion map is computed: on windows, on whole images, or on one whole image at a time.

Runs both engines and checks one against the other.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import layer_names
from nnwidgets.analysis.engine.occlusion_covered import StrayedError
from nnwidgets.analysis.engine.occlusion_dense import DenseEngine, of_images
from nnwidgets.analysis.engine.occlusion_problem import Problem
from nnwidgets.analysis.engine.occlusion_windowed import Answer, WindowEngine
from nnwidgets.analysis.engine.out_of_memory import is_out_of_memory
from nnwidgets.analysis.engine.precision import rounds_to_tf32

_SOMEWHERE = 7919  # a prime, to reach every position: each map checks one position, and a model's first map four
_WINDOWED = (torch.float32, torch.float64)
_MIXES = "one whole image at a time: images of a batch influence each other"
# The error may be at most this share of the largest change of a score, plus this share of the largest score.
_OF_CHANGE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 0.01, torch.bfloat16: 0.05}
_OF_SCORE = {torch.float64: 1e-10, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 0.03}
_OF_SCORE_TF32 = 1e-2
_OF_CHANGE_PREVIEW = 0.2  # bfloat16 has 8 bits of mantissa; 0.01 is typical

_maps: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()  # number of maps of a model so far
_alone: weakref.WeakKeyDictionary[nn.Module, str] = weakref.WeakKeyDictionary()  # why its images run one by one
logger = logging.getLogger(__name__)


class Engine:
    """Gives the model's own answers, computed on windows around the squares where possible.

    Arguments are those of `WindowEngine`; where `max_bytes` are too few, whole images are computed.

    alone: whether images run one at a time, so that they cannot influence each other.
    why_whole: why whole images are computed, as a sentence; "" if windows are used.
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
        self._module, self._problem, self._score_fn, self._max_bytes = module, problem, score_fn, max_bytes
        self._preview = preview
        self._by_whole = DenseEngine(module, problem, score_fn=score_fn)
        self._windows: WindowEngine | None = None
        self._unchecked: list[tuple[Tensor, Tensor, Tensor]] = []  # image, place, scores by windows
        self.alone = False
        self._error = self._largest_change = 0.0
        self.why_whole = ""

    @property
    def exact(self) -> bool:
        """Whether the last evaluation gave the model's own answer, up to rounding in the images' dtype."""
        return self._windows is None or not self._preview

    @property
    def off_by(self) -> float:
        """Largest error at the checked positions, as a share of the largest change of a score there."""
        return self._error / self._largest_change if self._largest_change else 0.0

    @property
    def most(self) -> int | None:
        """The largest number of covered images to evaluate at once; None: any number."""
        return None if self._windows is None else self._windows.most

    def report(self) -> dict[str, Any]:
        """How the map is computed so far, as fields of `OcclusionMap`."""
        return {"why_whole": self.why_whole} | ({} if self._windows is None else self._windows.report())

    def evaluate(self, image: Tensor, place: Tensor) -> Answer:
        """Return what `DenseEngine.evaluate` does, and raise the same."""
        covers = bool((place >= 0).any())
        while not self.prepared and (covers or self._windows is None):
            self.prepare()
        windows = self._windows
        if windows is not None:
            try:
                return windows.evaluate(image, place)
            except Exception as error:
                if is_out_of_memory(error) and len(place) > 1:
                    raise  # the caller tries fewer positions at once
                self._give_up(error)
        return self._singly(image, place) if self.alone else self._by_whole.evaluate(image, place)

    @property
    def prepared(self) -> bool:
        """Whether the way of computing is decided."""
        return bool(self.why_whole) or (self._windows is not None and not self._unchecked)

    def prepare(self) -> None:
        """Run the clean images; when called again, compare one position with the model's own answer."""
        try:
            if self._windows is None:
                self._look()
            else:
                self._check(self._windows, *self._unchecked.pop())
        except Exception as error:
            # If whole images fail, too, they raise the model's own error.
            self._give_up(error)

    def release(self) -> None:
        """Free what is held between calls."""
        self._windows = None

    def _new_windows(self, problem: Problem) -> WindowEngine:
        return WindowEngine(
            self._module, problem, score_fn=self._score_fn, max_bytes=self._max_bytes, preview=self._preview
        )

    def _singly(self, image: Tensor, place: Tensor) -> Answer:
        """Return the model's answer for each image alone."""
        answers = [self._by_whole.evaluate(*one) for one in zip(image.split(1), place.split(1), strict=True)]
        sums = {layer: torch.cat([sums[layer] for _, sums in answers]) for layer in answers[0][1]}
        return torch.cat([scores for scores, _ in answers]), sums

    def _give_up(self, error: Exception) -> None:
        """Compute whole images from now on, as windows failed."""
        logger.info("occlusion by windows failed", exc_info=error)
        self._whole(f"whole images: {_in_short(error)}")

    def _whole(self, why: str, *, dtype: torch.dtype | None = None) -> None:
        """Compute whole images from now on; one at a time if images of a batch influence each other.

        `dtype`: in which the model computes, if it is not the images'.
        """
        self._windows, self.why_whole = None, why
        try:
            if self._mixes(dtype or self._problem.images.dtype):
                self._run_alone(_MIXES)
        except Exception as error:
            # The model may take single images only, or memory may be too small for three. Any other error will be
            # raised again when it runs.
            logger.info("three images at once failed", exc_info=True)
            self._run_alone(f"one whole image at a time: {_in_short(error)}", remember=not is_out_of_memory(error))

    def _run_alone(self, why: str, *, remember: bool = True) -> None:
        self._windows, self.why_whole, self.alone = None, why, True
        if remember:
            _alone[self._module] = why

    def _look(self) -> None:
        dtype = self._problem.images.dtype
        if self._module in _alone:
            self._run_alone(_alone[self._module])
        elif self._problem.images.ndim != 4:
            self._whole("whole images: windows are for pictures")
        elif dtype not in _WINDOWED:
            self._whole(f"whole images: windows are for float32 and float64, not for {dtype}")
        else:
            self._look_at(self._new_windows(self._problem))

    def _look_at(self, windows: WindowEngine) -> None:
        if windows.mixes:
            self._run_alone(f"one whole image at a time: {windows.mixes}")
            return
        if windows.short_dtype is not None:
            self._whole(f"whole images: the model computes in {windows.short_dtype}", dtype=windows.short_dtype)
            return
        number = _maps.get(self._module, 0)
        _maps[self._module] = number + 1
        image, place = self._some(number)
        try:
            found, _ = windows.evaluate(image, place)
        except StrayedError:  # the very first pass may have filled a cache in the model
            windows = self._new_windows(self._problem)
            found, _ = windows.evaluate(image, place)
        self._windows = windows
        self._unchecked = list(zip(image.split(1), place.split(1), found.split(1), strict=True))

    def _mixes(self, dtype: torch.dtype) -> bool:
        """Whether the model answers differently for a covered image among others than for it alone."""
        problem, images, place = self._problem, len(self._problem.images), self._some(0)[1][-1:]
        first, own = torch.zeros(3, dtype=torch.int64), self._problem.images[:1]
        between = replace(
            problem,
            images=torch.cat([2 * own + 1, own, -3 * own]),
            fill=problem.fill if len(problem.fill) == 1 else problem.fill[first],
            extra=tuple(of_images(each, first, images) for each in problem.extra),
            layers=(),
        )
        engine = DenseEngine(self._module, between, score_fn=self._score_fn)
        middle, nowhere = torch.ones(1, dtype=torch.int64), torch.full_like(place, -1)
        alone, clean = (engine.evaluate(middle, at)[0] for at in (place, nowhere))
        together, _ = engine.evaluate(torch.arange(3), torch.cat([nowhere, place, nowhere]))
        return not self._agree(together[1:2], alone, _largest_change(alone, clean), dtype)

    def _some(self, number: int) -> tuple[Tensor, Tensor]:
        """Return images and places of the positions to check for the model's n-th map."""
        grid = torch.tensor(self._problem.grid)
        total = int(grid.prod())
        somewhere = torch.tensor(np.unravel_index(_SOMEWHERE * max(number, 1) % total, self._problem.grid))
        place = torch.stack([torch.zeros_like(grid), grid - 1, somewhere, grid // 2] if number == 0 else [somewhere])
        return (number + torch.arange(len(place))) % len(self._problem.images), place

    def _check(self, windows: WindowEngine, image: Tensor, place: Tensor, found: Tensor) -> None:
        own, _ = self._by_whole.evaluate(image, place)
        clean, _ = windows.evaluate(image, torch.full_like(place, -1))
        self._largest_change = max(self._largest_change, _largest_change(own, clean))
        if self._agree_on_windows(found, own, self._largest_change):
            self._error = max(self._error, _largest_change(found, own))
            return
        self._windows = None
        self._whole(f"whole images: windows gave other values from {self._first_difference(image, place)}")
        logger.warning("occlusion map by %s", self.why_whole)

    def _first_difference(self, image: Tensor, place: Tensor) -> str:
        """Return the first layer for which windows give other sums than the model."""
        arranged = {
            layer.name: layer
            for layer in layer_names(self._module, self._problem.arguments())
            if layer.batch_dim is not None and not layer.unclear
        }
        problem = replace(self._problem, layers=tuple(arranged), arranged=arranged)
        _, own = DenseEngine(self._module, problem, score_fn=self._score_fn).evaluate(image, place)
        windows = self._new_windows(problem)
        _, found = windows.evaluate(image, place)
        _, clean = windows.evaluate(image, torch.full_like(place, -1))
        for name in arranged:
            if not self._agree_on_windows(found[name], own[name], _largest_change(own[name], clean[name])):
                return name
        return "the output"

    def _agree_on_windows(self, found: Tensor, own: Tensor, change: float) -> bool:
        return self._agree(found, own, change, self._problem.images.dtype, preview=self._preview)

    def _agree(self, found: Tensor, own: Tensor, change: float, dtype: torch.dtype, *, preview: bool = False) -> bool:
        """Whether scores are the model's `own` up to rounding in `dtype`. Non-finite ones must be equal.

        `change`: the largest change of a score by a square. `preview`: whether changes are rounded to bfloat16.
        """
        finite = own.isfinite()
        if not torch.equal(found[~finite].nan_to_num(), own[~finite].nan_to_num()):
            return False
        of_change = _OF_CHANGE_PREVIEW if preview else _OF_CHANGE[dtype]
        of_score = _OF_SCORE_TF32 if rounds_to_tf32(self._problem.images) else _OF_SCORE[dtype]
        return _largest(found[finite] - own[finite]) <= of_change * change + of_score * _largest(own[finite])


def _largest_change(one: Tensor, other: Tensor) -> float:
    """The largest difference where both are finite, 0 if they nowhere are."""
    known = one.isfinite() & other.isfinite()
    return _largest((one - other)[known])


def _largest(values: Tensor) -> float:
    return float(values.abs().max()) if values.numel() else 0.0


def _in_short(error: Exception) -> str:
    """Return the error's class and first line."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]
