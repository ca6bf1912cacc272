"""What a test does with the Embedding view: where its points are on the screen, drags, marks round points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb
from playwright.sync_api import Locator, expect
from scipy.spatial import KDTree

from nnwidgets.blocks.colors import LIGHT
from tests.browser.lab import Notebook, Pixels
from tests.browser.views import View, is_color, value_in

COLORS = [np.array(to_rgb(color)) * 255 for color in LIGHT.classes]
# Free room round a map; radius of a point and of the ring round a wrong one, in CSS px.
PADDING, RADIUS, RING = 22, 2.75, 5.5
# Where marks of other points can't reach.
ALONE = 10
POINTS_ONLY = ".nnw-points-cloud > :not(.nnw-points-canvas) { visibility: hidden !important }"
# Run in a page before its first view: WebGL, drawn by software here, seems to be drawn by a card, and is used.
CARD = """() => {
    const original = WebGL2RenderingContext.prototype.getParameter;
    WebGL2RenderingContext.prototype.getParameter = function (name) {
        return name === 0x9246 ? 'a graphics card' : original.call(this, name);
    };
}"""
# Python in the notebook: as if a view had come to a map of these positions.
KEEP = """
from dataclasses import replace
from nnwidgets.display.kept import Shown

def keep(view, step, positions):
    result = replace(view.result, step=step, embedding=replace(view.result.embedding, positions=positions))
    view.job.kept.add(view.job.kept.about, Shown(result, step))
    view.renew_layout()
"""
# A cloud in three dimensions at first: turned about the upright axis, then tipped; the eye in radii of the cloud.
YAW, PITCH, EYE = 0.6, 0.35, 4.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """How a map (n, 2) or (n, 3) comes to the screen: what the view turns round, px per unit, where the eye is."""

    size: Floats
    center: Floats
    scale: float
    yaw: float = 0.0
    pitch: float = 0.0
    # 1 / distance of the eye; 0 for a flat map.
    perspective: float = 0.0

    @classmethod
    def fitted(cls, positions: Floats, size: Floats, *, yaw: float = YAW, pitch: float = PITCH) -> "Sight":
        """All of a map within the free room."""
        low, high = positions.min(axis=0), positions.max(axis=0)
        center, room = (low + high) / 2, size - 2 * PADDING
        if positions.shape[1] == 2:
            return cls(size, center, float((room / (high - low)).min()))
        radius = float(np.linalg.norm(positions - center, axis=1).max())
        scale = room.min() / 2 / (radius * EYE / np.sqrt(EYE**2 - 1))
        return cls(size, center, float(scale), yaw, pitch, 1 / (EYE * radius))

    def turned(self, positions: Floats) -> Floats:
        """Right, up and towards the eye (n, 3), in units of the map."""
        about = np.zeros((len(positions), 3))
        about[:, : positions.shape[1]] = positions - self.center
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        about = about @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]).T
        cos, sin = np.cos(self.pitch), np.sin(self.pitch)
        turned: Floats = about @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]).T
        return turned

    def project(self, positions: Floats) -> Floats:
        """Places (n, 2) in CSS px of the canvas."""
        turned = self.turned(positions)
        near = 1 / (1 - turned[:, 2:] * self.perspective)
        places: Floats = self.size / 2 + turned[:, :2] * near * self.scale * np.array([1, -1])
        return places


@dataclass(frozen=True)
class Map:
    """What Python has: points (n, 2 or 3), where the fitted view shows them (n, 2) in CSS px, and what they are."""

    positions: Floats
    xy: Floats
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        return np.not_equal(self.labels, self.predicted)

    def alone(self) -> npt.NDArray[np.int64]:
        """Rows of the points that no other comes near."""
        apart, _ = KDTree(self.xy).query(self.xy, k=2)
        return np.flatnonzero(apart[:, 1] > ALONE)

    def at(self, xy: Floats) -> "Map":
        """The same points at other places."""
        return replace(self, xy=xy)


class Strip:
    """A strip of samples under the map, behind a tab."""

    def __init__(self, view: Locator, key: str) -> None:
        root = view.locator(f'.nnw-block[data-key="{key}"]')
        self.tab = view.locator(f'.nnw-block-tab[data-key="{key}"]')
        self.title = root.locator(".nnw-label > span").first
        self.cells = root.locator(".nnw-strip-cell:not([hidden])")

    def indices(self) -> list[int]:
        """The samples that have a cell, in their order."""
        return [int(value_in(text)) for text in self.cells.locator(".nnw-strip-index").all_text_contents()]


class EmbeddingView(View):
    def __init__(self, notebook: Notebook, root: Locator, name: str = "view") -> None:
        super().__init__(notebook, root)
        self.name = name
        self.cloud = root.locator(".nnw-points-cloud")
        self.marks = root.locator(".nnw-points-marks")
        self.card = root.locator(".nnw-sample-card")
        self.legend = root.locator(".nnw-points-legend")
        self.strip = Strip(root, "selected")
        self.near = Strip(root, "nearest")

    @property
    def size(self) -> Floats:
        """Width and height of the map in CSS px."""
        size: Floats = np.array(self.cloud.evaluate("(cloud) => [cloud.clientWidth, cloud.clientHeight]"), dtype=float)
        return size

    def map(self, result: str = "result") -> Map:
        """The map of a result, by default of the last one, as the fitted view shows it."""
        fields = "embedding.positions", "indices", "labels", "predicted"
        lists = self.notebook.python(f"[{', '.join(f'{self.name}.{result}.{field}.tolist()' for field in fields)}]")
        positions, indices, labels, predicted = (np.array(each) for each in lists)
        # The page gets the farthest coordinate as 0.98.
        positions = positions / np.abs(positions).max() * 0.98
        return Map(positions, Sight.fitted(positions, self.size).project(positions), indices, labels, predicted)

    def move(self, x: float, y: float) -> None:
        box = self.marks.bounding_box()
        assert box is not None
        self.notebook.page.mouse.move(box["x"] + x, box["y"] + y)

    def drag(self, *corners: npt.ArrayLike, keys: Sequence[str] = (), release: bool = True) -> None:
        """Draw through these points of the canvas with the button held, and the keys too."""
        keyboard, mouse = self.notebook.page.keyboard, self.notebook.page.mouse
        places = [np.asarray(corner, dtype=float) for corner in corners]
        for key in keys:
            keyboard.down(key)
        self.move(*places[0])
        mouse.down()
        for start, end in pairwise(places):
            for share in np.linspace(0.25, 1, 4):
                self.move(*(start + share * (end - start)))
        if release:
            mouse.up()
        for key in keys:
            keyboard.up(key)

    def shown(self) -> Pixels:
        """The cloud as the screen shows it, without names, rings and other marks above the points."""
        self.notebook.page.mouse.move(0, 0)
        return self.notebook.screen_pixels(self.root.locator(".nnw-points-canvas"), style=POINTS_ONLY)

    def in_place(self, pixels: Pixels, points: Map) -> float:
        """Share of the lone points in sight whose centre has the colour of their class."""
        height, width = pixels.shape[:2]
        rows = [
            row for row in points.alone() if (points.xy[row] > 0).all() and (points.xy[row] < (width, height)).all()
        ]
        right = [is_color(at(pixels, points.xy[row]), COLORS[points.labels[row]]) for row in rows]
        return float(np.mean(right))

    def until_in_place(self) -> Map:
        """Wait until the points have come to where the last result says."""
        self.cloud.scroll_into_view_if_needed()
        self.notebook.until(lambda: self.in_place(self.shown(), self.map()) > 0.95, "the points in their places")
        return self.map()

    def until_at(self, points: Map) -> None:
        """Wait until the points are seen at these places."""
        self.notebook.until(lambda: self.in_place(self.shown(), points) > 0.95, "the points at these places")

    def selects(self, points: Map, inside: npt.NDArray[np.bool_]) -> None:
        """Wait until just these rows are selected, in Python and here."""
        self.until("sorted(inspector.selection.selected)", sorted(points.indices[inside].tolist()))
        expect(self.marks).to_have_attribute("data-selected", str(inside.sum()))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.marks.press(key)


def at(pixels: Pixels, place: Floats) -> npt.NDArray[np.uint8]:
    """The colour of a place in CSS px."""
    x, y = (int(axis) for axis in place)
    pixel: npt.NDArray[np.uint8] = pixels[y, x]
    return pixel


def ringed(pixels: Pixels, place: Floats) -> bool:
    """Whether there is dark ink nearly all round a point, where a ring would be."""
    dark = []
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        direction = np.array([np.cos(angle), np.sin(angle)])
        line = [at(pixels, place + radius * direction)[:3].mean() for radius in np.arange(RING - 1.5, RING + 1.5, 0.5)]
        dark.append(min(line) < 190)
    return bool(np.sum(dark) >= 7)
