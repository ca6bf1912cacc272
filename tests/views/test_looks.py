"""What `figure()` of an embedding draws is what the view shows: its colours, its sizes, the map gone back to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import nnwidgets as nnw
from nnwidgets.blocks.colors import LIGHT
from nnwidgets.blocks.marks import Numbers
from nnwidgets.views.embedding import EmbeddingView
from tests.views.reading import words
from tests.views.test_embedding_points import points_of
from tests.views.test_kept_maps import keep, look
from tests.waiting import answered, shown

AGES = torch.linspace(-1.0, 3.0, 30)


def points_in(figure: Figure) -> Any:
    return next(each for each in figure.axes[0].collections if isinstance(each, PathCollection))


def view_of(small: nnw.Inspector, **options: Any) -> EmbeddingView:
    writers = [("Ann", "bob", "")[index % 3] for index in range(30)]
    view = small.embedding(method="pca", points=24, metadata={"writer": writers, "age": AGES}, **options)
    shown(view)
    return view


def set_looks(view: EmbeddingView, **looks: str) -> Figure:
    for name, value in looks.items():
        setattr(view, name, value)
    answered(view)
    return view.figure()


def groups_shown(view: EmbeddingView) -> dict[str, list[int]]:
    result = view.result
    wrong = result.labels != result.predicted
    return {
        "class": result.labels.tolist(),
        "prediction": result.predicted.tolist(),
        "correctness": wrong.long().tolist(),
        "writer": [(0, 1, -1)[index % 3] for index in result.indices.tolist()],
    }


@pytest.mark.parametrize("by", ["class", "prediction", "correctness", "writer"])
def test_a_figure_has_the_colours_of_the_groups_on_the_page(small: nnw.Inspector, by: str) -> None:
    view = view_of(small)
    figure = set_looks(view, color=by)
    groups = groups_shown(view)[by]
    expected = [LIGHT.classes[group] if group >= 0 else LIGHT.secondary for group in groups]
    assert [to_hex(color) for color in points_in(figure).get_facecolors()] == expected
    names = {"correctness": ["correct", "wrong"], "writer": ["Ann", "bob"]}.get(by, ["cat", "dog", "fox"])
    text = words(figure)
    for group, name in enumerate(names):
        count = groups.count(group)
        assert (f"{name} {count}" in text) == (count > 0)
    assert {"writer": "writer"}.get(by, by.capitalize()) in text
    # Names stand on the map where groups gather, as classes do.
    on_map = {each.get_text() for each in figure.axes[0].texts}
    assert bool(on_map & set(names)) == (by in ("class", "prediction"))


def test_a_figure_has_the_scales_and_sizes_of_the_page(small: nnw.Inspector) -> None:
    view = view_of(small)
    result = view.result
    ages, losses = AGES[result.indices].numpy(), result.loss.numpy()
    for by, values, low, high in (
        ("loss", losses, 0.0, losses.max()),
        ("confidence", result.confidence.numpy(), 0.0, 1.0),
        ("age", ages, -ages.max(), ages.max()),
    ):
        figure = set_looks(view, color=by)
        color = points_of(view).colors
        assert isinstance(color, Numbers)
        assert (color.low, color.high) == pytest.approx((low, high))
        np.testing.assert_allclose(color.values, values)
        colormap = LIGHT.mark_diverging if by == "age" else LIGHT.mark_ink
        shares = (values - low) / (high - low)
        levels = np.round((np.sqrt(shares) if by == "loss" else shares) * 256).astype(int)
        np.testing.assert_allclose(points_in(figure).get_facecolors(), colormap(levels))
    figure = set_looks(view, color="class", size="loss")
    assert points_in(figure).get_sizes() / 16 == pytest.approx(0.5 + 3.5 * losses / losses.max())
    assert "Area: loss" in words(figure)


def test_a_figure_is_of_the_map_that_the_page_has_gone_back_to(small: nnw.Inspector) -> None:
    view = view_of(small)
    first = view.result
    turned = replace(first.embedding, positions=-first.embedding.positions)
    keep(view, replace(first, embedding=turned), 5)
    np.testing.assert_allclose(points_in(view.figure()).get_offsets(), turned.positions, rtol=1e-6)
    assert "an earlier step" not in words(view.figure())
    assert look(view, 0) is None
    np.testing.assert_allclose(points_in(view.figure()).get_offsets(), first.embedding.positions, rtol=1e-6)
    assert "an earlier step" in words(view.figure())
    assert view.header()["caption"][-1] == ("an earlier step", True)
