"""Kept maps of an embedding: play walks them, a key stops it, and less motion is respected."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.embedding import EmbeddingView
from tests.browser.views import NET

VIEW = """
view = inspector.embedding(layer="fc", method="pca", points=32)
view
"""
# Maps of known places: each a turn of the first by 20 degrees, so that a sample's way is an arc.
KEPT = """
import math
from dataclasses import replace

view._missed_the_end = lambda: False  # the steps are made up: no training reached them
first = view.result.embedding.positions
turns = []
for step in range(1, 7):
    angle = math.radians(20 * step)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turns.append(first @ turn.T)
    view.show(replace(view.result, step=step, embedding=replace(view.result.embedding, positions=turns[-1])))
"""
MAPS = 7


@pytest.fixture(scope="module")
def view(share_notebook: OpenNotebook) -> EmbeddingView:
    notebook = share_notebook([NET, VIEW, KEPT])
    notebook.finish(0, 1)
    view = EmbeddingView(notebook, notebook.view(".nnw-view").first)
    view.until_caption("PCA, shows")
    notebook.finish(2)
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f"map {MAPS} of {MAPS} kept")
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
    assert said[-MAPS:] == [f"map {place} of {MAPS} kept" for place in range(1, MAPS + 1)]
    view.until_in_place()


def test_less_motion_means_that_points_are_at_once_where_they_go(view: EmbeddingView) -> None:
    moved = """(root) => new Promise((done) => {
        const [marks, slider] = [root.querySelector('.nnw-cloud-marks'), root.querySelector('.nnw-range')];
        const seen = new Set();
        new MutationObserver(() => {
            seen.add(marks.dataset.moving);
            if (root.querySelector('.nnw-kept-text').textContent.includes(`map ${Number(slider.value) + 1} `)
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
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f"map {MAPS} of {MAPS} kept")


def test_a_key_on_the_slider_stops_play_and_walks_by_itself(view: EmbeddingView) -> None:
    play, slider = view.root.locator(".nnw-play"), view.root.locator(".nnw-range")
    play.click()
    expect(view.root.locator(".nnw-kept-text")).to_contain_text("map 2 of")
    slider.press("ArrowLeft")
    expect(play).to_have_attribute("aria-label", "Play the kept maps")
    expect(view.root.locator(".nnw-kept-text")).to_contain_text("map 1 of")
    slider.press("End")
    expect(view.root.locator(".nnw-kept-text")).to_contain_text(f"map {MAPS} of {MAPS} kept")
