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
from nnwidgets.figures.colors import LIGHT
from nnwidgets.figures.marks import Groups, Numbers
from nnwidgets.views.embedding import EmbeddingView
from tests.views.reading import words
from tests.waiting import command, frame, shown

AGES = torch.linspace(-1.0, 3.0, 30)


def points_in(figure: Figure) -> Any:
    return next(each for each in figure.axes[0].collections if isinstance(each, PathCollection))


def view_of(small: nnw.Inspector, **options: Any) -> EmbeddingView:
    writers = [("Ann", "bob", "")[index % 3] for index in range(30)]
    view: EmbeddingView = small.embedding(method="pca", points=24, metadata={"writer": writers, "age": AGES}, **options)
    shown(view)
    return view


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
    view.color = by
    figure = view.figure()
    groups = groups_shown(view)[by]
    expected = [LIGHT.classes[group] if group >= 0 else LIGHT.secondary for group in groups]
    assert [to_hex(color) for color in points_in(figure).get_facecolors()] == expected
    names = {"correctness": ["right", "wrong"], "writer": ["Ann", "bob"]}.get(by, ["cat", "dog", "fox"])
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
        view.color = by
        color, _ = view.looks_of(result)
        assert isinstance(color, Numbers)
        assert (color.low, color.high) == pytest.approx((low, high))
        np.testing.assert_allclose(color.values, values)
        colormap = LIGHT.mark_diverging if by == "age" else LIGHT.mark_ink
        shares = (values - low) / (high - low)
        levels = np.round((np.sqrt(shares) if by == "loss" else shares) * 256).astype(int)
        np.testing.assert_allclose(points_in(view.figure()).get_facecolors(), colormap(levels))
    view.color, view.size = "class", "loss"
    areas = points_in(view.figure()).get_sizes()
    assert areas / 16 == pytest.approx(0.5 + 3.5 * losses / losses.max())
    assert "Area: loss" in words(view.figure())


def test_a_map_of_some_of_the_points_is_coloured_by_their_own_values(small: nnw.Inspector) -> None:
    view = view_of(small)
    whole = view.result
    few = torch.tensor([5, 2, 11])
    part = replace(
        whole,
        embedding=replace(whole.embedding, positions=whole.embedding.positions[few]),
        **{name: getattr(whole, name)[few] for name in ("indices", "labels", "predicted", "confidence", "loss")},
    )
    view.color = "age"
    color, _ = view.looks_of(part)
    assert isinstance(color, Numbers)
    np.testing.assert_allclose(color.values, AGES[whole.indices[few]])
    assert color.high == pytest.approx(float(AGES[whole.indices].max())), "one scale, however many points are shown"
    view.color = "writer"
    color, _ = view.looks_of(part)
    assert isinstance(color, Groups)
    assert color.codes.tolist() == [(0, 1, -1)[index % 3] for index in whole.indices[few].tolist()]


def test_a_figure_is_of_the_map_that_the_page_has_gone_back_to(small: nnw.Inspector) -> None:
    view = view_of(small)
    first = view.result
    turned = replace(first.embedding, positions=-first.embedding.positions)
    view.show(replace(first, step=5, embedding=turned))
    np.testing.assert_allclose(points_in(view.figure()).get_offsets(), turned.positions, rtol=1e-6)
    assert "an earlier map" not in words(view.figure())
    assert command(view, "map", {"position": 0}) is None
    np.testing.assert_allclose(points_in(view.figure()).get_offsets(), first.embedding.positions, rtol=1e-6)
    assert "an earlier map" in words(view.figure())
    assert frame(view)[0]["caption"][-1] == ["an earlier map", True]
