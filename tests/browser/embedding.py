"""What a test does with the Embedding view: where its points are on the screen, drags, marks round points."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb
from playwright.sync_api import Locator

from nnwidgets.figures.colors import LIGHT
from tests.browser.lab import Notebook, Pixels
from tests.browser.views import View, is_color

COLORS = [np.array(to_rgb(color)) * 255 for color in LIGHT.classes]
# Free room round a map; radius of a point and of the ring round a wrong one, in CSS px.
PADDING, RADIUS, RING = 22, 2.75, 5.5
# Where marks of other points can't reach.
ALONE = 10


@dataclass(frozen=True)
class Map:
    """What Python has: points on the screen (n, 2) in CSS px of the view's canvas, and what they are."""

    xy: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        return np.not_equal(self.labels, self.predicted)

    def alone(self) -> npt.NDArray[np.int64]:
        """Rows of the points that no other comes near."""
        apart = np.linalg.norm(self.xy[:, None] - self.xy[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        return np.flatnonzero(apart.min(axis=1) > ALONE)


class EmbeddingView(View):
    def __init__(self, notebook: Notebook, root: Locator, name: str = "view") -> None:
        super().__init__(notebook, root)
        self.name = name
        self.cloud = root.locator(".nnw-cloud")
        self.marks = root.locator(".nnw-cloud-marks")
        self.card = root.locator(".nnw-point-card")
        self.legend = root.locator(".nnw-legend")

    def map(self) -> Map:
        """The map of the last result as the fitted view shows it."""
        result = f"{self.name}.result"
        fields = "embedding.positions", "indices", "labels", "predicted"
        lists = self.notebook.python(f"[{', '.join(f'{result}.{field}.tolist()' for field in fields)}]")
        positions = np.array(lists[0])
        width, height = self.cloud.evaluate("(cloud) => [cloud.clientWidth, cloud.clientHeight]")
        low, high = positions.min(axis=0), positions.max(axis=0)
        scale = min((width - 2 * PADDING) / (high - low)[0], (height - 2 * PADDING) / (high - low)[1])
        middle = (low + high) / 2
        xy = np.array([width / 2, height / 2]) + (positions - middle) * scale * np.array([1, -1])
        return Map(xy, *(np.array(each) for each in lists[1:]))

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
        """The cloud with its marks as the screen shows it."""
        self.notebook.page.mouse.move(0, 0)
        return self.notebook.screen_pixels(self.cloud)

    def in_place(self, pixels: Pixels, points: Map) -> float:
        """Share of the lone points whose centre has the colour of their class; names hide a few."""
        rows = points.alone()
        right = [is_color(at(pixels, points.xy[row]), COLORS[points.labels[row]]) for row in rows]
        return float(np.mean(right))

    def until_in_place(self) -> Map:
        """Wait until the points have come to where the last result says."""
        self.cloud.scroll_into_view_if_needed()
        self.notebook.until(lambda: self.in_place(self.shown(), self.map()) > 0.8, "the points in their places")
        return self.map()


def at(pixels: Pixels, place: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    x, y = (int(axis) for axis in place)
    pixel: npt.NDArray[np.uint8] = pixels[y, x]
    return pixel


def ringed(pixels: Pixels, place: npt.NDArray[np.float64]) -> bool:
    """Whether there is dark ink nearly all round a point, where a ring would be."""
    dark = []
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        direction = np.array([np.cos(angle), np.sin(angle)])
        line = [at(pixels, place + radius * direction)[:3].mean() for radius in np.arange(RING - 1.5, RING + 1.5, 0.5)]
        dark.append(min(line) < 190)
    return bool(np.sum(dark) >= 7)
