"""The selection: checked, told once, safe from many threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from traitlets import HasTraits, Int, TraitError, link

from nnwidgets.selection import Selection


def selection() -> Selection:
    made = Selection()
    made.restrict(layers=["conv1", "conv2", "fc"], samples=10, classes=4, units=lambda layer: {"fc": 3}.get(layer))
    made.update(layer="conv1")
    return made


def test_changes_arrive_together() -> None:
    made = selection()
    seen: list[tuple[str, str, int | None, int]] = []
    made.observe(lambda change: seen.append((change["name"], made.layer, made.unit, made.sample)))
    made.update(layer="conv2", unit=7, sample=3)
    assert sorted(seen) == [(name, "conv2", 7, 3) for name in ("layer", "sample", "unit")]


def test_what_stays_is_not_told() -> None:
    made = selection()
    seen: list[Any] = []
    made.update(sample=3)
    made.observe(seen.append)
    made.update(sample=3, target=None)
    assert seen == []


def test_a_new_layer_forgets_the_unit() -> None:
    made = selection()
    made.unit = 5
    made.layer = "conv1"
    assert made.unit == 5
    made.layer = "conv2"
    assert made.unit is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer": "conv"}, "expected one of the inspector's layers, got 'conv'; nearest: conv"),
        ({"layer": 3}, "layer: expected a name, got 3"),
        ({"sample": 10}, "sample: expected a whole number from 0 to 9, got 10"),
        ({"sample": -1}, "from 0 to 9, got -1"),
        ({"sample": None}, "sample: expected a whole number, got None"),
        ({"sample": True}, "sample: expected a whole number from 0 to 9, got True"),
        ({"sample": 1.5}, "got 1.5"),
        ({"target": 4}, "target: expected a whole number from 0 to 3, got 4"),
        ({"unit": -1}, "unit: expected a whole number from 0, got -1"),
        ({"layer": "fc", "unit": 3}, "unit: expected a whole number from 0 to 2, got 3"),
        ({"selected": [1, 10]}, "selected: expected a whole number from 0 to 9, got 10"),
        ({"selected": "12"}, "selected: expected indices"),
        ({"selected": 3}, "selected: expected indices"),
    ],
)
def test_what_is_not_allowed_changes_nothing(changes: dict[str, Any], message: str) -> None:
    made = selection()
    seen: list[Any] = []
    made.observe(seen.append)
    with pytest.raises(TraitError, match=message):
        made.update(**{"target": 1, **changes})
    if len(changes) == 1:
        ((name, value),) = changes.items()
        with pytest.raises(TraitError):
            setattr(made, name, value)
    assert seen == []
    assert (made.layer, made.unit, made.sample, made.target, made.selected) == ("conv1", None, 0, None, ())


def test_other_names_are_refused() -> None:
    with pytest.raises(TypeError, match="expected layer, unit, sample, target, selected, got 'color'"):
        selection().update(color="red")
    with pytest.raises(TypeError, match="'smaple'"):
        Selection(smaple=3)


def test_before_it_is_restricted_any_layer_and_sample_may_be_selected() -> None:
    made = Selection(layer="anything", sample=99)
    assert (made.layer, made.sample) == ("anything", 99)


def test_selected_samples_lose_repeats_and_keep_their_order() -> None:
    made = selection()
    made.update(selected=[4, 2, 4])
    assert list(made.selected) == [4, 2]


def test_an_observer_may_select_further() -> None:
    made = selection()
    made.observe(lambda change: made.update(sample=5), names=["layer"])
    made.update(layer="conv2", sample=1)
    assert made.sample == 5


def test_traitlets_links_work() -> None:
    class Slider(HasTraits):
        value = Int(2)

    made, slider = selection(), Slider()
    link((made, "sample"), (slider, "value"))
    slider.value = 7
    assert made.sample == 7
    made.sample = 1
    assert slider.value == 1


def test_many_threads_leave_a_state_that_one_of_them_wrote() -> None:
    made, torn, errors = selection(), [], []
    names = ["conv1", "conv2"]

    def told(_change: Any) -> None:
        if made.layer in names and made.sample != names.index(made.layer):
            torn.append((made.layer, made.sample))

    def write(which: int) -> None:
        try:
            for _ in range(200):
                made.update(layer=names[which], sample=which)
        except Exception as error:  # reported below
            errors.append(error)

    made.observe(told, names=["layer", "sample"])
    threads = [threading.Thread(target=write, args=(which,)) for which in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert torn == []
    assert made.sample == names.index(made.layer)
