"""What the colours and sizes of points mean: groups with names, or numbers on a scale.

The rules are those of the page (js/src/blocks/points/looks.ts), so that a figure shows what the view does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from numpy.typing import NDArray

from nnwidgets.blocks.colors import Theme
from nnwidgets.blocks.looks import LEAST_AREA, MOST_AREA, MOST_GROUPS

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """Points in groups.

    name: what the groups are.   codes: (n,) into `names`, -1 for none.   named: whether a name says where a group lies.
    """

    name: str
    codes: Codes
    names: Sequence[str]
    named: bool = True

    @property
    def counts(self) -> Codes:
        """Points in each group, (groups,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))

    @property
    def coloured(self) -> Codes:
        """Groups that have points and a colour of their own, in their order: of more than twenty the largest.

        >>> Groups("letter", np.array([0, 2, -1]), "abc").coloured.tolist()
        [0, 2]
        """
        largest = np.argsort(-self.counts, kind="stable")[:MOST_GROUPS]
        return np.sort(largest[self.counts[largest] > 0])

    @property
    def missing(self) -> int:
        """How many points are in no group."""
        return int((self.codes < 0).sum())

    def swatch(self, group: int, theme: Theme) -> str:
        """The colour of a group."""
        return theme.classes[group % len(theme.classes)]

    def colors(self, theme: Theme) -> Array:
        """Red, green and blue of each point (n, 3), 0 to 1; the theme's secondary grey where it has no own colour."""
        palette = np.array([to_rgb(theme.secondary)] * (len(self.names) + 1))
        for group in self.coloured:
            palette[group] = to_rgb(self.swatch(int(group), theme))
        return palette[self.codes]


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number for each point, on a scale.

    name: what they are, with their unit if they have one.   values: (n,) float, NaN for none.   low, high: ends.
    root: colours go by the square root, for values of which most are small and a few many times the rest.
    """

    name: str
    values: Array
    low: float
    high: float
    root: bool = False

    @classmethod
    def of(cls, name: str, values: Array, *, low: float | None = None, high: float | None = None) -> Numbers:
        """On a scale from the smallest to the largest, symmetric about zero with both signs; or between given ends.

        >>> scale = Numbers.of("change", np.array([-1.0, 3.0, np.nan]))
        >>> scale.low, scale.high, scale.missing
        (-3.0, 3.0, 1)
        """
        known = values[np.isfinite(values)]
        least, most = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        if least < 0 < most:
            least, most = min(least, -most), max(most, -least)
        return cls(name, values, least if low is None else low, most if high is None else high)

    @property
    def missing(self) -> int:
        """How many points have no value."""
        return int((~np.isfinite(self.values)).sum())

    def colormap(self, theme: Theme) -> ListedColormap:
        """The map of the scale: with a middle where zero lies inside."""
        return theme.mark_diverging if self.low < 0 < self.high else theme.mark_ink

    @property
    def color_name(self) -> str:
        """What a bar of the colours calls its scale."""
        return f"{self.name}, root scale" if self.root else self.name

    def colors(self, theme: Theme) -> Array:
        """Red, green and blue of each point (n, 3), 0 to 1; the theme's secondary grey where it has no value."""
        colormap = self.colormap(theme)
        shares = np.nan_to_num(self._shares())
        levels = np.round((np.sqrt(shares) if self.root else shares) * (colormap.N - 1)).astype(int)
        colors: Array = colormap(levels)[:, :3]
        colors[~np.isfinite(self.values)] = to_rgb(theme.secondary)
        return colors

    def areas(self) -> Array:
        """By how much the area of each point (n,) is multiplied; as small as can be without a value."""
        return LEAST_AREA + np.nan_to_num(self._shares()) * (MOST_AREA - LEAST_AREA)

    def _shares(self) -> Array:
        """How far each value is on the way from low to high, 0 to 1."""
        finite = np.where(np.isfinite(self.values), self.values, np.nan)
        if not self.high > self.low:
            return 0 * finite
        return np.clip((finite - self.low) / (self.high - self.low), 0, 1)
