"""Findings of checks: a row for each, which opens."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from matplotlib.axes import Axes

from nnwidgets.blocks.block import Block, index_in
from nnwidgets.blocks.checks import one_of, set_field
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.drawing import SMALL, add_title, bare, letters_across, say, write
from nnwidgets.words import plural

Level: TypeAlias = Literal["wrong", "look", "not checked", "ok"]
LEVELS: tuple[str, ...] = get_args(Level)
_SIGNS = {"wrong": "●", "look": "▲", "not checked": "○", "ok": "✓"}


@dataclass(frozen=True)
class Verdict:
    """What one check found.

    level: "ok"; "look": worth a look; "wrong"; "not checked": something is missing, `reason` says what.
    text: the finding in a few words.   figures: its value beside the threshold.   reason: why, in sentences.
    repair: what to do, in one line a piece of code.   since: how long it has held.
    place: whether it names a place that a click goes to.
    """

    level: Level
    text: str
    figures: str = ""
    reason: str = ""
    repair: str = ""
    since: str = ""
    place: bool = False

    def __post_init__(self) -> None:
        one_of("level", self.level, LEVELS)


@dataclass(frozen=True, eq=False)
class Verdicts(Block):
    """Findings of checks, worst first, passed checks folded into one line. Each opens to its reason and repair.

    A click on the place that a finding names picks it.

    Args:
        findings: one `Verdict` for each check, in the order of the checks.
        empty: shown before the first check.

    Raises:
        TypeError: something else than verdicts.

    >>> found = Verdicts([Verdict("ok", "Loss falls"), Verdict("wrong", "No gradient in fc1", repair="model.fc1.…")])
    >>> found.places, found.summary
    ((1, 0), '1 wrong, 1 ok')
    """

    kind: ClassVar[str] = "verdicts"

    findings: Sequence[Verdict]
    empty: str = "Nothing checked yet"

    class Packed:
        places: Sequence[int]
        summary: str

    def __post_init__(self) -> None:
        set_field(self, "findings", tuple(self.findings))
        for each in self.findings:
            if not isinstance(each, Verdict):
                raise TypeError(f"findings: expected blocks.Verdict objects, got {type(each).__name__}")

    @property
    def places(self) -> tuple[int, ...]:
        """Findings as they are shown: by level, worst first, else in their order."""
        return tuple(sorted(range(len(self.findings)), key=lambda place: LEVELS.index(self.findings[place].level)))

    @property
    def summary(self) -> str:
        """How many of each level there are."""
        amounts = [(sum(each.level == level for each in self.findings), level) for level in LEVELS]
        return ", ".join(f"{amount} {level}" for amount, level in amounts if amount)

    def where(self, value: Any) -> tuple[int]:
        """(row,): its place in `findings`."""
        return (index_in("row", value, len(self.findings)),)

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        """Write what is not ok with its reason and repair, and how many are."""
        add_title(axes, self.title, theme, self.note)
        if not self.findings:
            return say(axes, self.empty, theme)
        bare(axes, theme)
        marks = {"wrong": theme.error, "look": theme.flag, "not checked": theme.secondary, "ok": theme.secondary}
        lines: list[tuple[str, str, str]] = []
        for each in (self.findings[place] for place in self.places):
            if each.level == "ok":
                continue
            told = " · ".join(part for part in (each.text, each.figures, each.since) if part)
            lines.append((_SIGNS[each.level], told, marks[each.level]))
            for part in (each.reason, each.repair):
                wrapped = textwrap.wrap(part, letters_across(axes))
                lines += [("", line, theme.secondary) for line in wrapped]
        well = sum(each.level == "ok" for each in self.findings)
        if well:
            lines.append((_SIGNS["ok"], f"{plural(well, 'check')} ok", marks["ok"]))
        for row, (sign, words, color) in enumerate(lines):
            write(axes, 0.0, row, sign, color, va="center")
            write(axes, 0.04, row, words, theme.text if sign else color, size=SMALL, va="center")
        axes.set_xlim(0, 1)
        axes.set_ylim(max(len(lines), 8) - 0.5, -0.5)
        return None
