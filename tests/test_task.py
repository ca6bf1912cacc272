"""What outputs mean: probabilities, predictions and what is counted as right, each against a value made by hand."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import nnwidgets as nnw
from nnwidgets.analysis.task import Task
from nnwidgets.blocks import Bars
from nnwidgets.blocks.heat import Heat
from nnwidgets.display.overview import status_header
from nnwidgets.display.view import View
from tests.analysis.occlusion_loop import importance_by_pixel, one_by_one
from tests.views.reading import caption_of
from tests.waiting import answered, command, inspecting, shown

GENERATOR = torch.Generator().manual_seed(3)
X = torch.randn(40, 5, generator=GENERATOR)
PICTURES = torch.rand(20, 1, 6, 6, generator=GENERATOR)
YES = (X[:, 0] > 0).long()
SEVERAL = torch.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 1, X[:, 0] > -9], dim=1).float()


class Ends(nn.Module):
    """A linear layer with a function at its end."""

    def __init__(self, inputs: int, outputs: int, end: Any = lambda x: x, *, scale: float = 3.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.end, self.scale = nn.Linear(inputs, outputs), end, scale

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.end(self.scale * self.layer(x.flatten(1)))
        return outputs


def outputs_of(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = model.eval()(x)
        return found


def task_of(inspector: nnw.Inspector) -> Task:
    return inspector._session.task


def right_share(inspector: nnw.Inspector) -> float | None:
    latest = inspector._session.record.latest
    assert latest is not None
    return latest.correct


def heat_of(view: View) -> Heat:
    block = view.layout(view.result)[0]
    assert isinstance(block, Heat)
    return block


def spread(squares: Tensor) -> Any:
    """Values (2, 2) of squares that lie side by side, for each of the 6 by 6 pixels."""
    return squares.repeat_interleave(3, 0).repeat_interleave(3, 1).numpy()


@pytest.mark.parametrize(
    "targets",
    [YES, YES.float(), YES.float()[:, None], YES.bool(), [(x, float(y)) for x, y in zip(X, YES, strict=True)]],
    ids=["whole numbers", "floats", "a column", "booleans", "a list of floats"],
)
def test_one_logit_says_yes_above_zero(targets: Any) -> None:
    model = Ends(5, 1)
    data = targets if isinstance(targets, list) else (X, targets)
    with inspecting(model, data, probe=range(40), class_names=["no", "yes"]) as inspector:
        assert task_of(inspector) == Task("binary", 1)
        logits = outputs_of(model, X)[:, 0]
        assert right_share(inspector) == pytest.approx(float(((logits > 0).long() == YES).double().mean()))
        for sample in (int(logits.argmax()), int(logits.argmin())):
            view = inspector.activations(sample=sample)
            shown(view)
            yes = 1 / (1 + math.exp(-float(logits[sample])))
            said = f"predicted yes ({yes:.2f})" if yes > 0.5 else f"predicted no ({1 - yes:.2f})"
            assert f"label {['no', 'yes'][int(YES[sample])]}, {said}" in caption_of(view)
        result = shown(inspector.embedding(points=40, method="pca"))
        assert torch.equal(result.predicted, (logits[result.indices] > 0).long())
        assert torch.equal(result.labels, YES[result.indices])
        loss = functional.binary_cross_entropy_with_logits(logits, YES.float(), reduction="none")
        torch.testing.assert_close(result.loss, loss[result.indices])
        assert "outputs: yes or no, probability by sigmoid" in status_header(inspector._session, None)["note"]


@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("probable", [False, True], ids=["logits", "probabilities"])
def test_occlusion_of_one_output_is_that_of_a_plain_loop(target: int, probable: bool) -> None:
    model = Ends(36, 1, torch.sigmoid if probable else lambda x: x)
    with inspecting(model, (PICTURES, torch.arange(20) % 2), probe=4, class_names=["no", "yes"]) as inspector:
        assert task_of(inspector) == Task("binary", 1, probable=probable)
        view = inspector.occlusion(sample=7, patch=3, stride=3, target=target)
        found = shown(view).map
        covered, clean = one_by_one(model, PICTURES[7:8], found)[..., 0], outputs_of(model, PICTURES[7:8])[:, 0]
        own = [each if probable else each.sigmoid() for each in (covered, clean)]
        covered_p, clean_p = own if target else [1 - each for each in own]
        block = heat_of(view)
        np.testing.assert_allclose(block.panels[0].values, covered_p[0], atol=1e-6)
        assert block.panels[0].without == pytest.approx(float(clean_p), abs=1e-6)
        np.testing.assert_allclose(block.values, spread(clean_p[0] - covered_p[0]), atol=1e-6)
        if probable:
            assert [name for name, _ in view.kind_choices()] == ["probability"]
            with pytest.raises(ValueError, match="kind: expected 'probability', got 'logit'"):
                inspector.occlusion(kind="logit")
            return
        view.kind = "logit"
        sign = 1 if target else -1
        lost = sign * (clean[0] - covered[0])
        np.testing.assert_allclose(heat_of(view).values, spread(lost), atol=1e-5)


def test_one_value_of_a_row_at_a_time_with_one_logit() -> None:
    model = Ends(5, 1)
    with inspecting(model, (X, YES), probe=8) as inspector:
        view: Any = inspector.occlusion(sample=3, fill="zero", target=1)
        shown(view)
        ((bars, _),) = view.layout(view.result)
        assert isinstance(bars, Bars)
        rows = X[3].repeat(5, 1)
        rows[range(5), range(5)] = 0.0
        lost = outputs_of(model, X[3:4]).sigmoid() - outputs_of(model, rows).sigmoid()
        np.testing.assert_allclose(bars.values, lost[:, 0], atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_several_labels_are_yes_or_no_each(dtype: torch.dtype) -> None:
    model, names = Ends(5, 4), ["a", "b", "c", "d"]
    with inspecting(model, (X, SEVERAL.to(dtype)), probe=range(40), class_names=names) as inspector:
        assert task_of(inspector) == Task("labels", 4)
        p = outputs_of(model, X).sigmoid()
        assert right_share(inspector) == pytest.approx(float(((p > 0.5) == SEVERAL.bool()).double().mean()))
        counts = (p > 0.5).sum(dim=1)
        for sample in (int(counts.argmax()), int(counts.argmin()), 0):
            view = inspector.activations(sample=sample)
            shown(view)
            own = ", ".join(name for name, yes in zip(names, SEVERAL[sample], strict=True) if yes)
            order = [at for at in p[sample].argsort(descending=True).tolist() if p[sample, at] > 0.5]
            said = ", ".join(f"{names[at]} ({float(p[sample, at]):.2f})" for at in order[:3]) or "none of 4 labels"
            more = f" and {len(order) - 3} more" if len(order) > 3 else ""
            assert f"labels {own}, predicted {said}{more} " in caption_of(view) + " "
        embedding = inspector.embedding(points=20, method="pca")
        assert embedding.color_choices() == []
        assert set(shown(embedding).predicted.tolist()) == {-1}
        snapshot = inspector._session.worker.buffer.snapshot
        assert snapshot is not None
        with pytest.raises(ValueError, match="expected a model that gives each sample one class"):
            list(nnw.measures.Predictions(8).read(inspector._session, snapshot))


def test_occlusion_of_several_labels_is_by_sigmoid_and_has_no_predicted_class() -> None:
    model = Ends(36, 3)
    targets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]).repeat(10, 1)
    with inspecting(model, (PICTURES, targets), probe=4) as inspector:
        view = inspector.occlusion(sample=5, patch=3, stride=3, target=1)
        found = shown(view).map
        covered, clean = one_by_one(model, PICTURES[5:6], found)[..., 1], outputs_of(model, PICTURES[5:6])[:, 1]
        block = heat_of(view)
        lost = clean.sigmoid() - covered[0].sigmoid()
        np.testing.assert_allclose(block.values, spread(lost), atol=1e-6)
        assert [panel.title for panel in block.panels] == ["p(1)"]
        torch.testing.assert_close(found.importance(1).double(), importance_by_pixel(found, 1), rtol=1e-5, atol=1e-6)


def softmax(x: Tensor) -> Tensor:
    return x.softmax(dim=1)


@pytest.mark.parametrize("end", [softmax, lambda x: x.log_softmax(dim=1)], ids=["probabilities", "logarithms"])
def test_probabilities_are_used_as_they_are(end: Any) -> None:
    model, labels = Ends(5, 3, end), torch.arange(40) % 3
    with inspecting(model, (X, labels), probe=range(40), loss_fn=nn.NLLLoss()) as inspector:
        assert task_of(inspector).kind == "classes"
        p = outputs_of(model, X)
        p = p if end is softmax else p.exp()
        assert right_share(inspector) == pytest.approx(float((p.argmax(1) == labels).double().mean()))
        result = shown(inspector.embedding(points=40, method="pca"))
        torch.testing.assert_close(result.confidence, p.amax(1)[result.indices])
        torch.testing.assert_close(result.loss, -p[range(40), labels].log()[result.indices])
        view = inspector.activations(sample=4)
        shown(view)
        assert f"predicted {int(p[4].argmax())} ({float(p[4].max()):.2f})" in caption_of(view)


def test_a_probability_by_sigmoid_is_no_logit_however_it_is_made() -> None:
    for end in (torch.sigmoid, nn.Sigmoid(), lambda x: x.sigmoid()[:, 0], lambda x: x.sigmoid().squeeze(1).clone()):
        model = Ends(5, 1, end)
        with inspecting(model, (X, YES), probe=range(40)) as inspector:
            assert task_of(inspector) == Task("binary", 1, probable=True)
            p = outputs_of(model, X).reshape(-1)
            assert right_share(inspector) == pytest.approx(float(((p > 0.5).long() == YES).double().mean()))
    small = nn.Linear(5, 1)
    nn.init.constant_(small.weight, 1e-3)
    nn.init.constant_(small.bias, 0.5)
    with inspecting(small, (X, YES), probe=8) as inspector:
        assert float(outputs_of(small, X).min()) > 0.4
        assert task_of(inspector) == Task("binary", 1), "a linear layer gives no probability"


def test_outputs_that_may_be_probabilities_or_logits_have_no_scores_until_the_loss_is_known() -> None:
    model = Ends(5, 1, lambda x: x.clamp(0, 1))
    repair = r"give loss_fn=nn\.BCELoss\(\) or loss_fn=nn\.BCEWithLogitsLoss\(\)"
    with inspecting(model, (X, YES), probe=8) as inspector:
        assert task_of(inspector).classes is None
        view = inspector.activations()
        shown(view)
        assert "predicted" not in caption_of(view)
        assert any("outputs from 0 to 1 are probabilities or logits" in note for note in inspector.notes)
    with pytest.raises(ValueError, match=f"task: outputs from 0 to 1 are probabilities or logits; {repair}"):
        nnw.Inspector(model, (X, YES), probe=8, task="binary")
    for loss_fn, probable in ((nn.BCELoss(), True), (nn.BCEWithLogitsLoss(), False)):
        with inspecting(model, (X, YES.float()[:, None]), probe=8, loss_fn=loss_fn) as inspector:
            assert task_of(inspector) == Task("binary", 1, probable=probable)


def test_a_regression_with_three_outputs_has_no_class() -> None:
    with inspecting(Ends(5, 3), (X, X[:, :3] * 2), probe=8) as inspector:
        assert task_of(inspector).kind == "numbers"
        view = inspector.activations()
        shown(view)
        assert "predicted" not in caption_of(view)
        assert right_share(inspector) is None
        assert inspector.embedding(points=20, method="pca").color_choices() == []
        occlusion = inspector.occlusion()
        answered(occlusion)
        assert occlusion.header()["state"]["text"] == "Occlusion needs class scores; give Inspector(score_fn=…)"
        assert inspector.notes == ()
        assert "outputs: 3 numbers" in status_header(inspector._session, None)["note"]


def test_a_count_is_a_number_and_no_class() -> None:
    counts = (X[:, 0].abs() * 10).long()
    with inspecting(Ends(5, 1), (X, counts), probe=8) as inspector:
        assert task_of(inspector).kind == "numbers"
        view = inspector.embedding(points=20, method="pca")
        assert [name for name, _ in view.color_choices()] == ["target", "prediction", "error"]
        result = shown(view)
        torch.testing.assert_close(result.targets, counts[result.indices].float())


UNCLEAR: dict[str, tuple[nn.Module, Tensor, str, str]] = {
    "an embedding of 128": (
        Ends(5, 128),
        torch.arange(40) % 10,
        r"128 outputs, and labels from 0 to 9 only; give task='classes' or score_fn=",
        "classes",
    ),
    "fewer outputs than labels": (
        Ends(5, 4),
        torch.arange(40) % 10,
        "4 outputs, and targets that are no classes from 0 to 3; give task='classes' or task='numbers'",
        "classes",
    ),
    "one measured number": (Ends(5, 3), X[:, 0], "3 outputs, and targets that are no classes", "numbers"),
    "one-hot rows": (
        Ends(5, 4),
        functional.one_hot(torch.arange(40) % 4, 4).float(),
        "targets with one 1 in 4 are one class or several labels; give task='classes' or task='labels'",
        "labels",
    ),
}


@pytest.mark.filterwarnings("ignore:labels")
@pytest.mark.parametrize("name", UNCLEAR)
def test_what_can_be_read_in_two_ways_has_no_scores_until_it_is_said(name: str) -> None:
    model, targets, message, said = UNCLEAR[name]
    with inspecting(model, (X, targets), probe=range(40)) as inspector:
        assert task_of(inspector).classes is None
        assert any(note.startswith(f"no class scores: {message}") for note in inspector.notes)
        view = inspector.activations()
        shown(view)
        assert "predicted" not in caption_of(view)
        assert right_share(inspector) is None
    with inspecting(model, (X, targets), probe=range(40), task=said) as inspector:
        assert task_of(inspector).kind == said
        assert not [note for note in inspector.notes if note.startswith("no class scores")]


def test_the_loss_says_what_the_outputs_are() -> None:
    one_hot = functional.one_hot(torch.arange(40) % 4, 4).float()
    kinds: dict[Any, str] = {
        nn.CrossEntropyLoss(): "classes",
        nn.BCEWithLogitsLoss(): "labels",
        functional.mse_loss: "numbers",
    }
    for loss_fn, kind in kinds.items():
        with pytest.warns(UserWarning, match="one-hot") if kind == "classes" else nullcontext():
            inspector = nnw.Inspector(Ends(5, 4), (X, one_hot), probe=8, loss_fn=loss_fn)
        assert task_of(inspector).kind == kind
        assert inspector._session.probe.error == ""
        inspector.close()
    for labels in (torch.arange(40) % 10, None):
        with inspecting(Ends(5, 128), X if labels is None else (X, labels), probe=8, loss_fn=nn.NLLLoss()) as inspector:
            assert task_of(inspector).kind == "classes"
            assert [note for note in inspector.notes if "class" in note] == []


@pytest.mark.filterwarnings("ignore:labels")
def test_a_score_fn_returns_classes_unless_the_targets_are_several_labels() -> None:
    targets = {"classes": [X[:, :4], functional.one_hot(torch.arange(40) % 4, 4), torch.arange(40) % 9]}
    for kind, every in {**targets, "labels": [SEVERAL]}.items():
        for each in every:
            with inspecting(Ends(5, 4), (X, each), probe=8, score_fn=lambda output: 2 * output) as inspector:
                assert task_of(inspector) == Task(kind, 4)  # type: ignore[arg-type]


def test_a_class_at_each_position_has_no_class_scores() -> None:
    net = nn.Conv2d(1, 4, 3, padding=1)
    with inspecting(net, (PICTURES, torch.zeros(20, 6, 6, dtype=torch.int64)), probe=4) as inspector:
        assert task_of(inspector).kind == "positions"
        assert "outputs: a class at each position" in status_header(inspector._session, None)["note"]
    with inspecting(net, (PICTURES, torch.rand(20, 4, 6, 6)), probe=4) as inspector:
        assert task_of(inspector).kind == "numbers"


def test_labels_that_say_ignore_are_not_counted() -> None:
    model, labels = Ends(5, 3), (torch.arange(40) % 3).where(torch.arange(40) % 4 > 0, -100)
    with inspecting(model, (X, labels), probe=range(40)) as inspector:
        judged = labels >= 0
        right = outputs_of(model, X).argmax(1) == labels
        assert right_share(inspector) == pytest.approx(float(right[judged].double().mean()))


def test_without_labels_the_reading_is_said() -> None:
    with inspecting(Ends(5, 3), X, probe=8) as inspector:
        assert "read as 3 classes, as no labels and no loss_fn= say otherwise" in inspector.notes[-1]
    with inspecting(Ends(5, 3), X, probe=8, task="none") as inspector:
        assert (task_of(inspector).classes, inspector.notes) == (None, ())


def test_names_of_the_data_set_that_are_not_those_of_the_outputs_leave_no_scores() -> None:
    class Named(list[Any]):
        classes = ("cat", "dog")

    data = Named((x, int(y)) for x, y in zip(X, YES, strict=True))
    with inspecting(Ends(5, 3), data, probe=8) as inspector:
        assert inspector.notes[-1].startswith("no class scores: 3 outputs for 2 names of classes; give task='classes'")
    with inspecting(Ends(5, 1), data, probe=8) as inspector:
        assert inspector._session.class_name(1) == "dog"


@pytest.mark.parametrize(
    ("outputs", "task", "message"),
    [
        (3, "regression", "task: expected one of classes, binary, labels, numbers, positions, none, got 'regression'"),
        (1, "classes", r"task: expected at least two outputs for each sample for 'classes', got shape \(2, 1\)"),
        (3, "binary", r"task: expected one output for each sample for 'binary', got shape \(2, 3\); give score_fn="),
    ],
)
def test_a_task_that_does_not_fit_is_refused(outputs: int, task: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nnw.Inspector(Ends(5, outputs), (X, YES), probe=8, task=task)


def test_the_next_wrong_one_is_by_the_sign_of_the_logit() -> None:
    model = Ends(5, 1)
    wrong = ((outputs_of(model, X)[:, 0] > 0).long() != YES).nonzero().flatten()
    assert len(wrong)
    with inspecting(model, (X, YES), probe=8) as inspector:
        view = inspector.activations(sample=39)
        shown(view)
        assert command(view, "next_wrong") is None
        answered(view)
        assert view.sample == int(wrong[0])
