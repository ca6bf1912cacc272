"""Displaying a widget so that the saved notebook still shows its last picture. Knows IPython; knows no model.

A saved notebook without a kernel shows "Loading widget..." and not the picture of the same output, so a second output
beside the widget holds the picture. The page hides it while the widget is alive.
"""

from __future__ import annotations

import io
import struct
import time
import uuid
import weakref
import zlib
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nnwidgets.session import Session

PICTURE_EVERY_S = 60.0  # while a model trains, by turns: one costs as much as six seconds of the budget earn
SOON_S = 1.0
DOTS_PER_INCH = 96
# JupyterLab writes "Loading widget..." or "Error displaying widget: model not found" where a widget is not alive. None
# of our code runs on such a page, so this stands in an output of its own before the widget's.
NOT_LIVE = """<style data-nnwidgets>
.jp-OutputArea-child:has(style[data-nnwidgets]) { display: none; }
.jp-OutputArea-child:has(style[data-nnwidgets]) + .jp-OutputArea-child > .jp-OutputArea-output:not(:has(*)) {
  font-size: 0;
}
.jp-OutputArea-child:has(style[data-nnwidgets]) + .jp-OutputArea-child > .jp-OutputArea-output:not(:has(*))::after {
  content: "Saved picture. The view is live again once the kernel answers, or when you run this cell.";
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size1);
  opacity: 0;
  animation: nnw-not-live 0s 2s forwards;
}
@keyframes nnw-not-live { to { opacity: 1; } }
</style>"""


class LeavesPicture:
    """Mixin of widgets that are displayed with a picture of themselves kept in the notebook."""

    session: Session
    save_picture: bool = True
    model_id: str
    comm: Any
    _picture_id: str | None = None
    _pictured_at = float("-inf")

    def figure(self) -> Figure:
        """What the picture shows. Raises RuntimeError while there is nothing to show."""
        raise NotImplementedError

    @property
    def leaves_picture(self) -> bool:
        """Whether an output of its own beside the widget holds the picture."""
        return self._picture_id is not None

    def on_display(self) -> None:
        """Called when the widget is displayed, before the page has it."""

    def _ipython_display_(self, **_options: Any) -> None:
        if self.comm is None:
            raise RuntimeError(
                f"{type(self).__name__}: expected an open widget, got a closed one; keep its inspector in a variable, "
                "and make one per model"
            )
        replace_display(self)
        self.on_display()
        bundle = {
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            },
            "text/plain": "",
        }
        if self.save_picture:
            publish_display_data({"text/html": NOT_LIVE, "text/plain": ""})  # type: ignore[no-untyped-call]
            self._keep_picture(uuid.uuid4().hex)
        publish_display_data(bundle)  # type: ignore[no-untyped-call]
        if self._picture_id is not None:
            self._publish(blank_png(), update=False)
            # At once, as a training that begins in the next cell would have to pay for it.
            if self.session.training or not self._renew_picture():
                self.picture_due()

    def _keep_picture(self, display_id: str) -> None:
        self._picture_id = display_id
        self.session.pictured.add(self)

    def picture_due(self) -> None:
        """Have the worker renew the kept picture: now and then while a model trains, soon after a result otherwise."""
        if self._picture_id is None:
            return
        delay_s = self._picture_wait_s if self.session.training else SOON_S
        self.session.worker.call((id(self), "picture"), self._renew_picture, delay_s=delay_s, over_s=PICTURE_EVERY_S)

    @property
    def _picture_wait_s(self) -> float:
        """Seconds until it is this picture's turn while a model trains."""
        return max(0.0, self._pictured_at + PICTURE_EVERY_S * len(self.session.pictured) - time.monotonic())

    def _renew_picture(self) -> bool:
        if self.session.training and self._picture_wait_s > 0:  # the training began while it waited
            self.picture_due()
            return False
        try:
            figure = self.figure()
        except RuntimeError:
            return False
        self._pictured_at = time.monotonic()
        self._publish(png_of(figure), update=True)
        return True

    def _publish(self, png: bytes, *, update: bool) -> None:
        publish_display_data(  # type: ignore[no-untyped-call]
            {"image/png": png, "text/plain": ""},
            metadata={"image/png": {"alt": "nnwidgets picture"}},
            transient={"display_id": self._picture_id},
            update=update,
        )


def png_of(figure: Figure) -> bytes:
    """The figure as PNG, drawn by Agg and never by pyplot, whose state other threads share."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.1)
    return buffer.getvalue()


def blank_png() -> bytes:
    """A picture of one clear pixel: holds the place until there is something to show.

    >>> blank_png()[:4]
    b'\\x89PNG'
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(5))) + chunk(b"IEND", b"")


_displayed: dict[str, tuple[str, list[weakref.ref[Any]]]] = {}


def replace_display(widget: Any) -> None:
    """Close what the previous run of this cell displayed: its output is gone, so nobody can look at it any more."""
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return
    parent = kernel.get_parent()
    cell = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id", "")
    if not cell:
        return
    last_run, widgets = _displayed.get(cell, (run, []))
    if last_run != run:
        for find in widgets:
            old = find()
            if old is not None and old is not widget:
                old.close()
        widgets = []
    _displayed[cell] = (run, [*widgets, weakref.ref(widget)])
