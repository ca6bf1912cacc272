"""What a caption lists and what it does not; names are text, on the page and in the picture, never markup."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import nnwidgets as nnw
from nnwidgets.blocks.lines import Lines
from nnwidgets.display.curves import head_of, legend_of
from nnwidgets.display.view import View
from tests.nets import NETS, Training
from tests.views.every import EVERY, make
from tests.views.reading import MARKUP, caption_of, in_picture, odd_parts, on_page, plain
from tests.waiting import answered, eventually, inspecting, page, shown


@pytest.mark.parametrize("points", [20, 96])
def test_an_embedding_of_all_samples_does_not_say_that_it_is_a_sample(inspector: nnw.Inspector, points: int) -> None:
    view = inspector.embedding(points=points, method="pca")
    shown(view)
    caption = caption_of(view)
    assert ("sampled 20 of 96 samples ≈" in caption) == (points == 20)
    assert "96 samples" in caption
    assert "PCA, shows" in caption


def test_what_is_odd_stands_out_and_what_is_not_is_not_listed(inspector: nnw.Inspector, training: Training) -> None:
    view = make(inspector, "activations")
    shown(view)
    assert odd_parts(view) == []
    with torch.no_grad():
        training.model[0].weight[1:3] = 0  # type: ignore[index]
        training.model[0].bias[1:3] = -1  # type: ignore[index]
        training.model[0].weight[3, 0, 0, 0] = torch.nan  # type: ignore[index]
    inspector.refresh()
    inspector._session.worker.request(inspector._session.probe)
    view.refresh()
    shown(view)
    eventually(lambda: "never fire" in caption_of(view), "statistics")
    assert odd_parts(view) == ["2 units never fire (8 samples) †", "36 values not finite"]


@pytest.mark.parametrize("name", EVERY)
def test_names_with_markup_come_through_as_plain_text(name: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module(MARKUP.replace(".", ""), nn.Conv2d(1, 4, 3))
    model.add_module("flat", nn.Flatten())
    model.add_module("$out$", nn.Linear(144, 3))
    names = [MARKUP, "$a_1$ & <i>", "{"]
    data = (NETS["cnn"].inputs, NETS["cnn"].labels)
    with inspecting(model, data, probe=8, class_names=names) as inspector:
        view = make(inspector, name)
        result = shown(view)
        on_show, picture, blocks = on_page(view), in_picture(view), page(view)
        if view.heading(result).code:
            assert MARKUP in on_show
            assert plain(f"Layer {MARKUP}") in picture
        if name == "activations":
            assert f"label {result.label}" in on_show
            assert result.label in names
            assert {named for named, _ in blocks["grid"]["prediction"]} == set(names)
        if name == "occlusion":
            target = names[view.target or 0]
            assert f"Probability of {target} lost" in on_show
            assert f"p({target})" in picture
        if name == "embedding":
            assert blocks["embedding"]["class_names"] == names


def test_the_legend_and_the_heads_of_curves_escape_what_ipywidgets_would_take_for_markup() -> None:
    lines = Lines(
        np.arange(3.0),
        {MARKUP: np.arange(3.0)},
        band=np.zeros((2, 3)),
        band_name=MARKUP,
        x_title=MARKUP,
        title=MARKUP,
        note=MARKUP,
    )
    for made in (legend_of(lines), head_of(lines), head_of(replace(lines, lines={}, empty=MARKUP))):
        assert "<b>$x" not in made
        assert "&lt;b&gt;$x^2$&lt;/b&gt;&amp;amp;" in made


def test_the_legend_under_a_view_names_the_unit(inspector: nnw.Inspector, training: Training) -> None:
    view = inspector.activations()
    inspector.selection.unit = 0
    shown(view)
    session = inspector._session
    with inspector.watch(training.optimizer):  # one step alone is no curve
        for _ in range(2):
            training.step()
            session.worker.request(session.probe)
            answered(view)
    eventually(lambda: "unit 0" in legend(view), "the view's own legend")
    inspector.selection.unit = 2
    answered(view)
    eventually(lambda: "unit 2" in legend(view), "the unit's legend")


def legend(view: View) -> str:
    return " ".join(row._legend.value for row in view.curves._rows.values())
