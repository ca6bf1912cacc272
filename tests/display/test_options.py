"""One declaration is the keyword, the check, the trait and the control on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import traitlets

import nnwidgets as nnw
from nnwidgets import blocks
from nnwidgets.display.options import HasOptions
from tests.waiting import answered, command, frame, page, shown


class Example(nnw.View):
    """Says what its options are, and counts how often it was computed and laid out."""

    name, title, group = "example", "Example", "Model"
    scale = nnw.choice("layer", "map", texts={"map": "each map"}, kind="toggle", help="One scale, or many.")
    depth = nnw.choice(1, 2, default=2, label="How deep", help="A number.")
    color = nnw.choice("red", "blue", draws=True, help="Drawn only.")
    share = nnw.number(0.0, 1.0, default=0.25, draws=True, help="A number between.")
    count = nnw.number(1, 9, default=3, step=2, help="A whole one.")
    place = nnw.choice(of="places", default="here", draws=True, help="Known at run time.")
    side = nnw.choice(4, check="checked_side", help="Python takes more than the page offers.")
    computed = laid_out = 0

    def places(self) -> list[tuple[str, str]]:
        return [("here", "Here"), ("there", f"There, {self.scale}")] if self.depth == 2 else []

    def checked_side(self, value: Any) -> int:
        if value == "all":
            return 99
        if not isinstance(value, int):
            raise traitlets.TraitError(f"side: expected a number or all, got {value!r}")
        return value

    def compute(self) -> tuple[Any, ...]:
        self.computed += 1
        return (self.scale, self.depth, self.count, self.side)

    def layout(self, result: tuple[Any, ...]) -> Sequence[blocks.Block]:
        self.laid_out += 1
        return [blocks.Text(f"{result} in {self.color} at {self.place}, {self.share}")]


class Wider(Example):
    """Inherits the options."""

    name = "wider"
    more = nnw.choice(False, True, help="One more.")


@pytest.fixture(name="view")
def view_(inspector: nnw.Inspector) -> Example:
    view = inspector.view(Example)
    shown(view)
    return view


def controls(view: nnw.View) -> dict[str, dict[str, Any]]:
    return {option["name"]: option for option in frame(view)[0]["options"]}


def text_of(view: nnw.View) -> str:
    return str(page(answered(view))["text"]["paragraphs"][0])


def test_the_page_gets_a_control_for_each_in_the_order_of_declaration(view: Example) -> None:
    made = controls(view)
    assert list(made) == ["scale", "depth", "color", "share", "count", "place", "side"]
    assert made["scale"] == {
        "name": "scale",
        "label": "Scale",
        "kind": "toggle",
        "value": "layer",
        "choices": [["layer", "layer"], ["map", "each map"]],
    }
    assert (made["depth"]["label"], made["depth"]["value"], made["depth"]["choices"]) == (
        "How deep",
        2,
        [[1, "1"], [2, "2"]],
    )
    assert {name: made["share"][name] for name in ("kind", "value", "min", "max", "step")} == {
        "kind": "slider",
        "value": 0.25,
        "min": 0.0,
        "max": 1.0,
        "step": 0.01,
    }
    assert (made["count"]["min"], made["count"]["max"], made["count"]["step"]) == (1, 9, 2)
    assert made["place"]["choices"] == [["here", "Here"], ["there", "There, layer"]]


def test_what_is_known_at_run_time_is_asked_anew_and_nothing_to_choose_is_no_control(view: Example) -> None:
    view.scale = "map"
    assert controls(view)["place"]["choices"][1] == ["there", "There, map"]
    view.depth = 1
    assert "place" not in controls(view)
    assert "place: expected" in str(command(view, "option", {"name": "place", "value": "here"}))


def test_subclasses_have_the_options_of_their_bases_first() -> None:
    assert list(Wider.options()) == [*Example.options(), "more"]
    assert "more" not in Example.options()


def test_values_belong_to_the_view_and_not_to_its_class(inspector: nnw.Inspector) -> None:
    one, other = inspector.view(Example, scale="map", count=5), inspector.view(Example)
    assert (one.scale, one.count, other.scale, other.count) == ("map", 5, "layer", 3)


WRONG: list[tuple[str, Any, str]] = [
    ("scale", "each map", "scale: expected 'layer' or 'map', got 'each map'"),
    ("scale", None, "scale: expected 'layer' or 'map', got None"),
    ("depth", True, "depth: expected 1 or 2, got True"),
    ("depth", 1.0, "depth: expected 1 or 2, got 1.0"),
    ("share", 1.1, "share: expected a number from 0.0 to 1.0, got 1.1"),
    ("share", float("nan"), "share: expected a number from 0.0 to 1.0, got nan"),
    ("share", "0.5", "share: expected a number from 0.0 to 1.0, got '0.5'"),
    ("count", 2.5, "count: expected a whole number from 1 to 9, got 2.5"),
    ("count", False, "count: expected a whole number from 1 to 9, got False"),
    ("place", "nowhere", "place: expected 'here' or 'there', got 'nowhere'"),
    ("side", "some", "side: expected a number or all, got 'some'"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_a_wrong_value_is_refused_in_the_same_words_everywhere(
    inspector: nnw.Inspector, view: Example, name: str, value: Any, words: str
) -> None:
    before = getattr(view, name)
    with pytest.raises(traitlets.TraitError) as refused:
        setattr(view, name, value)
    assert str(refused.value) == words
    if value is not None:  # which leaves the default
        with pytest.raises(ValueError) as told:
            inspector.view(Example, **{name: value})
        assert str(told.value) == words
    if name != "side":
        assert command(view, "option", {"name": name, "value": value}) == words
    assert getattr(view, name) == before


def test_python_may_give_more_than_the_page_where_a_check_says_so(inspector: nnw.Inspector, view: Example) -> None:
    assert inspector.view(Example, side="all").side == 99
    view.side = 7
    assert view.side == 7
    assert command(view, "option", {"name": "side", "value": 7}) == "side: expected 4, got 7"
    assert command(view, "option", {"name": "side", "value": 4}) is None
    assert view.side == 4


def test_a_change_is_told_to_observers_and_links_whoever_makes_it(view: Example) -> None:
    class Slider(traitlets.HasTraits):
        value = traitlets.Int(1)

    seen: list[Any] = []
    view.observe(lambda change: seen.append(change["new"]), names=["count"])
    slider = Slider()
    traitlets.link((slider, "value"), (view, "count"))
    slider.value = 7
    assert command(view, "option", {"name": "count", "value": 9}) is None
    assert (seen, slider.value) == ([1, 7, 9], 9)


def test_only_what_a_result_depends_on_has_it_computed_anew(view: Example) -> None:
    assert (view.computed, view.laid_out) == (1, 1)
    for name, value in (("color", "blue"), ("share", 0.5), ("place", "there")):
        assert command(view, "option", {"name": name, "value": value}) is None
    assert text_of(view) == "('layer', 2, 3, 4) in blue at there, 0.5"
    assert view.computed == 1
    assert command(view, "option", {"name": "scale", "value": "map"}) is None
    assert text_of(view) == "('map', 2, 3, 4) in blue at there, 0.5"
    assert view.computed == 2
    assert command(view, "option", {"name": "scale", "value": "map"}) is None
    answered(view)
    assert view.computed == 2, "nothing has changed"


def test_options_work_without_a_view_too() -> None:
    class Bare(HasOptions):
        name = "bare"
        size = nnw.number(1, 4, default=2)

    bare = Bare(size=3)
    assert bare.option_values() == (3,)
    with pytest.raises(KeyError, match="option: no 'sizes' in the bare view"):
        bare.set_option("sizes", 1)
