"""How long a dashboard takes to open in a real browser, and what it makes and sends for that.

Each repeat has a page and a kernel of its own, so the toolkit's code is sent and loaded every time. *Returns* is the
call alone, in the kernel. *Painted* is from the start of the cell until maps are on the canvas; *tab* from a click
until the view of another tab is painted there, made for the click or opened before. Bytes are those of all messages
that the kernel publishes, widgets are those that the call makes.
"""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.browser import open_notebook
from tests.benchmarks.report import Result, Table, median, spread

REPEATS, QUICK_REPEATS = 5, 1
SETUP = """
import json, time
import ipywidgets, torch
import nnwidgets as nnw
from tests.benchmarks.workloads import WORKLOADS, Training

training = Training(WORKLOADS[0])
inspector = nnw.Inspector(training.model, (training.inputs, training.labels))
session, sent = get_ipython().kernel.session, [0]
serialize, send = session.serialize, session.send

def weighed(*arguments, **keywords):
    parts = serialize(*arguments, **keywords)
    sent[0] += sum(map(len, parts))
    return parts

def noted(*arguments, buffers=None, **keywords):
    sent[0] += sum(memoryview(each).nbytes for each in buffers or ())
    return send(*arguments, buffers=buffers, **keywords)

session.serialize, session.send = weighed, noted
"""
OPEN = """
before, sent[0] = len(ipywidgets.widgets.widget._instances), 0
begin = time.perf_counter()
dashboard = inspector.dashboard()
returned_s = time.perf_counter() - begin
widgets = len(ipywidgets.widgets.widget._instances) - before
dashboard
"""
FIGURES = '{"returned_s": returned_s, "widgets": widgets, "bytes": sent[0]}'
# In the page: when the view on show, of a tab, has painted something and says what.
PAGE = """() => {
    const painted = (words) => {
        const view = document.querySelector('.nnw-view.nnw-first');
        if (!view?.querySelector('.nnw-caption')?.textContent.includes(words)) return false;
        return [...view.querySelectorAll('.nnw-grid-board canvas')].some((canvas) => {
            if (!canvas.offsetParent || !canvas.width) return false;
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return new Uint32Array(data.buffer).some((pixel) => pixel !== 0);
        });
    };
    window.bench = {
        until(words, begin = performance.now()) {
            return new Promise((resolve, reject) => {
                const look = () => {
                    const now = performance.now();
                    if (painted(words)) resolve((now - begin) / 1000);
                    else if (now - begin > 120000) reject(new Error(`no ${words} on the page`));
                    else requestAnimationFrame(look);
                };
                look();
            });
        },
        open(title, words) {
            const begin = performance.now();
            [...document.querySelectorAll('.nnw-tab')].find((tab) => tab.textContent === title).click();
            return bench.until(words, begin);
        },
    };
}"""


def open_one() -> dict[str, float]:
    """Figures of one dashboard, on a page and in a kernel of its own."""
    with open_notebook([SETUP, OPEN]) as notebook:
        notebook.finish(0)
        notebook.page.evaluate(PAGE)
        begin = notebook.page.evaluate("() => performance.now()")
        notebook.run_cell(1)
        painted_s = float(notebook.page.evaluate("(begin) => bench.until('maps of', begin)", begin))
        notebook.wait_cell(1)
        notebook.page.wait_for_timeout(1000)  # whatever is sent behind the picture
        figures: dict[str, float] = notebook.python(FIGURES)
        view = notebook.view(".nnw-dashboard")
        view.scroll_into_view_if_needed()
        new_tab_s = notebook.page.evaluate("() => bench.open('Filters', 'filters of')")
        old_tab_s = notebook.page.evaluate("() => bench.open('Activations', 'maps of')")
    return {**figures, "painted_s": painted_s, "new_tab_s": float(new_tab_s), "old_tab_s": float(old_tab_s)}


def run(*, quick: bool) -> Result:
    """About three minutes."""
    found = [open_one() for _ in range(QUICK_REPEATS if quick else REPEATS)]
    figures: dict[str, Any] = {name: [each[name] for each in found] for name in found[0]}
    seconds = {
        "`inspector.dashboard()` returns": "returned_s",
        "painted": "painted_s",
        "a tab for the first time": "new_tab_s",
        "a tab that was open before": "old_tab_s",
    }
    rows = [[name, f"{spread(figures[key], 3)} s"] for name, key in seconds.items()]
    rows += [
        ["widgets made", f"{median(figures['widgets']):.0f}"],
        ["sent before a second tab", f"{median(figures['bytes']) / 1e3:.0f} kB"],
    ]
    note = f"Median (quartiles) of {len(found)}. Goals: returns ≤ 0.3 s, painted ≤ 1 s, tab ≤ 0.3 s."
    return Result(figures, [Table("Opening a dashboard", ["", "CNN, 1\u202f000 samples"], rows, note)])


if __name__ == "__main__":
    print(json.dumps(open_one(), indent=1))
