"""Whatever the page sends is answered in words or does what it says; nonsense changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

import nnwidgets as nnw
from nnwidgets.display.view import View
from nnwidgets.views.activations import ActivationsView
from tests.views.every import EVERY, make
from tests.waiting import command, shown, tell

HUGE, NAN = 10**40, float("nan")
NONSENSE: list[Any] = [None, "x", 1.5, NAN, HUGE, -1, True, [], [1], {}, {"a": 1}, "2"]
COMMANDS: list[tuple[object, Any]] = [
    *[("select", {"sample": value}) for value in NONSENSE],
    *[("select", {"layer": value}) for value in NONSENSE if value != "2"],
    *[("select", {"unit": value}) for value in NONSENSE if value is not None],
    *[("select", {"target": value}) for value in NONSENSE if value is not None],
    *[("select", {"selected": value}) for value in (None, "x", 1.5, HUGE, -1, [NAN], [HUGE], ["1"], [True], [[1]])],
    *[("select", value) for value in list[Any]((None, 3, "x", [1], {"colour": 1}, {"sample": 1, "layer": "nope"}))],
    *[("option", {"name": name, "value": 3}) for name in list[Any](("nope", None, 7, [], {}, "__class__", "result"))],
    *[("option", value) for value in list[Any]((None, 3, [], {"nme": 1}, {}))],
    *[("step_sample", {"by": value}) for value in list[Any]((None, "x", 1.5, NAN, True, []))],
    *[("step_layer", value) for value in list[Any]((None, 1, {"by": "1"}, {"to": 1}))],
    *[("click", value) for value in list[Any]((None, 3, [], {}, {"block": "nope", "where": 0}, {"block": None}))],
    *[("block_state", value) for value in list[Any]((None, 3, [], {}, {"block": "nope", "state": {}}, {"state": 1}))],
    *[("kept", {"position": value}) for value in NONSENSE if value is not None and value != HUGE],
    *[("kept", value) for value in list[Any]((None, 3, [], {"index": 1}))],
    *[("card", {"index": value}) for value in NONSENSE],
    *[("card", None), ("card", 1)],
    *[(name, None) for name in list[Any](("nope", "", None, 3, [], {}, True, "__init__", "close"))],
]


def everything(inspector: nnw.Inspector, view: View) -> tuple[Any, ...]:
    chosen = inspector.selection
    return (
        *(getattr(chosen, name) for name in ("layer", "unit", "sample", "target", "selected")),
        view.question(),
        {name: getattr(view, name) for name in view.options()},
        dict(view.job.states),
        view.job.kept.look(),
        view.failure,
    )


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("pinned", [False, True])
def test_nonsense_is_answered_with_words_and_changes_nothing(small: nnw.Inspector, name: str, pinned: bool) -> None:
    pins: dict[str, Any] = {"layer": "1", "sample": 2, "target": 1} if pinned else {}
    view = make(small, name, **{pin: value for pin, value in pins.items() if pin in EVERY[name].follows})
    shown(view)
    before = everything(small, view)
    wrong: list[Any] = [HUGE, NAN, [], {}, "zz"]
    own: list[tuple[str, Any]] = [
        ("option", {"name": each, "value": value}) for each in view.options() for value in wrong
    ]
    own += [("option", {"name": "target", "value": value}) for value in list[Any]((NAN, "x", -1, HUGE, 3, [], True))]
    assert view.job.laid is not None
    for block in (block for row in view.job.laid.rows for block in row):
        own += [("click", {"block": block.name, "where": value}) for value in NONSENSE if value != 1]
        own += [("block_state", {"block": block.name, "state": value}) for value in NONSENSE]
    for asked, value in [*COMMANDS, *own]:
        error = command(view, asked, value)
        assert error, f"{asked} {value!r} was taken"
        assert everything(small, view) == before, f"{asked} {value!r} changed something"
    assert command(view, "refresh") is None
    shown(view)


@pytest.mark.parametrize(
    "message",
    [
        None,
        3,
        "x",
        [],
        {},
        {"kind": None},
        {"kind": []},
        {"kind": "nope"},
        {"kind": "frame"},
        {"kind": "ack"},
        {"kind": "ack", "seq": "1"},
        {"kind": "ack", "seq": HUGE},
        {"kind": "ack", "seq": [1]},
        {"kind": "visible", "visible": []},
        {"kind": "hello", "width": "wide"},
        {"kind": "command"},
        {"kind": "command", "request": [], "name": {}, "value": NAN},
        {"kind": "ping", "request": {}},
    ],
)
def test_a_malformed_message_harms_nothing(small: nnw.Inspector, message: object) -> None:
    view = small.activations()
    result = shown(view)
    replies = tell(view.panel, message)
    if isinstance(message, dict) and message.get("kind") == "command":
        assert [bool(reply.get("error")) for reply in replies] == [True]
    assert view.failure is None
    assert view.result is result or shown(view).sample == result.sample
    assert command(view, "select", {"sample": 11}) is None
    assert shown(view).sample == 11


def test_the_page_hears_what_was_wrong_in_plain_words(small: nnw.Inspector) -> None:
    view = small.activations()
    shown(view)
    assert command(view, "select", {"layer": "9"}) == (
        "layer: expected one of the inspector's layers, got '9'; nearest: 0, 1, 2"
    )
    assert command(view, "select", {"unit": 4}) == "unit: expected a whole number from 0 to 3, got 4"
    assert command(view, "select", {"sample": 30}) == "sample: expected a whole number from 0 to 29, got 30"
    assert command(view, "option", {"name": "sort_by", "value": "size"}) == (
        "sort_by: expected 'unit', 'mean', 'max' or 'dead', got 'size'"
    )
    assert command(view, "option", {"name": "colour", "value": 1}) == "option: no 'colour' in the activations view"
    assert command(view, "click", {"block": "grids", "where": 0}) == (
        "block: expected one on show in the activations view, got 'grids'"
    )
    assert command(view, "click", {"block": "grid", "where": 4}) == ("unit: expected a whole number from 0 to 3, got 4")
    assert command(view, "kept", {"position": -1}) == ("position: expected 0 or more, or none for the newest, got -1")
    assert command(view, "card", {"index": 30}) == "index: expected a whole number from 0 to 29, got 30"
    assert command(view, "explode") == "command: no 'explode' in the activations view"


def test_a_failure_of_our_own_in_a_command_is_said_and_the_view_lives_on(
    small: nnw.Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = small.activations()
    shown(view)
    with monkeypatch.context() as patch:
        patch.setattr(ActivationsView, "select", lambda self, **_: 1 / 0)
        assert command(view, "select", {"sample": 1}) == "ZeroDivisionError: division by zero"
    assert command(view, "select", {"sample": 1}) is None
    assert shown(view).sample == 1
