"""The Occlusion view: what is lost when a square of the picture is covered (Zeiler & Fergus 2014, ECCV, fig. 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import traitlets
from matplotlib.figure import Figure

from nnwidgets.analysis.capture import unknown_layer
from nnwidgets.analysis.engine.precision import multiplies_bfloat16
from nnwidgets.analysis.occlusion import OcclusionMap, occlusion_steps
from nnwidgets.analysis.results import OcclusionResult
from nnwidgets.figures.captions import count, duration, share, size
from nnwidgets.session import MEMORY_SHARES, Session, now_s
from nnwidgets.training.worker import Snapshot
from nnwidgets.views._occlusion_frame import occlusion_frame
from nnwidgets.views._panel import Panel
from nnwidgets.views._sample import SampleView
from nnwidgets.views._squares import FILLS, checked_target, geometry, patch_choices, stride_choices
from nnwidgets.views._view import Caption
from nnwidgets.views._wire import Frame, Header

MOST_CLASSES_LISTED = 50
PREVIEWED_PIXELS = 64 * 64


class OcclusionPanel(Panel):
    bundle = "occlusion"


@dataclass(frozen=True)
class Ask:
    sample: int
    layer: str
    patch: int
    stride: int
    fill: float | str


class OcclusionView(SampleView):
    """Class probability, a layer's strongest map and the predicted class for a square at every position, live.

    Args:
        sample: index into the dataset, shown whatever is selected; None follows the selection.
        target: class asked about; None: the sample's own class, or the predicted one without labels.
        layer: whose strongest map is summed; None: the selected layer if it has maps, else the last before it that has.
        patch: side of the square in pixels; None: a quarter of the picture.
        stride: pixels between positions; None: the least that keeps to 600 positions.

    Raises:
        ValueError: a patch larger than the picture, a stride larger than the patch, a target out of range.
        KeyError: an unknown layer.
    """

    stem = "occlusion"
    panel_type = OcclusionPanel
    long = True
    controls = ("kind", "patch", "stride", "fill", "map_layer")
    kind = traitlets.Enum(
        ["probability", "logit"], "probability", help="What is drawn of the target class. Written by Python."
    ).tag(control="toggle", label="", choices=[("probability", "probability"), ("logit", "logit")])
    patch = traitlets.Int(help="Side of the square in pixels. Written by Python.").tag(
        control="dropdown", label="Patch"
    )
    stride = traitlets.Int(help="Pixels between positions. Written by Python.").tag(control="dropdown", label="Stride")
    fill = traitlets.Enum(tuple(FILLS), "zero", help="What the square is filled with. Written by Python.").tag(
        control="dropdown", label="Fill"
    )
    map_layer = traitlets.Unicode(
        help="Layer whose strongest map is summed; empty follows the selection. Written by Python."
    ).tag(control="dropdown", label="Map of", wire="layer")

    def __init__(
        self,
        session: Session,
        *,
        sample: int | None = None,
        target: int | None = None,
        layer: str | None = None,
        patch: int | None = None,
        stride: int | None = None,
        **options: Any,
    ) -> None:
        self._maps = [info.name for info in session.layers if len(info.shape) == 4]
        self._pinned_target = None if target is None else checked_target(target, session.classes)
        image = session.samples.picture(session.samples.probe_indices[0])
        self._size = image.shape[:2] if image is not None and session.samples.input_kind == "image" else None
        if layer is not None:
            self._check_layer(session, layer)
        if self._size is not None:
            patch, stride = geometry(self._size, patch, stride)
        with_layer = {"map_layer": layer} if layer is not None else {}
        self.set_trait("patch", patch or 1)
        self.set_trait("stride", stride or 1)
        super().__init__(session, sample=sample, **options)
        for name, value in with_layer.items():
            setattr(self, name, value)

    def _check_layer(self, session: Session, layer: str) -> None:
        names = [info.name for info in session.layers]
        if layer not in names:
            raise unknown_layer(layer, names)
        if layer not in self._maps:
            raise ValueError(
                f"layer: expected one with maps (batch, channels, height, width), got {layer!r}; "
                f"those are {', '.join(self._maps) or 'none'}"
            )

    def awaited(self) -> str:
        if self._size is None:
            return "Occlusion needs pictures; this dataset has none"
        if self.session.classes is None:
            return "Occlusion needs class scores; give Inspector(score_fn=…)"
        return super().awaited()

    def refresh(self) -> None:
        if self._size is None or self.session.classes is None:
            self._asked = self.ask()
            self.show_state()
        else:
            super().refresh()

    @property
    def target(self) -> int:
        """The class asked about."""
        for target in (self._pinned_target, self.session.selection.target, self.session.samples.label(self.sample)):
            # A label need not be a class of this model: -100 says "ignore" to torch's losses.
            if target is not None and 0 <= target < (self.session.classes or 0):
                return int(target)
        return int(self.result.map.clean[0].argmax()) if self.result is not None else 0

    @property
    def summed_layer(self) -> str:
        """The layer whose strongest map is drawn."""
        if self.map_layer in self._maps:
            return str(self.map_layer)
        names = [info.name for info in self.session.layers]
        before = [name for name in names[: names.index(self.layer) + 1] if name in self._maps]
        return before[-1] if before else (self._maps[-1] if self._maps else "")

    def ask(self) -> Ask:
        return Ask(self.sample, self.summed_layer, self.patch, self.stride, FILLS[self.fill][0])

    def choices(self, option: str) -> list[tuple[Any, str]]:
        if self._size is None:
            return []
        if option == "patch":
            return patch_choices(self._size, self.patch)
        if option == "stride":
            return stride_choices(self.patch, self.stride)
        if option == "fill":
            return [(name, text) for name, (_, text, _) in FILLS.items()]
        if option == "map_layer":
            return [
                ("", f"{self.summed_layer} (selected)" if not self.map_layer else "as selected"),
                *((name, name) for name in self._maps),
            ]
        return super().choices(option)

    def option_specs(self) -> list[Header]:
        classes = self.session.classes or 0
        listed = list(range(classes))
        if classes > MOST_CLASSES_LISTED and self.result is not None:
            listed = sorted({self.target, *self.result.map.clean[0].topk(MOST_CLASSES_LISTED - 1).indices.tolist()})
        target = {
            "name": "target",
            "label": "Target",
            "kind": "dropdown",
            "value": self.target,
            "choices": [(each, self.session.class_name(each)) for each in listed],
        }
        return [target, *super().option_specs()] if listed and self._size is not None else []

    def set_option(self, change: dict[str, Any]) -> None:
        if change.get("name") == "target":
            target = checked_target(change.get("value"), self.session.classes)
            self.select(target=target)
            if self._pinned_target is not None:
                self._pinned_target = target
                self._renew()
            return
        super().set_option(change)

    @traitlets.observe("patch")
    def _patch_changed(self, _change: Any) -> None:
        self.stride = min(self.stride, self.patch)

    def compute(self, snapshot: Snapshot, ask: Ask) -> Iterator[OcclusionResult | None]:
        session = self.session
        batch = session.samples.batch([ask.sample])
        images, *others = batch.args
        latest, began = session.record.latest, now_s()
        unit = None
        if ask.layer and latest is not None and ask.layer in latest.stats:
            unit = int(torch.nan_to_num(latest.stats[ask.layer].mean, nan=-torch.inf).argmax())
        steps = occlusion_steps(
            snapshot.shadow.module,
            images,
            patch=ask.patch,
            stride=ask.stride,
            fill=ask.fill,
            layers=[ask.layer] if ask.layer else [],
            additional_forward_args=tuple(others) or None,
            score_fn=session.score_fn,
            mode="preview" if self._previews(images) else "exact",
            max_memory=int(MEMORY_SHARES["occlusion"] * session.max_memory),
            target=self.target,
        )
        held = self._holds(ask)
        try:
            for partial in steps:
                session.kept_bytes[self] = partial.memory_bytes
                strongest = (
                    unit
                    if unit is not None or not ask.layer
                    else int(torch.nan_to_num(partial.layer_sums[ask.layer][0]).sum((0, 1)).argmax())
                )
                result = OcclusionResult(
                    step=session.step_of(snapshot),
                    sample=ask.sample,
                    label=session.samples.label_name(ask.sample),
                    map=partial,
                    layer=ask.layer,
                    unit=strongest,
                    target=self.target,
                    seconds=now_s() - began,
                    fill=ask.fill,
                )
                yield result if partial.done or not held else None
                if not partial.done and not held:
                    self._tell_progress(partial, now_s() - began)
        finally:
            session.kept_bytes.pop(self, None)

    @staticmethod
    def _previews(images: torch.Tensor) -> bool:
        """Whether a preview is worth its while: exact maps of small pictures are as quick."""
        return images.shape[-1] * images.shape[-2] >= PREVIEWED_PIXELS and multiplies_bfloat16(images.device)

    def _holds(self, ask: Ask) -> bool:
        """Whether a whole map of what is asked for is on show: it stays until the next one is whole."""
        shown = self.result
        if shown is None or not shown.map.done:
            return False
        return Ask(shown.sample, shown.layer, shown.map.patch[0], shown.map.stride[0], shown.fill) == ask

    def _tell_progress(self, partial: OcclusionMap, spent_s: float) -> None:
        total, done = partial.exact.numel(), int(partial.exact.sum())
        left = duration(spent_s * (total - done) / max(done, 1))
        self.progress(done / total, f"Covering {count(done)} of {count(total)} positions · about {left} left")

    def title(self, result: OcclusionResult | None) -> tuple[str, bool, str]:
        if result is None:
            return f"Sample {count(self.sample)}", False, ""
        clean = torch.softmax(result.map.clean[0], dim=0)
        top = int(clean.argmax())
        label = f"label {result.label}, " if result.label else ""
        return (
            f"Sample {count(result.sample)}",
            False,
            f"{label}predicted {self.session.class_name(top)} ({share(float(clean[top]))})",
        )

    def caption(self, result: OcclusionResult) -> Caption:
        grid, patch = result.map, size(tuple(result.map.patch))
        name = self.session.class_name(self.target)
        filled = next(words for fill, _, words in FILLS.values() if fill == result.fill)
        exact = ", exact" if torch.equal(grid.exact, grid.computed) else ""
        lost = "probability" if self.kind == "probability" else "logit"
        parts: Caption = [
            (
                f"{lost.capitalize()} of {name} lost when a {patch} square is covered with {filled}",
                False,
            ),
            (f"{size((len(grid.rows), len(grid.cols)))} positions, stride {grid.stride[0]}{exact}", False),
            (f"in {duration(result.seconds)}", False),
        ]
        if not grid.computed.all():
            parts.append(("partial: hatched is not computed yet", True))
        # A model may well say minus infinity, and rounding is no fault; NaN is, and a preview will change.
        return [*parts, *((note, note.startswith(("NaN", "preview"))) for note in grid.notes)]

    def picture(self, result: OcclusionResult) -> Frame:
        image = self.session.samples.picture(result.sample)
        return occlusion_frame(
            result, target=self.target, kind=self.kind, class_name=self.session.class_name, picture=image
        )

    def draw(self, result: OcclusionResult, figure: Figure) -> None:
        from nnwidgets.figures.occlusion import draw_occlusion

        draw_occlusion(
            result,
            figure,
            caption=self.caption_text(result),
            target=self.target,
            picture=self.session.samples.picture(result.sample),
            names=self.session.class_name,
        )
