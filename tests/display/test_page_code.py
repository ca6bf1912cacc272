"""The page's code is sent once, by one widget, and again after that one was closed."""

from __future__ import annotations

from nnwidgets.display.page_code import loader, page_code
from nnwidgets.display.panel import Panel

LOADER_BYTES = 2000


def test_all_panels_name_one_holder_and_carry_a_loader_only() -> None:
    panels = [Panel(part=part, on_command=lambda name, value: None) for part in ("view", "dashboard")]
    holder = page_code()
    assert {panel.code for panel in panels} == {holder.model_id}
    for panel in panels:
        sent = panel.get_state()
        assert sent["_esm"] == loader()
        assert sum(len(str(value)) for value in sent.values()) < LOADER_BYTES
        panel.close()
    assert {"code", "css", "version"} <= set(holder.get_state())


def test_a_holder_that_was_closed_is_made_anew_with_the_same_version() -> None:
    first = page_code()
    first.close()
    second = page_code()
    assert second is not first
    assert second.comm is not None
    assert second.version == first.version
