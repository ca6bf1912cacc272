"""Which way an occlusion map is computed: on windows, on whole images, or on one whole image at a time.

Knows both engines and checks one against the other; must not know positions' order or views.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import layer_names
from nnwidgets.analysis.engine.occlusion_covered import StrayedError
from nnwidgets.analysis.engine.occlusion_dense import DenseEngine
from nnwidgets.analysis.engine.occlusion_problem import Problem
from nnwidgets.analysis.engine.occlusion_windowed import Answer, WindowEngine
from nnwidgets.analysis.engine.precision import rounds_to_tf32
from nnwidgets.analysis.engine.room import out_of_memory

__all__ = ["Engine"]

_SOMEWHERE = 7919  # a prime, to come round to every position: one is checked of each map, and four of a model's first
_OF_CHANGE = {torch.float32: 1e-4, torch.float64: 1e-9}  # largest error, as a share of the largest change of a score
_OF_CHANGE_NARROW = 0.2  # bfloat16 has 8 bits of mantissa; usual is 0.01
_OF_SCORE = {torch.float32: 1e-5, torch.float64: 1e-10}  # and beside it, of the largest score
_OF_SCORE_TF32 = 1e-2
_MIXES = "one whole image at a time: images of a batch influence each other"

_maps: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
T = TypeVar("T")
logger = logging.getLogger(__name__)


class Engine:
    """Answers as the model itself does, on windows around the squares where that is possible.

    Args:
        module: a shadow's module.
        problem: what to compute.
        score_fn: output -> `(n, classes)`.
        room: bytes that clean values and windows may take; where they need more, whole images are computed.
        narrow: whether convolutions multiply changes in bfloat16, where windows are used.

    Attributes:
        error: largest difference to the model's own scores at the positions that were checked, as a share of the
            largest change of a score there.
        why_whole: why whole images are computed, as a sentence; "" where windows are.
    """

    def __init__(
        self,
        module: nn.Module,
        problem: Problem,
        *,
        score_fn: Callable[[Any], Tensor],
        room: int,
        narrow: bool = False,
    ) -> None:
        self._module, self._problem, self._score_fn, self._room = module, problem, score_fn, room
        self._narrow = narrow
        self._by_whole = DenseEngine(module, problem, score_fn=score_fn)
        self._windows: WindowEngine | None = None
        self._unchecked: list[tuple[Tensor, Tensor, Tensor]] = []  # image, place, and what windows say of them
        self._alone = False
        self.error = 0.0
        self.why_whole = ""

    @property
    def exact(self) -> bool:
        """Whether what was evaluated last is the model's own answer, but for rounding in the images' dtype."""
        return self._windows is None or not self._narrow

    @property
    def windowed_share(self) -> float:
        """Share of the multiply-accumulates so far that were done on windows."""
        return 0.0 if self._windows is None else self._windows.windowed_share

    @property
    def work_share(self) -> float:
        """Multiply-accumulates so far as a share of those of whole forward passes."""
        return 1.0 if self._windows is None else self._windows.work_share

    @property
    def nbytes(self) -> int:
        """Bytes that are held from one call to the next."""
        return 0 if self._windows is None else self._windows.nbytes

    @property
    def most(self) -> int | None:
        """How many covered images may be asked for at once; None: any number."""
        return None if self._windows is None else self._windows.most

    @property
    def dense_from(self) -> str:
        """The first layer that is computed as a whole; "" if none is yet."""
        return "" if self._windows is None else self._windows.dense_from

    def evaluate(self, image: Tensor, place: Tensor) -> Answer:
        """Return what `DenseEngine.evaluate` does, and raise the same."""
        covers = bool((place >= 0).any())
        while not self.prepared and (covers or self._windows is None):
            self.prepare()
        windows = self._windows
        if windows is not None:
            answer = self._attempt(lambda: windows.evaluate(image, place))
            if answer is not None:
                return answer
            self._windows = None
        return self._singly(image, place) if self._alone else self._by_whole.evaluate(image, place)

    @property
    def prepared(self) -> bool:
        """Whether it is known how covered images are computed."""
        return bool(self.why_whole) or (self._windows is not None and not self._unchecked)

    def prepare(self) -> None:
        """Look at the model with the clean images; called again, compare one position with the model's own answer."""
        if self._windows is None:
            self._windows = self._attempt(self._look)
        else:
            windows, unchecked = self._windows, self._unchecked.pop()
            self._attempt(lambda: self._check(windows, *unchecked))
        if self.why_whole:
            self._windows = None

    def _new_windows(self, problem: Problem) -> WindowEngine:
        return WindowEngine(self._module, problem, score_fn=self._score_fn, room=self._room, narrow=self._narrow)

    def _singly(self, image: Tensor, place: Tensor) -> Answer:
        """Return what the model says to each image alone."""
        answers = [self._by_whole.evaluate(*one) for one in zip(image.split(1), place.split(1), strict=True)]
        sums = {layer: torch.cat([sums[layer] for _, sums in answers]) for layer in answers[0][1]}
        return torch.cat([scores for scores, _ in answers]), sums

    def _attempt(self, work: Callable[[], T | None]) -> T | None:
        try:
            return work()
        except Exception as error:
            if out_of_memory(error) and self.prepared:
                raise  # fewer positions at once will do
            # If whole images can't be computed either, that raises the error of the model itself.
            self.why_whole = f"whole images: {type(error).__name__}: {error}"
            logger.info("occlusion by windows failed", exc_info=True)
            return None

    def _look(self) -> WindowEngine | None:
        if self._problem.images.ndim != 4:
            self._alone = self._mixes()
            self.why_whole = _MIXES if self._alone else "whole images: windows are for pictures"
            return None
        if self._problem.images.dtype not in _OF_CHANGE:
            self.why_whole = f"whole images: windows are for float32 and float64, not for {self._problem.images.dtype}"
            return None
        windows = self._new_windows(self._problem)
        if windows.mixes:
            self.why_whole, self._alone = f"one whole image at a time: {windows.mixes}", True
            return None
        if windows.narrow is not None:
            self.why_whole = f"whole images: the model computes in {windows.narrow}"
            return None
        number = _maps.get(self._module, 0)
        _maps[self._module] = number + 1
        image, place = self._some(number)
        try:
            found, _ = windows.evaluate(image, place)
        except StrayedError:  # the first pass of all may have filled a cache of the model's own
            windows = self._new_windows(self._problem)
            found, _ = windows.evaluate(image, place)
        self._unchecked = list(zip(image.split(1), place.split(1), found.split(1), strict=True))
        return windows

    def _mixes(self) -> bool:
        """Whether the model says other things of a covered image between others than of it alone."""
        place = torch.tensor([[length // 2 for length in self._problem.grid]])
        image, nowhere = torch.zeros(1, dtype=torch.int64), torch.full_like(place, -1)
        if self._problem.images.dtype not in _OF_CHANGE:
            return False
        own, clean = (self._by_whole.evaluate(image, at)[0] for at in (place, nowhere))
        together, _ = self._by_whole.evaluate(image.repeat(3), torch.cat([nowhere, place, nowhere]))
        return not self._agree(together[1:2], own, clean)

    def _some(self, number: int) -> tuple[Tensor, Tensor]:
        """Return image and place of the positions to check for the model's n-th map."""
        rows, cols = self._problem.grid
        corners_and_more = [0, rows * cols - 1, rows // 2 * cols + cols // 2, _SOMEWHERE]
        at = torch.tensor(corners_and_more if number == 0 else [_SOMEWHERE * number]) % (rows * cols)
        image = (number + torch.arange(len(at))) % len(self._problem.images)
        return image, torch.stack([at // cols, at % cols], 1)

    def _check(self, windows: WindowEngine, image: Tensor, place: Tensor, found: Tensor) -> None:
        nowhere = torch.full_like(place, -1)
        own, _ = self._by_whole.evaluate(image, place)
        clean, _ = windows.evaluate(image, nowhere)
        if self._agree(found, own, clean):
            return
        together, _ = self._by_whole.evaluate(image.repeat(2), torch.cat([place, nowhere]))
        if self._agree(together[:1], own, clean):
            self.why_whole = f"whole images: windows gave other values from {self._first_difference(image, place)}"
        else:
            self.why_whole, self._alone = _MIXES, True
        logger.warning("occlusion map by %s", self.why_whole)

    def _first_difference(self, image: Tensor, place: Tensor) -> str:
        """Return the first layer of which windows give other sums than the model."""
        images, extra = self._problem.images, self._problem.extra
        given = [each.clone() if isinstance(each, Tensor) else each for each in (images, *extra)]
        names = tuple(layer.name for layer in layer_names(self._module, given))
        problem = replace(self._problem, layers=names)
        _, own = DenseEngine(self._module, problem, score_fn=self._score_fn).evaluate(image, place)
        windows = self._new_windows(problem)
        _, found = windows.evaluate(image, place)
        _, clean = windows.evaluate(image, torch.full_like(place, -1))
        different = (name for name in names if name in own and not self._agree(found[name], own[name], clean[name]))
        return next(different, "the output")

    def _agree(self, found: Tensor, own: Tensor, clean: Tensor) -> bool:
        """Whether values are equal but for rounding, measured by how much the squares change and by what is rounded."""
        finite = own.isfinite()
        if not torch.equal(found[~finite].nan_to_num(), own[~finite].nan_to_num()):
            return False
        if not bool(finite.any()):
            return True
        images = self._problem.images
        of_score = _OF_SCORE_TF32 if rounds_to_tf32(images) else _OF_SCORE[images.dtype]
        known = finite & clean.isfinite()
        change = float((own - clean)[known].abs().max()) if bool(known.any()) else 0.0
        error, largest = float((found - own)[finite].abs().max()), float(own[finite].abs().max())
        self.error = max(self.error, error / change if change else 0.0)
        of_change = _OF_CHANGE_NARROW if self._narrow else _OF_CHANGE[images.dtype]
        return error <= of_change * change + of_score * largest
