"""The Filters view: a layer's filters as pictures, how smooth they are, and how both came about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from nnwidgets.analysis.filters import filter_stats, filter_weight
from nnwidgets.analysis.results import FiltersResult
from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.grid import Grid
from nnwidgets.blocks.lines import Lines
from nnwidgets.blocks.text import Text
from nnwidgets.blocks.tiles import order_of
from nnwidgets.display.job import Heading, Strong
from nnwidgets.display.options import choice
from nnwidgets.display.packing import Layout
from nnwidgets.display.selecting import Select
from nnwidgets.display.view import View
from nnwidgets.measures import LayerStatistics, Measure, Record, Weights
from nnwidgets.words import count, number, plural, share, size

FILM, OTHERS_DRAWN, HINT = 8, 64, "hover: weight · arrow keys: next unit"
LARGEST_NORM = -1  # instead of an input channel: each filter's own of largest norm
TITLES = {"unit": "Filters", "smoothness": "Filters, smoothest first", "norm": "Filters, largest norm first"}
READING = (
    "Above the grey band a filter is smoother than the same weights in random order (band: ±2 sd; darker: for the "
    "layer mean). Smooth is not the same as good: a net that blew up is very smooth. Read it beside the norm."
)


class FiltersView(View):
    """The filters of one layer, live.

    Args:
        layer: shown whatever is selected; None follows the selection. A layer without weights shows those of the
            last layer before it that has some.
    """

    name, title, group = "filters", "Filters", "Layers"
    follows = ("layer",)
    marks = ("layer", "unit")
    channel = choice(default=LARGEST_NORM, of="channels", help="Input channel.", draws=True)
    sort_by = choice("unit", "smoothness", "norm", help="Order of the filters.", draws=True)
    scale = choice(
        "layer",
        "map",
        texts={"map": "filter"},
        kind="toggle",
        help="One colour scale for the layer, or one for each filter.",
        draws=True,
    )

    @cached_property
    def _weighted(self) -> list[str]:
        """The layers that have filters, in forward order."""
        return [name for name in self.run.layer_names if filter_weight(self.run.module_of(name)) is not None]

    def blocked(self) -> str:
        return "" if self._weighted else "This model has no layer with filters"

    def needs(self) -> Sequence[Measure]:
        return (Weights(self.unit_layer), LayerStatistics()) if self._weighted else ()

    def compute(self, weights: FiltersResult, record: Record) -> FiltersResult:
        return weights

    @property
    def unit_layer(self) -> str:
        """The layer whose filters are on show: the one asked for, else the last before it that has some."""
        if self.layer in self._weighted or not self._weighted:
            return self.layer
        order = self.run.layer_names.index
        before = [name for name in self._weighted if order(name) < order(self.layer)]
        return (before or self._weighted[:1])[-1]

    def channels(self) -> list[tuple[int, str]]:
        """The input channels to choose from: none where there is one, or where three are a colour picture."""
        weight = filter_weight(self.run.module_of(self.unit_layer))
        if weight is None or weight.ndim < 3 or weight.shape[1] in (1, 3):
            return []
        return [(LARGEST_NORM, "largest norm"), *((index, str(index)) for index in range(weight.shape[1]))]

    def clicked(self, block: Block, *where: Any) -> Select | None:
        return Select(unit=where[0])

    def heading(self, result: FiltersResult | None) -> Heading:
        shown = self.unit_layer if result is None else result.layer
        if shown == self.layer:
            return Heading(shown, code=True)
        order = self.run.layer_names.index
        where = "last layer before it" if order(shown) < order(self.layer) else "first layer after it"
        return Heading(shown, code=True, subtitle=f"{self.layer} has no filters: those of the {where}")

    def caption(self, result: FiltersResult) -> list[str]:
        planes, weight, stats = self._planes(result.layer, result.weight.numpy()), result.weight, result.stats
        what = f"{plural(len(weight), 'filter')} of {size(planes.shape[-2:])}" if planes.ndim > 2 else ""
        peak = number(float(np.nanmax(np.abs(weight.numpy()), initial=0.0)))
        parts = [
            Strong(f"weights of {result.layer}" if self.layer != result.layer else ""),
            f"{what or plural(len(weight), 'filter')}, {plural(weight.shape[1], 'input channel')}",
            f"weights ±{peak}, {'one scale for the layer' if self.scale == 'layer' else 'each filter its own scale'}",
        ]
        if is_rgb(planes):
            parts.append("as colours, zero is mid grey")
        elif planes.ndim == 4 and planes.shape[1] > 1:
            parts.append(f"channel {self.channel}" if self.channel >= 0 else "each filter's channel of largest norm")
        smooth, band = stats.smoothness.numpy(), stats.band.numpy()
        if np.isfinite(smooth).any():
            noise = int((np.abs(smooth) <= band).sum())  # NaN is not
            parts.append(f"smoothness of the layer {share(stats.layer_mean)}")
            parts.append(Strong(f"{count(noise)} no smoother than noise ‡" if noise else ""))
        reasons = sorted(set(filter(None, stats.reason)))
        parts += [Strong(f"smoothness does not apply: {reason}") for reason in reasons[:1]]
        return [part for part in parts if part]

    def layout(self, result: FiltersResult) -> Layout:
        # The selected unit; filters of a layer before the selected one have it where there are as many.
        same = self.layer != result.layer and self.run.layer(self.layer).units == len(result.weight)
        unit = self.unit_of(self.layer if same else result.layer, len(result.weight))
        reading = [Text(READING, lead="How to read.")] if result.stats.smoothness.isfinite().any() else []
        curves = self.once("curves", (self.run.record.changes, result.layer, unit), lambda: self._curves(result, unit))
        return [*self._grids(result, unit), tuple(curves), *reading]

    def _grids(self, result: FiltersResult, unit: int) -> list[Grid]:
        planes, stats = self._planes(result.layer, result.weight.numpy()), result.stats
        smooth, norm = stats.smoothness.numpy(), stats.norm.numpy()
        facts = [f"norm {share(float(each))}" for each in norm]
        common: dict[str, Any] = {"signed": True, "unit": "weight", "selected": unit, "hint": HINT}
        if planes.ndim == 2:
            return [Grid(planes, layout="sequence", row_titles=["input"], facts=facts[unit], **common)]
        peak = float(np.nanmax(np.abs(planes), initial=0.0)) or 1.0
        figures = [_marked(value, float(band)) for value, band in zip(smooth.tolist(), stats.band, strict=True)]
        order = {"smoothness": smooth, "norm": norm}.get(self.sort_by)
        described = [f"unit {n}, smoothness {share(float(smooth[n]))}, {facts[n]}" for n in range(len(smooth))]
        grid = Grid(
            self._pictures(planes, peak),
            order=None if order is None else order_of(order),
            figures=figures,
            described=described,
            per_tile=self.scale == "map",
            peak=peak if is_rgb(planes) else None,
            facts=f"smooth {share(float(smooth[unit]))} · {facts[unit]}" if np.isfinite(smooth[unit]) else facts[unit],
            title=TITLES[self.sort_by],
            **common,
        )
        return [grid, *self._film(result, unit, grid.ends(unit)[1])]

    def _film(self, result: FiltersResult, unit: int, peak: float) -> list[Grid]:
        """The selected filter at up to eight earlier steps."""
        kept = self.once(
            "film", (self.run.record.changes, result.layer, unit), lambda: self._earlier(result.layer, unit)
        )
        if len(kept) < 2:
            return []
        words = [f"step {step}, smoothness {value}" for step, _, value in kept]
        return [
            Grid(
                self._pictures(self._planes(result.layer, torch.cat([weight for _, weight, _ in kept]).numpy()), peak),
                labels=[count(step) for step, *_ in kept],
                figures=[value for *_, value in kept],
                described=words,
                signed=True,
                peak=peak,
                unit="weight",
                noun="step",
                column=False,
                title=f"Unit {unit} over training",
                note="under each picture: step, smoothness · same scale",
                key="film",
            )
        ]

    def _earlier(self, layer: str, unit: int) -> list[tuple[int, torch.Tensor, str]]:
        kept = ((step, weight[unit : unit + 1]) for step, weight in self.run.record.weights(layer, FILM))
        return [(step, weight, share(float(filter_stats(weight).smoothness[0]))) for step, weight in kept]

    def _curves(self, result: FiltersResult, unit: int) -> list[Lines]:
        names = ("norm", "smoothness", "band", "layer_mean", "layer_band")
        (steps, norms), *kept = (self.run.record.series("filters", result.layer, name) for name in names)
        smooth, band, means, inner = (values for _, values in kept)
        if not len(steps):
            return []
        few, name = min(len(result.weight), OTHERS_DRAWN), f"unit {unit}"
        few_of = "all" if few == len(result.weight) else f"{few} of"
        common: dict[str, Any] = {
            "roles": {name: "main", "layer mean": "mean"},
            "others_name": f"{few_of} {plural(len(result.weight), 'filter')}",
            "x_title": "training step",
            "subject": result.layer,
        }
        smoothness = Lines(
            steps,
            {name: smooth[:, unit], "layer mean": means},
            band=np.stack([-band[:, unit], band[:, unit]]),
            inner_band=np.stack([-inner, inner]),
            others=smooth[:, :few].T,
            band_name="noise band ±2 sd",
            title="Smoothness",
            note="0 = same weights shuffled, 1 = smooth",
            key="smoothness",
            **common,
        )
        norm = Lines(
            steps,
            {name: norms[:, unit], "layer mean": norms.mean(axis=1)},
            others=norms[:, :few].T,
            title="Weight norm",
            note="L2 of each filter",
            key="norm",
            **common,
        )
        return [norm] if np.isnan(smooth).all() else [smoothness, norm]

    def _planes(self, layer: str, weight: Array) -> Array:
        """Weights (out, in, …) as (out, in, height, width), or (out, in) as they are; a linear layer right over
        pictures takes their shape."""
        if weight.ndim > 4:
            return weight.reshape(len(weight), -1, *weight.shape[-2:])
        if weight.ndim == 3:
            return weight[:, :, None, :]
        first = weight.ndim == 2 and layer == self._weighted[0]
        picture = self.run.samples.picture(self.run.samples.probe_indices[0]) if first else None
        if picture is not None and weight.shape[1] in (picture.shape[0] * picture.shape[1] * n for n in (1, 3)):
            return weight.reshape(len(weight), -1, *picture.shape[:2])
        return weight

    def _pictures(self, planes: Array, peak: float) -> Array:
        """One picture a filter: (out, height, width), or uint8 colours (out, height, width, 3), 0 being mid grey."""
        if is_rgb(planes):
            colours = np.nan_to_num(128 + 127 * np.moveaxis(planes, 1, -1) / peak)
            return np.clip(colours, 0, 255).astype(np.uint8)
        if self.channel >= 0:
            return planes[:, min(self.channel, planes.shape[1] - 1)]
        strongest = np.square(planes).sum(axis=(2, 3)).argmax(axis=1)
        chosen: Array = planes[np.arange(len(planes)), strongest]
        return chosen


def is_rgb(planes: Array) -> bool:
    """Whether planes (out, in, height, width) are the three of a colour picture."""
    return planes.ndim == 4 and planes.shape[1] == 3


def _marked(smoothness: float, band: float) -> str:
    return "" if np.isnan(smoothness) else f"{'‡ ' if abs(smoothness) <= band else ''}{share(smoothness)}"
