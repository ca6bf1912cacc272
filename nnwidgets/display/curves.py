"""`Lines` on the page, drawn by bqplot under the panel. The worker prepares what is drawn, the publisher writes traits.

bqplot draws about 80 changes a second at best, so all writes go through the publisher at its pace. Its widgets are
made when there is something to draw: before that they would only make a view slow to open.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from matplotlib.ticker import MaxNLocator

from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.colors import LIGHT
from nnwidgets.blocks.lines import Lines
from nnwidgets.display.guard import close_tree, guard_tree
from nnwidgets.display.publisher import PUBLISHER

if TYPE_CHECKING:
    from nnwidgets.display.view import View

with warnings.catch_warnings():  # bqscales warns when it is imported, which `python -W error` makes an error
    warnings.simplefilter("ignore")
    import bqplot

# bqplot's marks and scales appear one after the other, and a change that comes between them is an error in the console.
APPEARING_S = 1.5
HEIGHTS = {1: 190, 2: 190}  # by the curves of a row, in pixels
LOW_HEIGHT = 120
MAIN, INK, OTHERS = "var(--jp-brand-color1)", "var(--jp-ui-font-color1)", "var(--jp-ui-font-color2)"

Rows = list[tuple[Block, ...]]


class CurveBox:
    """The curves of one view: its children beside the panel, as soon as there are any."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._rows: dict[tuple[str, ...], CurveRow] = {}

    def split(self, rows: Rows) -> tuple[Rows, list[tuple[Lines, ...]]]:
        """The blocks that the panel draws, row by row, and the curves."""
        drawn = [tuple(block for block in row if not block.is_widget) for row in rows]
        curves = [tuple(block for block in row if isinstance(block, Lines)) for row in rows]
        # A line needs two points; until then its widgets would only make the view slow to open.
        curves = [row for row in curves if any(len(lines.x) > 1 for lines in row)]
        return [row for row in drawn if row], [row for row in curves if row]

    def show(self, rows: Sequence[tuple[Lines, ...]]) -> None:
        """Have the publisher draw these rows of curves. In the worker."""
        names = [tuple(lines.name for lines in row) for row in rows]
        if list(self._rows) != names:
            self._make(dict(zip(names, rows, strict=True)))
        for made, row in zip(self._rows.values(), rows, strict=True):
            made.show(row)

    def appear(self) -> None:
        """A page begins to show the curves: leave them alone until it has."""
        for row in self._rows.values():
            row.appear()

    def _make(self, rows: dict[tuple[str, ...], tuple[Lines, ...]]) -> None:
        old = self._rows
        self._rows = {
            names: old.pop(names) if names in old else CurveRow(row, self._view) for names, row in rows.items()
        }
        self._view.children = (self._view.panel, *self._rows.values())
        for gone in old.values():
            close_tree(gone)
            gone.close()


class CurveRow(ipywidgets.VBox):
    """A titled row of curves with one legend. They change together, so that no curve stands under another's title."""

    def __init__(self, row: Sequence[Lines], view: View) -> None:
        self._view = view
        self._shown: Sequence[Lines] = ()
        self._legend = ipywidgets.HTML()
        self._curves = [Curve(lines, height=HEIGHTS.get(len(row), LOW_HEIGHT)) for lines in row]
        body = ipywidgets.HBox(self._curves)
        body.add_class("nnw-curves-body")
        super().__init__([self._legend, body])
        self.add_class("nnw-curves")
        guard_tree(self)
        self.appear()

    def show(self, row: Sequence[Lines]) -> None:
        """Draw at the publisher's next turn; nothing where the page has it already. In the worker."""
        if len(self._shown) == len(row) and all(map(same, self._shown, row)):
            return
        other = not self._shown or self._shown[0].subject != row[0].subject
        self._shown = row
        change = partial(self._write, legend_of(row[0]), [prepared(lines) for lines in row])
        PUBLISHER.update(self, change, at_once=other)

    def appear(self) -> None:
        """A page begins to show the curves: leave them alone until it has."""
        PUBLISHER.hold(self, APPEARING_S)

    def charge(self, seconds: float) -> None:
        """Called by the publisher."""
        self._view.session.charge(seconds, self._view.job)

    def close(self) -> None:
        PUBLISHER.forget(self)
        super().close()

    def _write(self, legend: str, drawings: Sequence[Drawing]) -> int:
        """The messages it took."""
        if self.comm is None:
            return 0
        self._legend.value = legend
        return 1 + sum(curve.write(drawing) for curve, drawing in zip(self._curves, drawings, strict=True))


class Curve(ipywidgets.VBox):
    """One small figure: a title with the values of now, and the lines under it."""

    def __init__(self, lines: Lines, *, height: int) -> None:
        self._x, self._y = bqplot.LinearScale(), bqplot.LogScale() if lines.log else bqplot.LinearScale()
        self._axis_x = bqplot.Axis(scale=self._x, grid_lines="none", tick_format="~s")
        self._axis_y = bqplot.Axis(scale=self._y, side="left", grid_lines="solid", tick_format=".4~g")
        self._marks: dict[str, bqplot.Lines] = {}
        self._figure = bqplot.Figure(
            marks=[self._mark(name) for name in marks_of(lines)],
            axes=[self._axis_x, self._axis_y],
            fig_margin={"top": 8, "bottom": 22, "left": 40, "right": 12},
            layout=ipywidgets.Layout(height=f"{height}px", width="100%", min_width="160px"),
            animation_duration=0,
            padding_y=0.05,
        )
        self._figure.display_toolbar = False
        self._head = ipywidgets.HTML()
        super().__init__([self._head, self._figure])
        self.add_class("nnw-curve")
        guard_tree(self)

    def _mark(self, name: str) -> bqplot.Lines:
        mark = bqplot.Lines(
            x=np.zeros(1),
            y=np.zeros((2, 1)) if name in BANDS else np.zeros(1),
            scales={"x": self._x, "y": self._y},
            enable_hover=False,
            interactions={},
            **(band_style(BANDS[name]) if name in BANDS else LINE_STYLES[name]),
        )
        self._marks[name] = mark
        return mark

    def write(self, drawing: Drawing) -> int:
        """Draw, in the publisher; returns how many messages that takes."""
        lacking = [name for name in drawing.marks if name not in self._marks]
        if lacking:
            for name in lacking:
                guard_tree(self._mark(name))
            self._figure.marks = [self._marks[name] for name in ORDER if name in self._marks]
        for name, mark in self._marks.items():
            with mark.hold_sync():
                drawn = drawing.marks.get(name)
                mark.visible = drawn is not None
                if drawn is not None:
                    mark.x, mark.y = drawn
                    if name == "named":
                        mark.colors = list(drawing.colors)
        if drawing.rows is not None and drawing.columns is not None:
            with self._y.hold_sync(), self._axis_y.hold_sync():
                self._y.min, self._y.max = float(drawing.rows[0]), float(drawing.rows[-1])
                self._axis_y.tick_values = drawing.rows
            with self._x.hold_sync(), self._axis_x.hold_sync():
                self._x.min, self._x.max = drawing.ends
                self._axis_x.tick_values = drawing.columns
        self._head.value = drawing.head
        return 8


BANDS = {"band": 0.10, "inner_band": 0.14}
LINE_STYLES: dict[str, dict[str, Any]] = {
    "others": {"colors": [OTHERS], "stroke_width": 0.75, "opacities": [0.35] * 64},
    "named": {"colors": [INK], "stroke_width": 1.5},
    "main": {"colors": [MAIN], "stroke_width": 2.0},
}
ORDER = (*BANDS, *LINE_STYLES)


def band_style(opacity: float) -> dict[str, Any]:
    fill = {"fill": "between", "fill_colors": [INK], "fill_opacities": [opacity, opacity]}
    return {**fill, "colors": [INK], "stroke_width": 0.0, "opacities": [0.0, 0.0], "apply_clip": True}


@dataclass(frozen=True)
class Drawing:
    """Lines as bqplot gets them: x and y of each mark, ticks, ends of x, the head as HTML."""

    marks: dict[str, tuple[Array, Array]]
    colors: tuple[str, ...]
    rows: Array | None
    columns: Array | None
    ends: tuple[float, float]
    head: str


def marks_of(lines: Lines) -> dict[str, Array]:
    """The values of each mark that is needed, in the order in which they are drawn."""
    named = [values for name, values in lines.lines.items() if lines.role_of(name) != "main"]
    main = next((values for name, values in lines.lines.items() if lines.role_of(name) == "main"), None)
    values = {
        "band": lines.band,
        "inner_band": lines.inner_band,
        "others": lines.others,
        "named": np.stack(named) if len(named) > 1 else named[0] if named else None,
        "main": main,
    }
    return {name: each for name, each in values.items() if each is not None and not lines.empty}


def prepared(lines: Lines) -> Drawing:
    """Round ends and few round ticks: a scale that begins and ends anywhere can't be read."""
    steps = np.asarray(lines.x, dtype=np.float64)
    found = {name: drawable(steps, np.asarray(values, dtype=np.float64)) for name, values in marks_of(lines).items()}
    roles = [(name, lines.role_of(name)) for name in lines.lines]
    colors = tuple(INK if role == "mean" else lines.color_of(name, LIGHT) for name, role in roles if role != "main")
    if not len(steps):
        return Drawing({}, colors, None, None, (0.0, 1.0), head_of(lines))
    low, high = lines.limits()
    if high - low < 1e-9 * max(1.0, abs(high)) and not lines.log:
        low, high = min(low, 0.0), max(high, low + 1.0)
    first, last = float(steps[0]), max(float(steps[-1]), float(steps[0]) + 1.0)
    rows = (
        np.array([low, high])
        if lines.log
        else np.asarray(MaxNLocator(nbins=2, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    )
    columns = np.asarray(MaxNLocator(nbins=4, integer=True).tick_values(first, last))
    columns = columns[(columns >= first) & (columns <= last)]
    marks = {name: drawn for name, drawn in found.items() if drawn is not None}
    return Drawing(marks, colors, rows, columns, (first, last), head_of(lines))


def head_of(lines: Lines) -> str:
    """Title, note and the values of now, as HTML; and the curves in words, for a screen reader."""
    kind, note = "", html.escape(lines.note)
    words = {"main": "b class='nnw-unit'", "mean": "span", "class": "span"}
    values = " ".join(f"<{words[role]}>{html.escape(text)}</{words[role].split()[0]}>" for _, role, text in lines.now())
    if lines.empty:
        reason = html.escape(lines.empty)
        values, kind, note = f'<span class="nnw-faint" title="{reason}">{reason}</span>', " nnw-curve-empty", ""
    note = note and f' <span class="nnw-faint">{note}</span>'
    told = "" if lines.empty else f'<span class="nnw-unseen">{html.escape(lines.in_words())}</span>'
    return (
        f'<div class="nnw-curve-head{kind}"><span><b>{html.escape(lines.title)}</b>{note}</span>'
        f"<span>{values}</span></div>{told}"
    )


def legend_of(lines: Lines) -> str:
    """What the lines of a row are, as HTML."""
    style = {"main": "nnw-key-unit", "mean": "nnw-key-mean"}
    rows = [
        *((style.get(lines.role_of(name), "nnw-key-mean"), name) for name in lines.lines),
        ("nnw-key-band", lines.band_name),
    ]
    across = " · ".join([*([f"Thin lines: {lines.others_name}"] if lines.others_name else []), f"x: {lines.x_title}"])
    keys = "".join(f'<span class="nnw-key {key}">{html.escape(text)}</span>' for key, text in rows if text)
    subject = f"<code>{html.escape(lines.subject)}</code>" if lines.subject else ""
    return (
        f'<div class="nnw-curves-head"><b>Over training</b>{subject}{keys}'
        f'<span class="nnw-faint">{html.escape(across)}</span></div>'
    )


def drawable(steps: Array, values: Array) -> tuple[Array, Array] | None:
    """Steps (n,) and values (n,) or (k, n) that bqplot can draw, None when there are none.

    It leaves gaps where values are missing, but without the last one of a line it writes broken SVG and an error into
    the console. So a line ends at its last value, and of several lines those are left out that have none now.

    >>> drawable(np.arange(3.0), np.array([0.5, 1.0, np.nan]))
    (array([0., 1.]), array([0.5, 1. ]))
    """
    if values.ndim == 1:
        end = int(np.flatnonzero(np.isfinite(values)).max(initial=-1)) + 1
        steps, values = steps[:end], values[:end]
    elif values.size:
        values = values[np.isfinite(values[:, -1])]
    return (steps, values) if values.size else None


def same(a: Lines, b: Lines) -> bool:
    """Whether two blocks look alike, values and words."""
    return all(_alike(getattr(a, each.name), getattr(b, each.name)) for each in fields(a))


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(_alike(a[name], b[name]) for name in a)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=True))
    return type(a) is type(b) and bool(a == b)
