"""Gestures in the Embedding view: pan, zoom, tools, selecting, keys; every one by the real pointer or keyboard."""

from collections.abc import Sequence

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, EmbeddingView, Floats, Map, at
from tests.browser.lab import Pixels
from tests.browser.views import NET, is_color

VIEW = """
inspector.selection.update(sample=3)
view = inspector.embedding(layer="fc", method="pca", points=48)
view
"""
TALL = "import IPython.display\nIPython.display.HTML('<div style=\"height: 3000px\"></div>')"
# JupyterLab's own keys in command mode: new cells, cut, delete, other types, restart, move.
SHORTCUTS = ("a", "b", "x", "d", "d", "m", "y", "j", "k", "ArrowDown", "ArrowUp", "Enter")
HOVER_RADIUS = 9


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW, TALL])
    notebook.finish()
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture
def points(view: EmbeddingView) -> Map:
    """The fitted map with nothing selected, the lasso in hand."""
    view.notebook.python("inspector.selection.update(sample=3, selected=()) and 0")
    expect(view.marks).to_have_attribute("data-selected", "0")
    view.press("Escape", "l", "f")
    return view.until_in_place()


def lone(view: EmbeddingView, points: Map) -> int:
    """A point by itself, away from the edges."""
    margin = np.minimum(points.xy, view.size - points.xy).min(axis=1)
    return int(max(points.alone(), key=lambda row: margin[row]))


def empty(view: EmbeddingView, points: Map) -> Floats:
    """The place with the most room round it."""
    axes = [np.arange(30.0, length - 30, 10) for length in view.size]
    places = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    room = np.linalg.norm(places[:, None] - points.xy[None], axis=-1).min(axis=1)
    place: Floats = places[room.argmax()]
    return place


def shifted(before: Pixels, after: Pixels, dx: int, dy: int) -> float:
    """Share of the ink that another picture has at the places shifted by so much."""
    height, width = before.shape[:2]
    old = before[40 : height - 40, 40 : width - 40, :3].astype(int)
    new = after[40 + dy : height - 40 + dy, 40 + dx : width - 40 + dx, :3].astype(int)
    ink = np.abs(old - 255).max(axis=-1) > 40
    return float((np.abs(old - new).max(axis=-1) < 40)[ink].mean())


def shift_is(before: Pixels, after: Pixels, dx: int, dy: int) -> bool:
    """Whether the picture has moved by just so many pixels, and not by one more or less."""
    beside = [shifted(before, after, dx + x, dy + y) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return shifted(before, after, dx, dy) > 0.97 > 0.9 > max(beside)


def test_the_pan_tool_moves_the_points_by_just_the_drag(view: EmbeddingView, points: Map) -> None:
    before = view.shown()
    view.press("p")
    start = empty(view, points)
    view.drag(start, start + np.array([24, -12]))
    assert shift_is(before, view.shown(), 24, -12)
    view.press("f")
    view.until_at(points)
    assert shift_is(before, view.shown(), 0, 0)


def test_a_drag_with_space_pans_and_selects_nothing(view: EmbeddingView, points: Map) -> None:
    before = view.shown()
    view.marks.focus()
    start = empty(view, points)
    view.drag(start, start + np.array([-16, 20]), start + np.array([-20, 28]), keys=[" "])
    assert shift_is(before, view.shown(), -20, 28)
    view.selects(points, np.zeros(48, bool))
    start = empty(view, points)
    view.drag(start, start + np.array([9, 9]), start + np.array([0, 9]))
    assert shift_is(before, view.shown(), -20, 28), "the lasso is back when the key is up"


NOTE_WHEN_SHOWN = """(hint) => new MutationObserver(() => {
    if (hint.classList.contains("nnw-points-hint-shown")) hint.dataset.seen = "yes";
}).observe(hint, { attributes: true, attributeFilter: ["class"] })"""


def test_the_wheel_scrolls_the_notebook_and_says_that_with_ctrl_it_zooms_to_the_pointer(
    view: EmbeddingView, points: Map
) -> None:
    page, hint = view.notebook.page, view.root.get_by_text("Ctrl + scroll to zoom")
    row = lone(view, points)
    view.drag(points.xy[row])
    top = "() => document.querySelector('.nnw-points-cloud').getBoundingClientRect().top"
    before = page.evaluate(top)
    view.move(*points.xy[row])
    expect(hint).to_have_css("opacity", "0")
    hint.evaluate(NOTE_WHEN_SHOWN)  # it goes by itself, perhaps before a slow machine looks
    page.mouse.wheel(0, 20)
    page.wait_for_function(f"(before) => Math.abs(({top})() - (before - 20)) < 1", arg=before)
    expect(hint).to_have_attribute("data-seen", "yes")
    view.until_at(points)
    expect(hint).to_have_css("opacity", "0")
    here = np.round(points.xy[row])
    before = page.evaluate(top)
    view.move(*here)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    zoomed = points.at(here + (points.xy - here) * np.exp(0.4))
    # A scrolled page may lie between two pixels of the screen, where a point of ten misses its colour; at another zoom
    # nine of ten do.
    view.notebook.until(lambda: view.in_place(view.shown(), zoomed) > 0.8, "the points about the pointer, nearer")
    assert page.evaluate(top) == before
    assert np.linalg.norm(middle(view.shown(), here, COLORS[points.labels[row]]) - points.xy[row]) < 1.5


def middle(pixels: Pixels, place: Floats, color: Floats) -> Floats:
    """The centre of the mark of this colour at a place."""
    near = [place + np.array([x, y]) for x in range(-5, 6) for y in range(-5, 6)]
    mark: Floats = np.mean([np.floor(each) + 0.5 for each in near if is_color(at(pixels, each), color)], axis=0)
    return mark


def test_plus_and_minus_zoom_about_the_middle(view: EmbeddingView, points: Map) -> None:
    view.press("+", "+")
    view.until_at(points.at(view.size / 2 + (points.xy - view.size / 2) * 1.25**2))
    view.press("-", "-")
    view.until_at(points)


def test_the_card_stays_beside_its_point_in_a_zoom(view: EmbeddingView, points: Map) -> None:
    row = min(points.alone(), key=lambda row: np.linalg.norm(points.xy[row] - view.size / 2))
    view.move(*points.xy[row])
    view.card.wait_for()
    view.press("+")
    place = view.size / 2 + (points.xy[row] - view.size / 2) * 1.25
    view.notebook.until(lambda: 10 < beside(view, place) < 40, "the card beside its point")
    view.press(*["+"] * 9)
    expect(view.card).to_be_hidden()
    view.press("f")
    view.notebook.until(lambda: 10 < beside(view, points.xy[row]) < 40, "the card beside its point")


def beside(view: EmbeddingView, place: Floats) -> float:
    """How far a place is from the card; infinitely from a hidden one."""
    card, canvas = view.card.bounding_box(), view.marks.bounding_box()
    if card is None or canvas is None:
        return np.inf
    corner = np.array([card["x"] - canvas["x"], card["y"] - canvas["y"]])
    nearest = np.clip(place, corner, corner + np.array([card["width"], card["height"]]))
    return float(np.linalg.norm(place - nearest))


def test_keys_and_buttons_choose_the_tool(view: EmbeddingView, points: Map) -> None:
    buttons = view.root.locator(".nnw-points-tools .nnw-toggle button")
    cursors = {"p": "grab", "b": "crosshair", "l": "crosshair"}
    for at_place, (key, cursor) in enumerate(cursors.items()):
        view.press(key)
        pressed = [str(place == at_place).lower() for place in range(3)]
        assert [button.get_attribute("aria-pressed") for button in buttons.all()] == pressed
        expect(view.marks).to_have_css("cursor", cursor)
    buttons.first.click()
    expect(buttons.first).to_have_attribute("aria-pressed", "true")
    view.notebook.page.keyboard.press("l")
    expect(buttons.last).to_have_attribute("aria-pressed", "true")


def gaps(points: Map) -> Floats:
    """Where to cut the map from left to right into four parts with no point near a cut."""
    edges = np.sort(points.xy[:, 0])
    quarters = np.array_split(np.arange(len(edges) - 1), 4)[:3]
    wide = [part[np.diff(edges)[part].argmax()] for part in quarters]
    cuts: Floats = (edges[wide] + edges[np.add(wide, 1)]) / 2
    return cuts


def test_shift_adds_alt_removes_and_escape_clears(view: EmbeddingView, points: Map) -> None:
    left, center, right = gaps(points)
    x, bottom = points.xy[:, 0], view.size[1] - 2
    view.press("b")
    view.drag((2, 2), (left, bottom))
    view.selects(points, x < left)
    view.drag((center, 2), (right, bottom), keys=["Shift"])
    view.selects(points, (x < left) | ((x > center) & (x < right)))
    view.drag((2, bottom), (center, 2), keys=["Alt"])
    view.selects(points, (x > center) & (x < right))
    view.drag((left, 2), (center, bottom))
    view.selects(points, (x > left) & (x < center))
    view.press("Escape")
    view.selects(points, np.zeros(48, bool))


def test_escape_gives_up_the_lasso_under_way_and_keeps_the_selection(view: EmbeddingView, points: Map) -> None:
    view.notebook.python("inspector.selection.update(selected=(1, 2)) and 0")
    expect(view.marks).to_have_attribute("data-selected", "2")
    before = view.picture(view.marks)
    view.drag((2, 2), (view.size[0] - 2, 2), view.size - 2, release=False)
    view.until_changed(view.marks, before)
    view.press("Escape")
    view.notebook.wait_pixels(view.marks, lambda now: bool((now == before).all()))
    view.notebook.page.mouse.up()
    view.until("list(inspector.selection.selected)", [1, 2])
    expect(view.marks).to_have_attribute("data-selected", "2")


def test_a_tiny_drag_is_a_click(view: EmbeddingView, points: Map) -> None:
    row = lone(view, points)
    view.drag(points.xy[row], points.xy[row] + np.array([2, 2]))
    view.until("inspector.selection.sample", int(points.indices[row]))
    view.selects(points, np.zeros(48, bool))


def winding(place: Floats, line: Sequence[Floats]) -> int:
    """How often a closed line goes round a place."""
    angles = np.array([np.arctan2(*(corner - place)[::-1]) for corner in (*line, line[0])])
    turns = (np.diff(angles) + np.pi) % (2 * np.pi) - np.pi
    return round(float(turns.sum()) / (2 * np.pi))


def test_a_lasso_that_crosses_itself_takes_all_it_goes_round(view: EmbeddingView, points: Map) -> None:
    # A spiral of one and a half turns: half of what it goes round is gone round twice.
    angles = np.linspace(0, 3 * np.pi, 40)
    center = points.xy[np.linalg.norm(points.xy - points.xy[lone(view, points)], axis=1) < 60].mean(axis=0)
    spiral = center + np.linspace(40, 90, 40)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    times = np.array([winding(place, list(spiral)) for place in points.xy])
    assert set(np.abs(times)) == {0, 1, 2}
    view.drag(*spiral)
    view.selects(points, times != 0)


def test_hover_rings_the_point_and_leaves_it_again(view: EmbeddingView, points: Map) -> None:
    row = lone(view, points)
    assert not ring(view, points.xy[row])
    view.move(*points.xy[row] + np.array([3, 3]))
    expect(view.marks).to_have_attribute("data-hovered", str(points.indices[row]))
    view.notebook.until(lambda: ring(view, points.xy[row]), "the ring")
    view.move(*empty(view, points))
    view.notebook.until(lambda: not ring(view, points.xy[row]), "no ring")


def ring(view: EmbeddingView, place: Floats) -> bool:
    """Whether there is a ring in the brand's colour round a place."""
    brand = brand_color(view)
    around = [place + HOVER_RADIUS * np.array([np.cos(a), np.sin(a)]) for a in np.linspace(0, 2 * np.pi, 12)]
    pixels = view.picture(view.marks)
    return bool(np.mean([is_color(at(pixels, each), brand) for each in around]) > 0.7)


def brand_color(view: EmbeddingView) -> list[int]:
    style = "() => getComputedStyle(document.body).getPropertyValue('--jp-brand-color1').trim()"
    name = view.notebook.page.evaluate(style)
    paint = """(name) => { const c = new OffscreenCanvas(1, 1).getContext('2d'); c.fillStyle = name;
        c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3); }"""
    color: list[int] = view.notebook.page.evaluate(paint, name)
    return color


def test_arrow_keys_walk_the_points_and_enter_looks_at_one(view: EmbeddingView, points: Map) -> None:
    ways = {"ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowLeft": (-1, 0), "ArrowDown": (0, 1)}
    rows = {int(index): row for row, index in enumerate(points.indices)}
    row = lone(view, points)
    view.drag(points.xy[row])
    view.until("inspector.selection.sample", int(points.indices[row]))
    for key, way in ways.items():
        view.press(key)
        now = rows[int(view.marks.get_attribute("data-hovered") or -1)]
        step = points.xy[now] - points.xy[row]
        assert step @ way > 0
        assert abs(step[0] * way[1] - step[1] * way[0]) <= step @ way
        view.notebook.until(lambda now=now: ring(view, points.xy[now]), "the ring")  # type: ignore[misc]
        row = now
    view.press("Enter")
    view.until("inspector.selection.sample", int(points.indices[row]))


def test_the_focus_is_seen_and_keys_act_only_there(view: EmbeddingView, points: Map) -> None:
    page = view.notebook.page
    view.marks.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("p")
    expect(view.root.locator(".nnw-points-tools .nnw-toggle button").first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    page.keyboard.press("Tab")
    expect(view.marks).to_be_focused()
    outline = view.marks.evaluate("(e) => [e.matches(':focus-visible'), getComputedStyle(e).outline]")
    assert outline == [True, f"rgb{tuple(brand_color(view))} solid 2px"]
    page.evaluate("document.querySelector('.jp-Notebook').focus()")
    page.keyboard.press("p")
    expect(view.root.locator(".nnw-points-tools .nnw-toggle button").last).to_have_attribute("aria-pressed", "true")


def cells(view: EmbeddingView) -> list[object]:
    script = """() => { const notebook = window.jupyterapp.shell.currentWidget.content;
        return [notebook.widgets.length, notebook.activeCellIndex,
            notebook.widgets.map((cell) => cell.model.type + cell.model.sharedModel.source.length)]; }"""
    state: list[object] = view.notebook.page.evaluate(script)
    return state


@pytest.mark.parametrize(
    "where", [".nnw-points-marks", ".nnw-points-tools button", ".nnw-points-legend-row", "select", ".nnw-button"]
)
def test_keys_pressed_in_the_view_leave_the_notebook_alone(view: EmbeddingView, points: Map, where: str) -> None:
    before = cells(view)
    part = view.root.locator(where).filter(visible=True).first
    part.focus()
    for key in SHORTCUTS:
        view.notebook.page.keyboard.press(key)
    assert cells(view) == before
    view.notebook.python("[view.set_trait('method', 'pca'), view.set_trait('dims', 2)] and 0")
    for row in view.legend.get_by_role("switch").all():
        if row.get_attribute("aria-checked") == "false":
            row.click()
