"""Curves over training under a view, by bqplot, with a legend of our own. Knows series; knows no model.

bqplot draws about 80 changes a second at best, so all writes go through the publisher at its pace.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

import bqplot
import ipywidgets
import numpy as np
from matplotlib.ticker import MaxNLocator

from nnwidgets.figures.captions import number
from nnwidgets.views._guard import guard_tree
from nnwidgets.views._publisher import PUBLISHER
from nnwidgets.views._wire import Array

# bqplot's marks and scales appear one after the other, and a change that comes between them is an error in the console.
APPEARING_S = 1.5

UNIT, INK, BAND = "var(--jp-brand-color1)", "var(--jp-ui-font-color1)", "var(--jp-ui-font-color1)"
OTHERS = "var(--jp-ui-font-color2)"


@dataclass(frozen=True)
class Series:
    """One curve's data over `steps` (n,): the unit (n,), the layer mean (n,), a band (2, n), thin others (k, n).

    Where there is nothing to draw, `empty` says why.
    """

    steps: Array
    unit: Array | None
    mean: Array | None
    band: Array | None = None
    inner_band: Array | None = None
    others: Array | None = None
    empty: str = ""


class Curve(ipywidgets.VBox):
    """One small figure: a title with the values of now, and the lines under it."""

    pay: Callable[[float], None] = staticmethod(lambda seconds: None)

    def __init__(self, title: str, *, note: str = "", height: int = 104, digits: int = 3) -> None:
        self._title, self._note, self._digits = title, note, digits
        self._x, self._y = bqplot.LinearScale(), bqplot.LinearScale()
        scales = {"x": self._x, "y": self._y}
        flat = np.zeros(1)
        common = {"x": flat, "scales": scales, "enable_hover": False, "interactions": {}}
        fill = {"fill": "between", "stroke_width": 0.0, "opacities": [0.0, 0.0], "apply_clip": True}
        self._band = bqplot.Lines(
            y=np.zeros((2, 1)), fill_colors=[BAND], fill_opacities=[0.10, 0.10], colors=[BAND], **fill, **common
        )
        self._inner = bqplot.Lines(
            y=np.zeros((2, 1)), fill_colors=[BAND], fill_opacities=[0.14, 0.14], colors=[BAND], **fill, **common
        )
        self._others = bqplot.Lines(y=flat, colors=[OTHERS], stroke_width=0.75, opacities=[0.35] * 64, **common)
        self._mean = bqplot.Lines(y=flat, colors=[INK], stroke_width=1.5, **common)
        self._unit = bqplot.Lines(y=flat, colors=[UNIT], stroke_width=2.0, **common)
        self._axis_x = bqplot.Axis(scale=self._x, grid_lines="none", tick_format="~s")
        self._axis_y = bqplot.Axis(scale=self._y, side="left", grid_lines="solid", tick_format=".4~g")
        figure = bqplot.Figure(
            marks=[self._band, self._inner, self._others, self._mean, self._unit],
            axes=[self._axis_x, self._axis_y],
            fig_margin={"top": 8, "bottom": 22, "left": 40, "right": 12},
            layout=ipywidgets.Layout(height=f"{height + 30}px", width="100%", min_width="160px"),
            animation_duration=0,
            padding_y=0.05,
        )
        figure.display_toolbar = False
        self._head = ipywidgets.HTML()
        super().__init__([self._head, figure])
        self.add_class("nnw-curve")
        self._say(None)
        guard_tree(self)
        self.appear()

    def appear(self) -> None:
        """A page begins to show the curve: leave it alone until it has."""
        PUBLISHER.hold(self, APPEARING_S)

    def show(self, series: Series) -> None:
        """Draw the series at the publisher's next turn."""
        PUBLISHER.update(self, lambda: self._write(series))

    def close(self) -> None:
        PUBLISHER.forget(self)
        super().close()

    def _write(self, series: Series) -> int:
        if self.comm is None:
            return 0
        steps = np.asarray(series.steps, dtype=np.float64)
        for mark, values in (
            (self._band, series.band),
            (self._inner, series.inner_band),
            (self._others, series.others),
            (self._mean, series.mean),
            (self._unit, series.unit),
        ):
            with mark.hold_sync():
                drawn = None if values is None else _drawable(steps, np.asarray(values, dtype=np.float64))
                mark.visible = drawn is not None
                if drawn is not None:
                    mark.x, mark.y = drawn
        if len(steps):
            self._frame(series, steps)
        self._say(series)
        return 8

    def _frame(self, series: Series, steps: Array) -> None:
        """Round ends and few round ticks: a scale that begins and ends anywhere can't be read."""
        drawn = [series.mean, series.unit, series.band, series.inner_band, series.others]
        values = np.concatenate([np.empty(0), *(np.ravel(part) for part in drawn if part is not None)])
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        if high - low < 1e-9 * max(1.0, abs(high)):
            low, high = min(low, 0.0), max(high, low + 1.0)
        first, last = float(steps[0]), max(float(steps[-1]), float(steps[0]) + 1.0)
        rows = np.asarray(MaxNLocator(nbins=2, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
        columns = np.asarray(MaxNLocator(nbins=4, integer=True).tick_values(first, last))
        with self._y.hold_sync(), self._axis_y.hold_sync():
            self._y.min, self._y.max = float(rows[0]), float(rows[-1])
            self._axis_y.tick_values = rows
        with self._x.hold_sync(), self._axis_x.hold_sync():
            self._x.min, self._x.max = first, last
            self._axis_x.tick_values = columns[(columns >= first) & (columns <= last)]

    def _say(self, series: Series | None) -> None:
        values, kind, note = "", "", self._note
        if series is not None and series.empty:
            reason = html.escape(series.empty)
            values, kind, note = f'<span class="nnw-faint" title="{reason}">{reason}</span>', " nnw-curve-empty", ""
        elif series is not None and series.mean is not None and len(series.steps):
            unit = number(float(series.unit[-1]), self._digits) if series.unit is not None else ""
            values = f'<b class="nnw-unit">{unit}</b> <span>{number(float(series.mean[-1]), self._digits)}</span>'
        note = note and f' <span class="nnw-faint">{html.escape(note)}</span>'
        self._head.value = (
            f'<div class="nnw-curve-head{kind}"><span><b>{html.escape(self._title)}</b>{note}</span>'
            f"<span>{values}</span></div>"
        )


def _drawable(steps: Array, values: Array) -> tuple[Array, Array] | None:
    """Steps (n,) and values (n,) or (k, n) that bqplot can draw, None when there are none.

    It leaves gaps where values are missing, but without the last one of a line it writes broken SVG and an error into
    the console. So a line ends at its last value, and of several lines those are left out that have none now.

    >>> _drawable(np.arange(3.0), np.array([0.5, 1.0, np.nan]))
    (array([0., 1.]), array([0.5, 1. ]))
    """
    if values.ndim == 1:
        end = int(np.flatnonzero(np.isfinite(values)).max(initial=-1)) + 1
        steps, values = steps[:end], values[:end]
    elif values.size:
        values = values[np.isfinite(values[:, -1])]
    return (steps, values) if values.size else None


class Curves(ipywidgets.VBox):
    """A titled row of curves with one legend; `on_cost` is told the CPU seconds that each change took."""

    def __init__(self, title: str, curves: dict[str, Curve], *, on_cost: Callable[[float], None]) -> None:
        self._title = title
        self.curves = curves
        self.pay = on_cost
        for curve in curves.values():
            curve.pay = on_cost
        self._legend = ipywidgets.HTML()
        body = ipywidgets.HBox(list(curves.values()))
        body.add_class("nnw-curves-body")
        super().__init__([self._legend, body])
        self.add_class("nnw-curves")
        guard_tree(self)

    def appear(self) -> None:
        """A page begins to show the curves."""
        for curve in self.curves.values():
            curve.appear()

    def describe(self, unit: str, band: str, note: str) -> None:
        """Say in the legend what the lines are."""
        rows = [("nnw-key-unit", unit), ("nnw-key-mean", "layer mean"), ("nnw-key-band", band)]
        keys = "".join(f'<span class="nnw-key {key}">{html.escape(text)}</span>' for key, text in rows if text)
        text = (
            f'<div class="nnw-curves-head"><b>{html.escape(self._title)}</b>{keys}'
            f'<span class="nnw-faint">{html.escape(note)}</span></div>'
        )
        PUBLISHER.update(self, lambda: self._set_legend(text))

    def _set_legend(self, text: str) -> int:
        changed = self._legend.value != text and self.comm is not None
        if changed:
            self._legend.value = text
        return int(changed)

    def close(self) -> None:
        PUBLISHER.forget(self)
        super().close()
