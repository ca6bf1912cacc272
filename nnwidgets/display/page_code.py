"""The code and the style of all our panels, sent to a page once. Knows files and one comm; knows no panel.

One hidden widget holds them. A panel carries a loader of a kilobyte (`loader`) and the widget's id; on the page the
loader finds the widget and imports its code, once per page and version (js/src/loader.ts).
"""

from __future__ import annotations

import functools
import hashlib
import threading
from pathlib import Path

import ipywidgets
import traitlets

from nnwidgets.display.guard import guard

STATIC = Path(__file__).parent / "static"


class PageCode(ipywidgets.Widget):
    """Holds what runs on the page. Made by `page_code`."""

    code = traitlets.Unicode(help="JavaScript of all panels. Written by Python, once.").tag(sync=True)
    css = traitlets.Unicode(help="Their style. Written by Python, once.").tag(sync=True)
    version = traitlets.Unicode(help="A hash of both. Written by Python, once.").tag(sync=True)

    def open(self) -> None:
        super().open()
        guard(self)


_lock = threading.Lock()
_holder: PageCode | None = None


def page_code() -> PageCode:
    """The kernel's only holder of the code; made anew if it was closed, as by `Widget.close_all()`.

    Raises:
        FileNotFoundError: nnwidgets was not built.
    """
    global _holder
    with _lock:
        if _holder is None or _holder.comm is None:
            code, css = built("nnwidgets.js"), built("nnwidgets.css")
            version = hashlib.sha256(f"{code}\0{css}".encode()).hexdigest()[:16]
            _holder = PageCode(code=code, css=css, version=version)
        return _holder


def loader() -> str:
    """The JavaScript that every panel carries as its `_esm`."""
    return built("loader.js")


@functools.cache
def built(name: str) -> str:
    """The text of a file that js/build.mjs made."""
    path = STATIC / name
    if not path.exists():
        raise FileNotFoundError(
            f"{name}: expected among nnwidgets' built bundles, not found; run `make js`, or reinstall nnwidgets"
        )
    return path.read_text(encoding="utf-8")
