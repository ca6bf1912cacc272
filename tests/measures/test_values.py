"""What each measure reads is what a plain loop over the user's own model computes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from nnwidgets import measures
from nnwidgets.measures.measure import Measure, Progress
from tests.nets import NETS, Training
from tests.waiting import inspecting

N = 60


def read(inspector: nnw.Inspector, measure: Measure) -> Any:
    """What a view that needs it would get of the model as it is now."""
    session = inspector._session
    session.worker.refill()
    snapshot = session.worker.buffer.snapshot
    assert snapshot is not None
    reading = session.measures.read(measure, snapshot)
    while True:
        try:
            progress = next(reading)
        except StopIteration as end:
            return end.value
        assert progress is None or isinstance(progress, Progress)


@pytest.fixture(name="net")
def net_() -> nn.Module:
    torch.manual_seed(0)
    return NETS["residual"].build().train()


@pytest.fixture(name="inspector")
def inspector_(net: nn.Module) -> Iterator[nnw.Inspector]:
    data = (NETS["residual"].inputs[:N], NETS["residual"].labels[:N])
    with inspecting(net, data, probe=8, class_names=["cat", "dog", "fox"]) as inspector:
        yield inspector


def plain(net: nn.Module, layer: str, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The layer's first output and the scores, sample by sample, by a hook of the test's own in eval mode."""
    seen: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(lambda _module, _args, out: seen.append(out.clone()))
    mode = net.training
    net.eval()
    with torch.no_grad():
        scores = torch.cat([net(each[None]) for each in inputs])
    net.train(mode)
    handle.remove()
    return torch.cat(seen), scores


def test_activations_are_one_samples_own(inspector: nnw.Inspector, net: nn.Module) -> None:
    result = read(inspector, measures.Activations("norm", 17))
    values, scores = plain(net, "norm", NETS["residual"].inputs[17:18])
    torch.testing.assert_close(result.values, values[0])
    torch.testing.assert_close(result.scores, scores[0])
    label = ["cat", "dog", "fox"][int(NETS["residual"].labels[17])]
    assert (result.layer, result.sample, result.label, result.layout, result.step) == ("norm", 17, label, "maps", None)


def test_weights_are_a_copy_with_their_statistics(inspector: nnw.Inspector, net: nn.Module) -> None:
    result = read(inspector, measures.Weights("stem"))
    own: Any = net.get_submodule("stem").weight
    before = own.detach().clone()
    with torch.no_grad():
        own.add_(1.0)
    read(inspector, measures.Weights("stem"))
    torch.testing.assert_close(result.weight, before, rtol=0, atol=0)
    torch.testing.assert_close(result.stats.norm, before.flatten(1).norm(dim=1))
    torch.testing.assert_close(result.stats.smoothness, nnw.analysis.filter_smoothness(before), equal_nan=True)
    with pytest.raises(ValueError, match="layer: expected one with weights, got relu, which has none"):
        read(inspector, measures.Weights("relu"))


@pytest.mark.parametrize("indices", [(5,), tuple(range(N)), (9, 3, 40)])
def test_features_are_rows_of_the_layer_in_the_order_asked_for(
    inspector: nnw.Inspector, net: nn.Module, indices: tuple[int, ...]
) -> None:
    result = read(inspector, measures.Features("stem", indices))
    values, scores = plain(net, "stem", NETS["residual"].inputs[list(indices)])
    assert (result.indices, result.note) == (indices, "")
    torch.testing.assert_close(result.features, values.flatten(1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(result.scores, scores, rtol=1e-4, atol=1e-5)
    assert result.labels.tolist() == NETS["residual"].labels[list(indices)].tolist()


def test_features_of_large_maps_are_averaged_and_say_so() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Flatten(), nn.Linear(4 * 64 * 64, 2))
    inputs = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with inspecting(model, inputs, probe=3) as inspector:
        result = read(inspector, measures.Features("0", (2, 0)))
        assert result.note == "maps of 64×64 averaged to 32×32"
        values, _ = plain(model, "0", inputs[[2, 0]])
        pooled = values.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
        torch.testing.assert_close(result.features, pooled.flatten(1))
        assert set(result.labels.tolist()) == {-1}


def softmax(row: list[float]) -> list[float]:
    parts = [math.exp(value - max(row)) for value in row]
    return [part / sum(parts) for part in parts]


@pytest.mark.parametrize("labels", ["as they are", "too large", "ignored", "none"])
def test_predictions_are_those_of_a_loop_in_python(net: nn.Module, labels: str) -> None:
    inputs, own = NETS["residual"].inputs[:N], NETS["residual"].labels[:N].clone()
    if labels == "too large":
        own[::3] = 7
    if labels == "ignored":
        own[::3] = -100
    data = inputs if labels == "none" else (inputs, own)
    with inspecting(net, data, probe=8, task="classes") as inspector:
        result = read(inspector, measures.Predictions(40))
        assert result.indices.tolist() == list(inspector._session.samples.chosen(40))
        assert (len(result.indices), result.total, result.step) == (40, N, None)
        _, scores = plain(net, "head", inputs[result.indices])
        torch.testing.assert_close(result.scores, scores, rtol=1e-4, atol=1e-5)
        for at, row in enumerate(result.scores.double().tolist()):
            shares = softmax(row)
            label = -1 if labels == "none" else int(own[result.indices[at]])
            label = label if 0 <= label < 3 else -1
            best = max(range(3), key=lambda each: shares[each])
            assert (int(result.labels[at]), int(result.predicted[at])) == (label, best)
            assert float(result.confidence[at]) == pytest.approx(shares[best], rel=1e-5)
            assert result.probabilities[at].tolist() == pytest.approx(shares, rel=1e-5)
            entropy = -sum(share * math.log(share) for share in shares)
            assert float(result.entropy[at]) == pytest.approx(entropy, rel=1e-4, abs=1e-6)
            if label < 0:
                assert math.isnan(float(result.loss[at]))
            else:
                assert float(result.loss[at]) == pytest.approx(-math.log(shares[label]), rel=1e-4, abs=1e-6)


def test_entropy_runs_from_nothing_to_that_of_all_classes_alike() -> None:
    scores = torch.tensor([[1_000.0, 0.0, -1_000.0], [2.0, 2.0, 2.0], [torch.nan, 0.0, 0.0]])
    none = torch.full((3,), -1)
    result = measures.PredictionsRead(None, torch.arange(3), 3, none, scores, none, none.float(), none.float())
    assert result.entropy[:2].tolist() == pytest.approx([0.0, math.log(3)])
    assert bool(result.entropy[2].isnan())


def test_the_subset_is_the_same_for_the_same_seed_and_more_is_all_there_are(inspector: nnw.Inspector) -> None:
    first, again = (measures.Predictions(30).indices(inspector._session) for _ in range(2))
    assert list(first) == list(again)
    assert len(set(first)) == 30
    assert sorted(measures.Predictions(10**6).indices(inspector._session)) == list(range(N))


def test_predictions_without_classes_say_what_is_missing() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3))
    with (
        inspecting(model, torch.rand(4, 1, 8, 8), probe=2) as inspector,
        pytest.raises(ValueError, match="expected a model that gives each sample one class, got outputs"),
    ):
        read(inspector, measures.Predictions(4))


def test_the_model_itself_is_the_private_copy_in_eval_mode(inspector: nnw.Inspector, net: nn.Module) -> None:
    result = read(inspector, measures.Model((4, 2)))
    assert result.module is inspector._session.shadow.module is not net
    assert not any(module.training for module in result.module.modules())
    assert net.training
    (images,) = result.batch.args
    torch.testing.assert_close(images, NETS["residual"].inputs[[4, 2]], rtol=0, atol=0)
    assert read(inspector, measures.Model()).batch is None


def test_the_step_is_that_of_the_weights(training: Training) -> None:
    data = (training.net.inputs, training.net.labels)
    with inspecting(training.model, data, probe=8) as inspector:
        with inspector.watch(training.optimizer):
            for _ in range(3):
                training.step()
        for measure in (measures.Activations("0", 1), measures.Weights("0"), measures.Predictions(5)):
            assert read(inspector, measure).step == 3


@pytest.fixture(name="training")
def training_() -> Training:
    return Training(NETS["cnn"])


@pytest.mark.parametrize(
    ("measure", "wanted"),
    [
        (measures.Activations("norm", 7), [7]),
        (measures.Features("norm", (3, 1)), [3, 1]),
        (measures.Model((8,)), [8]),
        (measures.Weights("stem"), []),
        (measures.LayerStatistics(), []),
    ],
)
def test_a_measure_names_the_samples_it_reads(inspector: nnw.Inspector, measure: Measure, wanted: list[int]) -> None:
    assert list(measure.indices(inspector._session)) == wanted


def test_equal_measures_are_one_value() -> None:
    assert measures.Features("a", (1, 2)) == measures.Features("a", (1, 2))
    assert len({measures.Activations("a", 1), measures.Activations("a", 1), measures.Activations("a", 2)}) == 2
    different: list[Measure] = [measures.Weights("a"), measures.Activations("a", 0), measures.Features("a", (0,))]
    assert len(set(different)) == 3
