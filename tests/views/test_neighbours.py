"""The list of the samples nearest to one in a layer's own space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import nnwidgets as nnw
from nnwidgets.analysis import capture
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.waiting import answered, inspecting, shown


def listed(view: EmbeddingView) -> tuple[dict[str, Any], dict[str, Any]]:
    made = view._neighbours_frame()
    assert made is not None
    return made.header, dict(made.arrays)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_list_is_what_all_distances_in_float64_say(method: str) -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    model = net.build()
    with inspecting(model, (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        layer = inspector.layers[-1]
        view: EmbeddingView = inspector.embedding(layer=layer, method=method, points=40)
        result = shown(view)
        indices = result.indices.tolist()
        inspector.selection.update(sample=indices[11])
        header, arrays = listed(view)
        x = capture(model, net.inputs[indices], layers=[layer])[layer].double().flatten(1)
        distances = torch.cdist(x, x)[11]
        distances[11] = torch.inf
        nearest = distances.argsort()[:10]
        assert header["heading"] == f"Nearest in {layer}"
        assert [entry["index"] for entry in header["near"]] == [indices[row] for row in nearest]
        assert [entry["distance"] for entry in header["near"]] == pytest.approx(distances[nearest].tolist(), rel=1e-4)
        picture = inspector._session.samples.picture(header["near"][3]["index"])
        assert picture is not None
        assert np.array_equal(arrays["near"][3], picture)
        positions = result.embedding.positions.double()
        apart = torch.cdist(positions, positions)[11]
        apart[11] = torch.inf
        both = set(nearest.tolist()) & set(apart.argsort()[:10].tolist())
        assert header["note"].endswith(f"Euclidean distance · {len(both)} of 10 also nearest on the map")


def lonely(inspector: nnw.Inspector) -> EmbeddingView:
    view: EmbeddingView = inspector.embedding(method="pca", points=20)
    answered(view)
    return view


def test_a_sample_beside_the_map_and_a_map_without_neighbours_have_words_for_it() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:40], net.labels[:40]), probe=8) as inspector:
        view = lonely(inspector)
        indices = shown(view).indices.tolist()
        inspector.selection.update(sample=next(index for index in range(40) if index not in indices))
        header, arrays = listed(view)
        assert (header["near"], arrays) == ([], {})
        assert header["note"] == f"Sample {inspector.selection.sample} is not on this map"
        inspector.selection.update(sample=indices[0])
        assert len(listed(view)[0]["near"]) == 10
        result = view.result
        view.show(replace(result, embedding=replace(result.embedding, neighbours=None, distances=None)))
        assert listed(view)[0]["note"] == "They come with the next map"
