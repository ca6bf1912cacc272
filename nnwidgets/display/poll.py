"""Answers clicks inside a running cell where the kernel itself can't. Knows kernels; knows no widget and no model.

ipykernel 6 handles one message at a time, so none while a cell runs: what the page sends waits in the shell's socket,
then in `kernel.msg_queue`. ipykernel 7 answers widgets in a subshell, has no such queue, and is left alone.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Any

EVERY_S = 0.02  # a look at the socket costs some 100 µs, and a loop may ask for one at every step
COMM_TYPES = frozenset({"comm_open", "comm_msg", "comm_close"})
Entry = tuple[int, Any, tuple[Any, ...]]  # of the kernel's queue: number, who handles it, arguments
logger = logging.getLogger(__name__)


class ShellPoll:
    """Handles the widgets' messages when called, from inside the running cell; all else stays where it waits.

    Outputs of the handlers go to the running cell, as its message remains the parent. Outside the main thread, without
    a kernel and on kernels that answer by themselves a call does nothing.
    """

    def __init__(self) -> None:
        self.handling = False
        self._due_at = float("-inf")
        self._looked_at = -1  # the queue numbers its entries; those that stay are looked at once

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._due_at or self.handling or (kernel := _kernel()) is None:
            return
        self.handling, self._due_at = True, now + EVERY_S
        try:
            self._handle_comms(kernel)
        finally:
            self.handling = False

    def _handle_comms(self, kernel: Any) -> None:
        kernel.shell_stream.flush()  # from the socket to the queue, by the kernel's own callback
        waiting = kernel.msg_queue._queue
        ours = [entry for entry in waiting if entry[0] > self._looked_at and _is_comm(kernel, entry)]
        if waiting:
            self._looked_at = waiting[-1][0]
        for entry in ours:
            _handle(kernel, entry)
        if ours:
            # The page takes the "idle" of the last message for the kernel's; the cell still runs.
            kernel._publish_status("busy", "shell")


def answered_while_busy() -> bool:
    """Whether the message that is being handled need not wait for a cell to end. In a handler.

    A kernel handles messages in its main thread only between cells, except by `poll`.
    """
    return poll.handling or threading.current_thread() is not threading.main_thread()


poll = ShellPoll()


def _kernel() -> Any:
    """The kernel that this thread blocks and that can be polled, or None."""
    base = sys.modules.get("ipykernel.kernelbase")
    if base is None or not base.Kernel.initialized() or threading.current_thread() is not threading.main_thread():
        return None
    kernel = base.Kernel.instance()
    return kernel if hasattr(getattr(kernel, "msg_queue", None), "_queue") else None


def _is_comm(kernel: Any, entry: Entry) -> bool:
    """Whether this is a widget's message. Reads its header only.

    To deserialize would note the signature as seen, and the kernel would refuse the message after the cell.
    """
    _, dispatch, arguments = entry
    if dispatch != kernel.dispatch_shell:
        return False
    try:
        _, parts = kernel.session.feed_identities(arguments[0], copy=False)
        return kernel.session.unpack(parts[1].bytes)["msg_type"] in COMM_TYPES
    except (ValueError, LookupError, TypeError):
        return False  # malformed: the kernel will say so


def _handle(kernel: Any, entry: Entry) -> None:
    """What `kernel.dispatch_shell` does with a message, without making it the parent of what the cell prints."""
    try:
        # One at a time and in place: an interrupt then loses at most the message in hand, and never a cell.
        kernel.msg_queue._queue.remove(entry)
        identities, parts = kernel.session.feed_identities(entry[2][0], copy=False)
        message = kernel.session.deserialize(parts, content=True, copy=False)
        try:
            kernel.shell_handlers[message["header"]["msg_type"]](kernel.shell_stream, identities, message)
        finally:
            # A page holds back a widget's next change until it hears "idle" for the last one.
            kernel._publish_status("idle", "shell", parent=message)
    except Exception:
        logger.warning("a message of the browser could not be handled", exc_info=True)
