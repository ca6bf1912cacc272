"""Curves over steps. On the page bqplot draws them; this is their data and their matplotlib drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
from matplotlib.axes import Axes

from nnwidgets.blocks.block import Array, Block, finite_span
from nnwidgets.blocks.checks import choice_of, numbers, one_of, set_field
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import add_title, explain, plain_axes, say, tick
from nnwidgets.words import FORMATS, Format, formatted

Role: TypeAlias = Literal["main", "mean", "class"]


@dataclass(frozen=True, eq=False)
class Lines(Block):
    """Curves over one x axis, with their latest values beside the title. NaN leaves a gap.

    Args:
        x: (n,) steps, or another quantity.
        lines: (n,) values by their name in the legend.
        roles: by name: "main" is the one looked for (brand blue), "mean" what it is compared with (ink), "class" takes
            the next colour of the classes. A line alone is "main", others are "class".
        band: (2, n) lower and upper edge of a shaded band, such as that of most units; `band_name` for the legend.
        inner_band: (2, n) the same in a darker shade.
        others: (k, n) further lines, thin and pale; `others_name` for the legend.
        subject: what a row of curves is of, such as a layer; it stands before the legend.
        unit: what the values are.
        x_title: what x is: "step".
        log: whether y is logarithmic; values of zero or below are then left out.
        format: how values are written.
        empty: why there is nothing to draw, if there is nothing.

    Raises:
        TypeError: no numbers.
        ValueError: another shape, an unknown role or format.
        KeyError: a role for a name that is no line.

    >>> Lines([0, 1], {"loss": [2.3, 1.9]}, x_title="step").now()
    [('loss', 'main', '1.90')]
    """

    kind: ClassVar[str] = "lines"
    is_widget: ClassVar[bool] = True  # on the page a widget of its own, and no block

    x: Array
    lines: Mapping[str, Array] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    band: Array | None = None
    band_name: str = ""
    inner_band: Array | None = None
    others: Array | None = None
    others_name: str = ""
    subject: str = ""
    unit: str = ""
    x_title: str = "step"
    log: bool = False
    format: Format = "number"
    empty: str = ""

    def __post_init__(self) -> None:
        set_field(self, "x", numbers("x", self.x, "n"))
        n = len(self.x)
        if not isinstance(self.lines, Mapping):
            raise TypeError(f"lines: expected (n,) values by name, got {type(self.lines).__name__}")
        lines = {str(name): numbers(f"lines[{name!r}]", each, "n", sizes=(n,)) for name, each in self.lines.items()}
        set_field(self, "lines", lines)
        for name in ("band", "inner_band"):
            if getattr(self, name) is not None:
                set_field(self, name, numbers(name, getattr(self, name), "edges", "n", sizes=(2, n)))
        if self.others is not None:
            set_field(self, "others", numbers("others", self.others, "k", "n", sizes=(None, n)))
        for name, role in self.roles.items():
            choice_of("roles", name, list(lines))
            one_of(f"roles[{name!r}]", role, get_args(Role))
        one_of("format", self.format, FORMATS)

    def role_of(self, name: str) -> Role:
        """How a line stands out."""
        return self.roles.get(name, "main" if len(self.lines) == 1 else "class")

    def color_of(self, name: str, theme: Theme) -> str:
        """The colour of a line."""
        role = self.role_of(name)
        if role == "class":
            place = [each for each in self.lines if self.role_of(each) == "class"].index(name)
            return theme.classes[place % len(theme.classes)]
        return theme.brand if role == "main" else theme.text

    def now(self) -> list[tuple[str, Role, str]]:
        """Name, role and latest value of each line, in words."""
        if not len(self.x):
            return []
        return [
            (name, self.role_of(name), formatted(float(each[-1]), self.format)) for name, each in self.lines.items()
        ]

    def in_words(self) -> str:
        """The curves for who can't see them: each line's latest, least and largest value, and where those are.

        >>> Lines([0, 10, 20], {"loss": [2.5, 1.25, 1.5]}, x_title="step").in_words()
        'loss over step, 0 to 20: now 1.50, least 1.25 at 10, largest 2.50 at 0.'
        """
        said = []
        for name, values in self.lines.items():
            known = np.flatnonzero(np.isfinite(values))
            if not len(known):
                said.append(f"{name}: no finite values.")
                continue
            write = partial(formatted, format=self.format)
            least, largest = known[np.argmin(values[known])], known[np.argmax(values[known])]
            said.append(
                f"{name} over {self.x_title}, {tick(self.x[0])} to {tick(self.x[-1])}: now {write(values[-1])}, "
                f"least {write(values[least])} at {tick(self.x[least])}, "
                f"largest {write(values[largest])} at {tick(self.x[largest])}."
            )
        return " ".join(said)

    def limits(self) -> tuple[float, float]:
        """The least and the largest finite value on show; 0 and 1 when there is none."""
        parts = [*self.lines.values(), self.band, self.inner_band, self.others]
        values = np.concatenate([np.empty(0), *(np.ravel(part) for part in parts if part is not None)])
        return finite_span(values[values > 0] if self.log else values, (0.0, 1.0))

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        raise TypeError("lines: bqplot draws them, they are not sent as a block")

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        if self.empty or not len(self.x) or not (self.lines or self.others is not None):
            add_title(axes, self.title, theme, self.note)
            return say(axes, self.empty or "Nothing to draw yet", theme)
        now = "   ".join(f"{name} {value}" for name, _, value in self.now())
        add_title(axes, f"{self.title}   {now}" if self.title else now, theme, self.note)
        plain_axes(axes, theme, x=self.x_title, y=self.unit, grid="y")
        for band, opacity, name in ((self.band, 0.10, self.band_name), (self.inner_band, 0.14, "")):
            if band is not None:
                axes.fill_between(self.x, band[0], band[1], color=theme.text, alpha=opacity, linewidth=0, label=name)
        if self.others is not None:
            axes.plot(self.x, self.others.T, color=theme.secondary, linewidth=0.75, alpha=0.35)
        for name, values in self.lines.items():
            width = {"main": 2.0, "mean": 1.5, "class": 1.5}[self.role_of(name)]
            axes.plot(self.x, values, color=self.color_of(name, theme), linewidth=width, label=name, zorder=3)
        if self.log:
            axes.set_yscale("log")
        handles, names = axes.get_legend_handles_labels()
        if len(names) > 1:
            explain(axes, handles, names, theme=theme, color=theme.secondary)
        return None
