"""What a square over the picture does to the scores: importance, probability and prediction. Knows results and axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.patches import Patch

from nnwidgets.analysis.occlusion import OcclusionMap
from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.figures import _parts
from nnwidgets.figures.captions import number
from nnwidgets.figures.colors import LIGHT, Theme, heat

__all__ = ["draw_occlusion"]

_OPACITY = 0.85


def draw_occlusion(
    result: OcclusionResult,
    figure: _parts.Drawing,
    *,
    caption: str = "",
    target: int | None = None,
    picture: _parts.Array | None = None,
    names: Callable[[int], str] = str,
    theme: Theme = LIGHT,
) -> _parts.Drawing:
    """Draw importance over the picture, the target's probability, and the predicted class, and return the figure.

    The small panels keep the picture's frame: each position is drawn at its square's centre, so one place is the same
    in all panels and the margin that no centre reaches stays empty. Positions not computed are hatched.

    Args:
        result: what to draw; its map's first image.
        figure: an empty `Figure` or `SubFigure`.
        caption: one line of plain text; a longer one is broken.
        target: class asked about; None: the result's.
        picture: `(height, width)` or `(height, width, 3)` uint8; None: black.
        names: class index -> name.
        theme: colours.
    """
    _parts.add_caption(figure, caption, theme)
    asked = result.target if target is None else target
    overlay, probability, predicted = figure.subplots(1, 3, width_ratios=(1.6, 1, 1))
    for axes in (overlay, probability, predicted):
        axes.set_anchor("N")
    _draw_importance(overlay, result.map, asked, picture, names, theme)
    covered = result.map.probabilities[0, :, :, asked].double().numpy()
    _parts.add_title(probability, f"p({names(asked)})", theme)
    scale = _parts.Scale(0.0, 1.0, "probability")
    index, extent = _at_centres(result.map)
    _parts.show(probability, covered[index], scale, theme, extent=extent, missing=theme.secondary)
    _frame(probability, result.map, theme)
    _parts.scale_bar(probability, scale, theme, width=1.0)
    _draw_predicted(predicted, result.map, names, theme)
    return figure


def _draw_importance(
    axes: _parts.Axes,
    occlusion: OcclusionMap,
    target: int,
    picture: _parts.Array | None,
    names: Callable[[int], str],
    theme: Theme,
) -> None:
    """Draw the lost probability as heat over the grey picture."""
    importance = occlusion.importance(target, kind="probability")[0].double().numpy()
    grey = np.zeros(occlusion.image_size) if picture is None else np.asarray(picture, dtype=np.float64) / 255
    scale = _parts.Scale.of(importance, "probability lost", signed=True)
    mixed = heat(grey if grey.ndim == 2 else grey.mean(2), importance, largest=scale.high, opacity=_OPACITY)
    axes.imshow(mixed, interpolation="nearest")
    _parts.bare(axes, theme)
    _parts.add_title(axes, f"Probability of {names(target)} lost", theme)
    bar = axes.inset_axes((0.0, -0.07, 1.0, 0.02))
    ramp = np.linspace(-scale.high, scale.high, 257)[None]
    bar.imshow(
        heat(np.zeros_like(ramp), ramp, largest=scale.high, opacity=_OPACITY),
        aspect="auto",
        extent=(-scale.high, scale.high, 0, 1),
    )
    ends = [-scale.high, 0.0, scale.high]
    bar.set_xticks(ends, [number(end) for end in ends])
    bar.set_yticks([])
    bar.tick_params(labelsize=7, length=0, colors=theme.secondary)
    bar.set_xlabel("probability lost, mean of all squares over the pixel", fontsize=7, color=theme.secondary)


def _draw_predicted(axes: _parts.Axes, occlusion: OcclusionMap, names: Callable[[int], str], theme: Theme) -> None:
    """Draw the predicted class at each position, the clean image's class muted, with the shares as legend."""
    _parts.add_title(axes, "Predicted class", theme)
    predicted = occlusion.predicted[0].numpy()
    clean = int(occlusion.clean[0].argmax()) if bool(occlusion.clean[0].isfinite().all()) else -1
    colors = np.ones((*predicted.shape, 4))
    found, counts = np.unique(predicted[predicted >= 0], return_counts=True)
    handles = []
    for index in counts.argsort()[::-1]:
        name = int(found[index])
        rgb = _parts.to_rgb(theme.classes[name % len(theme.classes)])
        alpha = 0.3 if name == clean else 1.0
        colors[predicted == name] = (*rgb, alpha)
        share = counts[index] / counts.sum()
        handles.append(Patch(facecolor=(*rgb, alpha), label=f"{names(name)}  {100 * share:.0f} %"))
    colors[predicted < 0] = (*_parts.to_rgb(theme.line), 1.0)
    index, extent = _at_centres(occlusion)
    axes.imshow(colors[index], extent=extent, interpolation="nearest")
    _frame(axes, occlusion, theme)
    legend = axes.legend(
        handles=handles[:6], loc="upper left", bbox_to_anchor=(-0.02, -0.02), ncols=2, frameon=False, fontsize=7
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_color(theme.text)


def _at_centres(occlusion: OcclusionMap) -> tuple[_parts.Index, tuple[float, float, float, float]]:
    """Return the index that spreads a grid of positions over pixels, and where these are: left, right, bottom, top.

    A pixel takes the value of the square whose centre is nearest, if that is within half a stride.
    """
    picked, edges = [], []
    for origins, side, step, size in zip(
        (occlusion.rows, occlusion.cols), occlusion.patch, occlusion.stride, occlusion.image_size, strict=True
    ):
        away = np.abs(np.arange(size)[:, None] - (np.array(origins) + (side - 1) / 2))
        reached = np.flatnonzero(away.min(1) <= max(step, 1) / 2)
        picked.append(away.argmin(1)[reached])
        edges.append((reached[0] - 0.5, reached[-1] + 0.5))
    (top, bottom), (left, right) = edges
    return np.ix_(*picked), (left, right, bottom, top)


def _frame(axes: _parts.Axes, occlusion: OcclusionMap, theme: Theme) -> None:
    """Keep the picture's frame round the smaller grid: the margin is empty, not zero."""
    _parts.bare(axes, theme)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_edgecolor(theme.line)
    height, width = occlusion.image_size
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
