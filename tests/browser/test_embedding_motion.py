"""The Embedding view over time: moves of its points, maps gone back to, a lost card, themes, a cell that trains."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from playwright.sync_api import expect

from nnwidgets.blocks.colors import DARK
from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import CARD, KEEP, EmbeddingView, Map, Sight, at
from tests.browser.lab import Notebook, Pixels
from tests.browser.views import NET, is_color

VIEW = f"""{KEEP}
view = inspector.embedding(layer="fc", method="pca", points=48)
view
"""
TRAIN = """
import time
seen, steps = [], 0
with inspector.watch(optimizer, budget=0.5) as watch:
    end = time.monotonic() + 60
    while time.monotonic() < end and len(seen) < 40:
        train(1)
        steps += 1
        if steps == 50:  # samples learned by heart would lie in a few heaps
            optimizer.param_groups[0]["lr"] = 0.0
        watch.poll()
        time.sleep(0.05)
        if inspector.selection.selected:
            seen.append(sorted(inspector.selection.selected))
"""
# Time as the view sees it stands still at `window.nnwNow` when that is set.
CLOCK = """() => {
    const original = performance.now.bind(performance);
    window.nnwNow = null;
    performance.now = () => window.nnwNow ?? original();
    window.nnwFreeze = () => { window.nnwNow = original(); };
}"""
LOSE = """(canvas) => {
    window.nnwContext = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
    window.nnwContext.loseContext();
}"""
STEP = "Number(document.querySelector('.nnw-points-marks').dataset.step)"
# What the map showed as selected while five more maps came.
SELECTED_OVER_FRAMES = f"""async () => {{
    const steps = new Set(), selected = new Set();
    while (steps.size < 6) {{
        steps.add({STEP});
        selected.add(document.querySelector('.nnw-points-marks').dataset.selected);
        await new Promise(requestAnimationFrame);
    }}
    return [...selected];
}}"""
TWEEN_MS = 400


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW, TRAIN])
    notebook.page.evaluate(CARD)
    notebook.page.evaluate(CLOCK)
    notebook.finish(0, 1)
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture
def clock(view: EmbeddingView) -> Iterator["Clock"]:
    clock = Clock(view.notebook)
    yield clock
    clock.go_on()


class Clock:
    """The page's clock, stopped and moved on by hand."""

    def __init__(self, notebook: Notebook) -> None:
        self._page = notebook.page

    def stop(self) -> None:
        self._page.evaluate("window.nnwFreeze()")

    def advance(self, ms: float) -> None:
        self._page.evaluate("(ms) => { window.nnwNow += ms; }", ms)

    def go_on(self) -> None:
        self._page.evaluate("window.nnwNow = null")


def on_the_way(view: EmbeddingView, start: Map, end: Map, time_ms: float) -> Map:
    """Where points are `time_ms` after they set out: cubic-out, the scale by ratio."""
    share = 1 - (1 - time_ms / TWEEN_MS) ** 3
    positions = start.positions + share * (end.positions - start.positions)
    sights = [Sight.fitted(each.positions, view.size) for each in (start, end)]
    center = sights[0].center + share * (sights[1].center - sights[0].center)
    scale = sights[0].scale * (sights[1].scale / sights[0].scale) ** share
    return replace(end, positions=positions, xy=Sight(view.size, center, scale).project(positions))


def choose_kept(view: EmbeddingView, place: int) -> Map:
    """Go to a kept map by the slider; returns where its points belong."""
    slider = view.root.locator(".nnw-kept .nnw-range")
    slider.fill(str(place))
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f" · {place + 1} of")
    return view.map(f"kept_until(view.result)[{place}]")


def kept(view: EmbeddingView) -> int:
    count: int = view.notebook.python("len(view.kept_until(view.result))")
    return count


def test_a_lasso_in_a_cell_that_trains_is_kept_and_known_in_the_cell(view: EmbeddingView) -> None:
    page = view.notebook.page
    view.until_in_place()
    view.notebook.run_cell(2)
    page.wait_for_function(f"() => {STEP} > 2")
    view.press("b")
    view.drag((1, 1), (view.size[0] / 2, view.size[1] - 1))
    expect(view.marks).not_to_have_attribute("data-selected", "0")
    selected = int(view.marks.get_attribute("data-selected") or 0)
    assert 0 < selected < 48
    assert page.evaluate(SELECTED_OVER_FRAMES) == [str(selected)], "frames that come late change nothing"
    assert view.notebook.cell_busy(2)
    view.notebook.wait_cell(2)
    seen = view.notebook.python("seen")
    assert len(seen) == 40, "the cell has it while it runs"
    assert all(each == seen[0] for each in seen)
    assert len(seen[0]) == selected


@pytest.fixture
def maps(view: EmbeddingView) -> int:
    """How many maps are kept, the last of them on show, nothing selected."""
    if kept(view) < 2:  # the test that trains has not run
        view.notebook.python("inspector.selection.update(selected=(0,)) and 0")
        view.notebook.finish(2)
    view.notebook.python("inspector.selection.update(selected=()) and 0")
    expect(view.marks).to_have_attribute("data-selected", "0")
    choose_kept(view, kept(view) - 1)
    view.press("f")
    view.until_in_place()
    return kept(view)


def test_the_slider_goes_back_to_an_earlier_map_and_its_last_place_follows(view: EmbeddingView, maps: int) -> None:
    last = view.map()
    first = choose_kept(view, 0)
    assert np.abs(first.xy - last.xy).max() > 10
    view.until_caption("an earlier step")
    view.until_at(first)
    choose_kept(view, maps - 1)
    view.until_at(last)
    view.notebook.until(lambda: "an earlier step" not in view.caption.inner_text(), "the newest map")
    step = view.notebook.python("view.result.step") + 1
    view.notebook.python(f"keep(view, {step}, view.result.embedding.positions)")
    expect(view.root.locator(".nnw-kept-text")).to_have_text(re.compile(rf"step {step} · (\d+) of \1 kept"))


def test_points_are_seen_on_their_way_and_an_interrupted_move_sets_out_from_there(
    view: EmbeddingView, maps: int, clock: Clock
) -> None:
    start = view.map()
    clock.stop()
    end = choose_kept(view, 0)
    view.until_at(start)
    clock.advance(100)
    between = on_the_way(view, start, end, 100)
    assert np.abs(between.xy - start.xy).max() > 8 < np.abs(between.xy - end.xy).max()
    view.until_at(between)
    choose_kept(view, maps - 1)
    view.until_at(between)
    clock.advance(TWEEN_MS)
    view.until_at(start)


def test_with_reduced_motion_points_jump(view: EmbeddingView, maps: int, clock: Clock) -> None:
    view.notebook.page.emulate_media(reduced_motion="reduce")
    clock.stop()
    view.until_at(choose_kept(view, 0))
    view.notebook.page.emulate_media(reduced_motion="no-preference")


def test_a_theme_switch_redraws_ground_and_points(view: EmbeddingView, maps: int) -> None:
    notebook = view.notebook
    points = view.map()
    colors = [np.array(to_rgb(color)) * 255 for color in DARK.classes]
    notebook.theme("dark")
    ground = notebook.page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim()")
    assert ground == "#111"
    view.cloud.scroll_into_view_if_needed()

    def dark() -> bool:
        pixels = view.shown()
        right = [is_color(at(pixels, points.xy[row]), colors[points.labels[row]]) for row in points.alone()]
        return all(right) and is_color(at(pixels, np.array([3.0, 3.0])), [17, 17, 17])

    notebook.until(dark, "the dark colours")
    notebook.theme("light")
    view.until_in_place()
    assert is_color(at(view.shown(), np.array([3.0, 3.0])), [255, 255, 255])


def test_a_lost_card_comes_back_or_the_processor_draws_the_same(view: EmbeddingView, maps: int) -> None:
    deep = third_selected(view, dims=3)
    flat = third_selected(view, dims=2)
    expect(view.marks).to_have_attribute("data-renderer", "webgl2")
    cards = view.root.locator(".nnw-points-canvas")
    cards.evaluate(LOSE)
    view.notebook.until(lambda: (view.shown() != flat).any(), "the points to be gone")
    view.notebook.page.evaluate("window.nnwContext.restoreContext()")
    view.notebook.until(lambda: bool((view.shown() == flat).all()), "the same picture")
    expect(view.marks).to_have_attribute("data-renderer", "webgl2")
    cards.evaluate(LOSE)
    expect(view.marks).to_have_attribute("data-renderer", "2d")
    expect(view.marks).to_have_attribute("data-selected", "16")
    assert same(view.shown(), flat)
    assert same(third_selected(view, dims=3), deep)


def third_selected(view: EmbeddingView, *, dims: int) -> Pixels:
    """What a map of so many dimensions looks like, fitted and at rest, when every third point is selected."""
    view.notebook.python(f"[view.set_trait('dims', {dims}), inspector.selection.update(selected=())] and 0")
    view.until("view.result.embedding.positions.shape[1]", dims)
    expect(view.marks).to_have_attribute("data-selected", "0")
    view.press("f")
    points = view.until_in_place()
    view.notebook.python(f"inspector.selection.update(selected={points.indices[::3].tolist()}) and 0")
    expect(view.marks).to_have_attribute("data-selected", "16")
    return view.shown()


def same(one: Pixels, other: Pixels) -> bool:
    """Whether two pictures differ as roundings of edges do: by 3 of 255 in the mean, when a pixel off by 24."""
    ink = (other[..., :3] < 250).any(axis=-1)
    return bool(ink.sum() > 500 and np.abs(one.astype(int) - other)[ink].mean() < 6)
