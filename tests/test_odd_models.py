"""Odd models, labels and files leave the rest working, and names are told as they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

import nnwidgets as nnw
from tests.nets import NETS, Training
from tests.views.every import Uncertainty
from tests.views.reading import caption_of, odd_parts
from tests.waiting import answered, command, eventually, frame, inspecting, page, shown

X, Y = NETS["cnn"].inputs[:40], NETS["cnn"].labels[:40]
HTML = '<img src=x onerror="alert(1)"> $\\alpha$'


def cnn() -> nn.Module:
    torch.manual_seed(0)
    return NETS["cnn"].build()


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean()


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(64, 4), Mean()),
        Mean(),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(0)),
    ],
    ids=["0-dim output", "a leaf with 0-dim output", "no batch axis"],
)
def test_outputs_without_a_class_axis_leave_the_rest_working(model: nn.Module) -> None:
    with inspecting(model, (X, Y), probe=8) as inspector:
        for layer in inspector.layers:
            view = inspector.activations(layer=layer)
            torch.testing.assert_close(
                shown(view).values.flatten(),
                nnw.analysis.capture(model, X[view.sample : view.sample + 1])[layer].flatten(),
            )
            frame(view)
        occlusion = inspector.occlusion()
        answered(occlusion)
        text = frame(occlusion)[0]["state"]["text"]
        assert text == "Occlusion needs class scores; give Inspector(score_fn=…)"
        with pytest.raises(ValueError, match="target: expected a model with class scores, got one without"):
            inspector.occlusion(target=0)
        inspector._session.worker.request(inspector._session.probe)
        answered(occlusion)
        assert inspector._session.probe.error == ""


class CountingLoss(nn.Module):
    """Counts its calls, and in training mode draws random numbers."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.drop = nn.Dropout(0.5)

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        self.calls = self.calls + 1
        return nn.functional.cross_entropy(self.drop(scores), labels)


def test_a_loss_module_is_copied_and_evaluated_over_the_probe() -> None:
    model, loss_fn, random = cnn(), CountingLoss(), torch.get_rng_state()
    with inspecting(model, (X, Y), probe=range(8), loss_fn=loss_fn) as inspector:
        told = inspector._session.record.probe_loss.items[-1]
        with torch.no_grad():
            expected = nn.functional.cross_entropy(model.eval()(X[:8]), Y[:8])
    assert told == pytest.approx(float(expected), rel=1e-5)
    assert (float(loss_fn.calls), loss_fn.training) == (0, True)
    assert torch.equal(torch.get_rng_state(), random)


def test_a_model_without_parameters_can_be_looked_at() -> None:
    with inspecting(nn.Sequential(nn.Flatten(), nn.ReLU()), (X, Y), probe=8) as inspector:
        assert inspector.layers == ("0", "1")
        assert shown(inspector.activations(layer="1")).values.shape == (64,)
        filters = inspector.filters()
        answered(filters)
        header, _ = frame(filters)
        assert (header["state"]["kind"], header["state"]["text"]) == ("empty", "This model has no layer with filters")
        assert filters.failure is None
        with inspector.watch() as watch:
            watch.step()
        assert watch.step_count == 1


@pytest.mark.parametrize("labels", [Y + 7, Y + 10**7, Y * 0 - 100], ids=["too large", "huge", "-100"])
def test_labels_that_are_no_class_of_the_model_are_no_target(labels: Tensor) -> None:
    with inspecting(cnn(), (X, labels), probe=8, task="classes") as inspector:
        occlusion, embedding = inspector.occlusion(patch=4, stride=4), inspector.embedding(points=20)
        result = shown(occlusion)
        assert occlusion.target == int(result.map.clean[0].argmax())
        assert set(shown(embedding).labels.tolist()) == {-1}
        assert set(page(embedding)["embedding"]["labels"].tolist()) == {-1}
        assert not [part for part in odd_parts(embedding) if "wrong" in part]
        losses = shown(inspector.view(Uncertainty, of="loss"))[2]
        assert bool(losses.isnan().all())


class Torn(Dataset[tuple[Tensor, int]]):
    """A dataset whose sample 30 can't be read."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 30:
            raise OSError(f"{HTML}/30.png: truncated")
        return X[index], int(Y[index])


def test_a_sample_that_cannot_be_read_is_told_in_the_view_and_the_next_one_works() -> None:
    with inspecting(cnn(), Torn(), probe=[1, 2, 3]) as inspector:
        view = inspector.activations()
        shown(view)
        assert command(view, "select", {"sample": 30}) is None
        answered(view)
        state = frame(view)[0]["state"]
        assert state["kind"] == "failed"
        assert state["error"] == f"SampleError: sample 30: reading it raised OSError: {HTML}/30.png: truncated"
        assert frame(view)[0]["caption"][0][0].startswith("Sample 1,")
        assert command(view, "select", {"sample": 31}) is None
        assert shown(view).sample == 31


def test_training_is_not_stopped_by_a_sample_that_cannot_be_read() -> None:
    training = Training(NETS["cnn"])
    with inspecting(training.model, Torn(), probe=[1, 2, 3]) as inspector:
        view = inspector.activations()
        shown(view)
        with inspector.watch(training.optimizer):
            command(view, "select", {"sample": 30})
            eventually(lambda: training.step() is not None and view.failure is not None, "the failure")
            training.step()
        assert "truncated" in str(view.failure)


def test_names_of_files_and_classes_are_told_as_they_are() -> None:
    with inspecting(cnn(), (X, Y), probe=8, class_names=[HTML, "b", "c"]) as inspector:
        view = inspector.occlusion(patch=4, stride=4, target=0)
        shown(view)
        assert HTML in page(view)["heat"]["title"]
        assert (0, HTML) in [tuple(each) for each in frame(view)[0]["options"][0]["choices"]]
        assert HTML in caption_of(view)


def test_an_error_without_words_is_told_by_its_name() -> None:
    with inspecting(cnn(), (X, Y), probe=8) as inspector:
        view = answered(inspector.activations())
        view.fail(MemoryError(), 3)
        assert frame(view)[0]["state"]["error"] == "MemoryError"
