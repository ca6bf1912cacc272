"""Keeps clicks answered while a cell runs. Knows comms; knows nothing of models.

ipykernel 7.4 routes a widget's messages to the shell that last sent something for it. For a widget made in a cell
that is
the main shell, which is blocked for as long as a cell runs. Trusting the subshell that the browser chose undoes this;
other kernels have no such attribute and are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ipywidgets import Widget


def _trust_browser(data: Any, default: Any) -> Any:
    return default


def guard(widget: Widget) -> None:
    """Let messages of this widget be handled in the thread that the browser asked for."""
    comm = widget.comm
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _trust_browser


def guard_tree(root: Widget) -> None:
    """Guard a widget and all the widgets it holds (children, layouts, scales, marks)."""
    for widget in held(root):
        guard(widget)


def close_tree(root: Widget) -> None:
    """Close every widget that this one holds, but not itself.

    ipywidgets keeps all open widgets in a registry, and closing a box leaves its children, layouts and scales there.
    """
    for widget in list(held(root)):
        if widget is not root:
            widget.close()


def held(root: Widget) -> Iterator[Widget]:
    """The widget and every widget reachable through its synced traits, each once."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        widget = todo.pop()
        if id(widget) in seen:
            continue
        seen.add(id(widget))
        yield widget
        for name in widget.keys:
            todo.extend(_widgets_in(getattr(widget, name, None)))


def _widgets_in(value: Any) -> list[Widget]:
    if isinstance(value, Widget):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [item for item in value if isinstance(item, Widget)]
    return []
