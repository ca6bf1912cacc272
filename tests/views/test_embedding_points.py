"""Which samples an embedding shows, and that making one costs nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nnwidgets.analysis.embedding import MOST
from nnwidgets.blocks.points import Points
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.views.reading import in_picture, plain
from tests.waiting import answered, command, inspecting, shown

LIMIT = 18
N = 96


def points_of(view: EmbeddingView) -> Points:
    """The points on show."""
    block = view.layout(view.displayed)[0]
    assert isinstance(block, Points)
    return block


def caption_of(view: EmbeddingView) -> str:
    return plain(" · ".join(view.caption(view.displayed)))


def test_a_tsne_in_three_dimensions_shows_a_fixed_part_of_many_points_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MOST[3] == 20_000
    monkeypatch.setitem(MOST, 3, LIMIT)
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:N], net.labels[:N]), probe=8) as inspector:
        chosen = inspector._session.samples.chosen(40)
        view = inspector.embedding(points=40, dims=3, metadata={"place": torch.arange(N)})
        said = f"sampled {LIMIT} of {N} samples ≈, the most of a t-SNE in three dimensions · t-SNE"
        first = shown(view)
        assert first.embedding.positions.shape == (LIMIT, 3)
        assert said in caption_of(view)
        assert said in in_picture(view)
        indices = first.indices.tolist()
        assert set(indices) < set(chosen)
        assert first.labels.tolist() == net.labels[indices].tolist()
        view.color = "place"
        colors: Any = points_of(view).colors
        assert colors.values.tolist() == indices
        assert (colors.low, colors.high) == (min(chosen), max(chosen)), "one scale, however many points are shown"
        assert command(view, "refresh") is None
        assert shown(view).indices.tolist() == indices, "always the same ones"
        # PCA has no such limit, nor has a flat t-SNE.
        for options in ({"method": "pca"}, {"method": "tsne", "dims": 2}):
            for name, value in options.items():
                assert command(view, "option", {"name": name, "value": value}) is None
            assert shown(view).indices.tolist() == list(chosen)
            assert f"sampled 40 of {N} samples ≈, about 14 per class · " in caption_of(view)
        assert shown(inspector.embedding(points=40, dims=3)).indices.tolist() == indices


class Counting:
    """A dataset of the user's, which notes what is read of it."""

    def __init__(self, inputs: torch.Tensor, labels: torch.Tensor) -> None:
        self.inputs, self.labels = inputs, labels
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        self.read.append(index)
        return self.inputs[index], int(self.labels[index])


def test_a_view_that_nobody_looks_at_reads_no_samples() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    data = Counting(net.inputs[:N], net.labels[:N])
    with inspecting(net.build(), data, probe=8) as inspector:
        data.read.clear()
        metadata = {"place": torch.arange(N)}
        view = EmbeddingView(inspector._session, standalone=False, points=N, metadata=metadata)
        answered(view)
        assert data.read == []
        view.close()


def test_samples_of_the_users_are_read_in_the_users_thread_and_those_that_fail_left_out() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]

    class Broken(Counting):
        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            if index == broken:
                raise OSError("no such file")
            return super().__getitem__(index)

    broken = -1
    data = Broken(net.inputs[:N], net.labels[:N])
    with inspecting(net.build(), data, probe=8) as inspector:
        chosen = inspector._session.samples.chosen(30)
        broken = next(index for index in chosen if index not in inspector._session.samples.probe_indices)
        view = inspector.embedding(points=30, method="pca", metadata={"place": torch.arange(N)})
        while view.result is None and view.failure is None:
            answered(view)
        assert set(shown(view).indices.tolist()) == set(chosen) - {broken}
        view.color = "place"
        colors: Any = points_of(view).colors
        assert colors.values.tolist() == view.result.indices.tolist()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "umap"}, "method: expected 'tsne' or 'pca', got 'umap'"),
        ({"dims": 4}, "dims: expected 2 or 3, got 4"),
        ({"points": 0}, "points: expected at least 1 sample, got 0"),
        ({"points": True}, "points: expected at least 1 sample, got True"),
        ({"points": 1.5}, "points: expected at least 1 sample, got 1.5"),
    ],
)
def test_options_that_cannot_be_are_refused_with_what_was_expected(options: dict[str, Any], words: str) -> None:
    net = NETS["cnn"]
    with (
        inspecting(net.build(), (net.inputs[:16], net.labels[:16]), probe=8) as inspector,
        pytest.raises(ValueError, match=words),
    ):
        inspector.embedding(**options)


def test_features_that_are_not_finite_fail_with_the_layer_and_what_to_do() -> None:
    torch.manual_seed(0)
    net = NETS["cnn"]
    inputs = net.inputs[:16].clone()
    inputs[3] = torch.nan
    with inspecting(net.build(), (inputs, net.labels[:16]), probe=8) as inspector:
        view = answered(inspector.embedding(method="pca"))
        assert view.failure is not None
        assert "expected finite values, got NaN or infinity for 1 of 16 samples" in view.failure[0]
