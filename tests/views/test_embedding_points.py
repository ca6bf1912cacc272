"""Which samples an embedding shows, and in which slices they are read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nnwidgets.analysis.embedding import MOST
from nnwidgets.views import _reading, embedding
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.views.reading import in_picture, plain
from tests.waiting import command, frame, inspecting, shown

LIMIT = 18
N = 96


def test_a_tsne_in_three_dimensions_shows_a_fixed_part_of_many_points_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MOST[3] == 20_000
    monkeypatch.setitem(MOST, 3, LIMIT)
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:N], net.labels[:N]), probe=8) as inspector:
        view: EmbeddingView = inspector.embedding(points=40, dims=3, metadata={"place": torch.arange(N)})
        said = f"sampled {LIMIT} of {N} samples ≈, the most of a t-SNE in three dimensions · t-SNE"
        first = shown(view)
        assert first.embedding.positions.shape == (LIMIT, 3)
        assert said in plain(" · ".join(text for text, _ in frame(view)[0]["caption"]))
        assert said in in_picture(view)
        indices = first.indices.tolist()
        assert set(indices) < set(view._points.ids)
        assert first.labels.tolist() == net.labels[indices].tolist()
        view.color = "place"
        color, _ = view.looks_of(first)
        assert color is not None
        assert color.values.tolist() == indices  # type: ignore[union-attr]
        assert command(view, "refresh") is None
        assert shown(view).indices.tolist() == indices, "always the same ones"
        # PCA has no such limit, nor has a flat t-SNE.
        for options in ({"method": "pca"}, {"method": "tsne", "dims": 2}):
            for name, value in options.items():
                assert command(view, "option", {"name": name, "value": value}) is None
            assert shown(view).indices.tolist() == list(view._points.ids)
            assert f"sampled 40 of {N} samples ≈ · " in plain(view.caption_text(view.result))
        assert inspector.embedding(points=40, dims=3)._fewer.ids == tuple(indices)


@pytest.mark.parametrize(
    ("seconds_a_row", "slices"),
    [(1e-4, [32, 64]), (1e-3, [32, 32, 32]), (2e-3, [32, 16, 16, 16, 16])],
    ids=["quick", "as it should be", "slow"],
)
def test_samples_are_read_in_slices_of_the_length_that_the_one_before_took(
    monkeypatch: pytest.MonkeyPatch, seconds_a_row: float, slices: list[int]
) -> None:
    read: list[tuple[int, int]] = []
    clock = [0.0]

    def timed(session: Any, snapshot: Any, layer: str, indices: Any, start: int, rows: int) -> _reading.Read:
        made = _reading.read_rows(session, snapshot, layer, indices, start, rows)
        read.append((start, len(made.features)))
        clock[0] += rows * seconds_a_row
        return made

    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:N], net.labels[:N]), probe=8) as inspector:
        whole = shown(inspector.embedding(points=N, method="pca"))
        monkeypatch.setattr(embedding, "read_rows", timed)
        monkeypatch.setattr(embedding, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
        sliced = shown(inspector.embedding(points=N, method="pca"))
        assert [rows for _, rows in read] == slices
        assert [start for start, _ in read] == [sum(slices[:at]) for at in range(len(slices))]
        torch.testing.assert_close(sliced.embedding.positions, whole.embedding.positions)
        assert torch.equal(sliced.predicted, whole.predicted)
