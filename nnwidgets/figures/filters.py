"""A layer's kernels as tiles with their smoothness. Knows results and axes."""

from __future__ import annotations

import math

import numpy as np

from nnwidgets.analysis.results import FiltersResult
from nnwidgets.figures import _parts
from nnwidgets.figures.colors import LIGHT, Theme

__all__ = ["draw_filters"]


def draw_filters(
    result: FiltersResult, figure: _parts.Drawing, *, caption: str = "", theme: Theme = LIGHT
) -> _parts.Drawing:
    """Draw the kernels on one symmetric scale, with the scale bar and the caption, and return the figure.

    Under each kernel stand its unit and its smoothness, with ‡ where that is within what shuffled taps give. The first
    64 are drawn. With three input channels a kernel is a colour picture, zero being mid grey; with any other number its
    input channel with the largest norm over the layer is drawn, and the title names it. A Linear layer is one picture,
    units down, inputs across.

    Args:
        result: what to draw.
        figure: an empty `Figure` or `SubFigure`.
        caption: one line of plain text; a longer one is broken.
        theme: colours.
    """
    _parts.add_caption(figure, caption, theme)
    weight = result.weight.double().numpy()
    scale = _parts.Scale.of(weight, "weight", signed=True)
    axes = figure.add_subplot()
    _parts.bare(axes, theme)
    if weight.ndim < 3:
        _parts.show(axes, np.atleast_2d(weight), scale, theme)
        axes.set_aspect("auto")
        axes.set_xlabel("input", fontsize=7, color=theme.secondary)
        axes.set_ylabel("unit", fontsize=7, color=theme.secondary)
    else:
        pictures, title = _pictures(weight, scale.high)
        _parts.tiles(axes, pictures, scale, theme, label=lambda unit: (str(unit), _smoothness(result, unit)))
        if title:
            _parts.add_title(axes, title, theme)
    if weight.ndim < 3 or pictures[0].ndim == 2:
        _parts.scale_bar(axes, scale, theme)
    return figure


def _pictures(weight: _parts.Array, largest: float) -> tuple[list[_parts.Array], str]:
    """Return a picture for each of the first filters of `(out, in, *kernel)`, and what has to be said about them."""
    kept = weight[: _parts.MOST_TILES]
    if weight.ndim == 3:
        kept, weight = kept[:, :, None], weight[:, :, None]
    if weight.ndim == 5:  # depth slices side by side, as further input channels
        kept, weight = (array.reshape(len(array), -1, *array.shape[-2:]) for array in (kept, weight))
    if weight.shape[1] == 1:
        return [kernel[0] for kernel in kept], ""
    if weight.shape[1] == 3 and np.isfinite(kept).all():
        colors = 0.5 + 0.5 * kept.transpose(0, 2, 3, 1) / largest
        return list(
            colors
        ), f"Three input channels as red, green, blue: mid grey is 0, full colour ±{_parts.number(largest)}"
    norms = np.sqrt(np.nansum(weight**2, axis=(0, 2, 3)))
    channel = int(norms.argmax())
    return [
        kernel[channel] for kernel in kept
    ], f"Input channel {channel} of {weight.shape[1]}, the one with the largest norm"


def _smoothness(result: FiltersResult, unit: int) -> str:
    smoothness, band = float(result.stats.smoothness[unit]), float(result.stats.band[unit])
    if math.isnan(smoothness):
        return ""
    return f"{'‡ ' if abs(smoothness) <= band else ''}{smoothness:.2f}".replace("-", "−")
