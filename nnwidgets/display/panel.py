"""An own widget in the page: sends frames, receives messages. Knows the protocol; knows no model and no analysis.

Browser to Python everything is a custom message; the browser never writes a trait. Handlers run in a second thread
of the kernel while a cell is busy, so they check, hand over and return.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from nnwidgets.display.errors import text_of
from nnwidgets.display.guard import guard, guard_tree
from nnwidgets.display.packing import Sent
from nnwidgets.display.page_code import loader, page_code
from nnwidgets.display.poll import answered_while_busy
from nnwidgets.display.publisher import PUBLISHER, FrameSource
from nnwidgets.display.wire import Frame, encode

Command = Callable[[str, Any], Frame | None]
logger = logging.getLogger(__name__)


class Panel(anywidget.AnyWidget):
    """One part of ours on the page: "view" or "dashboard". What it runs there is sent once for all (`page_code`).

    `on_command(name, value)` answers what the user does there: it returns a frame for a command that asks, raises
    `ValueError`, `KeyError` or `TypeError` for one that makes no sense (the text goes back to the page), and must
    not block. `on_hello()` is called when a page shows the panel, `on_ping()` every two seconds while it does,
    `on_failure(error)` when a frame could not be sent, `on_cost(seconds)` of CPU after each that was.
    """

    _esm = traitlets.Unicode(help="JavaScript that loads the page's code. Written by Python, once.").tag(sync=True)
    code = traitlets.Unicode(help="Id of the widget that holds the page's code. Written by Python, once.").tag(
        sync=True
    )
    part = traitlets.Unicode(help="Which part to show. Written by Python, once.").tag(sync=True)

    def __init__(
        self,
        *,
        part: str,
        on_command: Command,
        on_hello: Callable[[], None] = lambda: None,
        on_ping: Callable[[], None] = lambda: None,
        on_failure: Callable[[Exception], None] = lambda error: None,
        on_cost: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._on_command, self._on_hello, self._on_ping, self._on_failure = on_command, on_hello, on_ping, on_failure
        self._on_cost = on_cost
        self.mounted = False
        self.sent = Sent()
        super().__init__(_esm=loader(), code=page_code().model_id, part=part)
        PUBLISHER.open(self)
        self.on_msg(self._receive)

    def open(self) -> None:
        super().open()
        guard(self)
        guard_tree(self.layout)

    def close(self) -> None:
        PUBLISHER.close(self)
        PUBLISHER.forget(self)
        super().close()

    @property
    def awake(self) -> bool:
        """Whether somebody may be looking."""
        return PUBLISHER.awake(self)

    def post(self, source: FrameSource, *, channel: str = "picture") -> None:
        """Have a frame made and sent by the publisher; the newest of a channel wins."""
        PUBLISHER.post(self, source, channel=channel)

    def deliver(self, frame: Frame, seq: int) -> None:
        """Called by the publisher."""
        header, arrays = frame.header, frame.arrays
        if frame.blocks is not None:
            if not self.mounted:  # a page that cannot say hello while a cell runs may have missed what was sent
                self.sent.forget()
            blocks, changed = self.sent.changes(frame.blocks)
            header, arrays = {**header, "blocks": blocks}, {**arrays, **changed}
        content, buffers = encode(header, arrays)
        self.send({"kind": "frame", "seq": seq, "channel": frame.channel, **content}, buffers)

    def charge(self, seconds: float) -> None:
        """Called by the publisher."""
        self._on_cost(seconds)

    def undeliverable(self, error: Exception) -> None:
        """Called by the publisher."""
        self._on_failure(error)

    def _receive(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, Mapping):
            return
        busy = answered_while_busy()
        match content.get("kind"):
            case "hello":
                self.mounted = True
                PUBLISHER.heard(self, visible=True, busy=busy)
                self._on_hello()
            case "visible":
                PUBLISHER.heard(self, visible=content.get("visible") is not False, busy=busy)
                self._on_hello()
            case "ack":
                seq = content.get("seq")
                PUBLISHER.heard(self, ack=seq if isinstance(seq, int) else None, busy=busy)
            case "ping":
                PUBLISHER.heard(self, busy=busy)
                self.send({"kind": "pong", "request": content.get("request"), "busy": busy})
                self._on_ping()
            case "command":
                PUBLISHER.heard(self, busy=busy)
                self._command(content)
            case other:
                logger.warning("a message of unknown kind came from the browser: %r", other)

    def _command(self, content: Mapping[str, Any]) -> None:
        request, name = content.get("request"), content.get("name")
        reply: dict[str, Any] = {"kind": "reply", "request": request}
        try:
            if not isinstance(name, str):
                raise TypeError(f"command: expected a name, got {name!r}")
            frame = self._on_command(name, content.get("value"))
        except (KeyError, IndexError, TypeError, ValueError, traitlets.TraitError) as error:
            self.send({**reply, "error": text_of(error)})
            return
        except Exception as error:
            # `print` and tracebacks of a handler are lost in the kernel, so the page must say it.
            logger.warning("a command of the browser failed", exc_info=True)
            self.send({**reply, "error": f"{type(error).__name__}: {error}"})
            return
        if frame is not None:
            answer, buffers = encode(frame.header, frame.arrays)
            self.send({**reply, **answer}, buffers)
