"""The grid: units of a layer as tiles, as strips or as one picture over time; page by page, and one unit enlarged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from nnwidgets.blocks import drawing, tiles
from nnwidgets.blocks.block import Array, Block, index_in
from nnwidgets.blocks.colors import LIGHT, Theme
from nnwidgets.blocks.tiles import Page
from nnwidgets.words import count

_SHAPES = {
    "maps": "(n, height, width), or (n, height, width, 3) of uint8",
    "strips": "(rows, n)",
    "sequence": "(n, positions)",
}
_WORDS = ("labels", "figures", "flags", "described")
_MOST = 2**31
_GREY = ListedColormap(np.linspace(0, 1, 257)[:, None].repeat(3, 1), name="nnw_grey")


@dataclass(frozen=True)
class ColorScale:
    """Ends of a colour scale.

    per_tile: ends of each tile on the page, when each has a scale of its own.   selected: those of the selected unit.
    """

    lo: float
    hi: float
    signed: bool
    unit: str
    per_tile: tuple[tuple[float, float], ...] | None = None
    selected: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Grid(Block):
    """Units of a layer, each with its number, its figures and its flag; a click selects one.

    Args:
        values: (n, height, width) maps, or (n, height, width, 3) uint8 colours; with `layout="strips"` (rows, n), with
            `layout="sequence"` (n, positions). Values that are not finite are hatched.
        layout: how the units are laid out.
        order: (n,) units in display order, for tiles; default: by number.
        labels: below each tile, left; default: its number.
        figures: below each tile, right; on a narrow page on hover only, but for a leading †, ‡, ≡ or ≈.
        flags: below each tile, right, in the colour of text. A tile whose flag starts with "dead" is an empty frame.
        described: each tile in words, for screen readers and for hover on a narrow page.
        selected: the unit that is enlarged in the detail column.
        signed: whether zero stands in the middle of the scale; negative values put it there by themselves.
        per_tile: whether each tile has a colour scale of its own instead of one for all.
        floor: the least upper end of the scale for all, so that noise never fills it.
        unit: the word under the scale bar.
        peak: the value at the upper end; default: the largest. Of colours, the value of 255, where 128 is 0.
        noun: what a tile is called.
        detail_title, facts: over the enlarged unit, left and right; default title: noun and label.
        hint: over the tiles, right.
        picture: (height, width) or (height, width, 3) uint8, the input over the enlarged unit.
        picture_title: over the picture.
        prediction: names and probabilities of the most probable classes, at most three.
        row_titles: names of the rows of strips, or of what a sequence runs over.
        dead: (n,) bool, units with a mark under the strips.
        column: whether there is a detail column. Without one, tiles can't be selected.
    """

    kind = "grid"
    local = ("order", "signed", "per_tile", "floor", "unit", "peak")

    values: Array
    _: KW_ONLY
    layout: Literal["maps", "strips", "sequence"] = "maps"
    order: Array | None = None
    labels: Sequence[str] | None = None
    figures: Sequence[str] | None = None
    flags: Sequence[str] | None = None
    described: Sequence[str] | None = None
    selected: int | None = None
    signed: bool = False
    per_tile: bool = False
    floor: float = 0.0
    unit: str = "activation"
    peak: float | None = None
    noun: str = "unit"
    detail_title: str = ""
    facts: str = ""
    hint: str = ""
    picture: Array | None = None
    picture_title: str = ""
    prediction: Sequence[tuple[str, float]] = ()
    row_titles: Sequence[str] = ()
    dead: Array | None = None
    column: bool = True

    class Packed:
        """One page of tiles, whose words these are. Strips and sequences have all units, in order, and no page."""

        units: Sequence[int] | None  # the numbers of the tiles
        scale: ColorScale | None
        page: Page | None
        size: tuple[int, int] | None  # of the maps before they were reduced
        detail: Array | None  # the selected unit, when it is not on the page as it is

    def __post_init__(self) -> None:
        if self.layout not in _SHAPES:
            raise ValueError(f"layout: expected one of {', '.join(_SHAPES)}, got {self.layout!r}")
        if not isinstance(self.values, np.ndarray):
            raise TypeError(f"values: expected a NumPy array, got {type(self.values).__name__}")
        shape, axes = self.values.shape, self.values.ndim
        colours = axes == 4 and shape[3] == 3 and self.values.dtype == np.uint8
        if not (axes == 3 or colours if self.layout == "maps" else axes == 2):
            raise ValueError(
                f"values: expected {_SHAPES[self.layout]} for {self.layout}, got {shape} of {self.values.dtype}"
            )
        for name in (*_WORDS, "dead"):
            each = getattr(self, name)
            if each is not None and len(each) != self._n:
                raise ValueError(f"{name}: expected one for each of the {self._n} units, got {len(each)}")
        if self.selected is not None:
            index_in("selected", self.selected, self._n)

    @property
    def height(self) -> float:
        """Half as much for a single row of tiles."""
        return 1.0 if self.column else 0.5

    @property
    def reduction(self) -> str:
        """How large maps are drawn, in words for a caption; nothing for maps that are drawn as they are."""
        return tiles.reduction(self.values.shape[1:3]) if self.layout == "maps" else ""

    def ends(self, unit: int | None = None) -> tuple[float, float]:
        """Lower and upper end of the colour scale; of the unit's own, if each has one.

        >>> Grid(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), signed=True).ends()
        (-4.0, 4.0)
        """
        lows, highs = self._spans
        if unit is not None and self._own_scales:
            low, high = float(lows[unit]), float(highs[unit])
        elif self.peak is not None:
            low, high = 0.0, float(self.peak)
        else:
            low, high = float(lows.min(initial=0)), max(float(highs.max(initial=0)), self.floor)
        high = max(high, -low)
        return (-high if self._signed else 0.0), high

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The page that was turned to for the selected unit, else the page that this unit is on."""
        made: dict[str, Any] = dict.fromkeys(self.Packed.__annotations__)
        made |= self._pack_tiles(state) if self.layout == "maps" else {"scale": self._scale()}
        if self.selected is not None and not self.detail_title:
            made["detail_title"] = f"{self.noun[:1].upper()}{self.noun[1:]} {self._label(self.selected)}"
        return self._packed(**made)

    def where(self, value: Any) -> tuple[int]:
        if not self.column:
            raise ValueError("click: expected a grid with a detail column, got one whose tiles are only looked at")
        return (index_in("unit", value, self._n),)

    def state_from(self, value: Any) -> dict[str, Any]:
        """The page turned to, and the unit that was selected then: another one opens its own page."""
        if not isinstance(value, dict) or set(value) != {"page", "selected"}:
            raise ValueError(f"state: expected page and selected, got {value!r}")
        # The page may still speak of a layer with more units than this one; `pack` turns to a page that there is.
        page, selected = index_in("page", value["page"], _MOST), value["selected"]
        return {"page": page, "selected": None if selected is None else index_in("selected", selected, _MOST)}

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        """The first page of tiles, the strips or the sequence, with the scale bar."""
        drawing.bare(axes, theme)
        drawing.add_title(axes, self.title, theme, " · ".join(filter(None, (self.note, self._first_page))))
        if not self.values.size:
            return
        {"maps": self._draw_tiles, "strips": self._draw_strips, "sequence": self._draw_sequence}[self.layout](
            axes, theme
        )
        colormap = _GREY if self._colours else None
        if not self._colours or self.peak is not None:
            drawing.scale_bar(axes, self._drawn_scale, theme, colormap=colormap)

    @property
    def _n(self) -> int:
        return int(self.values.shape[1 if self.layout == "strips" else 0])

    @property
    def _colours(self) -> bool:
        return self.values.ndim == 4

    @property
    def _own_scales(self) -> bool:
        return self.per_tile and self.values.ndim == 3

    @cached_property
    def _spans(self) -> tuple[Array, Array]:
        return tiles.spans(np.zeros((0, 0)) if self._colours else self.values)

    @cached_property
    def _signed(self) -> bool:
        return self.signed or self._colours or bool((self._spans[0] < 0).any())

    def _label(self, unit: int) -> str:
        return self.labels[unit] if self.labels else str(unit)

    @property
    def _order(self) -> Array:
        return np.arange(self._n) if self.order is None else np.asarray(self.order)

    def _scale(self, units: Sequence[int] = ()) -> ColorScale | None:
        if self._colours and self.peak is None:
            return None
        scale = ColorScale(*self.ends(), self._signed, self.unit)
        if not self._own_scales:
            return scale
        selected = None if self.selected is None else self.ends(self.selected)
        return replace(scale, per_tile=tuple(self.ends(unit) for unit in units), selected=selected)

    def _pack_tiles(self, state: Mapping[str, Any]) -> dict[str, Any]:
        selected = self.selected
        turned = "page" in state and state["selected"] == selected
        shown, page = tiles.page_of(self._order, state["page"] if turned else tiles.page_with(self._order, selected))
        units = [int(unit) for unit in shown]
        # Where nothing is left out, the array stays the one it was, and is not sent again.
        values = self.values if units == list(range(self._n)) else self.values[units]
        words = {name: getattr(self, name) for name in _WORDS}
        as_it_is = selected in units and not self.reduction
        return {
            "values": tiles.fit(values),
            "units": units,
            **{name: each and [each[unit] for unit in units] for name, each in words.items()},
            "scale": self._scale(units),
            "page": page,
            "size": self.values.shape[1:3],
            "detail": None if selected is None or as_it_is or not self.column else self.values[selected],
        }

    @property
    def _first_page(self) -> str:
        shown = len(self._order) if self.layout == "maps" else 0
        return f"first {tiles.PAGE} of {count(shown)}" if shown > tiles.PAGE else ""

    @property
    def _drawn_scale(self) -> drawing.Scale:
        """Tiles with scales of their own are drawn as shares of their own upper ends."""
        if self._own_scales:
            share = f"share of each {self.noun}\u2019s largest {self.unit}"
            return drawing.Scale(-1.0 if self._signed else 0.0, 1.0, share)
        high = self.ends()[1] or 1.0
        return drawing.Scale(-high if self._signed else 0.0, high, self.unit)

    def _draw_tiles(self, axes: Axes, theme: Theme) -> None:
        units = [int(unit) for unit in tiles.page_of(self._order, 0)[0]]
        pictures = [self.values[unit] for unit in units]
        if self._own_scales:
            pictures = [each / (self.ends(unit)[1] or 1.0) for each, unit in zip(pictures, units, strict=True)]

        def label(tile: int) -> tuple[str, str]:
            unit = units[tile]
            right = [words[unit] for words in (self.flags, self.figures) if words and words[unit]]
            return self._label(unit), " ".join(right)

        drawing.tiles(axes, pictures, None if self._colours else self._drawn_scale, theme, label=label)

    def _draw_strips(self, axes: Axes, theme: Theme) -> None:
        """Draw a strip per row, and below them marks at dead units."""
        for row, values in enumerate(self.values):
            extent = (-0.5, self._n - 0.5, row + 0.85, row)
            drawing.show(axes, values[None], self._drawn_scale, theme, extent=extent)
        named = self.row_titles[: len(self.values)]
        axes.set_yticks([row + 0.42 for row in range(len(named))], list(named), fontsize=7, color=theme.text)
        axes.tick_params(length=0, labelsize=7, colors=theme.secondary)
        axes.set_xticks(np.arange(0, self._n, 16 if self._n > 16 else 1))
        bottom = float(len(self.values))
        if self.dead is not None:
            axes.vlines(np.flatnonzero(self.dead), bottom + 0.05, bottom + 0.3, color=theme.flag)
            bottom += 0.4
        axes.set_xlim(-0.5, self._n - 0.5)
        axes.set_ylim(bottom, 0)
        axes.set_aspect("auto")

    def _draw_sequence(self, axes: Axes, theme: Theme) -> None:
        drawing.show(axes, self.values, self._drawn_scale, theme)
        axes.set_aspect("auto")
        axes.set_xlabel(self.row_titles[0] if self.row_titles else "position", fontsize=7, color=theme.secondary)
        axes.set_ylabel(self.noun, fontsize=7, color=theme.secondary)
