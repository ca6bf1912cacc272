"""The Activations view: a layer's response to one sample, and its statistics over training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from nnwidgets.analysis.activations import LIKE_INPUT, ActivationStats
from nnwidgets.analysis.engine.units import over_units
from nnwidgets.analysis.results import ActivationsResult
from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.grid import Grid
from nnwidgets.blocks.lines import Lines
from nnwidgets.blocks.tiles import order_of
from nnwidgets.display.job import Heading, Strong
from nnwidgets.display.options import choice
from nnwidgets.display.packing import Layout
from nnwidgets.display.predicted import best, label_words, predicted_words
from nnwidgets.display.selecting import Select
from nnwidgets.display.view import View
from nnwidgets.measures import Activations, LayerStatistics, Measure, Record
from nnwidgets.words import count, number, plural, size

CURVES = {"mean": "Mean activation", "std": "Standard deviation", "zero_share": "Share of zeros"}


class ActivationsView(View):
    """The maps of one layer for one sample, live.

    Args:
        layer: shown whatever is selected; None follows the selection.
        sample: index into the dataset, shown whatever is selected; None follows the selection.
    """

    name, title, group = "activations", "Activations", "Layers"
    follows = ("layer", "sample")
    marks = ("layer", "unit")
    sort_by = choice("unit", "mean", "max", "dead", texts={"dead": "dead first"}, help="Order of the maps.", draws=True)
    scale = choice(
        "layer", "map", kind="toggle", help="One colour scale for the layer, or one for each map.", draws=True
    )

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self._peak: tuple[str, float] = ("", 0.0)
        super().__init__(*args, **keywords)

    def needs(self) -> Sequence[Measure]:
        return Activations(self.layer, self.sample), LayerStatistics()

    def compute(self, response: ActivationsResult, record: Record) -> ActivationsResult:
        latest = record.latest
        stats = latest.stats.get(response.layer) if latest is not None else None
        # A layer that drops the batch axis has other units in a batch.
        return replace(response, stats=stats if stats is not None and len(stats.mean) == len(response.values) else None)

    def clicked(self, block: Block, *where: Any) -> Select | None:
        return Select(unit=where[0])

    def heading(self, result: ActivationsResult | None) -> Heading:
        return Heading(self.layer if result is None else result.layer, code=True)

    def caption(self, result: ActivationsResult) -> list[str]:
        units = len(result.values)
        what = {
            "maps": f"{plural(units, 'map')} of {size(tuple(result.values.shape[1:]))}",
            "sequence": f"{plural(units, 'unit')} over {plural(result.values.shape[-1], 'position')}",
            "strips": f"{plural(units, 'unit')} in index order",
        }[result.layout]
        parts = [self._sample_words(result), f"{what}, {result.kind}", result.note]
        if result.layout == "maps":
            parts += [
                Grid(result.values.numpy()).reduction,
                "one scale for the layer" if self.scale == "layer" else "each map its own scale",
            ]
        if result.stats is not None:
            dead, alike = int(result.stats.dead.sum()), int((result.stats.input_similarity > LIKE_INPUT).sum())
            probe, never = (
                plural(len(self.run.samples.probe_indices), "sample"),
                "never fires" if dead == 1 else "never fire",
            )
            parts.append(Strong(f"{plural(dead, 'unit')} {never} ({probe}) †" if dead else ""))
            parts.append(Strong(f"{count(alike)} like the input ≡" if alike else ""))
        odd = int((~torch.isfinite(result.values)).sum())
        parts.append(Strong(f"{plural(odd, 'value')} not finite" if odd else ""))
        return [part for part in parts if part]

    def layout(self, result: ActivationsResult) -> Layout:
        unit = self.unit_of(result.layer, len(result.values))
        about = (self.run.record.changes, result.layer, unit, len(result.values))
        curves = self.once("curves", about, lambda: tuple(self._curves(result, unit)))
        return [self._grid(result, unit), curves]

    def _grid(self, result: ActivationsResult, unit: int) -> Grid:
        values = result.values.numpy()
        flat = values.reshape(len(values), -1)
        tops, means = flat.max(axis=1), flat.mean(axis=1)
        flags = _flags(result.stats, len(values))
        order = {
            "mean": means,
            "max": tops,
            "dead": None if result.stats is None else result.stats.dead.double().numpy(),
        }
        by = order.get(self.sort_by)
        rows, titles = self._strips(result) if result.layout == "strips" else (values, ["position"])
        described: list[str] | None = None
        if result.layout == "strips":
            fact = number(float(values[unit]))
        else:
            ends = zip(tops.tolist(), means.tolist(), strict=True)
            facts = [(f"max {number(top)}", f"mean {number(mean)}") for top, mean in ends]
            described = [", ".join(filter(None, (f"unit {at}", *facts[at], flags[at]))) for at in range(len(facts))]
            fact = " · ".join(facts[unit])
        return Grid(
            rows,
            layout=result.layout,
            order=None if by is None else order_of(by),
            flags=flags,
            described=described,
            selected=unit,
            per_tile=self.scale == "map",
            floor=self._floor(result, values),
            unit="activation",
            facts=fact,
            hint="hover: value · arrow keys: next unit",
            picture=self.run.samples.picture(result.sample),
            picture_title=f"Input {count(result.sample)}",
            prediction=best(self.run, result.scores),
            row_titles=titles,
            dead=result.stats.dead.numpy() if result.layout == "strips" and result.stats is not None else None,
            title="" if result.layout != "maps" else "Maps" if self.sort_by == "unit" else f"Maps by {self.sort_by}",
        )

    def _strips(self, result: ActivationsResult) -> tuple[Array, list[str]]:
        """The sample's row and the probe's mean, (rows, units), with their titles."""
        rows, titles = [result.values.numpy()], [f"sample {count(result.sample)}"]
        if result.stats is not None:
            rows.append(result.stats.mean.numpy())
            titles.append(f"mean of {count(len(self.run.samples.probe_indices))}")
        return np.stack(rows).astype(np.float32), titles

    def _curves(self, result: ActivationsResult, unit: int) -> list[Lines]:
        samples, found = plural(len(self.run.samples.probe_indices), "sample"), []
        for name, title in CURVES.items():
            steps, values = self.run.record.series("stats", result.layer, name)
            if values.ndim == 2 and values.shape[1] > unit:
                mean, band = over_units(values)
                found.append(
                    Lines(
                        steps,
                        {f"unit {unit}": values[:, unit], "layer mean": mean},
                        roles={f"unit {unit}": "main", "layer mean": "mean"},
                        band=band,
                        band_name=f"10\u201390\u202f% of {plural(len(result.values), 'unit')}",
                        x_title=f"training step, over {samples}",
                        title=title,
                        subject=result.layer,
                        key=name,
                    )
                )
        return found

    def _floor(self, result: ActivationsResult, values: Array) -> float:
        """The largest value of this layer so far: a scale that only grows doesn't make noise look like signal."""
        finite = values[np.isfinite(values)]
        top = float(np.abs(finite).max()) if finite.size else 0.0
        layer, peak = self._peak
        self._peak = (result.layer, max(top, peak) if layer == result.layer else top)
        return self._peak[1]

    def _sample_words(self, result: ActivationsResult) -> str:
        """Which sample it is, what it is and what the model takes it for."""
        said = label_words(self.run, result.label), predicted_words(self.run, result.scores)
        parts = [f"Sample {count(result.sample)}", *said]
        return ", ".join(part for part in parts if part)


def _flags(stats: ActivationStats | None, units: int) -> list[str]:
    if stats is None:
        return [""] * units
    alike = (stats.input_similarity > LIKE_INPUT).tolist()
    return [
        "dead †" if dead else "input ≡" if like else "" for dead, like in zip(stats.dead.tolist(), alike, strict=True)
    ]
