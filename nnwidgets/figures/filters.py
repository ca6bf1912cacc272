"""A layer's kernels as tiles with their smoothness. Knows results and axes."""

from __future__ import annotations

import math

import numpy as np

from nnwidgets.analysis.results import FiltersResult
from nnwidgets.figures import _parts
from nnwidgets.figures.captions import number, share
from nnwidgets.figures.colors import LIGHT, Theme
from nnwidgets.figures.kernels import LARGEST_NORM, coloured, is_rgb, pictures_of, planes_of

__all__ = ["draw_filters"]


def draw_filters(
    result: FiltersResult,
    figure: _parts.Drawing,
    *,
    caption: str = "",
    theme: Theme = LIGHT,
    channel: int = LARGEST_NORM,
    picture: tuple[int, ...] | None = None,
) -> _parts.Drawing:
    """Draw the kernels on one symmetric scale, with the scale bar and the caption, and return the figure.

    Under each kernel stand its unit and its smoothness, with ‡ where that is within what shuffled taps give. The first
    64 are drawn. With three input channels a kernel is a colour picture, zero being mid grey; with any other number one
    of its input channels is. A Linear layer is one picture, units down, inputs across.

    Args:
        result: what to draw.
        figure: an empty `Figure` or `SubFigure`.
        caption: one line of plain text; a longer one is broken.
        theme: colours.
        channel: the input channel on show; default: each filter's own of largest norm.
        picture: height and width of the model's inputs, for a Linear layer right over them.
    """
    _parts.add_caption(figure, caption, theme)
    weights = planes_of(result.weight.double().numpy(), picture)
    scale = _parts.Scale.of(weights, "weight", signed=True)
    axes = figure.add_subplot()
    _parts.bare(axes, theme)
    if weights.ndim < 3:
        _parts.show(axes, np.atleast_2d(weights), scale, theme)
        axes.set_aspect("auto")
        axes.set_xlabel("input", fontsize=7, color=theme.secondary)
        axes.set_ylabel("unit", fontsize=7, color=theme.secondary)
        _parts.scale_bar(axes, scale, theme)
        return figure
    pictures = pictures_of(weights, channel)[: _parts.MOST_TILES]
    tiles = list(coloured(pictures, scale.high) if is_rgb(weights) else pictures)
    _parts.tiles(axes, tiles, scale, theme, label=lambda unit: (str(unit), _smoothness(result, unit)))
    if is_rgb(weights):
        _parts.add_title(axes, f"Mid grey is 0, full colour ±{number(scale.high)}", theme)
    else:
        _parts.scale_bar(axes, scale, theme)
        if weights.shape[1] > 1:
            which = "Each filter's input channel of largest norm" if channel < 0 else f"Input channel {channel}"
            _parts.add_title(axes, f"{which}, of {weights.shape[1]}", theme)
    return figure


def _smoothness(result: FiltersResult, unit: int) -> str:
    smoothness, band = float(result.stats.smoothness[unit]), float(result.stats.band[unit])
    return "" if math.isnan(smoothness) else f"{'‡ ' if abs(smoothness) <= band else ''}{share(smoothness)}"
