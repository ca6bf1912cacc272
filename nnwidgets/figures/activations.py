"""A layer's response to one sample: tiles of maps, strips, or a sequence as one picture. Knows results and axes."""

from __future__ import annotations

import numpy as np

from nnwidgets.analysis.activations import LIKE_INPUT
from nnwidgets.analysis.results import ActivationsResult
from nnwidgets.figures import _parts
from nnwidgets.figures.colors import LIGHT, Theme

__all__ = ["draw_activations"]


def draw_activations(
    result: ActivationsResult, figure: _parts.Drawing, *, caption: str = "", theme: Theme = LIGHT
) -> _parts.Drawing:
    """Draw the values on one scale for the layer, with the scale bar and the caption, and return the figure.

    The first 64 maps are drawn, in order of units. † marks a unit that is dead on the probe, ≡ one like the input.

    Args:
        result: what to draw.
        figure: an empty `Figure` or `SubFigure`.
        caption: one line of plain text; a longer one is broken.
        theme: colours.
    """
    _parts.add_caption(figure, caption, theme)
    values = result.values.double().numpy()
    scale = _parts.Scale.of(values, "activation")
    axes = figure.add_subplot()
    _parts.bare(axes, theme)
    if result.layout == "maps":
        shown = list(values[: _parts.MOST_TILES])
        _parts.tiles(axes, shown, scale, theme, label=lambda unit: (str(unit), _flag(result, unit)))
    elif result.layout == "strips":
        rows = [values] if result.stats is None else [values, result.stats.mean.double().numpy()]
        _strips(axes, rows, result, scale, theme)
    else:
        _parts.show(axes, values, scale, theme)
        axes.set_aspect("auto")
        axes.set_xlabel("time", fontsize=7, color=theme.secondary)
        axes.set_ylabel("unit", fontsize=7, color=theme.secondary)
    _parts.scale_bar(axes, scale, theme)
    return figure


def _strips(
    axes: _parts.Axes, rows: list[_parts.Array], result: ActivationsResult, scale: _parts.Scale, theme: Theme
) -> None:
    """Draw the sample's row, and below it the probe's mean with marks at dead units."""
    units = len(rows[0])
    for row, values in enumerate(rows):
        _parts.show(axes, values[None], scale, theme, extent=(-0.5, units - 0.5, row + 0.85, row))
    names = [f"sample {result.sample}", "probe mean"][: len(rows)]
    axes.set_yticks([row + 0.42 for row in range(len(rows))], names, fontsize=7, color=theme.text)
    axes.tick_params(length=0, labelsize=7, colors=theme.secondary)
    axes.set_xticks(np.arange(0, units, 16 if units > 16 else 1))
    bottom = float(len(rows))
    if result.stats is not None:
        dead = np.flatnonzero(result.stats.dead.numpy())
        axes.vlines(dead, bottom + 0.05, bottom + 0.3, color=theme.flag)
        bottom += 0.4
    axes.set_xlim(-0.5, units - 0.5)
    axes.set_ylim(bottom, 0)
    axes.set_aspect("auto")


def _flag(result: ActivationsResult, unit: int) -> str:
    if result.stats is None:
        return ""
    if bool(result.stats.dead[unit]):
        return "dead †"
    return "≡" if float(result.stats.input_similarity[unit]) > LIKE_INPUT else ""
