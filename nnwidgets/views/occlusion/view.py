"""The Occlusion view: what is lost when a square of the picture is covered (Zeiler & Fergus 2014, ECCV, fig. 7)."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from functools import cached_property
from typing import Any

import torch
import traitlets

from nnwidgets.analysis.capture import unknown_layer
from nnwidgets.analysis.engine.precision import multiplies_bfloat16
from nnwidgets.analysis.occlusion import OcclusionMap, occlusion_steps
from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.blocks.block import Array
from nnwidgets.blocks.heat import Heat
from nnwidgets.display.options import choice
from nnwidgets.display.view import Strong
from nnwidgets.measures import LayerStatistics, Measure, Model, ModelAtStep, Progress, Record
from nnwidgets.measures.arguments import checked_layer
from nnwidgets.session import MEMORY_SHARES, Session
from nnwidgets.views.occlusion.asked import AsksAboutClass, nan_scores
from nnwidgets.views.occlusion.maps import heat_of
from nnwidgets.views.occlusion.squares import geometry, no_pictures, patch_choices, squares_on, stride_choices
from nnwidgets.words import count, duration, size

PREVIEWED_PIXELS = 64 * 64  # exact maps of smaller pictures are as quick
TELL_LEFT_FROM = 0.05  # of the positions
FILLS: dict[str, float | str] = {"zero": 0.0, "mean": "mean", "blur": "blur"}  # choice -> as in `occlusion_map`
CHANNELS_LAST = (
    "Squares need pictures (channels, height, width); these are (height, width, channels). Give a module that takes "
    "channels first, and unpack= or data that have them so"
)
BY_KEYWORD = (
    "Squares need a picture that is the model's first argument; give unpack=, which returns ((picture,), {}, target)"
)
FILLED = {0.0: "zero", "mean": "the picture's mean", "blur": "the picture blurred"}


class OcclusionView(AsksAboutClass):
    """Class probability, a layer's strongest map and the predicted class for a square at every position, live.

    Args:
        sample: index into the dataset, shown whatever is selected; None follows the selection.
        target: class asked about; None: the sample's own class, or the predicted one without labels.
        layer: whose strongest map is summed; None: the selected layer if it has maps, else the last before it that has.
        patch: side of the square in pixels; None: a quarter of the picture.
        stride: pixels between positions; None: the least that keeps to 600 positions.
        kind: "probability" or "logit": what is drawn of the class asked about.
        fill: "zero", "mean" or "blur": what replaces the square.

    Raises:
        ValueError: a patch larger than the picture, a stride larger than the patch, a target out of range.
        KeyError: an unknown layer.
    """

    marks = ("layer", "sample", "target")

    patch = choice(of="patch_choices", check="check_patch", help="Side of the square in pixels.")
    stride = choice(of="stride_choices", check="check_stride", help="Pixels between positions.")
    fill = choice(
        *FILLS,
        label="Cover with",
        texts={"mean": "mean", "blur": "blur"},
        help="What replaces the square: zero, the picture's mean colour, or the picture blurred.",
    )
    map_layer = choice(
        of="layer_choices",
        check="check_layer",
        default="",
        label="Map of",
        help="Layer whose strongest map is summed; empty follows the selection.",
    )

    def __init__(
        self,
        session: Session,
        *,
        layer: str | None = None,
        patch: int | None = None,
        stride: int | None = None,
        **options: Any,
    ) -> None:
        self._maps = [info.name for info in session.layers if info.maps]
        map_layer = options.pop("map_layer", None)
        if layer is not None and map_layer is not None:
            raise TypeError("layer: expected one of layer= and map_layer=, which say the same, got both")
        map_layer = layer if layer is not None else map_layer
        super().__init__(session, map_layer=map_layer, patch=patch, stride=stride, **options)

    @cached_property
    def _size(self) -> tuple[int, ...] | None:
        """Height and width of the inputs, not of what `to_image` draws; None where they are no pictures."""
        samples = self.run.samples
        image = samples.input_picture(samples.probe_indices[0])
        return image.shape[:2] if image is not None else None

    def blocked(self) -> str:
        if self._size is None:
            return no_pictures(self.run.samples)
        if self.run.samples.channels_last:
            return CHANNELS_LAST
        return BY_KEYWORD if self._by_keyword else self.no_scores()

    @cached_property
    def _by_keyword(self) -> bool:
        """Whether the model gets its picture by keyword."""
        samples = self.run.samples
        return not samples.batch(samples.probe_indices[:1]).args

    def needs(self) -> Sequence[Measure]:
        return Model((self.sample,)), LayerStatistics()

    def option_values(self) -> tuple[Any, ...]:
        return (*super().option_values(), self.summed_layer)

    # What is asked about.

    @property
    def summed_layer(self) -> str:
        """The layer whose strongest map is drawn, nothing where no layer has maps."""
        if self.map_layer:
            return str(self.map_layer)
        names = self.run.layer_names
        before = [name for name in names[: names.index(self.layer) + 1] if name in self._maps]
        return (before or self._maps or [""])[-1]

    # Options.

    def patch_choices(self) -> list[tuple[int, str]]:
        return patch_choices(self._size, self.patch) if self._size is not None else []

    def stride_choices(self) -> list[tuple[int, str]]:
        return stride_choices(self.patch, self.stride) if self._size is not None else []

    def layer_choices(self) -> list[tuple[str, str]]:
        follows = "as selected" if self.map_layer else f"{self.summed_layer} (selected)"
        return [("", follows), *((name, name) for name in self._maps)]

    def check_patch(self, patch: Any) -> int:
        return self._checked(patch, None)[0]

    def check_stride(self, stride: Any) -> int:
        return self._checked(self.patch, stride)[1]

    def _checked(self, patch: Any, stride: Any) -> tuple[int, int]:
        """None becomes the default."""
        try:
            return geometry(self._size, patch, stride) if self._size is not None else (1, 1)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    def check_layer(self, layer: Any) -> str:
        names = self.run.layer_names
        if layer not in ("", *names):
            raise unknown_layer(checked_layer(layer), names)
        if layer not in ("", *self._maps):
            raise traitlets.TraitError(
                f"layer: expected one with maps (batch, channels, height, width), got {layer!r}; "
                f"those are {', '.join(self._maps) or 'none'}"
            )
        return str(layer)

    @traitlets.observe("patch")
    def _patch_changed(self, _change: Any) -> None:
        self.stride = min(self.stride, self.patch)

    # The map.

    def compute(self, model: ModelAtStep, record: Record) -> Generator[OcclusionResult | Progress | None, None, None]:
        """The map growing; a whole one of what is asked for stays on show until the next one is whole."""
        if model.batch is None:
            raise ValueError("samples: expected one, got none")
        images, *others = model.batch.args
        sample, layer, fill = self.sample, self.summed_layer, FILLS[self.fill]
        latest, target = record.latest, self.target
        began = exact_began = time.monotonic()
        stats = latest.stats.get(layer) if latest is not None else None
        steps = occlusion_steps(
            model.module,
            images,
            **squares_on(images, self.patch, self.stride, fill),
            layers=[self.run.layer(layer)] if layer else [],
            additional_forward_args=tuple(others) or None,
            score_fn=self.run.score_fn,
            to_probabilities=self.run.task.probabilities,
            mode="preview" if _previews(images) else "exact",
            max_memory=int(MEMORY_SHARES["occlusion"] * self.run.max_memory),
            target=target,
        )
        held = self._shows_whole(sample, layer, self.patch, self.stride, fill)
        try:
            for partial in steps:
                if bool(partial.clean.isnan().any()):
                    raise nan_scores(sample)
                self.run.kept_bytes[self] = partial.memory_bytes
                now = time.monotonic()
                exact_began = exact_began if bool(partial.exact.any()) else now
                seconds = now - began
                result = OcclusionResult(
                    step=model.step,
                    sample=sample,
                    label=self.run.samples.label_name(sample),
                    map=partial,
                    layer=layer,
                    unit=_strongest(stats.mean if stats is not None else partial.layer_sums[layer][0].sum((0, 1)))
                    if layer
                    else None,
                    target=target,
                    seconds=seconds,
                    fill=fill,
                )
                yield result if partial.done or not held else None
                if not partial.done and not held:
                    yield _progress(partial, now - exact_began)
        finally:
            self.run.kept_bytes.pop(self, None)

    def _shows_whole(self, *asked: Any) -> bool:
        shown = self.result
        if shown is None or not shown.map.done:
            return False
        return (shown.sample, shown.layer, shown.map.patch[0], shown.map.stride[0], shown.fill) == asked

    def layout(self, result: OcclusionResult) -> list[Heat]:
        return [
            heat_of(
                result,
                target=self.class_asked(result.clean, result.sample),
                probable=self.kind == "probability",
                names=[self.run.class_name(each) for each in range(result.map.clean.shape[1])],
                picture=self._picture_of(result.sample),
                one_class=self.run.task.one_class,
            )
        ]

    def _picture_of(self, sample: int) -> Array | None:
        """What `to_image` drew if squares of the input can stand on it, else the input itself."""
        samples = self.run.samples
        drawn = samples.picture(sample)
        fits = drawn is not None and drawn.shape[:2] == self._size
        return drawn if fits else samples.input_picture(sample)

    def caption(self, result: OcclusionResult) -> list[str]:
        grid = result.map
        what, name = self.kind.capitalize(), self.run.class_name(self.class_asked(result.clean, result.sample))
        exact = ", exact" if torch.equal(grid.exact, grid.computed) else ""
        return [
            self.taken_for(result.label, result.clean),
            f"{what} of {name} lost when a {size(tuple(grid.patch))} square is covered with {FILLED[result.fill]}",
            f"{size((len(grid.rows), len(grid.cols)))} positions, stride {grid.stride[0]}{exact}",
            f"in {duration(result.seconds)}",
            *([] if grid.computed.all() else [Strong("partial: hatched is not computed yet")]),
            # A model may well say minus infinity, and rounding is no fault; NaN is, and a preview will change.
            *(Strong(note) if note.startswith(("NaN", "preview")) else note for note in grid.notes),
        ]


def _previews(images: torch.Tensor) -> bool:
    """Whether a preview is worth its while."""
    large = images.ndim == 4 and images.shape[-1] * images.shape[-2] >= PREVIEWED_PIXELS
    return large and multiplies_bfloat16(images.device)


def _strongest(means: torch.Tensor) -> int:
    return int(torch.nan_to_num(means, nan=-torch.inf).argmax())


def _progress(grid: OcclusionMap, seconds: float) -> Progress:
    """`seconds` since the first exact positions were begun; what is left is told once it can be known."""
    total, done = grid.exact.numel(), int(grid.exact.sum())
    text = f"Covering {count(done)} of {count(total)} positions"
    if done >= TELL_LEFT_FROM * total:
        text += f" · about {duration(seconds * (total - done) / done)} left"
    return Progress(done / total, text)
