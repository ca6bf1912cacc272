"""How the points of a map look: what colours them and what their size says. Knows options; knows no map."""

from __future__ import annotations

from typing import Any

import traitlets
from traitlets.utils.bunch import Bunch

from nnwidgets.session import Session
from nnwidgets.views._controls import HasControls
from nnwidgets.views._points import Points

OF_LABELS = ("class",)
OF_PREDICTIONS = ("prediction", "correctness", "loss", "confidence")
EQUAL = ("equal",)
SIZES_OF_PREDICTIONS = ("loss", "confidence")
TAKEN = frozenset((*OF_LABELS, *OF_PREDICTIONS, *EQUAL))


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
