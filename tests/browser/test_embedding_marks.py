"""Which points stand out in the Embedding view: the legend's switches, the selection and its strip, depth."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, RADIUS, EmbeddingView, Map, Sight, at, ringed
from tests.browser.views import NET, is_color

# In one line: another would put the canvas of the next view between two pixels of the screen.
VIEW = """
inspector.selection.update(sample=3); view = inspector.embedding(layer="fc", method="pca", points=48)
view
"""
MANY = """
samples = torch.randn(70_000, 4), torch.arange(70_000) % 4
large = nnw.Inspector(nn.Sequential(OrderedDict(fc=nn.Linear(4, 4))), samples)
many = large.embedding(layer="fc", method="pca", points=70_000)
many
"""
# How far single precision and positions of 16 bits may put a point, in CSS px.
ROUNDING = 0.03
# Half a turn for 400 px of a drag.
TURN = np.pi / 400
GROUND = np.array([255.0, 255.0, 255.0])


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW, MANY])
    notebook.finish(0, 1)
    return EmbeddingView(notebook, notebook.view(".nnw-view").first)


@pytest.fixture
def points(view: EmbeddingView) -> Map:
    """The fitted flat map with nothing selected and nothing hidden."""
    view.notebook.python("[inspector.selection.update(sample=3, selected=()), view.set_trait('dims', 2)] and 0")
    expect(view.marks).to_have_attribute("data-selected", "0")
    view.until("view.result.embedding.positions.shape[1]", 2)
    view.legend.get_by_role("button", name="Show all").click()
    view.press("l", "f")
    return view.until_in_place()


def switches(view: EmbeddingView) -> list[Locator]:
    return view.legend.get_by_role("switch").all()


def on(view: EmbeddingView) -> list[bool]:
    return [row.get_attribute("aria-checked") == "true" for row in switches(view)]


def colored(view: EmbeddingView, points: Map) -> set[int]:
    """The classes whose lone points have their colour."""
    pixels = view.shown()
    rows = points.alone()
    return {int(points.labels[row]) for row in rows if is_color(at(pixels, points.xy[row]), COLORS[points.labels[row]])}


def test_a_double_click_or_alt_click_shows_a_class_alone_and_again_all(view: EmbeddingView, points: Map) -> None:
    second = switches(view)[1]
    ways: list[Callable[[], None]] = [second.dblclick, partial(second.click, modifiers=["Alt"])]
    for show_alone in ways:
        show_alone()
        view.notebook.until(lambda: on(view) == [False, True, False, False], "one switch alone")
        view.notebook.until(lambda: colored(view, points) == {1}, "one class alone")
        show_alone()
        view.notebook.until(lambda: all(on(view)), "all switches")
        view.notebook.until(lambda: colored(view, points) == {0, 1, 2, 3}, "all classes")


def test_the_keyboard_switches_classes(view: EmbeddingView, points: Map) -> None:
    page = view.notebook.page
    switches(view)[0].focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert on(view) == [False, False, True, True]
    view.notebook.until(lambda: colored(view, points) == {2, 3}, "two classes")
    page.keyboard.press("Alt+Enter")
    assert on(view) == [False, True, False, False]


def test_hidden_points_are_neither_hovered_nor_selected(view: EmbeddingView, points: Map) -> None:
    hidden = points.labels == 2
    switches(view)[2].click()
    view.notebook.until(lambda: colored(view, points) == {0, 1, 3}, "the class to be hidden")
    for row in points.alone():
        view.move(*points.xy[row])
        expect(view.marks).to_have_attribute("data-hovered", "" if hidden[row] else str(points.indices[row]))
    right, bottom = view.size - 2
    view.drag((2, 2), (right, 2), (right, bottom), (2, bottom))
    view.selects(points, ~hidden)


def test_too_many_wrong_points_have_no_rings(view: EmbeddingView, points: Map) -> None:
    wrong = points.alone()[points.wrong[points.alone()]]
    pixels = view.shown()
    assert len(wrong) > 2
    assert not any(ringed(pixels, points.xy[row]) for row in wrong)
    expect(view.caption).to_contain_text(f"{points.wrong.sum()} of 48 wrong: too many to ring")


def test_the_keys_say_what_the_marks_mean_as_long_as_there_are_such_marks(view: EmbeddingView, points: Map) -> None:
    keys = view.legend.locator(".nnw-points-legend-key").filter(visible=True)
    wrong = f"{points.wrong.sum()} of 48 wrong: too many to ring"
    expect(keys).to_have_text([wrong])
    switches(view)[0].click()
    expect(keys).to_have_text([wrong, "hidden"])
    view.notebook.python("inspector.selection.update(selected=(1, 2, 3)) and 0")
    expect(keys).to_have_text([wrong, "selected (3)", "not selected", "hidden"])


def test_a_selection_made_in_python_stands_out_and_lies_in_the_strip_by_falling_loss(
    view: EmbeddingView, points: Map
) -> None:
    chosen = points.alone()[::2]
    indices = points.indices[chosen].tolist()
    view.notebook.python(f"setattr(inspector.selection, 'selected', {tuple(indices)})")
    expect(view.marks).to_have_attribute("data-selected", str(len(indices)))

    def right() -> bool:
        pixels = view.shown()
        share = np.where(np.isin(points.alone(), chosen), 1, 0.5)
        expected = [
            each * COLORS[points.labels[row]] + (1 - each) * GROUND
            for each, row in zip(share, points.alone(), strict=True)
        ]
        return all(
            is_color(at(pixels, points.xy[row]), color) for row, color in zip(points.alone(), expected, strict=True)
        )

    view.notebook.until(right, "the rest at one half")
    losses = dict(zip(points.indices.tolist(), view.notebook.python("view.result.loss.tolist()"), strict=True))
    cells = view.strip.cells
    falling = sorted(indices, key=lambda index: -losses[index])
    expect(cells).to_have_count(len(indices))
    assert view.strip.indices() == falling
    cells.nth(1).click()
    view.until("inspector.selection.sample", falling[1])
    expect(cells.nth(1)).to_have_attribute("aria-selected", "true")
    view.until("list(inspector.selection.selected)", indices)


@pytest.fixture
def deep(view: EmbeddingView, points: Map) -> Map:
    """The map in three dimensions as it is first seen."""
    view.root.get_by_role("button", name="3-D", exact=True).click()
    view.until("view.result.embedding.positions.shape[1]", 3)
    view.press("f")
    return view.until_in_place()


def test_a_drag_turns_a_cloud_and_f_turns_it_back(view: EmbeddingView, deep: Map) -> None:
    view.press("p")
    view.drag(view.size / 2, view.size / 2 + np.array([90, 40]))
    sight = Sight.fitted(deep.positions, view.size, yaw=0.6 + 90 * TURN, pitch=0.35 + 40 * TURN)
    turned = deep.at(sight.project(deep.positions))
    assert np.abs(turned.xy - deep.xy).max() > 40
    view.until_at(turned)
    view.press("f")
    view.until_at(deep)


def test_in_depth_the_point_in_front_is_hovered(view: EmbeddingView, deep: Map) -> None:
    sight = Sight.fitted(deep.positions, view.size)
    near = sight.turned(deep.positions)[:, 2]
    apart = np.linalg.norm(deep.xy[:, None] - deep.xy[None], axis=-1)
    # A place on the mark of the front point, and nearer to the middle of the one behind.
    pairs = [(a, b) for a, b in np.argwhere((apart > 1) & (apart < RADIUS)) if near[a] > near[b]]
    places = [(a, deep.xy[a] + 0.75 * (deep.xy[b] - deep.xy[a])) for a, b in pairs]
    clear = [(a, place) for a, place in places if (np.linalg.norm(deep.xy - place, axis=1) < 5).sum() == 2]
    assert clear
    front, place = clear[0]
    view.move(*place)
    expect(view.marks).to_have_attribute("data-hovered", str(deep.indices[front]))


def test_a_lasso_in_depth_selects_what_is_drawn_inside(view: EmbeddingView, deep: Map) -> None:
    across = np.sort(deep.xy[:, 0])
    at_gap = 12 + int(np.diff(across)[12:36].argmax())
    cut = across[at_gap : at_gap + 2].mean()
    bottom = view.size[1] - 2
    view.drag((2, 2), (cut, 2), (cut, bottom), (2, bottom))
    view.selects(deep, deep.xy[:, 0] < cut)


def test_70_000_points_are_drawn_hovered_and_selected_by_a_lasso(view: EmbeddingView) -> None:
    view.notebook.finish(2)
    many = EmbeddingView(view.notebook, view.notebook.view(".nnw-view").nth(1), "many")
    many.root.scroll_into_view_if_needed()  # what is out of sight is not computed
    many.until_caption("PCA, shows")
    many.marks.scroll_into_view_if_needed()
    expect(many.marks).to_have_attribute("data-count", "70000")
    points = many.until_in_place()
    alone = points.alone()
    assert len(alone) > 10
    for row in alone[:3]:
        many.move(*points.xy[row])
        expect(many.marks).to_have_attribute("data-hovered", str(points.indices[row]))
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    star = many.size / 2 + np.array([[150, 60]] * 6).reshape(12, 1) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inside, near = np.zeros(len(points.xy), bool), np.zeros(len(points.xy), bool)
    for start, end in zip(star, np.roll(star, -1, axis=0), strict=True):
        along, to = end - start, points.xy - start
        side = along[0] * to[:, 1] - along[1] * to[:, 0]
        inside ^= ((start[1] > points.xy[:, 1]) != (end[1] > points.xy[:, 1])) & ((side > 0) == (end[1] > start[1]))
        near |= np.abs(side) < ROUNDING * np.linalg.norm(along)
    many.drag(*star)
    expect(many.marks).not_to_have_attribute("data-selected", "0")
    many.until("len(large.selection.selected)", int(many.marks.get_attribute("data-selected") or 0))
    selected = np.isin(points.indices, many.notebook.python("list(large.selection.selected)"))
    assert inside.sum() > 5000
    assert near.mean() < 0.01
    assert (selected == inside)[~near].all()
