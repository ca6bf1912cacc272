"""The record over the training: what the probe says at each step, bounded, and laid out as soon as it grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import nnwidgets as nnw
from nnwidgets import analysis, blocks, measures
from nnwidgets.measures.record import KERNELS_KEPT, STATISTICS_KEPT, ProbeResult, Record
from tests.nets import NETS, Training
from tests.waiting import answered, eventually, inspecting, shown


class Steps(nnw.View):
    """How many steps are kept."""

    name, title = "steps", "Steps"
    computed = 0

    def needs(self) -> Any:
        return measures.Weights("0"), measures.LayerStatistics()

    def compute(self, weights: Any, record: Record) -> Any:
        self.computed += 1
        return weights.step, list(record.probe.steps)

    def layout(self, result: Any) -> Sequence[Any]:
        return [blocks.Text(f"{len(result[1])} steps")]


@pytest.fixture(name="training")
def training_() -> Training:
    return Training(NETS["cnn"])


@pytest.fixture(name="inspector")
def inspector_(training: Training) -> Iterator[nnw.Inspector]:
    loss_fn = functional.cross_entropy
    data = (training.net.inputs, training.net.labels)
    with inspecting(training.model, data, probe=[3, 50, 7, 20, 90], loss_fn=loss_fn) as inspector:
        yield inspector


def test_the_probe_says_what_a_plain_forward_pass_does(inspector: nnw.Inspector, training: Training) -> None:
    latest = inspector._session.record.latest
    assert latest is not None
    rows = [3, 50, 7, 20, 90]
    inputs, labels = training.net.inputs[rows], training.net.labels[rows]
    training.model.eval()
    with torch.no_grad():
        scores: Tensor = training.model(inputs)
        assert latest.loss == pytest.approx(float(functional.cross_entropy(scores, labels)), rel=1e-5)
    assert latest.correct == pytest.approx(float((scores.argmax(1) == labels).double().mean()))
    assert (latest.samples, list(latest.stats)) == (5, list(inspector.layers))
    for layer, values in analysis.capture(training.model, inputs).items():
        expected = analysis.activation_stats(values)
        for name in ("mean", "std", "zero_share"):
            torch.testing.assert_close(getattr(latest.stats[layer], name), getattr(expected, name))
    assert list(latest.filters) == ["0", "4"]
    weight = training.model.get_submodule("0").weight
    assert isinstance(weight, Tensor)
    torch.testing.assert_close(latest.filters["0"].norm, weight.detach().flatten(1).norm(dim=1))


def test_without_labels_there_is_no_loss_and_no_share_of_right_ones(training: Training) -> None:
    with inspecting(training.model, training.net.inputs, probe=4) as inspector:
        latest = inspector._session.record.latest
        assert latest is not None
        assert (latest.loss, latest.correct) == (None, None)


def test_a_view_gets_the_same_values_again_with_what_is_known_besides(
    inspector: nnw.Inspector, training: Training
) -> None:
    view = inspector.view(Steps)
    view.shown = True
    shown(view)
    session, before = inspector._session, view.computed
    with inspector.watch(training.optimizer):
        training.step()
        view.refresh()
        assert shown(view)[0] == 1
        kept = view.job.kept.newest
        session.worker.request(session.probe)
        eventually(lambda: training.step() is not None and shown(view)[1][-1] > 0, "a grown record")
    assert view.computed > before
    assert kept is not None
    assert len(answered(view).result[1]) >= 2


def result_at(step: int, channels: int = 4) -> ProbeResult:
    zeros = torch.zeros(channels)
    stats = analysis.activation_stats(zeros[None])
    return ProbeResult(step, {"layer": stats}, {}, 8, loss=float(step))


def test_the_record_is_bounded_in_number_and_keeps_first_and_last() -> None:
    record = Record(max_bytes=10**9)
    for step in range(3 * STATISTICS_KEPT):
        record.add(result_at(step), {"0": torch.zeros(2)})
    assert len(record.probe) <= STATISTICS_KEPT
    assert len(record.kernels) <= KERNELS_KEPT
    for history in (record.probe, record.kernels, record.probe_loss):
        assert (history.steps[0], history.steps[-1]) == (0, 3 * STATISTICS_KEPT - 1)
    assert record.latest is record.probe.items[-1]
    assert record.last_step == 3 * STATISTICS_KEPT - 1


def test_the_record_is_bounded_in_bytes() -> None:
    record = Record(max_bytes=20_000)
    for step in range(200):
        record.add(result_at(step, channels=16), {"0": torch.zeros(500)})
        assert record.nbytes <= 20_000
    assert len(record.probe) >= 5
    assert len(record.kernels) >= 3


def test_an_empty_record_has_no_latest() -> None:
    record = Record(max_bytes=100)
    assert (record.latest, record.last_step, record.nbytes) == (None, None, 0)
