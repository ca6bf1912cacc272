"""A page gets what it lacks and nothing twice: merged on the page, the changes are the whole layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import nnwidgets as nnw
from nnwidgets import blocks
from nnwidgets.display import packing
from nnwidgets.display.packing import PackedBlock, Packer, Sent, rows_of
from nnwidgets.display.publisher import PUBLISHER
from nnwidgets.display.view import View
from nnwidgets.display.wire import encode
from tests.views.every import EVERY, make
from tests.waiting import Blocks, answered, command, decoded, eventually, frame, merged, page, shown, tell


@dataclass(frozen=True, eq=False)
class Box(blocks.Block):
    """Sends what it is given."""

    kind = "box"
    exact = ("table",)

    values: Mapping[str, Any]

    def pack(self, state: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.values, "state": dict(state)}


@dataclass(frozen=True, eq=False)
class OtherBox(Box):
    kind = "other"


class Browser:
    """What a page has after the frames that reached it."""

    def __init__(self) -> None:
        self.blocks: Blocks = {}
        self.frames: list[tuple[list[dict[str, Any]], list[str]]] = []

    def take(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        header, arrays = decoded(content, buffers)
        self.frames.append((header["blocks"], list(arrays)))
        self.blocks = merged(self.blocks, header["blocks"], arrays)

    def get(self, sent: Sent, packed: Sequence[PackedBlock]) -> tuple[list[dict[str, Any]], list[str]]:
        entries, arrays = sent.changes(packed)
        self.take(*encode({"blocks": entries}, arrays))
        return self.frames[-1]


def pack(packer: Packer, *layout: blocks.Block, states: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    return packer.pack(rows_of(layout), states or {})


def test_what_has_not_changed_is_the_same_object_and_is_not_sent() -> None:
    packer, sent, browser = Packer(), Sent(), Browser()
    values = np.arange(6.0).reshape(2, 3)
    first = pack(packer, Box({"values": values, "words": ["a", "b"], "n": 1, "odd": float("nan")}))
    browser.get(sent, first)
    again = pack(packer, Box({"values": values.copy(), "words": ["a", "b"], "n": 2, "odd": float("nan")}))
    assert again[0].arrays["values"] is first[0].arrays["values"]
    assert again[0].fields["words"] is first[0].fields["words"]
    entries, arrays = browser.get(sent, again)
    assert (entries[0]["fields"], entries[0]["whole"], entries[0]["gone"], arrays) == ({"n": 2}, False, [], [])
    assert browser.blocks["box"]["n"] == 2
    np.testing.assert_array_equal(browser.blocks["box"]["values"], values)
    assert browser.get(sent, again) == ([{**entries[0], "fields": {}}], [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.zeros(3), np.zeros(4)),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros(3), np.zeros(3, dtype=np.uint8)),
        (np.zeros(3), np.array([0, 0, np.nan])),
        (1, True),
        (1, 1.0),
        (["a"], ["b"]),
        ({"a": [1]}, {"a": [2]}),
        ("", None),
    ],
)
def test_what_has_changed_is_sent(before: Any, after: Any) -> None:
    packer, sent, browser = Packer(), Sent(), Browser()
    browser.get(sent, pack(packer, Box({"value": before})))
    entries, arrays = browser.get(sent, pack(packer, Box({"value": after})))
    told = {*entries[0]["fields"], *(name.partition("/")[2] for name in arrays)}
    assert told == {"value"}
    got = browser.blocks["box"]["value"]
    np.testing.assert_array_equal(got, after)
    assert type(got) is type(after)


def test_a_field_that_becomes_an_array_or_is_gone_leaves_nothing_behind() -> None:
    packer, sent, browser = Packer(), Sent(), Browser()
    for values in ({"x": 1, "y": 2}, {"x": np.ones(2)}, {"x": "words"}, {}, {"x": np.zeros(1)}):
        browser.get(sent, pack(packer, Box(values)))
        own = {name: value for name, value in browser.blocks["box"].items() if name in ("x", "y")}
        assert own.keys() == values.keys()
        for name, value in values.items():
            np.testing.assert_array_equal(own[name], value)


def test_large_arrays_are_the_same_only_where_they_are_one_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "COMPARED_BYTES", 16)
    packer, sent, browser = Packer(), Sent(), Browser()
    values = np.arange(6.0)
    browser.get(sent, pack(packer, Box({"values": values})))
    assert browser.get(sent, pack(packer, Box({"values": values[:]})))[1] == []
    assert browser.get(sent, pack(packer, Box({"values": values.copy()})))[1] == ["box/values"]
    other = np.arange(6.0)[::-1]
    assert browser.get(sent, pack(packer, Box({"values": other})))[1] == ["box/values"]
    np.testing.assert_array_equal(browser.blocks["box"]["values"], other)


def test_tables_keep_24_bits_and_pictures_eleven() -> None:
    browser = Browser()
    third = np.array([1 / 3])
    browser.get(Sent(), pack(Packer(), Box({"values": third, "table_of": third})))
    assert browser.blocks["box"]["table_of"][0] == np.float32(1 / 3)
    assert browser.blocks["box"]["values"][0] == np.float16(1 / 3 * 2) / 2 != np.float32(1 / 3)


def test_blocks_come_go_and_change_places() -> None:
    packer, sent, browser = Packer(), Sent(), Browser()
    one, two, three = (Box({"n": at}, key=name) for at, name in enumerate(("one", "two", "three")))
    browser.get(sent, packer.pack(rows_of([one, (two, three)]), {}))
    assert [(entry["key"], entry["row"]) for entry in browser.frames[-1][0]] == [("one", 0), ("two", 1), ("three", 1)]
    entries, _ = browser.get(sent, packer.pack(rows_of([three, one]), {}))
    assert [(entry["key"], entry["row"], entry["whole"]) for entry in entries] == [
        ("three", 0, False),
        ("one", 1, False),
    ]
    assert list(browser.blocks) == ["three", "one"]
    entries, _ = browser.get(sent, packer.pack(rows_of([one, two]), {}))
    assert [entry["whole"] for entry in entries] == [False, True], "what was gone is sent whole"
    entries, _ = browser.get(sent, packer.pack(rows_of([OtherBox({"m": 1}, key="one")]), {}))
    assert (entries[0]["whole"], browser.blocks["one"]) == (True, {**browser.blocks["one"], "m": 1, "kind": "other"})
    assert "n" not in browser.blocks["one"]


def test_frames_that_were_never_made_are_made_up_for_by_the_next() -> None:
    packer, sent, browser = Packer(), Sent(), Browser()
    for step in range(20):
        packed = pack(packer, Box({"values": np.full(3, step // 3), "step": step, "words": "same"}))
        if step % 4 == 1:  # newest wins: the others are dropped before they are sent
            browser.get(sent, packed)
            assert browser.blocks["box"]["step"] == step
            np.testing.assert_array_equal(browser.blocks["box"]["values"], step // 3)
    assert sum("words" in entries[0]["fields"] for entries, _ in browser.frames) == 1


def test_a_new_page_gets_everything_once() -> None:
    packer, sent = Packer(), Sent()
    packed = pack(packer, Box({"values": np.ones(2), "n": 1}))
    Browser().get(sent, packed)
    sent.forget()
    browser = Browser()
    entries, arrays = browser.get(sent, packed)
    assert (entries[0]["whole"], arrays) == (True, ["box/values"])
    assert browser.get(sent, packed)[0][0]["whole"] is False


def test_two_blocks_of_one_name_and_what_is_no_block_are_refused() -> None:
    with pytest.raises(ValueError, match="layout: expected a key of its own for each block, got 'box' twice"):
        rows_of([Box({}), (OtherBox({}), Box({}))])
    with pytest.raises(ValueError, match="got 'other' twice"):
        rows_of([Box({}, key="other"), OtherBox({})])
    with pytest.raises(TypeError, match="layout: expected blocks, got str"):
        rows_of([(Box({}), "text")])  # type: ignore[list-item]


def test_the_state_that_a_page_told_reaches_its_block() -> None:
    browser = Browser()
    layout = Box({}, key="one"), Box({}, key="two")
    browser.get(Sent(), pack(Packer(), *layout, states={"two": {"page": 3}}))
    assert [browser.blocks[name]["state"] for name in ("one", "two")] == [{}, {"page": 3}]


class Wired:
    """A page that looks at a view: hears its frames and acknowledges them."""

    def __init__(self, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
        self.view, self.browser = view, Browser()
        self.heard = 0
        monkeypatch.setattr(view.panel, "send", self._send)

    def _send(self, content: Mapping[str, Any], buffers: Sequence[memoryview] = ()) -> None:
        if content["kind"] != "frame":
            return
        if content["channel"] == "picture":
            self.browser.take(content, buffers)
        self.heard += 1
        PUBLISHER.heard(self.view.panel, ack=content["seq"], busy=True)

    def hello(self) -> None:
        self.browser = Browser()
        self.view.panel._receive(self.view.panel, {"kind": "hello"}, [])

    def has_all(self) -> bool:
        """Whether the page shows what the view does."""
        _, wanted = frame(self.view)[0], page(self.view)
        return list(self.browser.blocks) == list(wanted) and all(
            self.browser.blocks[key].keys() == wanted[key].keys()
            and all(np.array_equal(self.browser.blocks[key][name], value) for name, value in block.items())
            for key, block in wanted.items()
        )


@pytest.mark.parametrize("name", EVERY)
def test_a_mounted_page_is_sent_each_block_whole_once_and_ends_with_what_the_view_shows(
    inspector: nnw.Inspector, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    view = make(inspector, name)
    wired = Wired(view, monkeypatch)
    wired.hello()
    shown(view)
    eventually(wired.has_all, "the picture on the page")
    for change in ({"sample": 3}, {"layer": "1"}, {"unit": 1}, {"layer": "4", "sample": 9}):
        assert command(view, "select", change) is None
        answered(view)
        eventually(wired.has_all, "the new picture on the page")
    assert tell_hello_is_whole(wired)
    whole: dict[str, int] = {}
    there: set[str] = set()
    for entries, _ in wired.browser.frames:
        for entry in entries:
            if entry["whole"]:
                assert entry["key"] not in there, "the page had it"
                whole[entry["key"]] = whole.get(entry["key"], 0) + 1
        there = {entry["key"] for entry in entries}
    assert whole, "nothing was sent"


def tell_hello_is_whole(wired: Wired) -> bool:
    """A page that is opened anew gets all of it again."""
    wired.hello()
    eventually(wired.has_all, "the picture on the new page")
    return all(entry["whole"] for entry in wired.browser.frames[0][0])


def test_a_page_that_never_said_hello_gets_every_picture_whole(
    inspector: nnw.Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a busy kernel that can't hear it, the page may have missed what was sent before it was there."""
    view = make(inspector, "filters")
    wired = Wired(view, monkeypatch)
    for unit in range(3):
        inspector.selection.unit = unit
        answered(view)
        view.show_picture()
        eventually(wired.has_all, "the picture")
    assert all(entry["whole"] for entries, _ in wired.browser.frames for entry in entries)
    assert tell(view.panel, {"kind": "ping", "request": 1})
