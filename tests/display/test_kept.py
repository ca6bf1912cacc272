"""Going back: every view keeps what it showed over the training, evenly thinned and in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnwidgets as nnw
from nnwidgets.display.kept import MOST, KeptResults, Shown, nbytes_of
from nnwidgets.display.view import View
from nnwidgets.session import MEMORY_SHARES
from tests.nets import NETS, Training
from tests.views.every import EVERY, make
from tests.waiting import answered, command, frame, inspecting, page, shown


def of(steps: int, *, size: int = 0, most: int = 1 << 30) -> KeptResults:
    kept = KeptResults(lambda: most)
    for step in range(steps):
        kept.add("layer", Shown(np.full(size, step, dtype=np.uint8) if size else step, step))
    return kept


def look(kept: KeptResults) -> tuple[Any, Any]:
    result, slider = kept.look()
    assert result is not None
    return result.step, slider


def test_one_step_alone_is_nothing_to_go_back_to() -> None:
    kept = KeptResults(lambda: 100)
    assert kept.look() == (None, None)
    for result in ("first", "better", "whole"):
        kept.add("layer", Shown(result, 3))
        assert kept.look() == (Shown(result, 3), None)
    kept.add("layer", Shown("next", 4))
    assert look(kept) == (4, {"index": 1, "positions": [0, 1], "text": "step 4 · 2 of 2 kept"})


def test_what_is_looked_at_stays_while_newer_ones_come_until_the_newest_is_asked_for() -> None:
    kept = of(5)
    kept.choose(2)
    assert look(kept)[0] == 2
    kept.add("layer", Shown("more", 5))
    step, slider = look(kept)
    assert (step, slider["index"], slider["text"]) == (2, 2, "step 2 · 3 of 6 kept")
    assert kept.newest == Shown("more", 5)
    kept.choose(None)
    assert look(kept)[0] == 5
    kept.choose(2)
    kept.choose(5)  # the end of the slider follows the training
    kept.add("layer", Shown("still more", 6))
    assert look(kept)[0] == 6
    for nonsense in (-1, -10):
        with pytest.raises(ValueError, match="position: expected 0 or more, or none for the newest, got -"):
            kept.choose(nonsense)


def test_many_are_thinned_evenly_and_say_so_and_positions_stay() -> None:
    kept = of(MOST)
    kept.choose(21)
    assert look(kept)[0] == 21
    kept = of(10 * MOST)
    positions = look(kept)[1]["positions"]
    assert len(positions) <= MOST
    assert (positions[0], positions[-1]) == (0, 10 * MOST - 1)
    gaps = np.diff(positions[:-1])
    assert gaps.min() == gaps.max(), "evenly"
    assert look(kept)[1]["text"].endswith(f"{len(positions)} of {len(positions)} kept, thinned evenly")
    for position in positions:
        kept.choose(position)
        assert look(kept)[0] == position
    kept.choose(positions[3] + 1)
    assert look(kept)[0] == positions[4], "one that is gone is answered by the next"


def test_memory_is_bounded_and_the_newest_is_there_even_alone() -> None:
    kept = of(100, size=1_000, most=10_000)
    assert kept.nbytes <= 10_000
    assert len(look(kept)[1]["positions"]) >= 5
    assert look(kept)[0] == 99
    alone = of(5, size=1_000, most=500)
    assert alone.look() == (alone.newest, None)


def test_a_bound_that_shrinks_is_kept_from_the_next_result_on() -> None:
    bound = [100_000]
    kept = KeptResults(lambda: bound[0])
    for step in range(20):
        kept.add("layer", Shown(np.zeros(1_000, dtype=np.uint8), step))
    bound[0] = 5_000
    kept.add("layer", Shown(np.zeros(1_000, dtype=np.uint8), 20))
    assert kept.nbytes <= 5_000


def test_another_question_begins_anew() -> None:
    kept = of(5)
    kept.choose(1)
    kept.add("another layer", Shown("other", 6))
    assert kept.look() == (Shown("other", 6), None)
    assert kept.until("other") == ["other"]


def test_until_has_the_results_up_to_the_one_on_show() -> None:
    kept = KeptResults(lambda: 100)
    results = [object() for _ in range(4)]
    for step, result in enumerate(results):
        kept.add("layer", Shown(result, step))
    assert kept.until(results[2]) == results[:3]
    stranger = object()
    assert kept.until(stranger) == [stranger]


def test_bytes_are_counted_in_whatever_holds_them() -> None:
    array = np.zeros(4, dtype=np.float32)
    assert nbytes_of(Shown({"a": [array, (array,)], "b": "words"}, 3)) == 32


def history(view: View, training: Training, inspector: nnw.Inspector, steps: int) -> list[Any]:
    """Train step by step, each shown; the results."""
    results = []
    with inspector.watch(training.optimizer):
        for _ in range(steps):
            training.step()
            view.refresh()
            results.append(shown(view))
    return results


@pytest.mark.parametrize("name", EVERY)
def test_every_view_goes_back_and_returns_to_the_newest(
    inspector: nnw.Inspector, training: Training, name: str
) -> None:
    view = make(inspector, name, **({"method": "pca"} if name == "embedding" else {}))
    shown(view)
    results = history(view, training, inspector, 4)
    answered(view)
    slider = frame(view)[0]["kept"]
    assert slider is not None
    newest = page(view)
    at = len(slider["positions"]) - 3
    assert command(view, "kept", {"position": slider["positions"][at]}) is None
    answered(view)
    header = frame(view)[0]
    assert (header["step"], header["kept"]["index"]) == (2, at)
    assert header["caption"][-1] == ["an earlier step", True]
    assert view.displayed is results[1]
    assert view.result is results[-1]
    before = page(view)
    assert not all(
        np.array_equal(block[field], newest[key][field]) for key, block in before.items() for field in block
    ), "the same picture"
    assert command(view, "kept", {"position": None}) is None
    answered(view)
    header = frame(view)[0]
    assert (header["step"], header["kept"]["index"]) == (4, len(slider["positions"]) - 1)
    assert "an earlier step" not in [text for text, _ in header["caption"]]


def test_what_all_views_keep_stays_under_their_part_of_the_memory_and_is_counted() -> None:
    training, memory = Training(NETS["residual"]), 1_000_000
    data = (training.net.inputs, training.net.labels)
    with inspecting(training.model, data, probe=8, max_memory=memory) as inspector:
        session = inspector._session
        views: list[View] = [inspector.activations(layer="stem", sample=at) for at in range(4)]
        views.append(inspector.filters())
        for view in views:
            shown(view)
        before = session.status().memory_bytes
        with inspector.watch(training.optimizer, budget=1.0):  # else it would wait for what it has earned
            for _ in range(90):
                training.step()
                for view in views:
                    view.refresh()
                answered(views[0])
        kept = sum(view.job.kept.nbytes for view in views)
        assert kept <= MEMORY_SHARES["results"] * memory
        assert sum(view.job.kept.nbytes for view in views) == sum(session.kept_bytes.values())
        assert kept > 0.4 * MEMORY_SHARES["results"] * memory, "too little to prove anything"
        assert session.status().memory_bytes >= before
        sliders = [slider for _, slider in (view.job.kept.look() for view in views) if slider is not None]
        assert len(sliders) == len(views)
        assert min(len(slider["positions"]) for slider in sliders) > 2
