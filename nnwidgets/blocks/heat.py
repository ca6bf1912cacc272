"""A picture with heat over it, and beside it maps of what happens with a square at each position of the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch

from nnwidgets.blocks.block import Array, Block, index_in
from nnwidgets.blocks.checks import numbers, set_field
from nnwidgets.blocks.colors import LIGHT, Theme, heat
from nnwidgets.blocks.drawing import Scale, add_title, bare, color_bar, explain, scale_bar
from nnwidgets.blocks.squares import Floats, LegendEntry, Panel, Squares, class_slots

_OPACITY = 0.85  # the page's slider starts here
_MUTED = 0.3  # what stays of the colour of an unchanged class
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_MOST_IN_LEGEND = 6
_OVERLAY_WIDTH = 1.6  # of a panel's
_GAP = 0.2
_LEAST_BETWEEN = 0.12  # labels of a scale, of its length


@dataclass(frozen=True, eq=False)
class PanelWords:
    """What the page gets of a panel beside its cells."""

    title: str
    note: str
    label: str
    unit: str
    low: float
    high: float
    shows_classes: bool
    legend: tuple[LegendEntry, ...]
    decimals: int | None


@dataclass(frozen=True, eq=False)
class Heat(Block):
    """A picture in grey with orange over it where values are positive and blue where they are negative.

    With `squares`, `panels` show what happens with a square at each of these positions. A position is drawn at its
    square's centre, so places agree in all maps, and the margin that no centre reaches stays empty. On the page a
    crosshair marks the position in all maps, and a table lists its values.

    Args:
        values: (height, width); NaN is hatched.
        unit: the words under the scale and beside values.
        low, high: ends of the scale.
        picture: (height, width) or (height, width, 3) uint8; None: black.
        decimals: of the values; None: three significant digits.
        squares, panels: see above.
        computed: (rows, cols) bool, whether the panels know a position; None: all of them.
        columns: of the table: without a square, with one, and the difference.
        options: names of the view's options that are offered beside the table instead of in the head.
        clickable: whether the view gets clicks; on the page a click fixes the square in any case.

    Raises:
        TypeError: values that are no numbers.
        ValueError: shapes that don't go together, or panels without squares.

    >>> heat = Heat(np.array([[0.5, -0.5]]), "relevance", -1.0, 1.0, clickable=True)
    >>> heat.where(["pixel", 0, 1])
    ('pixel', 0, 1)
    """

    kind: ClassVar[str] = "heat"
    exact: ClassVar[tuple[str, ...]] = ("cells",)  # panels have scales of their own

    values: Array
    unit: str
    low: float
    high: float
    picture: Array | None = None
    decimals: int | None = None
    squares: Squares | None = None
    panels: Sequence[Panel] = ()
    computed: Array | None = None
    columns: tuple[str, str, str] = ("without", "with", "change")
    options: Sequence[str] = ()
    clickable: bool = False

    class Packed:
        """`cells` (panels, 1 + rows · cols): without a square, then row by row. `classes`: the same for panels of
        classes, in their order."""

        panels: Sequence[PanelWords]
        cells: Array | None
        classes: Array | None

    def __post_init__(self) -> None:
        set_field(self, "values", numbers("values", self.values, "height", "width"))
        if self.picture is not None:
            shape = np.shape(self.picture)
            if shape[:2] != self.values.shape or shape[2:] not in ((), (3,)):
                size = f"{self.values.shape[0]}, {self.values.shape[1]}"
                raise ValueError(f"picture: expected shape ({size}) or ({size}, 3) like the values, got {shape}")
        if self.panels and self.squares is None:
            raise ValueError("squares: expected the positions that the panels' values belong to, got None")
        for panel in self.panels:
            numbers("values", panel.values, "rows", "columns", sizes=self._grid)

    @property
    def _grid(self) -> tuple[int, ...]:
        """Rows and columns of the squares, or of pixels without squares."""
        if self.squares is None:
            return tuple(self.values.shape)
        return len(self.squares.rows), len(self.squares.cols)

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        cells = [np.append(panel.without, panel.values) for panel in self.panels]
        classes = [np.append(panel.class_without, panel.classes) for panel in self.panels if panel.classes is not None]
        return self._packed(
            panels=[_words(panel) for panel in self.panels],
            cells=np.stack(cells) if cells else None,
            classes=np.stack(classes).astype(np.int32) if classes else None,
        )

    def where(self, value: Any) -> tuple[Any, ...]:
        """("position", row, column) among the squares, or ("pixel", row, column) of a picture without squares."""
        what = "pixel" if self.squares is None else "position"
        if not self.clickable or not isinstance(value, (list, tuple)) or len(value) != 3 or value[0] != what:
            raise ValueError(f"click: expected [{what!r}, row, column] of a clickable picture, got {value!r}")
        return what, index_in("row", value[1], self._grid[0]), index_in("column", value[2], self._grid[1])

    def draw(self, axes: Axes, *, theme: Theme = LIGHT) -> None:
        overlay, *places = _side_by_side(axes, len(self.panels))
        self._draw_overlay(overlay, theme)
        for panel, place in zip(self.panels, places, strict=True):
            if self.squares is not None:
                self._draw_panel(place, panel, self.squares, theme)

    def _draw_panel(self, axes: Axes, panel: Panel, squares: Squares, theme: Theme) -> None:
        add_title(axes, _plain(panel.title), theme)
        computed = np.ones(panel.values.shape, dtype=bool) if self.computed is None else np.asarray(self.computed, bool)
        known = computed & (np.isfinite(panel.values) if panel.classes is None else panel.classes >= 0)
        (_draw_values if panel.classes is None else _draw_classes)(axes, panel, known, squares, theme)
        _hatch(axes, ~computed, squares.edges, theme.secondary)
        _hatch(axes, computed & ~known, squares.edges, theme.error)
        _keep_frame(axes, self.values.shape, theme)

    def _draw_overlay(self, axes: Axes, theme: Theme) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        grey = np.zeros(values.shape) if self.picture is None else np.asarray(self.picture, dtype=np.float64) / 255
        grey = grey @ _LUMA if grey.ndim == 3 else grey
        most = max(abs(self.low), abs(self.high))
        axes.imshow(heat(grey, values, largest=most, opacity=_OPACITY), interpolation="nearest")
        height, width = values.shape
        _hatch(axes, ~np.isfinite(values), (np.arange(height + 1.0), np.arange(width + 1.0)), "#ffffff59")
        bare(axes, theme)
        add_title(axes, self.title, theme)
        scale = Scale(self.low, self.high, ", ".join(part for part in (self.unit, self.note) if part))
        ramp = np.linspace(self.low, self.high, 257)[None]
        colors = heat(np.zeros_like(ramp), ramp, largest=most, opacity=_OPACITY)
        ticks = [self.low, self.high]
        if self.low < 0 < self.high:
            # An end that would cover zero gives way to it.
            ticks = [0.0, *(end for end in ticks if abs(end) > _LEAST_BETWEEN * (self.high - self.low))]
        color_bar(axes, (0.0, -0.07, 1.0, 0.02), colors, scale, ticks, theme)


def _plain(title: str) -> str:
    return title.replace("`", "")


def _words(panel: Panel) -> PanelWords:
    said = {each.name: getattr(panel, each.name) for each in fields(PanelWords)}
    return PanelWords(**{**said, "label": panel.label or _plain(panel.title)})


def _draw_values(axes: Axes, panel: Panel, known: Array, squares: Squares, theme: Theme) -> None:
    scale = Scale(panel.low, panel.high, panel.unit)
    if panel.low < 0:
        most = max(-panel.low, abs(panel.high))
        scale = Scale(-most, most, panel.unit)
    rows, cols = squares.edges
    axes.pcolormesh(
        cols - 0.5,
        rows - 0.5,
        np.ma.masked_where(~known, panel.values),
        cmap=theme.diverging if scale.low < 0 else theme.ink,
        vmin=scale.low,
        vmax=scale.high,
    )
    scale_bar(axes, scale, theme, width=1.0)


def _draw_classes(axes: Axes, panel: Panel, known: Array, squares: Squares, theme: Theme) -> None:
    """The class at each position, the unchanged one pale, with their shares as a legend."""
    colors = np.zeros((*known.shape, 4))
    handles = []
    slots = class_slots([entry[0] for entry in panel.legend], len(theme.classes))
    for index, name, share in panel.legend:
        color = to_rgba(theme.classes[slots[index]], _MUTED if index == panel.class_without else 1.0)
        colors[known & (panel.classes == index)] = color
        if share > 0:
            handles.append(Patch(facecolor=color, label=f"{name}  {100 * share:.0f} %"))
    rows, cols = squares.edges
    axes.pcolormesh(cols - 0.5, rows - 0.5, colors)
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.02, -0.02), "ncols": 2}
    explain(axes, theme=theme, color=theme.text, handles=handles[:_MOST_IN_LEGEND], **where)


def _side_by_side(axes: Axes, panels: int) -> list[Axes]:
    """Axes of the overlay and of the panels in the place of `axes`, or these themselves where there are no panels."""
    if not panels:
        return [axes]
    axes.set_axis_off()
    unit = 1 / (_OVERLAY_WIDTH + panels * (1 + _GAP))
    lefts = [0.0, *(unit * (_OVERLAY_WIDTH + _GAP + panel * (1 + _GAP)) for panel in range(panels))]
    widths = [unit * _OVERLAY_WIDTH, *[unit] * panels]
    parts = [axes.inset_axes((left, 0.0, width, 1.0)) for left, width in zip(lefts, widths, strict=True)]
    for part in parts:
        part.set_anchor("N")
    return parts


def _keep_frame(axes: Axes, shape: Sequence[int], theme: Theme) -> None:
    """Keep the picture's frame round the smaller grid: the margin is empty, not zero."""
    bare(axes, theme)
    axes.spines[:].set(visible=True, edgecolor=theme.line)
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(shape[0] - 0.5, -0.5)
    axes.set_aspect("equal")


def _hatch(axes: Axes, cells: Array, edges: tuple[Floats, Floats], color: str) -> None:
    """Lines over the chosen cells of a grid with these edges, neighbours in a row joined."""
    rows, cols = edges
    boxes = []
    for row, line in enumerate(cells):
        changes = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(int)))
        for left, right in changes.reshape(-1, 2):
            (top, bottom), (start, end) = rows[row : row + 2] - 0.5, cols[[left, right]] - 0.5
            boxes.append([(start, top), (end, top), (end, bottom), (start, bottom)])
    if boxes:
        axes.add_collection(
            PolyCollection(boxes, facecolor="none", edgecolor=to_rgba(color), hatch="////", linewidth=0)
        )
