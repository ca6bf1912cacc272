"""Where samples lie by a layer's response: coloured points with a legend. Knows results and axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures import _parts
from nnwidgets.figures.colors import LIGHT, Theme

__all__ = ["draw_embedding"]

_AREA, _RING_AREA = 16.0, 55.0  # points², of a point and of the ring round a wrong one
_MOST_NAMED = 20  # classes in the legend; beyond, colours repeat too often to be read


def draw_embedding(
    result: EmbeddingResult,
    figure: _parts.Drawing,
    *,
    caption: str = "",
    names: Callable[[int], str] = str,
    theme: Theme = LIGHT,
) -> _parts.Drawing:
    """Draw the points in the colours of their classes, rings round those predicted wrong, and return the figure.

    One scale for all axes, which have no unit and are not drawn. Points without a label are grey.

    Args:
        result: what to draw; two or three dimensions.
        figure: an empty `Figure` or `SubFigure`.
        caption: one line of plain text; a longer one is broken.
        names: the name of a class.
        theme: colours; classes beyond ten repeat them.
    """
    _parts.add_caption(figure, caption, theme)
    positions, labels = result.embedding.positions.numpy(), result.labels.numpy()
    deep = positions.shape[1] == 3
    axes = figure.add_subplot(projection="3d" if deep else None)
    plain: dict[str, Any] = {"depthshade": False} if deep else {}  # colour means the class, not the distance
    _parts.bare(axes, theme)
    axes.set_facecolor(theme.surface)
    axes.set_aspect("equal", adjustable="box" if deep else "datalim")
    colors = [_color(label, theme) for label in labels]
    # the checker knows flat axes only, which take no third coordinate
    axes.scatter(*positions.T, s=_AREA, c=colors, edgecolors=theme.surface, linewidths=0.5, **plain)  # type: ignore[misc]
    wrong = (labels >= 0) & (result.predicted.numpy() >= 0) & (result.predicted.numpy() != labels)
    if wrong.any():
        axes.scatter(*positions[wrong].T, s=_RING_AREA, c="none", edgecolors=theme.text, linewidths=0.9, **plain)  # type: ignore[misc]
    _add_legend(axes, labels, wrong, names, theme)
    return figure


def _color(label: int, theme: Theme) -> str:
    return theme.classes[label % len(theme.classes)] if label >= 0 else theme.secondary


def _add_legend(
    axes: _parts.Axes, labels: np.ndarray, wrong: np.ndarray, names: Callable[[int], str], theme: Theme
) -> None:
    """Name the classes with their counts, and the ring, beside the points."""
    classes, counts = np.unique(labels[labels >= 0], return_counts=True)
    marks = [
        (_mark(_color(each, theme), theme.surface, 5.0), f"{names(int(each))}  {count}")
        for each, count in zip(classes[:_MOST_NAMED], counts, strict=False)
    ]
    if len(classes) > _MOST_NAMED:
        marks.append((_mark("none", "none", 5.0), f"and {len(classes) - _MOST_NAMED} more"))
    if wrong.any():
        marks.append((_mark("none", theme.text, 7.0), f"predicted wrong  {int(wrong.sum())}"))
    if not marks:
        return
    handles, words = zip(*marks, strict=True)
    legend = axes.legend(
        handles, words, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=7, labelcolor=theme.text
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _mark(face: str, edge: str, size: float) -> Line2D:
    return Line2D([], [], linestyle="none", marker="o", markersize=size, markerfacecolor=face, markeredgecolor=edge)
