"""Bad input is refused in words that say what, expected, got and the repair; nothing is lost and training goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from traitlets import TraitError

import nnwidgets as nnw
from nnwidgets.views._view import View
from tests.nets import NETS, Training
from tests.waiting import answered, command, eventually, frame, inspecting, shown

X, Y = NETS["cnn"].inputs[:40], NETS["cnn"].labels[:40]
HTML = '<img src=x onerror="alert(1)"> $\\alpha$'


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


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean()


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
    "an unknown keyword": (lambda i: i.activations(colour="red"), TypeError, "unexpected keyword argument 'colour'"),
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


# Values that are not finite.


def all_views(inspector: nnw.Inspector) -> list[View]:
    views: list[View] = [
        inspector.activations(),
        inspector.filters(),
        inspector.embedding(points=20),
        inspector.occlusion(patch=4, stride=4),
    ]
    for view in views:
        view.shown = True
    return views


def test_nan_in_the_inputs_is_counted_and_explained() -> None:
    data = X.clone()
    data[3] = torch.nan
    with inspecting(cnn(), (data, Y), probe=list(range(20))) as inspector:
        inspector.selection.sample = 3
        activations, filters, embedding, occlusion = all_views(inspector)
        assert "144 values not finite" in activations.caption_text(shown(activations))
        assert "not finite" not in filters.caption_text(shown(filters))
        for view in (embedding, occlusion):
            answered(view)
        assert embedding.failure is not None
        assert embedding.failure[0].startswith(
            "ValueError: activations of 0: expected finite values, got NaN or infinity for 1 of 20 samples; lower"
        ), embedding.failure
        assert occlusion.failure is not None
        assert "finite" in occlusion.failure[0]
        for view in (activations, filters, embedding, occlusion):
            frame(view)
        assert command(activations, "select", {"sample": 4}) is None
        assert bool(shown(activations).values.isfinite().all())
        shown(occlusion)


def diverge(training: Training, watch: Any, steps: int) -> None:
    for _ in range(steps):
        training.step()
        if training.steps == 20:
            with torch.no_grad():
                next(training.model.parameters())[0] = torch.nan
        if watch is not None:
            watch.poll()


def test_a_net_that_turns_to_nan_is_shown_as_such_and_trains_on_bit_for_bit() -> None:
    seen = Training(NETS["cnn"])
    with inspecting(seen.model, (seen.net.inputs, seen.net.labels), probe=16) as inspector:
        views = all_views(inspector)
        for view in views:
            answered(view)
        with inspector.watch(seen.optimizer, budget=1.0) as watch:
            diverge(seen, watch, 60)
        for view in views:
            view.refresh()
        inspector._session.worker.request(inspector._session.probe)
        activations, filters, embedding, occlusion = (answered(view) for view in views)
        assert "values not finite" in activations.caption_text(shown(activations))
        assert "not finite" in filters.caption_text(shown(filters))
        assert embedding.failure is not None
        assert "expected finite values" in embedding.failure[0]
        assert frame(embedding)[0]["state"]["kind"] == "failed"
        for view in views:
            frame(view)
            if view.result is not None:
                view.figure()
        assert inspector._session.probe.error == ""
        shown(occlusion)
        assert occlusion.result.step == 60
    plain = Training(NETS["cnn"])
    diverge(plain, None, 60)
    assert plain.everything() == seen.everything()


# Odd models, odd labels, odd data.


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


def test_a_model_without_parameters_can_be_looked_at() -> None:
    with inspecting(nn.Sequential(nn.Flatten(), nn.ReLU()), (X, Y), probe=8) as inspector:
        assert inspector.layers == ("0", "1")
        assert shown(inspector.activations(layer="1")).values.shape == (64,)
        filters = inspector.filters()
        answered(filters)
        header, _ = frame(filters)
        assert (header["state"]["kind"], header["state"]["text"]) == (
            "waiting",
            "This model has no layer with filters",
        )
        assert filters.failure is None
        with inspector.watch() as watch:
            watch.step()
        assert watch.step_count == 1


@pytest.mark.parametrize("labels", [Y + 7, Y + 10**7, Y * 0 - 100], ids=["too large", "huge", "-100"])
def test_labels_that_are_no_class_of_the_model_are_no_target(labels: Tensor) -> None:
    with inspecting(cnn(), (X, labels), probe=8) as inspector:
        occlusion, embedding = inspector.occlusion(patch=4, stride=4), inspector.embedding(points=20)
        result = shown(occlusion)
        assert frame(occlusion)[0]["target"] == int(result.map.clean[0].argmax())
        assert set(shown(embedding).labels.tolist()) == {-1}
        header, arrays = frame(embedding)
        assert header["classes"] == []
        assert not arrays["wrong"].any()


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
        assert frame(view)[0]["class_names"][0] == HTML
        assert HTML in view.caption_text(view.result)


# Two of them, and after the end.


def test_a_second_inspector_on_a_model_replaces_the_first_and_its_watch() -> None:
    training = Training(NETS["cnn"])
    data = (training.net.inputs, training.net.labels)
    with inspecting(training.model, data, probe=8) as first:
        old_view, old_watch = first.activations(), first.watch(training.optimizer)
        with inspecting(torch.compile(training.model, backend="eager"), data, probe=8) as second:
            assert old_watch.closed
            assert old_view.comm is None
            assert repr(first) == "Inspector(closed)"
            with pytest.raises(RuntimeError, match="expected an open inspector, got one that was closed or rep"):
                first.watch()
            with second.watch(training.optimizer) as watch:
                training.step()
            assert watch.step_count == 1
            assert shown(second.activations()).step == 1


def test_closing_one_of_two_linked_inspectors_leaves_the_other_linked() -> None:
    with inspecting(cnn(), (X, Y), probe=8) as one:
        two = nnw.Inspector(cnn(), (X, Y), probe=8, selection=one.selection)
        told: list[Any] = []
        one.selection.observe(told.append, names=["sample"])
        view, other = one.activations(), two.activations()
        one.selection.sample = 6
        assert (shown(view).sample, shown(other).sample) == (6, 6)
        two.close()
        one.selection.sample = 7
        assert shown(view).sample == 7
        assert len(told) == 2


def test_a_closed_watch_takes_calls_and_does_nothing() -> None:
    training = Training(NETS["cnn"])
    with inspecting(training.model, (X, Y), probe=8) as inspector:
        watch = inspector.watch(training.optimizer)
        training.step()
        watch.close()
        watch.close()
        training.step()
        watch.step()
        watch.log(loss=1.0)
        watch.refresh()
        watch.poll()
        with watch.paused():
            pass
        assert watch.step_count == 1


def test_a_closed_inspector_says_so(inspector: nnw.Inspector) -> None:
    view = inspector.activations()
    inspector.close()
    inspector.close()
    assert view.comm is None
    for name in ("activations", "filters", "embedding", "occlusion", "dashboard", "refresh", "watch"):
        with pytest.raises(RuntimeError, match="expected an open inspector, got one that was closed or replaced"):
            getattr(inspector, name)()
    with pytest.raises(
        RuntimeError, match="ActivationsView: expected an open widget, got a closed one; keep its inspector"
    ):
        view._ipython_display_()
