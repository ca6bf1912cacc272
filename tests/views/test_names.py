"""What a caption lists and what it does not; names are text, on the page and in the picture, never markup."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import nnwidgets as nnw
from tests.nets import NETS, Training
from tests.views.reading import MARKUP, VIEWS, in_picture, make, on_page, plain
from tests.waiting import eventually, frame, inspecting, shown


@pytest.mark.parametrize("points", [20, 96])
def test_an_embedding_of_all_samples_does_not_say_that_it_is_a_sample(inspector: nnw.Inspector, points: int) -> None:
    view = inspector.embedding(points=points, method="pca")
    shown(view)
    caption = plain(view.caption_text(view.result))
    assert ("sampled 20 of 96 samples ≈" in caption) == (points == 20)
    assert "96 samples" in caption
    assert "PCA, shows" in caption


def test_what_is_odd_stands_out_and_what_is_not_is_not_listed(inspector: nnw.Inspector, training: Training) -> None:
    view = make(inspector, "activations")
    shown(view)
    assert not [text for text, odd in frame(view)[0]["caption"] if odd]
    with torch.no_grad():
        training.model[0].weight[1:3] = 0  # type: ignore[index]
        training.model[0].bias[1:3] = -1  # type: ignore[index]
        training.model[0].weight[3, 0, 0, 0] = torch.nan  # type: ignore[index]
    inspector.refresh()
    inspector._session.worker.request(inspector._session.probe)
    view.refresh()
    shown(view)
    eventually(lambda: "dead" in view.caption_text(view.result), "statistics")
    odd = [text for text, odd in frame(view)[0]["caption"] if odd]
    assert odd == ["2 dead on the probe †", "36 values not finite"]


@pytest.mark.parametrize("stem", VIEWS)
def test_names_with_markup_come_through_as_plain_text(stem: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module(MARKUP.replace(".", ""), nn.Conv2d(1, 4, 3))
    model.add_module("flat", nn.Flatten())
    model.add_module("$out$", nn.Linear(144, 3))
    names = [MARKUP, "$a_1$ & <i>", "{"]
    data = (NETS["cnn"].inputs, NETS["cnn"].labels)
    with inspecting(model, data, probe=8, class_names=names) as inspector:
        view = make(inspector, stem)
        result = shown(view)
        page, picture = on_page(view), in_picture(view)
        if stem != "occlusion":
            assert MARKUP in page
            assert plain(f"Layer {MARKUP}") in picture
        if stem == "activations":
            assert f"label {result.label}" in page
            assert result.label in names
            assert [name for name, _ in frame(view)[0]["prediction"]] != []
            assert {name for name, _ in frame(view)[0]["prediction"]} == set(names)
        if stem == "occlusion":
            target = names[frame(view)[0]["target"]]
            assert f"Probability of {target} lost" in page
            assert f"p({target})" in picture
        if stem == "embedding":
            assert [each["name"] for each in frame(view)[0]["classes"]] == names


def test_the_legend_under_a_view_escapes_what_ipywidgets_would_take_for_markup(inspector: nnw.Inspector) -> None:
    view = inspector.activations()
    curves = view._over_training
    eventually(lambda: "unit 0" in curves._legend.value, "the view's own legend")
    curves.describe(f"unit {MARKUP}", "", MARKUP)
    eventually(lambda: "unit 0" not in curves._legend.value, "the new legend")
    assert "<b>$x" not in curves._legend.value
    assert "&lt;b&gt;$x^2$&lt;/b&gt;&amp;amp;" in curves._legend.value
