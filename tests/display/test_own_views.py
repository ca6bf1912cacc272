"""Views that a user writes: as live as ours, and what goes wrong in one shows in it with its line and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import nnwidgets as nnw
from nnwidgets import blocks, measures
from tests.nets import Training
from tests.views.every import Uncertainty
from tests.views.reading import words
from tests.waiting import answered, command, eventually, frame, page, shown, unanswered


class Sound(nnw.View):
    """Counts its results."""

    name, title = "sound", "Sound"
    wanted = nnw.choice("good", "bad", "worse", draws=True)

    def needs(self) -> Any:
        return measures.Weights("0")

    def compute(self, read: Any) -> Any:
        return read.step, float(read.weight.abs().sum())

    def layout(self, result: Any) -> Sequence[Any]:
        return [blocks.Text("In words."), blocks.Bars(np.ones(1), ["a"], title=f"{result[0]}: {result[1]:.6f}")]


MISTAKE = "made for this test"


def fail() -> Any:
    raise ZeroDivisionError(MISTAKE)


SAID = f"ZeroDivisionError: {MISTAKE} (line {fail.__code__.co_firstlineno + 1}, in fail)"


class InNeeds(Sound):
    def needs(self) -> Any:
        return fail()


class InNeedsOfALayer(Sound):
    def needs(self) -> Any:
        return measures.Weights({"0": "0"}[self.layer])


class NeedsWords(Sound):
    def needs(self) -> Any:
        return "weights"


class InCompute(Sound):
    def compute(self, read: Any) -> Any:
        return fail()


class InTheMiddle(Sound):
    def compute(self, read: Any) -> Iterator[Any]:
        yield nnw.Progress(0.5, "half way")
        fail()


class InLayout(Sound):
    def layout(self, result: Any) -> Any:
        return fail()


class LaysOutWords(Sound):
    def layout(self, result: Any) -> Any:
        return ["words"]


class LaysOutTwice(Sound):
    def layout(self, result: Any) -> Any:
        return [blocks.Text("a"), blocks.Text("b")]


class InCaption(Sound):
    def caption(self, result: Any) -> Any:
        return fail()


class InHeading(Sound):
    def heading(self, result: Any) -> Any:
        return nnw.Heading(f"after {result[0]} steps {fail()}")


class InChoices(Sound):
    place = nnw.choice(of="places", default="here")

    def places(self) -> Any:
        return fail()


BROKEN = {
    view.__name__: view
    for view in (
        InNeeds,
        InCompute,
        InTheMiddle,
        InLayout,
        InCaption,
        InHeading,
        InChoices,
    )
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_shows_in_its_view_with_its_line_and_training_and_others_go_on(
    inspector: nnw.Inspector, training: Training, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    sound, broken = inspector.view(Sound), inspector.view(BROKEN[name])
    broken.shown = sound.shown = True
    with inspector.watch(training.optimizer, budget=1.0):
        training.step()
        for view in (sound, broken):
            view.refresh()
        eventually(lambda: training.step() is not None and broken.failure is not None, "the failure")
        first = sound.newest
        eventually(lambda: training.step() is not None and sound.newest is not first, "the next result of another view")
        state = frame(broken)[0]["state"]
        assert state["kind"] == "failed"
        assert state["text"].endswith("Training goes on.")
    assert state["error"] == SAID
    assert sound.failure is None
    assert command(sound, "select", {"layer": "1"}) is None
    answered(broken)
    assert frame(broken)[0]["state"]["kind"] == "failed", "still"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("nnwidgets")]
    assert ours == [], "nothing but the view"


def test_the_line_is_that_of_the_views_own_code(inspector: nnw.Inspector) -> None:
    class Own(Sound):
        def compute(self, read: Any) -> Any:
            return torch.zeros(2) @ torch.zeros(3)

    view = answered(inspector.view(Own))
    assert view.failure is not None
    assert view.failure[0].endswith(f" (line {Own.compute.__code__.co_firstlineno + 1}, in compute)")


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (NeedsWords, "TypeError: needs: expected measures, got str"),
        (LaysOutWords, "TypeError: layout: expected blocks, got str"),
        (LaysOutTwice, "ValueError: layout: expected a key of its own for each block, got 'text' twice"),
    ],
)
def test_what_is_no_measure_and_no_block_is_told_in_words(
    inspector: nnw.Inspector, view: type[nnw.View], told: str
) -> None:
    made = answered(inspector.view(view))
    assert made.failure is not None
    assert made.failure[0].startswith(told)


def test_a_view_recovers_as_soon_as_it_can(inspector: nnw.Inspector) -> None:
    class Sometimes(Sound):
        def layout(self, result: Any) -> Any:
            return fail() if self.wanted == "bad" else [blocks.Text(self.wanted)]

    inspector.selection.layer = "0"
    view, picky = inspector.view(Sometimes), inspector.view(InNeedsOfALayer)
    shown(view)
    shown(picky)
    assert command(view, "option", {"name": "wanted", "value": "bad"}) is None
    assert answered(view).failure is not None
    assert page(view)["text"]["paragraphs"] == ["good"], "the last good picture stays"
    assert command(view, "option", {"name": "wanted", "value": "worse"}) is None
    answered(view)
    assert (view.failure, page(view)["text"]["paragraphs"]) == (None, ["worse"])
    inspector.selection.layer = "1"  # which must not raise here
    assert answered(picky).failure is not None
    assert "KeyError: 1 (line" in str(picky.failure)
    inspector.selection.layer = "0"
    shown(picky)


def test_a_mistake_in_needs_is_not_told_by_views_that_can_be_computed(inspector: nnw.Inspector) -> None:
    broken, sound = inspector.view(InNeedsOfALayer), inspector.view(Sound)
    broken.shown = sound.shown = True
    inspector.selection.layer = "2"
    for _ in range(3):
        sound.refresh()
        shown(sound)
    assert broken.failure is not None


def test_a_mistake_in_a_click_or_a_card_shows_in_the_view(inspector: nnw.Inspector) -> None:
    class Clicks(Sound):
        def clicked(self, block: Any, *where: Any) -> Any:
            return fail() if self.wanted == "good" else "a sample"

        def card_lines(self, result: Any, sample: int) -> Any:
            return fail()

    view = inspector.view(Clicks)
    shown(view)
    assert command(view, "click", {"block": "bars", "where": 0}) is None
    assert frame(view)[0]["state"]["error"] == SAID
    assert command(view, "retry") is None
    shown(view)
    view.wanted = "bad"
    assert command(view, "click", {"block": "bars", "where": 0}) is None
    assert "TypeError: clicked: expected a Select or None, got str" in str(view.failure)
    assert command(view, "retry") is None
    shown(view)
    assert command(view, "card", {"index": 3}) is None, "the card says what is known besides"
    assert frame(view)[0]["state"]["error"] == SAID


def test_a_heading_that_needs_a_result_is_the_title_before_the_first(inspector: nnw.Inspector) -> None:
    class Headed(Sound):
        def heading(self, result: Any) -> nnw.Heading:
            return nnw.Heading(f"Sum {result[1]:.3f}")

    with unanswered(inspector):
        view = inspector.view(Headed)
    assert frame(view)[0]["title"] == "Sound"
    view.refresh()
    assert frame(view)[0]["title"] == "Sound" or shown(view)
    shown(view)
    assert frame(view)[0]["title"].startswith("Sum ")


class Never(Sound):
    """Can't be shown here."""

    computed = 0

    def blocked(self) -> str:
        return f"Needs text; the dataset has {len(self.run.samples)} pictures"

    def compute(self, read: Any) -> Any:
        Never.computed += 1
        return super().compute(read)


def test_a_blocked_view_says_why_and_computes_nothing(inspector: nnw.Inspector, training: Training) -> None:
    view = inspector.view(Never)
    view.shown = True
    with inspector.watch(training.optimizer, budget=1.0):
        training.step()
        view.refresh()
        inspector._session.refresh_all()
        answered(view)
    header = frame(view)[0]
    assert (header["state"]["kind"], header["state"]["text"]) == ("empty", "Needs text; the dataset has 96 pictures")
    assert (header["options"], view.result, Never.computed, view.needed) == ([], None, 0, frozenset())
    with pytest.raises(RuntimeError, match="expected a result"):
        view.figure()


class Growing(Sound):
    """Comes in parts, with words on how far it is; each part waits for the test."""

    slow = True
    go = threading.Semaphore(0)
    closed = False

    def compute(self, read: Any) -> Iterator[Any]:
        try:
            for part in range(3):
                yield nnw.Progress(part / 3, f"Part {part} of 3")
                self.go.acquire()
                yield None
                yield (read.step, part)
        finally:
            Growing.closed = True


def computing(view: nnw.View, part: int) -> bool:
    return view.job.running is not None and view.job.running[1] == f"Part {part} of 3"


def test_a_generator_says_how_far_it_is_and_shows_parts_as_they_come(inspector: nnw.Inspector) -> None:
    view = inspector.view(Growing)
    for part in range(3):
        eventually(partial(computing, view, part), "the next part")
        state = frame(view)[0]["state"]
        assert (state["kind"], state["text"], state["actions"]) == ("computing", f"Part {part} of 3", ["cancel"])
        assert state["progress"] == pytest.approx(part / 3)
        assert (view.result is None) == (part == 0)
        Growing.go.release()
    assert shown(view) == (None, 2)
    assert frame(view)[0]["state"]["kind"] == "live"
    assert view.job.kept.look()[1] is None, "parts of one step are one result"
    assert Growing.closed


def test_a_generator_that_is_cancelled_is_closed_and_leaves_what_it_had(inspector: nnw.Inspector) -> None:
    Growing.closed = False
    view = inspector.view(Growing)
    Growing.go.release()
    eventually(lambda: view.result == (None, 0), "the first part")
    eventually(partial(computing, view, 1), "the second part")
    assert command(view, "cancel") is None
    Growing.go.release()
    eventually(lambda: Growing.closed and view.job.running is None, "its end")
    answered(view)
    assert view.result in ((None, 0), (None, 1))
    assert frame(view)[0]["state"]["kind"] == "live"


def test_a_users_view_is_live_under_training_stands_in_a_tab_and_is_drawn(
    inspector: nnw.Inspector, training: Training
) -> None:
    dashboard = inspector.dashboard(views=["activations", Uncertainty, Sound], tab="sound")
    dashboard.on_display()
    assert dashboard._command("beside", {"tab": "uncertainty"}) is None
    sound, uncertainty = dashboard.views["sound"], dashboard.views["uncertainty"]
    with inspector.watch(training.optimizer, budget=1.0):
        for view in (sound, uncertainty):
            seen: set[Any] = set()

            def refreshed(view: Any = view, seen: set[Any] = seen) -> bool:
                training.step()
                seen.add(view.newest.step if view.newest is not None else None)
                return len(seen) > 4

            eventually(refreshed, f"four refreshes of {view.name}")
    for view in (sound, uncertainty):
        view.refresh()
        shown(view)
    weight = training.model[0].weight  # type: ignore[index]
    step, total = sound.result
    assert (step, total) == (training.steps, pytest.approx(float(weight.detach().abs().sum()), rel=1e-5))
    drawn = words(dashboard.figure())
    assert f"{step}: {total:.6f}" in drawn
    assert "entropy of 20 samples" in drawn


def test_a_view_without_layout_says_so(inspector: nnw.Inspector) -> None:
    class Bare(nnw.View):
        name, title = "bare", "Bare"

    view = answered(inspector.view(Bare))
    assert "Bare: expected a layout(result) that returns blocks, got none" in str(view.failure)


@pytest.mark.parametrize(
    ("method", "given", "told"),
    [
        ("heading", 3, "heading: expected a Heading or a title, got int"),
        ("layout", blocks.Text("one"), "layout: expected a list of blocks, got Text"),
        ("layout", None, "layout: expected a list of blocks, got NoneType"),
    ],
)
def test_what_a_view_gets_wrong_is_told_in_words(inspector: nnw.Inspector, method: str, given: Any, told: str) -> None:
    wrong = type("Wrong", (Sound,), {method: lambda self, result: given})
    view = answered(inspector.view(wrong))
    assert view.failure is not None
    assert told in view.failure[0]


def test_a_title_is_a_heading_and_a_sentence_is_a_caption(inspector: nnw.Inspector) -> None:
    said = {"heading": lambda self, result: "Plain", "caption": lambda self, result: "one sentence"}
    view: nnw.View = inspector.view(type("Plain", (Sound,), said))
    shown(view)
    header, _ = frame(view)
    assert (header["title"], header["caption"][0][0]) == ("Plain", "one sentence")


def test_a_view_without_a_name_is_refused(inspector: nnw.Inspector) -> None:
    with pytest.raises(TypeError, match="Nameless: expected a view with a name and a title, got one without"):
        inspector.view(type("Nameless", (Sound,), {"title": ""}))
