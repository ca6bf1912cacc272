"""Whatever the page sends is answered in words or does what it says; nonsense changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nnwidgets as nnw
from nnwidgets.views._view import View
from nnwidgets.views.activations import ActivationsView
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
    *[(name, None) for name in list[Any](("nope", "", None, 3, [], {}, True, "__init__", "close"))],
]


def everything(inspector: nnw.Inspector, view: View) -> tuple[Any, ...]:
    chosen = inspector.selection
    return (
        *(getattr(chosen, name) for name in ("layer", "unit", "sample", "target", "selected")),
        view.ask(),
        {name: getattr(view, name) for name in view.controls},
        view.result,
    )


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("pinned", [False, True])
def test_nonsense_is_answered_with_words_and_changes_nothing(small: nnw.Inspector, which: int, pinned: bool) -> None:
    pins: dict[str, Any] = {"layer": "1", "sample": 2} if pinned else {}
    make: list[Callable[[], View]] = [
        lambda: small.activations(**pins),
        lambda: small.filters(layer=pins.get("layer")),
        lambda: small.embedding(points=20, layer=pins.get("layer")),
        lambda: small.occlusion(patch=4, stride=4, target=1 if pinned else None, **pins),
    ]
    view = make[which]()
    shown(view)
    before = everything(small, view)
    wrong: list[Any] = [HUGE, NAN, [], {}, "zz"]
    own: list[tuple[str, Any]] = [
        ("option", {"name": name, "value": value}) for name in view.controls for value in wrong
    ]
    own += [
        ("page", value) for value in list[Any]((None, 1, {"page": "1"}, {"page": True}, {"page": [1]}, {"page": NAN}))
    ]
    own += [
        ("map", value) for value in list[Any]((None, 1, {}, {"position": "1"}, {"position": True}, {"position": NAN}))
    ]
    own += [
        ("card", value)
        for value in list[Any]((None, {}, {"index": "1"}, {"index": HUGE}, {"index": [1]}, {"index": True}))
    ]
    own += [("option", {"name": "target", "value": value}) for value in list[Any]((NAN, "x", -1, HUGE, 3, [], True))]
    for name, value in [*COMMANDS, *own]:
        error = command(view, name, value)
        assert error, f"{name} {value!r} was taken"
        assert everything(small, view) == before, f"{name} {value!r} changed something"


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
    assert command(view, "select", {"layer": "9"}) == (
        "layer: expected one of the inspector's layers, got '9'; nearest: 0, 1, 2"
    )
    assert command(view, "select", {"unit": 4}) == "unit: expected a whole number from 0 to 3, got 4"
    assert command(view, "select", {"sample": 30}) == "sample: expected a whole number from 0 to 29, got 30"
    assert command(view, "option", {"name": "sort_by", "value": "size"}) == (
        "sort_by: expected one of ['unit', 'mean', 'max', 'dead'], got 'size'"
    )
    assert command(view, "option", {"name": "colour", "value": 1}) == "option: no 'colour' in the activations view"
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
