"""Messages of the page handled inside a running cell, on a kernel that answers only between cells."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
from jupyter_client.session import Session
from tornado.queues import Queue

from nnwidgets.display import poll as poll_module
from nnwidgets.display.panel import Panel
from nnwidgets.display.poll import ShellPoll, answered_while_busy
from nnwidgets.display.publisher import PUBLISHER

Message = dict[str, Any]


class Kernel:
    """As much of ipykernel 6 as a message meets: a socket, its stream, the queue behind it, signed messages."""

    def __init__(self) -> None:
        self.page = Session(key=b"secret")
        self.session = Session(key=b"secret")
        self.socket: list[list[zmq.Frame]] = []
        self.msg_queue: Any = Queue()
        self.shell_stream = SimpleNamespace(flush=self._flush)
        self.handled: list[Message] = []
        self.shell_handlers = dict.fromkeys((*poll_module.COMM_TYPES, "execute_request"), self._handler)
        self.statuses: list[tuple[str, str]] = []
        self.react: Callable[[Message], None] = lambda message: None
        self._entries = 0

    def send(self, kind: str, **content: object) -> None:
        """What the page does."""
        message = self.page.msg(kind, content)
        frames = self.page.serialize(message, ident=b"page")
        self.socket.append([zmq.Frame(frame) for frame in frames])

    def _flush(self) -> None:
        while self.socket:
            self.schedule_dispatch(self.dispatch_shell, self.socket.pop(0))

    def schedule_dispatch(self, dispatch: Callable[..., Any], *arguments: Any) -> None:
        self._entries += 1
        self.msg_queue.put_nowait((self._entries, dispatch, arguments))

    async def dispatch_shell(self, frames: list[zmq.Frame]) -> None:
        identities, parts = self.session.feed_identities(frames, copy=False)
        message = self.session.deserialize(parts, content=True, copy=False)
        self.shell_handlers[message["header"]["msg_type"]](self.shell_stream, identities, message)

    def end_cell(self) -> None:
        """The kernel's own loop goes on."""
        self._flush()
        while self.msg_queue.qsize():
            _, dispatch, arguments = self.msg_queue.get_nowait()
            asyncio.run(dispatch(*arguments))

    def _handler(self, stream: object, identities: list[bytes], message: Message) -> None:
        assert stream is self.shell_stream
        assert identities == [b"page"]
        self.handled.append(message)
        self.react(message)

    def _publish_status(self, status: str, channel: str, parent: Message | None = None) -> None:
        assert channel == "shell"
        self.statuses.append((status, parent["content"]["name"] if parent else "the cell"))

    @property
    def names(self) -> list[str]:
        return [message["content"]["name"] for message in self.handled]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(poll_module, "EVERY_S", 0.0)
    kernels = SimpleNamespace(initialized=lambda: True, instance=lambda: made)
    monkeypatch.setitem(sys.modules, "ipykernel.kernelbase", SimpleNamespace(Kernel=kernels))
    return made


@pytest.fixture
def poll() -> ShellPoll:
    return ShellPoll()


def test_messages_of_widgets_are_handled_at_once_and_all_else_after_the_cell(kernel: Kernel, poll: ShellPoll) -> None:
    for kind, name in [("execute_request", "a"), ("comm_open", "b"), ("execute_request", "c"), ("comm_msg", "d")]:
        kernel.send(kind, name=name)
    poll()
    assert kernel.names == ["b", "d"]
    kernel.send("comm_close", name="e")
    poll()
    assert kernel.names == ["b", "d", "e"]
    kernel.end_cell()
    assert kernel.names == ["b", "d", "e", "a", "c"]


def test_a_message_that_the_kernel_had_read_before_the_cell_is_found_too(kernel: Kernel, poll: ShellPoll) -> None:
    kernel.send("comm_msg", name="early")
    kernel._flush()
    poll()
    assert kernel.names == ["early"]


def test_a_deferred_message_is_still_valid_after_many_looks(kernel: Kernel, poll: ShellPoll) -> None:
    kernel.send("execute_request", name="next cell")
    for _ in range(3):
        poll()
    kernel.end_cell()  # a signature that was checked before would be refused here as a duplicate
    assert kernel.names == ["next cell"]


def test_what_is_no_message_stays_in_the_queue(kernel: Kernel, poll: ShellPoll) -> None:
    stopped: list[str] = []

    async def stop_aborting() -> None:
        stopped.append("stopped")

    kernel.schedule_dispatch(stop_aborting)
    kernel.schedule_dispatch(kernel.dispatch_shell, [zmq.Frame(b"no message")])
    poll()
    assert kernel.msg_queue.qsize() == 2
    kernel.msg_queue._queue.pop()
    kernel.end_cell()
    assert stopped == ["stopped"]


def test_the_page_hears_idle_for_each_message_and_then_that_the_cell_runs_on(kernel: Kernel, poll: ShellPoll) -> None:
    poll()
    assert kernel.statuses == []
    kernel.send("comm_msg", name="slide")
    kernel.send("comm_msg", name="click")
    poll()
    assert kernel.statuses == [("idle", "slide"), ("idle", "click"), ("busy", "the cell")]


def test_a_message_that_fails_or_is_forged_stops_neither_training_nor_the_next(
    kernel: Kernel, poll: ShellPoll, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: Message) -> None:
        if message["content"]["name"] == "bad":
            raise ValueError("made for this test")

    kernel.react = fail
    kernel.page.key = b"another secret"
    kernel.send("comm_msg", name="forged")
    kernel.page.key = b"secret"
    kernel.send("comm_msg", name="bad")
    kernel.send("comm_msg", name="good")
    poll()
    assert kernel.names == ["bad", "good"]
    assert kernel.statuses == [("idle", "bad"), ("idle", "good"), ("busy", "the cell")]
    assert "Invalid Signature" in caplog.text
    assert "made for this test" in caplog.text


def test_an_interrupt_in_a_handler_reaches_the_cell_and_loses_no_other_message(kernel: Kernel, poll: ShellPoll) -> None:
    def interrupt(message: Message) -> None:
        kernel.react = lambda message: None
        raise KeyboardInterrupt

    kernel.react = interrupt
    for kind, name in [("execute_request", "cell"), ("comm_msg", "first"), ("comm_msg", "second")]:
        kernel.send(kind, name=name)
    with pytest.raises(KeyboardInterrupt):
        poll()
    assert not poll.handling
    kernel.end_cell()
    assert kernel.names == ["first", "cell", "second"]


def test_a_handler_that_polls_gets_no_message_before_its_own_has_ended(kernel: Kernel, poll: ShellPoll) -> None:
    during: list[list[str]] = []

    def poll_again(message: Message) -> None:
        kernel.send("comm_msg", name="later")
        poll()
        during.append(kernel.names)
        kernel.react = lambda message: None

    kernel.react = poll_again
    kernel.send("comm_msg", name="first")
    poll()
    assert during == [["first"]]
    poll()
    assert kernel.names == ["first", "later"]


def test_looks_are_spaced_in_a_fast_loop(kernel: Kernel, poll: ShellPoll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_module, "EVERY_S", 1000.0)
    kernel.send("comm_msg", name="first")
    poll()
    kernel.send("comm_msg", name="second")
    poll()
    assert kernel.names == ["first"]


def test_another_thread_leaves_the_kernel_alone(kernel: Kernel, poll: ShellPoll) -> None:
    kernel.send("comm_msg", name="click")
    thread = threading.Thread(target=poll)
    thread.start()
    thread.join()
    assert kernel.names == []


def test_a_kernel_with_subshells_is_left_alone(kernel: Kernel, poll: ShellPoll) -> None:
    del kernel.msg_queue
    kernel.send("comm_msg", name="click")
    poll()
    assert len(kernel.socket) == 1


@pytest.mark.parametrize("loaded", [False, True])
def test_without_a_kernel_nothing_happens(poll: ShellPoll, monkeypatch: pytest.MonkeyPatch, loaded: bool) -> None:
    base = SimpleNamespace(Kernel=SimpleNamespace(initialized=lambda: False)) if loaded else None
    monkeypatch.setitem(sys.modules, "ipykernel.kernelbase", base)
    poll()
    assert not poll.handling


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    monkeypatch.setattr(poll_module, "poll", ShellPoll())
    made = Panel(part="view", on_command=lambda name, value: None)
    yield made
    made.close()


def test_a_panel_knows_that_it_was_answered_inside_a_cell_and_tells_the_page(
    kernel: Kernel, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, sent = PUBLISHER._lanes[id(panel)], list[object]()
    monkeypatch.setattr(panel, "send", sent.append)
    kernel.react = lambda message: panel._receive(panel, {"kind": "ping", "request": 1}, [])
    kernel.send("comm_msg", name="after the cell")
    kernel.end_cell()
    assert not lane.answers_while_busy
    kernel.send("comm_msg", name="in the cell")
    poll_module.poll()
    assert lane.answers_while_busy
    assert sent == [{"kind": "pong", "request": 1, "busy": busy} for busy in (False, True)]


def test_a_message_in_a_thread_of_its_own_need_not_wait_for_a_cell() -> None:
    seen = [answered_while_busy()]
    thread = threading.Thread(target=lambda: seen.append(answered_while_busy()))
    thread.start()
    thread.join()
    assert seen == [False, True]
