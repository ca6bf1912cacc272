"""How the points of a map look: what colours them and what their size says. Knows options and results, no figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import traitlets
from traitlets.utils.bunch import Bunch

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.marks import Groups, Numbers
from nnwidgets.session import Session
from nnwidgets.views._controls import HasControls
from nnwidgets.views._embedding_frame import wrong_samples
from nnwidgets.views._points import Points

OF_LABELS = ("class",)
OF_PREDICTIONS = ("prediction", "correctness", "loss", "confidence")
EQUAL = ("equal",)
SIZES_OF_PREDICTIONS = ("loss", "confidence")
TAKEN = frozenset((*OF_LABELS, *OF_PREDICTIONS, *EQUAL))


def numbers_shown(by: str, result: EmbeddingResult, points: Points) -> Numbers | None:
    """The scale of this name for the samples of a map, as the page has it; None where a name says no numbers."""
    if by == "loss":
        return replace(Numbers.of(by, result.loss.numpy(), low=0.0), root=True)
    if by == "confidence":
        return Numbers.of("probability", result.confidence.numpy(), low=0.0, high=1.0)
    column = points.column(by)
    if column is None or column.numbers is None:
        return None
    scale = Numbers.of(by, column.numbers)  # of all points, also where a map shows some of them
    return Numbers(by, column.numbers[points.rows_of(result.indices)], scale.low, scale.high)


def colors_shown(
    by: str, result: EmbeddingResult, points: Points, class_name: Callable[[int], str]
) -> Groups | Numbers | None:
    """What colours the samples of a map by this name, as the page has it; None for their classes."""
    column = points.column(by)
    if column is not None and column.codes is not None:
        return Groups(by, column.codes[points.rows_of(result.indices)].astype(np.int64), column.names, named=False)
    if by == "prediction":
        names = [class_name(each) for each in range(int(result.predicted.max()) + 1)]
        return Groups("Prediction", result.predicted.numpy(), names)
    if by == "correctness":
        known = (result.labels >= 0) & (result.predicted >= 0)
        codes = np.where(known.numpy(), wrong_samples(result).numpy(), -1)
        return Groups("Correctness", codes.astype(np.int64), ("right", "wrong"), named=False)
    return numbers_shown(by, result, points)


class HasLooks(HasControls):
    """Mixin of a view of `_points`: the options `color` and `size`."""

    session: Session
    _points: Points
    color = traitlets.Unicode(
        "class",
        help='What colours the points: "class", "prediction", "correctness", "loss", "confidence" or a name of '
        "`metadata`. Written by Python.",
    ).tag(control="dropdown", label="Colour by")
    size = traitlets.Unicode(
        "equal",
        help='What the area of a point grows with: "equal", "loss", "confidence" or a name of numeric `metadata`. '
        "Written by Python.",
    ).tag(control="dropdown", label="Size by")

    def looks_of(self, result: EmbeddingResult) -> tuple[Groups | Numbers | None, Numbers | None]:
        """What colours the samples of a map, None for their classes, and what sizes them, None for nothing."""
        colors = colors_shown(self.color, result, self._points, self.session.class_name)
        return colors, numbers_shown(self.size, result, self._points)

    def choices(self, option: str) -> list[tuple[Any, str]]:
        predicts, columns = self.session.classes is not None, self._points.columns
        if option == "color":
            own = (*OF_LABELS, *(OF_PREDICTIONS if predicts else ()))
            said = [column.name for column in columns if column.can_color]
        else:
            own = (*EQUAL, *(SIZES_OF_PREDICTIONS if predicts else ()))
            said = [column.name for column in columns if column.numbers is not None]
        return [(name, name) for name in (*own, *said)]

    @traitlets.validate("color", "size")
    def _check_choice(self, proposal: Bunch) -> str:
        option, value = proposal["trait"].name, str(proposal["value"])
        names = [name for name, _ in self.choices(option)]
        if value not in names:
            raise traitlets.TraitError(f"{option}: expected one of {', '.join(names)}, got {value!r}")
        return value
