"""What views compute is what a plain forward pass says, for every kind of input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nnwidgets import analysis
from tests.views.kinds import CASES, inputs_of, score
from tests.views.reading import odd_parts
from tests.waiting import answered, frame, inspecting, page, shown


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
            grid = page(view)["grid"]
            assert grid["layout"] == layout
            drawn = grid["values"]
            assert drawn.shape[-2:] == expected.shape[-2:] if layout != "strips" else drawn.shape[-1] == len(expected)
            near = drawn[0] if layout == "strips" else drawn
            np.testing.assert_allclose(near, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
            assert ("picture" in grid) == case.pictures
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
            assert len(page(view)["grid"]["values"]) == len(result.weight)
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
        points = page(view)["embedding"]
        assert points["positions"].shape == (20, 2)
        assert points["positions"].dtype == np.int16
        assert points["samples"].tolist() == result.indices.tolist()
        assert points["predicted"].tolist() == result.predicted.tolist()
        labels = case.data[-1] if isinstance(case.data, tuple) and case.data[-1].ndim == 1 else None
        if labels is None:
            assert set(points["labels"].tolist()) == {-1}
            assert not [part for part in odd_parts(view) if "wrong" in part]
        else:
            assert points["labels"].tolist() == labels[result.indices].tolist()
            wrong = int((result.predicted != labels[result.indices]).sum())
            said = f"{wrong} wrong, ringed" if wrong < 3 else f"{wrong} of 20 wrong: too many to ring"
            assert odd_parts(view) == ([said] if wrong else [])
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
        heat = page(view)["heat"]
        assert [panel["shows_classes"] for panel in heat["panels"]] == [False, False, True]
        assert (heat["cells"].shape, heat["classes"].shape) == ((3, 1 + 3 * 3), (1, 1 + 3 * 3))
        assert heat["values"].shape == heat["picture"].shape[:2] == (8, 8)
        assert heat["squares"] == {"rows": [0, 2, 4], "cols": [0, 2, 4], "size": [4, 4]}
        own = heat["cells"][0, 1:].reshape(3, 3)
        assert own[row, col] == pytest.approx(float(expected.softmax(0)[view.target]), rel=1e-4, abs=1e-5)
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
def test_without_pictures_occlusion_covers_single_values_or_says_why_not(name: str) -> None:
    case = CASES[name]
    with inspecting(case.model, case.data, probe=8) as inspector:
        view: Any = inspector.occlusion(sample=2)
        answered(view)
        header, arrays = frame(view)
        first, *others = inputs_of(case, 2)
        if view.blocked():
            assert first.ndim != 2 or inspector._session.classes is None
            assert (header["state"]["kind"], header["state"]["text"]) == ("empty", view.blocked())
            assert (view.result, view.failure, arrays, header["options"]) == (None, None, {}, [])
            return
        covered = first.clone()
        covered[:, 1] = view._fill() if not isinstance(view._fill(), torch.Tensor) else view._fill()[1]
        case.model.eval()
        with torch.no_grad():
            expected = score(case, case.model(covered, *others))[0]
        torch.testing.assert_close(view.result.covered.scores[0, 1], expected.float(), rtol=1e-4, atol=1e-5)
        view.figure()
