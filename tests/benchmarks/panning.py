"""Frames per second of the Embedding view while the whole cloud is panned, in a real browser.

A script in the page moves the pointer at every animation frame, as fast as frames come, and counts those that drew.
The browser draws by software where there is no graphics card, which is the slowest it ever will be. A tiny model on
tensors of two numbers and the PCA make the map quick to be had; how points are found makes no difference to drawing.
"""

from __future__ import annotations

from typing import Any

from tests.benchmarks.browser import open_notebook
from tests.benchmarks.report import Result, Table, median, percentile

POINTS = (1_800, 10_000, 70_000)
SECONDS, QUICK_SECONDS = 6.0, 1.0
SETUP = """
import torch
from torch import nn
import nnwidgets as nnw

torch.manual_seed(0)
places = 3 * torch.randn(10, 2)[torch.arange(100_000) % 10] + torch.randn(100_000, 2)
model = nn.Linear(2, 10)
labels = model(places).argmax(1)
changed = torch.rand(len(labels)) < 0.05
labels[changed] = (labels[changed] + 1) % 10  # one in twenty is wrong and gets a ring
inspector = nnw.Inspector(model, (places, labels))
"""
VIEW = """
for earlier in list(inspector._session.members):
    earlier.close()  # it would go on to look for neighbours
view = inspector.embedding(method="pca", points={points})
view
"""
PAN = """(seconds) => new Promise((done) => {
    const canvas = [...document.querySelectorAll('.nnw-points-marks')].findLast((each) => each.checkVisibility());
    const box = canvas.getBoundingClientRect();
    const at = (type, x) => canvas.dispatchEvent(new PointerEvent(type,
        { clientX: box.x + x, clientY: box.y + 200, pointerId: 1, button: 0, bubbles: true }));
    canvas.setPointerCapture = () => undefined;
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'p', bubbles: true }));
    at('pointerdown', 200);
    const begin = performance.now(), times = [];
    let sum = 0;
    const step = (now) => {
        times.push(now);
        if (now - begin > 1000 * seconds) {
            at('pointerup', 200);
            done(times.slice(1).map((time, k) => time - times[k]));
            return;
        }
        at('pointermove', 300 + 100 * Math.sin(times.length / 8));
        // Waits until the card, or the software in its place, has drawn the frame before.
        const points = canvas.parentElement.querySelector('.nnw-points-canvas');
        const gl = points.getContext('webgl2');
        if (gl) gl.finish();
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""


def run(*, quick: bool) -> Result:
    """About two minutes."""
    figures: dict[str, Any] = {}
    with open_notebook([SETUP, *(VIEW.format(points=points) for points in POINTS)]) as notebook:
        notebook.run_cell(0)
        notebook.wait_cell(0)
        for cell, points in enumerate(POINTS, 1):
            notebook.run_cell(cell)
            notebook.wait_cell(cell)
            # A view that is out of sight computes nothing.
            view = notebook.view(".jp-Cell").nth(cell).locator(".nnw-view")
            view.scroll_into_view_if_needed()
            marks = view.locator(".nnw-points-marks")
            marks.wait_for(timeout=600_000)
            marks.scroll_into_view_if_needed()
            notebook.until(lambda: marks.get_attribute("data-count") == str(points), "the points", timeout_s=600)  # noqa: B023
            notebook.until(lambda: marks.get_attribute("data-moving") == "false", "the points in place")  # noqa: B023
            waits_ms = notebook.page.evaluate(PAN, QUICK_SECONDS if quick else SECONDS)
            figures[str(points)] = {
                "frames_ms": waits_ms,
                "renderer": marks.get_attribute("data-renderer"),
                "canvas": marks.evaluate("(canvas) => [canvas.clientWidth, canvas.clientHeight]"),
            }
    rows = [
        [
            points,
            f"{1000 * len(found['frames_ms']) / sum(found['frames_ms']):.0f}",
            f"{median(found['frames_ms']):.0f} / {percentile(found['frames_ms'], 95):.0f}",
            f"{found['renderer']}, {' × '.join(map(str, found['canvas']))} px",
        ]
        for points, found in figures.items()
    ]
    header = ["points", "frames per second", "frame (ms, median / p95)", "drawn by"]
    return Result(
        figures, [Table("Embedding while it is panned", header, rows, "Goal: ≥ 10 frames per second at 70 000.")]
    )
