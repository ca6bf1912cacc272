"""Views of layers whose samples and channels are on other axes, that see other samples, or none at all."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from nnwidgets.display.overview import layers_header
from nnwidgets.measures.record import ProbeResult
from tests.analysis.test_axes import Blind, Experts, TimesFirst, Tokens, hooked
from tests.views.reading import caption_of
from tests.waiting import answered, inspecting, shown

LABELS = torch.arange(24) % 2


def probed(inspector: nnw.Inspector) -> ProbeResult:
    latest = inspector._session.record.latest
    assert latest is not None
    return latest


def failure(view: nnw.View) -> str:
    assert view.failure is not None
    return view.failure[0]


def test_an_lstm_in_its_default_layout_is_shown_by_sample() -> None:
    torch.manual_seed(0)
    model, x = TimesFirst(), torch.randn(24, 9, 3)
    own = hooked(model, x)["lstm"]
    with inspecting(model, (x, LABELS), probe=16) as inspector:
        result = shown(inspector.activations(layer="lstm", sample=3))
        assert result.layout == "sequence"
        torch.testing.assert_close(result.values, own[:, 3].T)
        embedding = shown(inspector.embedding(layer="lstm", method="pca", points=24))
        expected = nnw.analysis.pca(own.permute(1, 2, 0)[embedding.indices]).positions
        torch.testing.assert_close(embedding.embedding.positions.abs(), expected.abs(), rtol=1e-3, atol=1e-4)
        stats = probed(inspector).stats["lstm"]
        probe = list(inspector._session.samples.probe_indices)
        torch.testing.assert_close(stats.mean, own[:, probe].mean((0, 1)))
        assert stats.samples == 16


class Padded(nn.Module):
    """An encoder that turns to nested tensors in eval mode, since some positions are padding."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.embed, self.encoder, self.head = nn.Embedding(20, 8), nn.TransformerEncoder(layer, 2), nn.Linear(8, 2)

    def forward(self, ids: Tensor) -> Tensor:
        padding = ids == 0
        states = self.encoder(self.embed(ids), src_key_padding_mask=padding)
        kept = (~padding).float()[..., None]
        return self.head((states * kept).sum(1) / kept.sum(1))  # type: ignore[no-any-return]


def test_a_padded_transformer_runs_the_same_way_whichever_layer_is_looked_at() -> None:
    torch.manual_seed(0)
    model, ids = Padded(), torch.randint(1, 20, (24, 9))
    for row in range(24):
        ids[row, 9 - row % 4 :] = 0
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        own = hooked(model, ids)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    with inspecting(model, (ids, LABELS), probe=16) as inspector:
        assert any("layer by layer" in note for note in inspector.notes)
        assert set(probed(inspector).stats) == set(inspector.layers)
        for layer in inspector.layers:
            result = shown(inspector.activations(layer=layer, sample=2))
            torch.testing.assert_close(result.values, own[layer][2].T if own[layer].ndim == 3 else own[layer][2])
            assert result.scores is not None
            torch.testing.assert_close(result.scores, own["head"][2])
    assert torch.backends.mha.get_fastpath_enabled()


def test_an_expert_without_samples_leaves_the_others_their_statistics() -> None:
    torch.manual_seed(0)
    model, x = Experts(), torch.randn(24, 4)
    x[:20, 0] = x[:20, 0].abs()
    x[20:, 0] = -1
    with inspecting(model, (x, LABELS), probe=range(24)) as inspector:
        session = inspector._session
        own = hooked(model, x)
        stats = probed(inspector).stats
        for layer in ("experts.0.1", "experts.1.1"):
            torch.testing.assert_close(stats[layer].mean, own[layer].mean(0))
            assert torch.equal(stats[layer].dead, (own[layer] == 0).all(0))
        rows = {row["name"]: row for row in layers_header(session)["rows"]}
        assert rows["experts.2.0"]["note"] == "not called on these samples (0 of 24)"
        torch.testing.assert_close(
            shown(inspector.activations(layer="experts.1.1", sample=22)).values[:, 0], own["experts.1.1"][2]
        )
        unreached = inspector.activations(layer="experts.1.1", sample=0)
        answered(unreached)
        assert "not called for sample 0" in failure(unreached)


def test_a_layer_that_is_the_same_for_all_samples_is_not_mapped() -> None:
    model, x = Tokens(), torch.randn(24, 3, 8, 8)
    with inspecting(model, (x, LABELS), probe=16) as inspector:
        view = inspector.activations(layer="positions")
        torch.testing.assert_close(shown(view).values[:, 0], model.positions.weight.T)
        assert "the same for all samples" in caption_of(view)
        assert probed(inspector).stats["positions"].samples == 1
        embedding = inspector.embedding(layer="positions", method="pca")
        answered(embedding)
        assert "gives the same values for all samples" in failure(embedding)


def test_axes_can_be_given_and_are_checked() -> None:
    model, x = nn.Sequential(Blind(), nn.LazyLinear(2)), torch.randn(24, 5, 4)
    model(x)
    with inspecting(model, (x, LABELS), probe=16) as inspector:
        view = inspector.activations(layer="0.mix")
        answered(view)
        assert "axes=" in failure(view)
        assert set(probed(inspector).problems) == {"0.mix"}
    with inspecting(model, (x, LABELS), probe=16, axes={"0.mix": "n c t"}) as inspector:
        torch.testing.assert_close(shown(inspector.activations(layer="0.mix", sample=1)).values, 2 * x[1])
    for axes, kind, said in (
        ({"mixed": "nct"}, KeyError, "nearest: 0.mix"),
        ({"0.mix": "nc"}, ValueError, "a letter for each axis of layer '0.mix'"),
        ("nct", TypeError, "axes: expected a dict such as"),
    ):
        with pytest.raises(kind, match=said):
            nnw.Inspector(model, (x, LABELS), axes=axes)  # type: ignore[arg-type]
