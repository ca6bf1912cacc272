"""Pictures per second of the image grid: 64 maps of 56 x 56, from Python through the publisher to a real browser.

The page acknowledges a frame after it has drawn it; acknowledged frames are counted, in the kernel, while a cell runs
that asks for a new picture without pause. Each picture holds other values. *As shipped* the publisher sends at most 20
a second to one view; *unbound* that limit is lifted, which tells what the way to the screen can carry.
"""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.browser import open_notebook
from tests.benchmarks.report import Result, Table, median, percentile

SECONDS = 8.0
QUICK_SECONDS = 2.0
SETUP = """
import itertools, json, time
from dataclasses import replace
import torch
from torch import nn
import nnwidgets as nnw
from nnwidgets.display import publisher
from nnwidgets.display.kept import Shown
from nnwidgets.display.packing import Sent
from nnwidgets.display.wire import encode

torch.manual_seed(0)
inspector = nnw.Inspector(nn.Conv2d(1, 64, 1), torch.rand(16, 1, 56, 56))
view = inspector.activations()
sent, acked = {}, {}
heard, deliver = publisher.PUBLISHER.heard, view.panel.deliver

def note_ack(outlet, *, ack=None, **more):
    if ack is not None and outlet is view.panel:
        acked[ack] = time.perf_counter()
    heard(outlet, ack=ack, **more)

def note_sent(frame, seq):
    if frame.channel == "picture":
        sent[seq] = time.perf_counter()
    deliver(frame, seq)

publisher.PUBLISHER.heard, view.panel.deliver = note_ack, note_sent

def measure(seconds):
    first, about = view.newest, view.job.kept.about
    values = first.result.values
    results = itertools.cycle([replace(first.result, values=values * torch.rand(64, 56, 56)) for _ in range(8)])
    sent.clear(), acked.clear()
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        view.job.kept.add(about, Shown(next(results), first.step))
        view.job.lay_out()
        time.sleep(0.004)
    both = [seq for seq in sent if seq in acked]
    page = Sent()
    page.changes(view.job.laid.packed)
    view.job.kept.add(about, Shown(next(results), first.step))
    view.job.lay_out()
    blocks, arrays = page.changes(view.job.laid.packed)
    content, buffers = encode({**view.header(), "blocks": blocks}, arrays)
    print("FIGURES", json.dumps({
        "frames": len(both), "seconds": time.perf_counter() - begin, "sent": len(sent),
        "ways_s": [acked[seq] - sent[seq] for seq in both],
        "bytes": len(json.dumps(content)) + sum(len(each) for each in buffers),
        "header_bytes": len(json.dumps(content)),
    }))
"""
UNBOUND = "publisher.FRAMES_PER_S = publisher.MESSAGES_PER_S = 1000\n"


def run(*, quick: bool) -> Result:
    """About forty seconds."""
    measure = f"measure({QUICK_SECONDS if quick else SECONDS})"
    cells = [SETUP, "view", measure, UNBOUND + measure]
    figures: dict[str, Any] = {}
    with open_notebook(cells) as notebook:
        for index in range(2):
            notebook.run_cell(index)
            notebook.wait_cell(index)
        notebook.view(".nnw-grid-board canvas").filter(visible=True).first.wait_for()
        for index, name in ((2, "as shipped"), (3, "unbound")):
            notebook.run_cell(index)
            figures[name] = json.loads(notebook.wait_cell(index).split("FIGURES")[1])
    rows = [
        [
            name,
            f"{found['frames'] / found['seconds']:.1f}",
            f"{1e3 * median(found['ways_s']):.0f} / {1e3 * percentile(found['ways_s'], 95):.0f}",
            f"{found['bytes'] / 1e3:.0f} ({found['header_bytes'] / 1e3:.0f} of them header)",
        ]
        for name, found in figures.items()
    ]
    header = ["publisher", "frames per second", "sent to acknowledged (ms, median / p95)", "kB per frame"]
    return Result(figures, [Table("Image grid, 64 maps of 56 × 56", header, rows, "Goal: ≥ 20 frames per second.")])
