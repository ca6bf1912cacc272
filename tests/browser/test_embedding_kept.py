"""Kept maps of an embedding: play walks them, a key stops it, less motion is respected, trails lead over them."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import COLORS, KEEP, PADDING, EmbeddingView
from tests.browser.views import NET

VIEW = """
view = inspector.embedding(layer="fc", method="pca", points=32)
view
"""
# Maps of known places: each a turn of the first by 20 degrees, so that a sample's way is an arc.
KEPT = f"""{KEEP}
import math

view._missed_the_end = lambda: False  # the steps are made up: no training reached them
first = view.result.embedding.positions
turns = []
for step in range(1, 7):
    angle = math.radians(20 * step)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turns.append(first @ turn.T)
    keep(view, step, turns[-1])
ways = torch.stack([first, *turns])
"""
MAPS = 7


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW, KEPT])
    notebook.finish(0, 1)
    view = EmbeddingView(notebook, notebook.view(".nnw-view").first)
    view.until_caption("PCA, shows")
    notebook.finish(2)
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f" · {MAPS} of {MAPS} kept")
    view.cloud.scroll_into_view_if_needed()
    return view


def walk(view: EmbeddingView) -> list[str]:
    """Press play and collect what the slider says until it stops."""
    said = view.root.evaluate(
        """(root) => new Promise((done) => {
            const [text, button] = [root.querySelector('.nnw-kept-text'), root.querySelector('.nnw-play')];
            const said = [];
            let playing = false;
            const look = () => {
                if (said.at(-1) !== text.textContent) said.push(text.textContent);
                playing ||= button.getAttribute('aria-label') === 'Stop';
                if (playing && button.getAttribute('aria-label') !== 'Stop') done(said);
            };
            setTimeout(() => done(said), 20000);
            new MutationObserver(look).observe(root, { subtree: true, childList: true, attributes: true,
                characterData: true });
            button.click();
        })"""
    )
    return [text.split(" · ")[1] for text in said]


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_walks_all_kept_maps_and_ends_at_the_newest(view: EmbeddingView, motion: str) -> None:
    view.notebook.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    said = walk(view)
    view.notebook.page.emulate_media(reduced_motion="no-preference")
    assert said[-MAPS:] == [f"{place} of {MAPS} kept" for place in range(1, MAPS + 1)]
    view.until_in_place()


def test_less_motion_means_that_points_are_at_once_where_they_go(view: EmbeddingView) -> None:
    moved = """(root) => new Promise((done) => {
        const [marks, slider] = [root.querySelector('.nnw-points-marks'), root.querySelector('.nnw-range')];
        const seen = new Set();
        new MutationObserver(() => {
            seen.add(marks.dataset.moving);
            if (root.querySelector('.nnw-kept-text').textContent.includes(` · ${Number(slider.value) + 1} of`)
                && marks.dataset.moving === 'false') setTimeout(() => done([...seen]), 600);
        }).observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
        setTimeout(() => done(['never came']), 10000);
        slider.value = slider.value === '0' ? '2' : '0';
        slider.dispatchEvent(new Event('input', { bubbles: true }));
    })"""
    assert "true" in view.root.evaluate(moved)
    view.notebook.page.emulate_media(reduced_motion="reduce")
    assert "true" not in view.root.evaluate(moved)
    view.notebook.page.emulate_media(reduced_motion="no-preference")
    view.root.locator(".nnw-range").press("End")
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f" · {MAPS} of {MAPS} kept")


def test_a_key_on_the_slider_stops_play_and_walks_by_itself(view: EmbeddingView) -> None:
    play, slider = view.root.locator(".nnw-play"), view.root.locator(".nnw-range")
    text = view.root.locator(".nnw-kept-text")
    play.click()
    expect(play).to_have_attribute("aria-label", "Stop")
    slider.press("Home")
    expect(play).to_have_attribute("aria-label", "Play the earlier results")
    expect(text).to_contain_text(" · 1 of")
    slider.press("ArrowRight")
    expect(text).to_contain_text(" · 2 of")
    view.notebook.page.wait_for_timeout(1500)  # in which play would have gone on twice
    expect(text).to_contain_text(" · 2 of")
    slider.press("End")
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f" · {MAPS} of {MAPS} kept")


def test_trails_lie_where_the_selected_points_have_been(view: EmbeddingView) -> None:
    points = view.until_in_place()
    ways = np.array(view.notebook.python("ways.tolist()"))
    width, height = view.cloud.evaluate("(cloud) => [cloud.clientWidth, cloud.clientHeight]")
    low, high = ways[-1].min(axis=0), ways[-1].max(axis=0)
    scale = min((width - 2 * PADDING) / (high - low)[0], (height - 2 * PADDING) / (high - low)[1])
    screen = np.array([width / 2, height / 2]) + (ways - (low + high) / 2) * scale * np.array([1, -1])
    middles = (screen[1:] + screen[:-1]) / 2
    inside = ((middles > 4) & (middles < np.array([width, height]) - 4)).all(axis=(0, 2))
    row = int(np.flatnonzero(inside)[0])
    trails = view.root.locator(".nnw-points-trails")
    # A sample that can't be read stays beside the map, and no lines lead to its neighbours.
    beside = next(index for index in range(96) if index not in points.indices)
    view.notebook.python(f"inspector._session.samples._left_out.add({beside})")
    view.notebook.python(f"inspector.selection.update(sample={beside}, selected=({points.indices[row]},))")
    view.notebook.wait_pixels(trails, lambda pixels: not pixels[..., 3].any())
    view.set_option("Trails", "on")
    view.until_caption(f"trails of 1 selected over {MAPS} maps")
    drawn = view.notebook.wait_pixels(trails, lambda pixels: bool(pixels[..., 3].any()))
    clear = []
    for x, y in middles[:, row].astype(int):
        patch = drawn[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 4).astype(float)
        strongest = patch[patch[:, 3].argmax()]
        clear.append(strongest[3])
        assert np.abs(strongest[:3] - COLORS[points.labels[row]]).max() < 12
    assert np.diff(clear).min() > -25, "the newer, the clearer, but for edges that fall between pixels"
    assert clear[0] < clear[-1] / 2
    view.root.locator(".nnw-range").press("Home")
    view.until_caption("trails of 1 selected over 1 map")
    view.notebook.wait_pixels(trails, lambda pixels: not pixels[..., 3].any())
    view.set_option("Trails", "off")
    view.notebook.until(lambda: "trails" not in view.caption.inner_text(), "the words to go")
