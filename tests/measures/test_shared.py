"""A measure is read once per snapshot, whoever needs it, and kept only while more than one view does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from nnwidgets import blocks, measures
from nnwidgets.measures.measure import Measure, Progress, Reading, Source
from nnwidgets.measures.shared import SharedMeasures
from nnwidgets.training.snapshot import Snapshot
from tests.nets import NETS, Training, cnn
from tests.waiting import answered, command, eventually, inspecting, shown

ROWS: list[int] = []


class Counting(nn.Module):
    """Notes how many samples are run through it in eval mode, by whomever."""

    def __init__(self) -> None:
        super().__init__()
        self.body = cnn()

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            ROWS.append(len(x))
        return self.body(x)  # type: ignore[no-any-return]


class Means(nnw.View):
    """The mean entropy of samples."""

    name, title = "means", "Means"

    def needs(self) -> Any:
        return measures.Predictions(20)

    def compute(self, read: measures.PredictionsRead) -> Any:
        return read

    def layout(self, result: Any) -> Sequence[Any]:
        return [blocks.Text(f"{float(result.entropy.mean())}")]


class Losses(Means):
    name, title = "losses", "Losses"


class Fewer(Means):
    name, title = "fewer", "Fewer"

    def needs(self) -> Any:
        return measures.Predictions(10)


@pytest.fixture(name="inspector")
def inspector_() -> Iterator[nnw.Inspector]:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(Counting().train(), (net.inputs, net.labels), probe=4) as inspector:
        yield inspector


def open_shown(inspector: nnw.Inspector, *kinds: type[nnw.View]) -> list[nnw.View]:
    views = [inspector.view(kind) for kind in kinds]
    for view in views:
        view.shown = True
        shown(view)
    return views


def run_of(views: list[nnw.View], inspector: nnw.Inspector) -> int:
    """How many samples are run through the model when all views are refreshed from one snapshot."""
    inspector._session.worker.refill()
    ROWS.clear()
    with inspector._session.worker.held():
        for view in views:
            view.refresh()
    for view in views:
        shown(view)
    return sum(ROWS)


def test_equal_measures_are_read_once_for_all_views(inspector: nnw.Inspector) -> None:
    views = open_shown(inspector, Means, Losses, Fewer)
    assert run_of(views[:1], inspector) == 20
    assert run_of(views[:2], inspector) == 20
    assert run_of(views, inspector) == 20 + 10
    assert views[0].result is views[1].result, "one value for both"


def test_another_snapshot_is_read_anew(inspector: nnw.Inspector) -> None:
    views = open_shown(inspector, Means, Losses)
    assert run_of(views, inspector) == 20
    before = views[0].result
    with torch.no_grad():
        next(inspector._session.live().parameters()).add_(0.1)  # type: ignore[union-attr]
    assert run_of(views, inspector) == 20
    assert not torch.equal(views[0].result.scores, before.scores)


def kept(inspector: nnw.Inspector) -> list[Measure]:
    return list(inspector._session.measures._values)


def test_a_value_is_kept_only_while_more_than_one_view_needs_it(inspector: nnw.Inspector) -> None:
    means, losses, fewer = open_shown(inspector, Means, Losses, Fewer)
    run_of([means, losses, fewer], inspector)
    assert kept(inspector) == [measures.Predictions(20)], "only one needs the ten"
    losses.shown = means.shown = False
    run_of([fewer], inspector)
    assert kept(inspector) == [], "nobody needs it"
    means.shown = losses.shown = True
    run_of([means, losses], inspector)
    losses.close()
    assert kept(inspector) == []


def test_beside_a_training_each_snapshot_is_read_once(training: Training) -> None:
    with inspecting(Counting(), (training.net.inputs, training.net.labels), probe=4) as inspector:
        views = open_shown(inspector, Means, Losses)
        model = inspector._session.live()
        assert model is not None
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        steps: dict[str, list[int]] = {view.name: [] for view in views}

        def step() -> bool:
            model.train()
            nn.functional.cross_entropy(model(training.net.inputs[:8]), training.net.labels[:8]).backward()
            optimizer.step()
            for view in views:
                newest = view.newest
                if newest is not None and newest.step is not None and newest.step not in steps[view.name][-1:]:
                    steps[view.name].append(newest.step)
            return all(len(seen) >= 8 for seen in steps.values())

        ROWS.clear()
        with inspector.watch(optimizer, budget=1.0):
            eventually(step, "eight refreshes of both")
        reads = sum(rows for rows in ROWS) / 20
        distinct = len({each for seen in steps.values() for each in seen})
        assert reads <= distinct + 4, "a snapshot was read twice"
        assert distinct < sum(map(len, steps.values())), "the views never had a snapshot in common"


@pytest.fixture(name="training")
def training_() -> Training:
    return Training(NETS["cnn"])


# Readings by hand, slice by slice.


@dataclass(frozen=True)
class Sliced(Measure):
    """Takes three slices, or fails in the last."""

    name: str = "sliced"
    fails: bool = False

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        notes: Any = source
        for part in range(3):
            notes.append((self.name, part))
            yield Progress(part / 3, f"part {part}")
        if self.fails:
            raise ZeroDivisionError("made for this test")
        return object()


def ended(reading: Reading) -> Any:
    """The value of a reading, taken to its end."""
    values: list[Any] = []

    def to_its_end() -> Iterator[Progress | None]:
        values.append((yield from reading))

    deque(to_its_end(), maxlen=0)
    return values[0]


@pytest.fixture(name="notes")
def notes_() -> list[Any]:
    return []


@pytest.fixture(name="snapshot")
def snapshot_(inspector: nnw.Inspector) -> Snapshot:
    return Snapshot(inspector._session.shadow, 1, 1.0)


def test_two_readers_take_turns_at_one_reading(notes: Any, snapshot: Snapshot) -> None:
    shared = SharedMeasures(notes, lambda measure: 2)
    one, other = shared.read(Sliced(), snapshot), shared.read(Sliced(), snapshot)
    told = [next(reader) for reader in (one, other, one)]
    assert [progress.text for progress in told if progress] == ["part 0", "part 1", "part 2"]
    value = ended(other)
    assert ended(one) is value
    assert notes == [("sliced", part) for part in range(3)]
    assert ended(shared.read(Sliced(), snapshot)) is value
    assert len(notes) == 3


def test_a_reader_that_is_stopped_leaves_the_reading_to_the_other(notes: Any, snapshot: Snapshot) -> None:
    shared = SharedMeasures(notes, lambda measure: 2)
    one, other = shared.read(Sliced(), snapshot), shared.read(Sliced(), snapshot)
    next(one)
    next(other)
    one.close()
    assert ended(other) is not None
    assert len(notes) == 3


def test_what_a_reading_raises_is_raised_for_all_who_wait(notes: Any, snapshot: Snapshot) -> None:
    shared = SharedMeasures(notes, lambda measure: 2)
    one, other = shared.read(Sliced(fails=True), snapshot), shared.read(Sliced(fails=True), snapshot)
    next(one)
    next(other)
    for reader in (one, other):
        with pytest.raises(ZeroDivisionError):
            ended(reader)
    with pytest.raises(ZeroDivisionError):
        ended(shared.read(Sliced(fails=True), snapshot))
    assert len(notes) == 6, "tried anew"


def test_a_newer_snapshot_ends_what_is_kept_and_not_what_is_under_way(notes: Any, inspector: nnw.Inspector) -> None:
    shared, shadow = SharedMeasures(notes, lambda measure: 2), inspector._session.shadow
    old, new = Snapshot(shadow, 1, 1.0), Snapshot(shadow, 2, 2.0)
    slow = shared.read(Sliced(), old)
    next(slow)
    value = ended(shared.read(Sliced(), new))
    late = ended(slow)
    assert late is not value
    assert ended(shared.read(Sliced(), new)) is value, "the late one is of the older snapshot"


def test_a_reading_on_a_copy_of_its_own_is_not_joined_by_one_on_the_shadow(
    notes: Any, inspector: nnw.Inspector
) -> None:
    shadow = inspector._session.shadow
    shared = SharedMeasures(notes, lambda measure: 2)
    on_shadow = shared.read(Sliced(), Snapshot(shadow, 1, 1.0))
    on_replica = shared.read(Sliced(), Snapshot(shadow.replica(), 1, 1.0))
    next(on_shadow)
    next(on_replica)
    assert len(notes) == 2
    assert [progress.text for progress in (next(on_shadow), next(on_replica)) if progress] == ["part 1", "part 1"]


# Views that run the model themselves.


class Runs(nnw.View):
    """Runs its copy of the model a few times; each time must give the same."""

    name, title, slow = "runs", "Runs", True
    ran: ClassVar[dict[str, list[tuple[int, float]]]] = {}

    def needs(self) -> Any:
        return measures.Model((3,))

    def compute(self, model: measures.ModelAtStep) -> Iterator[Any]:
        assert model.batch is not None
        seen = []
        for _ in range(6):
            with torch.no_grad():
                seen.append((id(model.module), float(model.module(*model.batch.args).sum())))
            yield None
        Runs.ran[self.name] = seen
        yield seen[-1][1]

    def layout(self, result: float) -> Sequence[Any]:
        return [blocks.Text(str(result))]


class RunsToo(Runs):
    name, title = "runs_too", "Runs, too"


def test_slow_views_each_have_a_copy_that_stays_as_it_is(training: Training) -> None:
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=4) as inspector:
        views = open_shown(inspector, Runs, RunsToo)
        with inspector.watch(training.optimizer, budget=1.0):
            for _ in range(5):
                before = [view.newest for view in views]

                def refreshed(before: Any = before) -> bool:
                    training.step()
                    return all(view.newest is not old for view, old in zip(views, before, strict=True))

                eventually(refreshed, "a refresh of both")
                ran = dict(Runs.ran)
                assert len({module for seen in ran.values() for module, _ in seen}) == 2, "one copy for both"
                for seen in ran.values():
                    assert len({value for _, value in seen}) == 1, "the weights changed under the view"


# Samples that only the user's code can read.


class Slowly(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """Notes the threads that read it."""

    def __init__(self) -> None:
        self.readers: set[str] = set()
        self.read = 0

    def __len__(self) -> int:
        return 96

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.readers.add(threading.current_thread().name)
        self.read += 1
        return NETS["cnn"].inputs[index], int(NETS["cnn"].labels[index])


def test_samples_of_a_measure_are_read_in_the_users_thread_and_said_to_be() -> None:
    data = Slowly()
    with inspecting(cnn(), data, probe=[1, 2, 3]) as inspector:
        view = inspector.view(Means)
        state = view.header()["state"]
        assert (state["kind"], state["text"].replace("\u202f", "")) == ("waiting", state["text"])
        assert state["text"].startswith("Reading ")
        assert state["text"].endswith(" of 20 samples")
        result = shown(view)
        assert len(result.indices) == 20
        assert data.readers == {threading.current_thread().name}
        once = data.read
        assert command(view, "refresh") is None
        shown(view)
        assert data.read == once, "kept"
        assert answered(view).reader.waiting_for == ""
