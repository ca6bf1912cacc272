"""What does not fit is refused in words that say what, expected, got and the repair; nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from traitlets import TraitError

import nnwidgets as nnw
from nnwidgets.selection import Selection
from tests.nets import NETS
from tests.views.every import Uncertainty
from tests.waiting import command, inspecting, shown

X, Y = NETS["cnn"].inputs[:40], NETS["cnn"].labels[:40]


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return NETS["cnn"].build()


def attach(model: Any = None, data: Any = None, **options: Any) -> nnw.Inspector:
    return nnw.Inspector(cnn() if model is None else model, (X, Y) if data is None else data, probe=8, **options)


class Uncalled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return x


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no module": (lambda: attach(lambda x: x), TypeError, "model: expected a torch.nn.Module, got function"),
    "a model on the meta device": (
        lambda: attach(cnn().to("meta")),
        TypeError,
        "model: layer '0', tensor 'weight': expected data, got a tensor on the meta device, which has none; load",
    ),
    "data on the meta device": (
        lambda: attach(data=(X.to("meta"), Y)),
        ValueError,
        "dataset: expected data, got a tensor on the meta device, which has none; load the data first",
    ),
    "a forward pass without layers": (
        lambda: attach(Uncalled(), torch.zeros(5, 2)),
        ValueError,
        "model: expected a forward pass that calls at least one layer, got one that calls none",
    ),
    "an empty dataset": (
        lambda: attach(data=[]),
        ValueError,
        "dataset: expected at least one sample, got none",
    ),
    "wrong channel count": (
        lambda: attach(data=(torch.rand(9, 3, 8, 8), Y[:9])),
        ValueError,
        r"dataset: expected samples that the model takes, got argument 0 \(2, 3, 8, 8\) float32, at which it raised "
        r"RuntimeError: .*1 channels, but got 3 channels instead; check shape and dtype, or give unpack=",
    ),
    "wrong dtype": (
        lambda: attach(data=(X.double(), Y)),
        ValueError,
        r"got argument 0 \(2, 1, 8, 8\) float64, at which it raised RuntimeError: .*; check shape and dtype",
    ),
    "too few class names": (
        lambda: attach(class_names=["cat", "dog"]),
        ValueError,
        "class_names: expected 3, one for each class of the model, got 2",
    ),
    "too many class names": (lambda: attach(class_names=list("abcd")), ValueError, "expected 3, .*, got 4"),
    "scores without a class axis": (
        lambda: attach(score_fn=lambda output: output[0]),
        ValueError,
        r"score_fn: expected a tensor \(batch, classes\), got a tensor of shape \(3,\)",
    ),
    "scores that are no tensor": (lambda: attach(score_fn=lambda _: 3), ValueError, "score_fn: .*, got int"),
    "a probe out of range": (
        lambda: nnw.Inspector(cnn(), (X, Y), probe=[0, 40]),
        IndexError,
        "sample: expected an index from 0 to 39, got 40",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_or_dataset_that_does_not_fit_is_refused(name: str) -> None:
    build, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        build()


@pytest.mark.parametrize("name", ["wrong channel count", "an empty dataset", "too few class names"])
def test_a_refused_inspector_leaves_the_one_that_was_there_alone(name: str) -> None:
    model = cnn()
    with inspecting(model, (X, Y), probe=8) as first:
        view = first.activations()
        bad: dict[str, Callable[[], Any]] = {
            "wrong channel count": lambda: attach(model, (torch.rand(9, 3, 8, 8), Y[:9])),
            "an empty dataset": lambda: attach(model, []),
            "too few class names": lambda: attach(model, class_names=["a"]),
        }
        with pytest.raises(ValueError, match="expected"):
            bad[name]()
        assert command(view, "select", {"sample": 3}) is None
        assert shown(view).sample == 3


@pytest.fixture(name="inspector")
def inspector_() -> Any:
    with inspecting(cnn(), (X, Y), probe=8) as inspector:
        yield inspector


VIEWS: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "unknown layer": (
        lambda i: i.activations(layer="conv"),
        KeyError,
        "layer: 'conv' is not a layer of this forward pass; nearest: 0, 1, 2, 3, 4",
    ),
    "unknown layer, filters": (lambda i: i.filters(layer="01"), KeyError, "nearest: 0, 1"),
    "unknown layer, embedding": (lambda i: i.embedding(layer="9"), KeyError, "'9' is not a layer"),
    "unknown layer, occlusion": (lambda i: i.occlusion(layer="9"), KeyError, "'9' is not a layer"),
    "a layer without maps": (
        lambda i: i.occlusion(layer="4"),
        ValueError,
        r"layer: expected one with maps \(batch, channels, height, width\), got '4'; those are 0, 1, 2",
    ),
    "sample out of range": (
        lambda i: i.activations(sample=40),
        IndexError,
        "sample: expected an index from 0 to 39, got 40",
    ),
    "sample below zero": (lambda i: i.occlusion(sample=-1), IndexError, "from 0 to 39, got -1"),
    "a sample that is no number": (
        lambda i: i.activations(sample="3"),
        TypeError,
        "sample: expected a whole number, got '3'",
    ),
    "target out of range": (
        lambda i: i.occlusion(target=3),
        ValueError,
        "target: expected a class from 0 to 2, got 3",
    ),
    "target below zero": (lambda i: i.occlusion(target=-1), ValueError, "from 0 to 2, got -1"),
    "a target that is no class": (lambda i: i.occlusion(target=1.5), TypeError, "from 0 to 2, got 1.5"),
    "a patch larger than the picture": (
        lambda i: i.occlusion(patch=9),
        ValueError,
        r"patch: expected 1 to 8 \(the picture's smaller side\), got 9",
    ),
    "no patch": (lambda i: i.occlusion(patch=0), ValueError, "patch: expected 1 to 8 .*, got 0"),
    "half a pixel": (lambda i: i.occlusion(patch=2.5), TypeError, "patch: expected a whole number of pixels, got 2.5"),
    "a stride larger than the patch": (
        lambda i: i.occlusion(patch=4, stride=5),
        ValueError,
        r"stride: expected 1 to patch \(4\), got 5; pixels between patches would never be covered",
    ),
    "an unknown method": (
        lambda i: i.embedding(method="umap"),
        ValueError,
        "method: expected 'tsne' or 'pca', got 'umap'",
    ),
    "four dimensions": (lambda i: i.embedding(dims=4), ValueError, "dims: expected 2 or 3, got 4"),
    "no points": (lambda i: i.embedding(points=0), ValueError, "points: expected at least 1 sample, got 0"),
    "an unknown keyword": (
        lambda i: i.activations(colour="red"),
        TypeError,
        "activations: expected keywords among layer, sample, sort_by, scale, save_picture, got 'colour'",
    ),
    "an unknown keyword of a view with keywords of its own": (
        lambda i: i.embedding(colour="loss"),
        TypeError,
        "embedding: expected keywords among layer, points, metadata, method, dims, color, size, trails, save_picture, ",
    ),
    "an option of another view": (
        lambda i: i.filters(sort_by="dead"),
        ValueError,
        "sort_by: expected 'unit', 'smoothness' or 'norm', got 'dead'",
    ),
    "an option with nothing to choose": (
        lambda i: i.filters(layer="0", channel=1),
        ValueError,
        "channel: expected no value, as there is nothing to choose here, got 1",
    ),
    "a layer that is no name": (
        lambda i: i.activations(layer=nn.Flatten()),
        TypeError,
        "layer: expected a name, one of inspector.layers, got Flatten",
    ),
    "a map's layer that is no name": (lambda i: i.occlusion(layer=0), TypeError, "layer: expected a name, .*, got int"),
    "a map's layer said twice": (
        lambda i: i.occlusion(layer="0", map_layer="1"),
        TypeError,
        "layer: expected one of layer= and map_layer=, which say the same, got both",
    ),
    "an unknown keyword of a user's view": (
        lambda i: i.view(Uncertainty, colour="red"),
        TypeError,
        "uncertainty: expected keywords among of, bins, save_picture, got 'colour'",
    ),
    "an option that is none": (
        lambda i: i.view(Uncertainty, of="confidence"),
        ValueError,
        "of: expected 'entropy' or 'loss', got 'confidence'",
    ),
    "a number out of range": (
        lambda i: i.view(Uncertainty, bins=1),
        ValueError,
        "bins: expected a whole number from 2 to 40, got 1",
    ),
    "no view": (
        lambda i: i.view(Selection),
        TypeError,
        r"view: expected a name \(activations, .*\) or a class that inherits from nnwidgets.View, got <class ",
    ),
    "an unknown name of a view": (
        lambda i: i.view("activation"),
        KeyError,
        "view: no 'activation'; expected a class or one of activations",
    ),
    "a view that is made already": (
        lambda i: i.view(i.filters()),
        TypeError,
        "view: expected a name .* got FiltersView; give its class, FiltersView",
    ),
    "a number of views": (lambda i: i.dashboard(views=4), TypeError, "views: expected a name .*, got 4"),
    "an unknown name of the only view": (
        lambda i: i.dashboard(views="filter"),
        KeyError,
        "views: no 'filter'; expected a class or one of filters",
    ),
    "a budget over one": (lambda i: i.watch(budget=3), ValueError, r"budget: expected a share .*\(0, 1\], got 3"),
    "another model's optimizer": (
        lambda i: i.watch(torch.optim.SGD(cnn().parameters(), lr=0.1)),
        ValueError,
        "optimizer: expected one that steps parameters of this model, got a SGD that holds none of them; pass the one",
    ),
    "no view in a row": (lambda i: nnw.row(i.layers), TypeError, "row: expected views of an inspector, got tuple"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_something_that_is_not_there_is_refused(inspector: nnw.Inspector, name: str) -> None:
    build, kind, message = VIEWS[name]
    before = inspector.activations()
    with pytest.raises(kind) as caught:
        build(inspector)
    text = str(caught.value.args[0])
    assert re.search(message, text), text
    assert command(before, "select", {"sample": 5}) is None
    assert shown(before).sample == 5


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("activations", {"sort_by": "dead", "scale": "map"}),
        ("filters", {"sort_by": "norm", "scale": "map"}),
        ("occlusion", {"kind": "logit", "fill": "blur", "map_layer": "0"}),
        ("embedding", {"method": "pca", "color": "loss", "size": "confidence", "trails": True}),
    ],
)
def test_every_option_is_a_keyword_of_its_method_and_of_the_view_by_name(
    inspector: nnw.Inspector, name: str, options: dict[str, Any]
) -> None:
    for view in (getattr(inspector, name)(**options), inspector.view(name, **options)):
        assert {option: getattr(view, option) for option in options} == options
        assert view.name == name


@pytest.mark.parametrize("only", ["filters", Uncertainty])
def test_a_dashboard_of_one_view_takes_it_without_a_list(inspector: nnw.Inspector, only: Any) -> None:
    assert list(inspector.dashboard(views=only).views) == [only if isinstance(only, str) else only.name]


def test_a_layer_with_a_near_name_is_named_first() -> None:
    model = nn.Sequential()
    for name in ("conv1", "conv2", "flatten", "head"):
        model.add_module(name, {"c": nn.Conv2d(1, 1, 1), "f": nn.Flatten(), "h": nn.Linear(64, 3)}[name[0]])
    with inspecting(model, (X, Y), probe=8) as inspector:
        with pytest.raises(KeyError) as caught:
            inspector.activations(layer="conv3")
        assert str(caught.value.args[0]).endswith("nearest: conv1, conv2")
        with pytest.raises(TraitError, match=r"got 'conv3'; nearest: conv[12], conv"):
            inspector.selection.layer = "conv3"
