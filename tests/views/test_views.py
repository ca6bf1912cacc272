"""What views compute is what a plain forward pass says, for every kind of input; commands change what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import nnwidgets as nnw
from nnwidgets import analysis
from nnwidgets.views._view import View
from nnwidgets.views.activations import ActivationsView
from nnwidgets.views.dashboard import Dashboard
from tests.nets import NETS
from tests.waiting import answered, command, frame, inspecting, shown, tell


class TwoInputs(nn.Module):
    """A picture and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(6, 3)

    def forward(self, picture: Tensor, vector: Tensor) -> Tensor:
        pooled = functional.relu(self.conv(picture)).mean((2, 3))
        return self.head(torch.cat([pooled, vector], dim=1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Case:
    """A model, its data, and how the page draws each layer."""

    model: nn.Module
    data: Any
    layouts: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    pictures: bool = False


def rand(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def cases() -> dict[str, Case]:
    torch.manual_seed(0)
    labels = torch.arange(30) % 3

    def net(name: str) -> tuple[nn.Module, Any]:
        return NETS[name].build(), (NETS[name].inputs[:30], NETS[name].labels[:30])

    grey = {"0": "maps", "1": "maps", "2": "maps", "3": "strips", "4": "strips"}
    many = nn.Sequential(nn.Conv2d(5, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    segments = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1))
    return {
        "grey pictures": Case(*net("cnn"), layouts=grey, pictures=True),
        "RGB pictures": Case(
            *net("residual"), layouts={"stem": "maps", "again:2": "maps", "head": "strips"}, pictures=True
        ),
        "pictures of five channels": Case(many, (rand(30, 5, 8, 8), labels), {"0": "maps", "3": "strips"}, {}, True),
        "vectors": Case(*net("mlp"), layouts={"0": "strips", "2": "strips"}),
        "sequences": Case(*net("sequence"), layouts={"0": "sequence", "1": "sequence", "4": "strips"}),
        "tokens and an LSTM": Case(*net("recurrent"), layouts={"embedding": "sequence", "lstm": "sequence"}),
        "attention": Case(*net("attention"), layouts={"layer.self_attn": "sequence", "layer": "sequence"}),
        "two inputs": Case(
            TwoInputs(), (rand(30, 1, 8, 8), rand(30, 2), labels), {"conv": "maps", "head": "strips"}, {}, True
        ),
        "no labels": Case(NETS["cnn"].build(), NETS["cnn"].inputs[:30], grey, pictures=True),
        "segmentation": Case(
            segments,
            (rand(30, 3, 8, 8), torch.zeros(30, 8, 8, dtype=torch.int64)),
            {"0": "maps", "2": "maps"},
            {"score_fn": lambda output: output.mean((2, 3))},
            True,
        ),
    }


CASES = cases()


def inputs_of(case: Case, sample: int) -> tuple[Tensor, ...]:
    rows = case.data if isinstance(case.data, tuple) else (case.data,)
    return tuple(each[sample : sample + 1] for each in (rows[:-1] if len(rows) > 1 else rows))


def score(case: Case, output: Tensor) -> Tensor:
    chosen: Tensor = case.options.get("score_fn", lambda out: out)(output)
    return chosen


@pytest.mark.parametrize("name", CASES)
def test_activations_are_those_of_a_plain_forward_pass_in_eval_mode(name: str) -> None:
    case, sample = CASES[name], 7
    case.model.train()
    with inspecting(case.model, case.data, probe=8, **case.options) as inspector:
        view = inspector.activations(sample=sample)
        for layer, layout in case.layouts.items():
            inspector.selection.layer = layer
            result = shown(view)
            expected = analysis.capture(case.model, inputs_of(case, sample))[layer][0]
            if layout == "sequence" and expected.shape[0] != result.values.shape[0]:
                expected = expected.T
            assert (result.layer, result.sample, result.layout) == (layer, sample, layout)
            torch.testing.assert_close(result.values, expected, rtol=0, atol=0)
            case.model.eval()
            with torch.no_grad():
                torch.testing.assert_close(result.scores, score(case, case.model(*inputs_of(case, sample)))[0])
            case.model.train()
            header, arrays = frame(view)
            assert header["layout"] == layout
            drawn = arrays["rows"] if layout != "maps" else arrays["maps"]
            assert drawn.shape[-2:] == expected.shape[-2:] if layout != "strips" else drawn.shape[-1] == len(expected)
            assert ("input" in arrays) == case.pictures
            view.figure()


@pytest.mark.parametrize("name", CASES)
def test_filters_are_the_weights_of_the_layer_or_of_the_one_before_it(name: str) -> None:
    case = CASES[name]
    with inspecting(case.model, case.data, probe=8, **case.options) as inspector:
        view = inspector.filters()
        weighted = ""
        for layer in inspector.layers:
            module = case.model.get_submodule(layer.partition(":")[0])
            inspector.selection.layer = layer
            result = shown(view)
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                weighted = layer
            if not weighted:
                continue  # the first that has some
            assert result.layer == weighted
            own = case.model.get_submodule(weighted.partition(":")[0])
            torch.testing.assert_close(result.weight, own.weight, rtol=0, atol=0, check_dtype=False)
            header, arrays = frame(view)
            units = arrays["maps"] if header["layout"] == "maps" else arrays["rows"]
            assert len(units) == len(result.weight)
            view.figure()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_an_embedding_places_every_point_with_its_label_and_prediction(name: str, method: str) -> None:
    case = CASES[name]
    with inspecting(case.model, case.data, probe=8, **case.options) as inspector:
        view = inspector.embedding(layer=inspector.layers[-1], method=method, points=20)
        result = shown(view)
        case.model.eval()
        with torch.no_grad():
            rows = [score(case, case.model(*inputs_of(case, index)))[0] for index in result.indices.tolist()]
        assert result.predicted.tolist() == [int(row.argmax()) for row in rows]
        header, arrays = frame(view)
        assert arrays["positions"].shape == (20, 2)
        assert arrays["positions"].dtype == np.int16
        assert arrays["indices"].tolist() == result.indices.tolist()
        labels = case.data[-1] if isinstance(case.data, tuple) and case.data[-1].ndim == 1 else None
        if labels is None:
            assert set(arrays["labels"].tolist()) == {65_535}
            assert header["classes"] == []
            assert not arrays["wrong"].any()
        else:
            assert arrays["labels"].tolist() == labels[result.indices].tolist()
            wrong = (result.predicted != labels[result.indices]).tolist()
            assert arrays["wrong"].tolist() == wrong
            assert header["counts"]["wrong"] == sum(wrong)
        view.figure()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.pictures and name != "two inputs"])
def test_an_occlusion_map_holds_the_scores_of_covered_pictures(name: str) -> None:
    case, sample = CASES[name], 4
    with inspecting(case.model, case.data, probe=8, **case.options) as inspector:
        view = inspector.occlusion(sample=sample, patch=4, stride=2)
        result = shown(view)
        assert result.map.done
        (picture,) = inputs_of(case, sample)
        covered = picture.clone()
        covered[:, :, 2:6, 4:8] = 0
        case.model.eval()
        with torch.no_grad():
            expected = score(case, case.model(covered))[0]
        row, col = result.map.rows.index(2), result.map.cols.index(4)
        torch.testing.assert_close(result.map.scores[0, row, col], expected, rtol=1e-4, atol=1e-5)
        header, arrays = frame(view)
        assert {arrays[key].shape for key in ("p", "map_sum", "predicted", "predicted_p")} == {(3, 3)}
        assert arrays["importance"].shape == arrays["picture"].shape[:2] == (8, 8)
        assert (header["patch"], header["image_size"]) == ([4, 4], [8, 8])
        torch.testing.assert_close(
            torch.tensor(arrays["p"])[row, col], expected.softmax(0)[header["target"]], rtol=1e-4, atol=1e-5
        )
        view.figure()


def test_occlusion_hands_the_other_inputs_on() -> None:
    case = CASES["two inputs"]
    with inspecting(case.model, case.data, probe=8) as inspector:
        view = inspector.occlusion(sample=2, patch=4, stride=4)
        result = shown(view)
        case.model.eval()
        with torch.no_grad():
            torch.testing.assert_close(result.map.clean[0], case.model(*inputs_of(case, 2))[0])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.pictures])
def test_without_pictures_occlusion_says_so_and_computes_nothing(name: str) -> None:
    case = CASES[name]
    with inspecting(case.model, case.data, probe=8) as inspector:
        view = inspector.occlusion()
        answered(view)
        header, arrays = frame(view)
        assert header["state"]["text"] == "Occlusion needs pictures; this dataset has none"
        assert (view.result, view.failure, arrays, header["options"]) == (None, None, {}, [])


# Orders, pages, scales.


@pytest.fixture(name="wide")
def wide_inspector() -> Any:
    """150 maps of 6×6: the units' means rise, unit 149 - k has max k; units 3 and 7 are dead."""
    model = nn.Sequential(nn.Conv2d(1, 150, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5_400, 2))
    weight, bias = model[0].weight, model[0].bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        weight.zero_()
        bias.copy_(torch.arange(150) / 10 + 0.1)
        weight[:, 0, 0, 0] = -torch.arange(150) / 100
        bias[[3, 7]] = -1.0
    data = (rand(20, 1, 8, 8), torch.arange(20) % 2)
    with inspecting(model, data, probe=8) as inspector:
        inspector.selection.layer = "1"
        yield inspector


def units_of(view: View) -> list[int]:
    return list(frame(view)[0]["tiles"]["units"])


def test_more_than_64_units_come_in_pages(wide: nnw.Inspector) -> None:
    view = wide.activations()
    values = shown(view).values.numpy()
    assert units_of(view) == list(range(64))
    assert command(view, "page", {"page": 2}) is None
    header, arrays = frame(view)
    assert header["tiles"]["units"] == list(range(128, 150))
    assert header["page"] == {"index": 2, "count": 3, "text": "129–150 of 150"}
    np.testing.assert_array_equal(arrays["maps"], values[128:])
    assert command(view, "page", {"page": 10**30}) is None
    assert frame(view)[0]["page"]["index"] == 2
    assert command(view, "select", {"unit": 70}) is None
    header, arrays = frame(view)
    assert (header["page"]["index"], header["selected_tile"], header["unit"]) == (1, 6, 70)
    np.testing.assert_array_equal(arrays["detail"], values[70])


@pytest.mark.parametrize("order", ["mean", "max", "dead"])
def test_maps_are_sorted_as_asked_and_ties_keep_their_order(wide: nnw.Inspector, order: str) -> None:
    view = wide.activations()
    values = shown(view).values.reshape(150, -1).numpy()
    assert units_of(view) == list(range(64))
    assert command(view, "option", {"name": "sort_by", "value": order}) is None
    key = {"mean": values.mean(1), "max": values.max(1), "dead": (values == 0).all(1).astype(float)}[order]
    expected = sorted(range(150), key=lambda unit: -key[unit])[:64]
    assert units_of(view) == expected
    header, arrays = frame(view)
    np.testing.assert_array_equal(arrays["maps"].reshape(64, -1), values[expected])
    if order == "dead":
        assert [flag for flag in header["tiles"]["flags"] if flag] == ["dead †", "dead †"]


def test_one_scale_spans_the_layer_and_own_scales_span_each_map(wide: nnw.Inspector) -> None:
    view = wide.activations()
    values = shown(view).values.reshape(150, -1).numpy()
    scale = frame(view)[0]["scale"]
    assert scale["hi"] == pytest.approx(float(values.max()))
    assert (scale["mode"], scale["lo"], scale["per_tile"], scale["unit"]) == ("layer", 0, None, "activation")
    assert command(view, "option", {"name": "scale", "value": "map"}) is None
    own = frame(view)[0]["scale"]
    assert own["mode"] == "map"
    np.testing.assert_allclose(own["per_tile"], np.stack([np.zeros(64), values[:64].max(1)], 1), rtol=1e-6)


def test_a_scale_does_not_shrink_within_a_layer() -> None:
    """Else noise on a quiet sample would fill the colours."""
    case = CASES["grey pictures"]
    data = case.data[0].clone()
    data[1] = data[0] / 1_000
    with inspecting(case.model, (data, case.data[1]), probe=8) as inspector:
        view = inspector.activations(layer="1", sample=0)
        shown(view)
        loud = frame(view)[0]["scale"]["hi"]
        assert command(view, "select", {"sample": 1}) is None
        assert float(shown(view).values.max()) < loud / 2
        assert frame(view)[0]["scale"]["hi"] == loud


@pytest.mark.parametrize("order", ["smoothness", "norm"])
def test_filters_are_sorted_by_what_stands_under_them(order: str) -> None:
    case = CASES["grey pictures"]
    with inspecting(case.model, case.data, probe=8) as inspector:
        view = inspector.filters(layer="0")
        result = shown(view)
        assert command(view, "option", {"name": "sort_by", "value": order}) is None
        key = {"smoothness": analysis.filter_smoothness(result.weight), "norm": result.weight.flatten(1).norm(dim=1)}
        assert units_of(view) == key[order].argsort(descending=True).tolist()


def test_colour_filters_are_grey_at_zero_and_other_channels_can_be_picked() -> None:
    with inspecting(*_model_and_data("RGB pictures"), probe=8) as inspector:
        view = inspector.filters(layer="stem")
        weight = shown(view).weight
        arrays = frame(view)[1]
        assert arrays["maps"].shape == (4, 3, 3, 3)
        peak = float(weight.abs().max())
        expected = (128 + 127 * weight.movedim(1, -1) / peak).clip(0, 255).numpy().astype(np.uint8)
        np.testing.assert_allclose(arrays["maps"].astype(int), expected.astype(int), atol=1)
        assert "channel" not in [option["name"] for option in frame(view)[0]["options"]]
    with inspecting(*_model_and_data("pictures of five channels"), probe=8) as inspector:
        view = inspector.filters(layer="0")
        weight = shown(view).weight.numpy()
        assert command(view, "option", {"name": "channel", "value": 3}) is None
        np.testing.assert_array_equal(frame(view)[1]["maps"], weight[:, 3])
        assert "channel 3" in view.caption_text(view.result)


def _model_and_data(name: str) -> tuple[nn.Module, Any]:
    return CASES[name].model, CASES[name].data


# Selection, pinned views, options.


def all_views(inspector: nnw.Inspector) -> list[View]:
    return [
        inspector.activations(),
        inspector.filters(),
        inspector.embedding(points=20),
        inspector.occlusion(patch=4, stride=4),
    ]


@pytest.fixture(name="small")
def small_inspector() -> Any:
    with inspecting(*_model_and_data("grey pictures"), probe=8, class_names=["cat", "dog", "fox"]) as inspector:
        yield inspector


@pytest.mark.parametrize("clicked", range(4))
def test_a_click_in_one_view_is_answered_by_all(small: nnw.Inspector, clicked: int) -> None:
    views = all_views(small)
    assert command(views[clicked], "select", {"layer": "2", "sample": 9, "target": 2}) is None
    activations, filters, embedding, occlusion = (shown(view) for view in views)
    assert (activations.layer, activations.sample) == ("2", 9)
    assert filters.layer == "0"
    assert embedding.layer == "2"
    assert (occlusion.layer, occlusion.sample, occlusion.target) == ("2", 9, 2)
    assert {frame(view)[0]["selection"]["sample"] for view in views} == {9}


def test_the_dashboard_shares_the_selection_of_all_views(small: nnw.Inspector) -> None:
    alone, dashboard = small.activations(), small.dashboard()
    assert isinstance(dashboard, Dashboard)
    replies = tell(
        dashboard.panels["layers"], {"kind": "command", "request": 1, "name": "select", "value": {"layer": "3"}}
    )
    assert replies == []
    assert shown(alone).layer == "3"
    tab = dashboard.views["activations"]
    tab.refresh()
    assert shown(tab).layer == "3"
    assert dashboard._layers()["selected"] == "3"


def test_a_unit_picked_among_filters_is_one_of_the_layer_that_has_them(small: nnw.Inspector) -> None:
    small.selection.layer = "2"
    view = small.filters()
    shown(view)
    assert command(view, "select", {"unit": 2}) is None
    assert (small.selection.layer, small.selection.unit) == ("0", 2)
    shown(view)
    assert frame(view)[0]["unit"] == 2


def test_a_pinned_view_stays_until_something_is_picked_in_it(small: nnw.Inspector) -> None:
    pinned, free = small.activations(layer="0", sample=3), small.activations()
    small.selection.update(layer="4", sample=5)
    assert (shown(pinned).layer, shown(pinned).sample) == ("0", 3)
    assert (shown(free).layer, shown(free).sample) == ("4", 5)
    # Selected already, so that no notification comes; picked here all the same.
    assert command(pinned, "select", {"sample": 5}) is None
    assert shown(pinned).sample == 5
    assert command(pinned, "select", {"unit": 1}) is None
    assert (small.selection.layer, small.selection.unit, shown(pinned).layer) == ("0", 1, "0")
    assert command(pinned, "step_sample", {"by": -6}) is None
    assert shown(pinned).sample == 29
    assert command(pinned, "step_layer", {"by": 1}) is None
    assert shown(pinned).layer == "1"
    assert small.selection.layer == "1"


def test_stepping_goes_round_the_samples_and_stops_at_the_last_layer(small: nnw.Inspector) -> None:
    view = small.activations()
    small.selection.update(sample=29, layer="3")
    assert command(view, "step_sample", {"by": 1}) is None
    assert command(view, "step_layer", {"by": 5}) is None
    assert (shown(view).sample, shown(view).layer) == (0, "4")


def test_options_change_what_is_asked(small: nnw.Inspector) -> None:
    embedding, occlusion = small.embedding(points=20), small.occlusion(patch=4, stride=2, sample=1)
    assert (shown(embedding).embedding.method, shown(occlusion).map.patch) == ("tsne", (4, 4))
    assert command(embedding, "option", {"name": "method", "value": "pca"}) is None
    assert command(embedding, "option", {"name": "dims", "value": 3}) is None
    assert (shown(embedding).embedding.method, shown(embedding).embedding.positions.shape) == ("pca", (20, 3))
    assert frame(embedding)[1]["positions"].shape == (20, 3)
    assert command(occlusion, "option", {"name": "patch", "value": 2}) is None
    assert (shown(occlusion).map.patch, shown(occlusion).map.stride) == ((2, 2), (2, 2))
    assert command(occlusion, "option", {"name": "kind", "value": "logit"}) is None
    header, arrays = frame(occlusion)
    assert header["kind"] == "logit"
    np.testing.assert_allclose(arrays["p"], shown(occlusion).map.scores[0][..., header["target"]])
    assert command(occlusion, "option", {"name": "layer", "value": "1"}) is None
    assert shown(occlusion).layer == "1"
    assert command(occlusion, "option", {"name": "target", "value": 2}) is None
    assert frame(occlusion)[0]["target"] == small.selection.target == 2


def test_a_trait_set_in_python_is_an_option_too(small: nnw.Inspector) -> None:
    view = small.embedding(points=20)
    view.method = "pca"
    assert shown(view).embedding.method == "pca"


def test_the_card_of_a_point_says_label_prediction_and_loss(small: nnw.Inspector) -> None:
    view = small.embedding(points=20, layer="4")
    result = shown(view)
    index = int(result.indices[3])
    (reply,) = tell(view.panel, {"kind": "command", "request": 5, "name": "card", "value": {"index": index}})
    lines = dict(reply["header"]["lines"])
    model, (inputs, labels) = _model_and_data("grey pictures")
    model.eval()
    with torch.no_grad():
        scores = model(inputs[index : index + 1])[0]
    assert lines["label"] == ["cat", "dog", "fox"][int(labels[index])]
    assert lines["predicted"].startswith(["cat", "dog", "fox"][int(scores.argmax())])
    assert float(lines["loss"]) == pytest.approx(
        float(functional.cross_entropy(scores[None], labels[index : index + 1])), abs=1e-4
    )
    assert [each["name"] for each in reply["arrays"]] == ["picture"]


# Nonsense.

HUGE, NAN = 10**40, float("nan")
NONSENSE: list[Any] = [None, "x", 1.5, NAN, HUGE, -1, True, [], [1], {}, {"a": 1}, "2"]
COMMANDS: list[tuple[object, Any]] = [
    *[("select", {"sample": value}) for value in NONSENSE],
    *[("select", {"layer": value}) for value in NONSENSE if value != "2"],
    *[("select", {"unit": value}) for value in NONSENSE if value is not None],
    *[("select", {"target": value}) for value in NONSENSE if value is not None],
    *[("select", {"selected": value}) for value in (None, "x", 1.5, HUGE, -1, [NAN], [HUGE], ["1"], [True], [[1]])],
    *[("select", value) for value in list[Any]((None, 3, "x", [1], {"colour": 1}, {"sample": 1, "layer": "nope"}))],
    *[("option", {"name": name, "value": 3}) for name in list[Any](("nope", None, 7, [], {}, "__class__", "result"))],
    *[("option", value) for value in list[Any]((None, 3, [], {"nme": 1}, {}))],
    *[("step_sample", {"by": value}) for value in list[Any]((None, "x", 1.5, NAN, True, []))],
    *[("step_layer", value) for value in list[Any]((None, 1, {"by": "1"}, {"to": 1}))],
    *[(name, None) for name in list[Any](("nope", "", None, 3, [], {}, True, "__init__", "close"))],
]


def everything(inspector: nnw.Inspector, view: View) -> tuple[Any, ...]:
    chosen = inspector.selection
    return (
        *(getattr(chosen, name) for name in ("layer", "unit", "sample", "target", "selected")),
        view.ask(),
        {name: getattr(view, name) for name in view.controls},
        view.result,
    )


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("pinned", [False, True])
def test_nonsense_is_answered_with_words_and_changes_nothing(small: nnw.Inspector, which: int, pinned: bool) -> None:
    pins: dict[str, Any] = {"layer": "1", "sample": 2} if pinned else {}
    make: list[Callable[[], View]] = [
        lambda: small.activations(**pins),
        lambda: small.filters(layer=pins.get("layer")),
        lambda: small.embedding(points=20, layer=pins.get("layer")),
        lambda: small.occlusion(patch=4, stride=4, target=1 if pinned else None, **pins),
    ]
    view = make[which]()
    shown(view)
    before = everything(small, view)
    wrong: list[Any] = [HUGE, NAN, [], {}, "zz"]
    own: list[tuple[str, Any]] = [
        ("option", {"name": name, "value": value}) for name in view.controls for value in wrong
    ]
    own += [
        ("page", value) for value in list[Any]((None, 1, {"page": "1"}, {"page": True}, {"page": [1]}, {"page": NAN}))
    ]
    own += [
        ("card", value)
        for value in list[Any]((None, {}, {"index": "1"}, {"index": HUGE}, {"index": [1]}, {"index": True}))
    ]
    own += [("option", {"name": "target", "value": value}) for value in list[Any]((NAN, "x", -1, HUGE, 3, [], True))]
    for name, value in [*COMMANDS, *own]:
        error = command(view, name, value)
        assert error, f"{name} {value!r} was taken"
        assert everything(small, view) == before, f"{name} {value!r} changed something"


@pytest.mark.parametrize(
    "message",
    [
        None,
        3,
        "x",
        [],
        {},
        {"kind": None},
        {"kind": []},
        {"kind": "nope"},
        {"kind": "frame"},
        {"kind": "ack"},
        {"kind": "ack", "seq": "1"},
        {"kind": "ack", "seq": HUGE},
        {"kind": "ack", "seq": [1]},
        {"kind": "visible", "visible": []},
        {"kind": "hello", "width": "wide"},
        {"kind": "command"},
        {"kind": "command", "request": [], "name": {}, "value": NAN},
        {"kind": "ping", "request": {}},
    ],
)
def test_a_malformed_message_harms_nothing(small: nnw.Inspector, message: object) -> None:
    view = small.activations()
    result = shown(view)
    replies = tell(view.panel, message)
    if isinstance(message, dict) and message.get("kind") == "command":
        assert [bool(reply.get("error")) for reply in replies] == [True]
    assert view.failure is None
    assert view.result is result or shown(view).sample == result.sample
    assert command(view, "select", {"sample": 11}) is None
    assert shown(view).sample == 11


def test_the_page_hears_what_was_wrong_in_plain_words(small: nnw.Inspector) -> None:
    view = small.activations()
    assert command(view, "select", {"layer": "9"}) == (
        "layer: expected one of the inspector's layers, got '9'; nearest: 0, 1, 2"
    )
    assert command(view, "select", {"unit": 4}) == "unit: expected a whole number from 0 to 3, got 4"
    assert command(view, "select", {"sample": 30}) == "sample: expected a whole number from 0 to 29, got 30"
    assert command(view, "option", {"name": "sort_by", "value": "size"}) == (
        "sort_by: expected one of ['unit', 'mean', 'max', 'dead'], got 'size'"
    )
    assert command(view, "option", {"name": "colour", "value": 1}) == "option: no 'colour' in the activations view"
    assert command(view, "explode") == "command: no 'explode' in the activations view"


def test_a_failure_of_our_own_in_a_command_is_said_and_the_view_lives_on(
    small: nnw.Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = small.activations()
    shown(view)
    with monkeypatch.context() as patch:
        patch.setattr(ActivationsView, "select", lambda self, **_: 1 / 0)
        assert command(view, "select", {"sample": 1}) == "ZeroDivisionError: division by zero"
    assert command(view, "select", {"sample": 1}) is None
    assert shown(view).sample == 1
