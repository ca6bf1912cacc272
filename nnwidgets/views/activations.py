"""The Activations view: a layer's response to one sample, and its statistics over training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure

from nnwidgets.analysis.activations import LIKE_INPUT, ActivationStats
from nnwidgets.analysis.capture import record
from nnwidgets.analysis.engine.units import arranged, over_units
from nnwidgets.analysis.results import ActivationsResult
from nnwidgets.figures.captions import count, number, plural, size
from nnwidgets.session import Session
from nnwidgets.training.record import ProbeResult
from nnwidgets.training.worker import Snapshot
from nnwidgets.views._curves import Curve, Curves, Series
from nnwidgets.views._paged import PagedView
from nnwidgets.views._panel import Panel
from nnwidgets.views._sample import prediction
from nnwidgets.views._tiles import descending, fit, scale_header
from nnwidgets.views._view import Caption
from nnwidgets.views._wire import Array, Frame, Header

CURVES = {"mean": "Mean activation", "std": "Standard deviation", "zero_share": "Share of zeros"}


class ActivationsPanel(Panel):
    bundle = "activations"


@dataclass(frozen=True)
class Ask:
    layer: str
    sample: int


class ActivationsView(PagedView):
    """The maps of one layer for one sample, live.

    Args:
        layer: shown whatever is selected; None follows the selection.
        sample: index into the dataset, shown whatever is selected; None follows the selection.
    """

    stem = "activations"
    panel_type = ActivationsPanel
    follows_probe = True
    controls = ("sort_by", "scale")
    sort_by = traitlets.Enum(["unit", "mean", "max", "dead"], "unit", help="Order of the maps. Written by Python.").tag(
        control="dropdown",
        label="Sort by",
        choices=[("unit", "unit"), ("mean", "mean"), ("max", "max"), ("dead", "dead first")],
    )
    scale = traitlets.Enum(
        ["layer", "map"], "layer", help="One colour scale for the layer, or one per map. Written by Python."
    ).tag(control="toggle", label="Scale", choices=[("layer", "layer"), ("map", "map")])

    def __init__(
        self, session: Session, *, layer: str | None = None, sample: int | None = None, **options: Any
    ) -> None:
        self._peak: tuple[str, float] = ("", 0.0)
        super().__init__(session, layer=layer, sample=sample, **options)

    def below(self) -> Sequence[ipywidgets.Widget]:
        curves = {name: Curve(title) for name, title in CURVES.items()}
        self._over_training = Curves("Over training", curves, on_cost=self.session.pay)
        return [self._over_training]

    def ask(self) -> Ask:
        return Ask(self.layer, self.sample)

    def compute(self, snapshot: Snapshot, ask: Ask) -> Iterator[ActivationsResult | None]:
        session = self.session
        batch = session.samples.batch([ask.sample])
        kept: dict[str, torch.Tensor] = {}
        output = record(
            snapshot.shadow.module,
            batch.args,
            batch.kwargs,
            layers=[ask.layer],
            on_activation=lambda name, value: kept.update({name: value.detach().float().cpu().clone()}),
        )
        info = session.layer(ask.layer)
        layout, values, note = arranged(kept[ask.layer], info.channel_dim)
        latest = session.record.latest
        yield ActivationsResult(
            step=session.step_of(snapshot),
            layer=ask.layer,
            kind=info.kind,
            sample=ask.sample,
            label=session.samples.label_name(ask.sample),
            layout=layout,
            values=values,
            stats=stats_of(latest, ask.layer, len(values)),
            scores=session.scores(output),
            note=note,
        )

    def _probed(self) -> None:
        latest = self.session.record.latest
        if self.result is not None and latest is not None:
            self.result = replace(self.result, stats=stats_of(latest, self.result.layer, len(self.result.values)))
        super()._probed()

    def title(self, result: ActivationsResult | None) -> tuple[str, bool, str]:
        return (self.layer if result is None else result.layer), True, ""

    def unit_on_show(self, result: ActivationsResult) -> int:
        return self.unit_of(result.layer, len(result.values))

    def caption(self, result: ActivationsResult) -> Caption:
        units = len(result.values)
        parts: Caption = [(self.sample_text(result.sample, result.label, result.scores), False)]
        if result.layout == "maps":
            what = f"{plural(units, 'map')} of {size(tuple(result.values.shape[1:]))}"
        elif result.layout == "sequence":
            what = f"{plural(units, 'unit')} over {plural(result.values.shape[1], 'position')}"
        else:
            what = f"{plural(units, 'unit')} in index order"
        parts.append((f"{what}, {result.kind}", False))
        parts += [(note, False) for note in (result.note, self._reduction(result)) if note]
        if result.layout == "maps":
            parts.append(("one scale for the layer" if self.scale == "layer" else "each map its own scale", False))
        if result.stats is not None:
            dead, alike = int(result.stats.dead.sum()), int((result.stats.input_similarity > LIKE_INPUT).sum())
            if dead:
                parts.append((f"{count(dead)} dead on the probe †", True))
            if alike:
                parts.append((f"{count(alike)} like the input ≡", True))
        odd = int((~torch.isfinite(result.values)).sum())
        if odd:
            parts.append((f"{plural(odd, 'value')} not finite", True))
        return parts

    def picture(self, result: ActivationsResult) -> Frame:
        unit = self.unit_on_show(result)
        header: Header = {
            "layout": result.layout,
            "prediction": prediction(result.scores, self.session.samples.class_names),
            "input_title": f"Input {count(result.sample)}",
            "hint": "hover: value · arrow keys: next unit",
            "unit": unit,
        }
        arrays: dict[str, Array] = {}
        image = self.session.samples.picture(result.sample)
        if image is not None:
            arrays["input"] = image
        values = result.values.numpy()
        draw = {"maps": self._maps, "strips": self._strips, "sequence": self._sequence}[result.layout]
        more, more_arrays = draw(result, values, unit)
        return Frame({**header, **more}, {**arrays, **more_arrays})

    def draw_curves(self, result: ActivationsResult) -> None:
        history = [probe for probe in self.session.record.probe.items if result.layer in probe.stats]
        unit = self.unit_on_show(result)
        steps = np.array([probe.step for probe in history], dtype=np.float64)
        self._over_training.describe(
            f"unit {unit}",
            f"10\u201390\u202f% of {plural(len(result.values), 'unit')}",
            f"x: step · {plural(len(self.session.samples.probe_indices), 'probe sample')}",
        )
        for name, curve in self._over_training.curves.items():
            values = np.array([getattr(probe.stats[result.layer], name).numpy() for probe in history], dtype=np.float64)
            if len(history) and values.shape[1] > unit:
                mean, band = over_units(values)
                curve.show(Series(steps, values[:, unit], mean, band=band))

    def draw(self, result: ActivationsResult, figure: Figure) -> None:
        from nnwidgets.figures.activations import draw_activations

        draw_activations(result, figure, caption=self.caption_text(result))

    def _order(self, result: ActivationsResult, values: Array) -> Array:
        flat = values.reshape(len(values), -1)
        if self.sort_by == "mean":
            return descending(flat.mean(axis=1))
        if self.sort_by == "max":
            return descending(flat.max(axis=1))
        if self.sort_by == "dead" and result.stats is not None:
            return descending(result.stats.dead.numpy().astype(np.float64))
        return np.arange(len(values))

    def _maps(self, result: ActivationsResult, values: Array, unit: int) -> tuple[Header, dict[str, Array]]:
        page = self.page(self._order(result, values), unit)
        tiles, _ = fit(values[list(page.units)])
        scale = scale_header(tiles, mode=self.scale, signed=False, unit="activation", floor=self._floor(result, values))
        chosen = values[unit]
        tops, means = values.reshape(len(values), -1).max(axis=1), values.reshape(len(values), -1).mean(axis=1)
        flags = [self._flag(result, each) for each in page.units]
        header: Header = {
            "tiles": {
                "units": list(page.units),
                "labels": [str(each) for each in page.units],
                "values": [""] * len(page.units),
                "flags": flags,
                "aria": [
                    f"unit {each}, max {number(float(tops[each]))}, mean {number(float(means[each]))}"
                    f"{', ' + flag if flag else ''}"
                    for each, flag in zip(page.units, flags, strict=True)
                ],
            },
            "scale": scale,
            "page": page.header(),
            "selected_tile": page.tile_of(unit),
            "detail_title": f"Unit {unit}",
            "detail_facts": f"max {number(float(tops[unit]))} · mean {number(float(means[unit]))}",
            "grid_title": "Maps" if self.sort_by == "unit" else f"Maps by {self.sort_by}",
            "map_size": list(values.shape[1:]),
        }
        return header, {"maps": tiles, "detail": chosen}

    def _strips(self, result: ActivationsResult, values: Array, unit: int) -> tuple[Header, dict[str, Array]]:
        rows, titles = [values], [f"sample {count(result.sample)}"]
        arrays: dict[str, Array] = {}
        if result.stats is not None:
            rows.append(result.stats.mean.numpy())
            titles.append("probe mean")
            arrays["dead"] = result.stats.dead.numpy()
        arrays["rows"] = np.stack(rows).astype(np.float32)
        scale = scale_header(
            arrays["rows"], mode="layer", signed=False, unit="activation", floor=self._floor(result, values)
        )
        header: Header = {
            "row_titles": titles,
            "scale": scale,
            "selected_tile": unit,
            "detail_title": f"Unit {unit}",
            "detail_facts": number(float(values[unit])),
        }
        return header, arrays

    def _sequence(self, result: ActivationsResult, values: Array, unit: int) -> tuple[Header, dict[str, Array]]:
        scale = scale_header(values, mode="layer", signed=False, unit="activation", floor=self._floor(result, values))
        facts = f"max {number(float(values[unit].max()))} · mean {number(float(values[unit].mean()))}"
        return {
            "scale": scale,
            "selected_tile": unit,
            "detail_title": f"Unit {unit}",
            "detail_facts": facts,
            "row_titles": ["position"],
        }, {"rows": values}

    def _floor(self, result: ActivationsResult, values: Array) -> float:
        """The largest value of this layer so far: a scale that only grows doesn't make noise look like signal."""
        finite = values[np.isfinite(values)]
        top = float(np.abs(finite).max()) if finite.size else 0.0
        layer, peak = self._peak
        self._peak = (result.layer, max(top, peak) if layer == result.layer else top)
        return self._peak[1]

    def _flag(self, result: ActivationsResult, unit: int) -> str:
        if result.stats is None:
            return ""
        if result.stats.dead[unit]:
            return "dead †"
        return "input ≡" if float(result.stats.input_similarity[unit]) > LIKE_INPUT else ""

    def _reduction(self, result: ActivationsResult) -> str:
        return fit(result.values[:1].numpy())[1] if result.layout == "maps" else ""


def stats_of(latest: ProbeResult | None, layer: str, units: int) -> ActivationStats | None:
    """The layer's statistics, if they are of these units: a layer that drops the batch axis has others in a batch."""
    stats = latest.stats.get(layer) if latest is not None else None
    return stats if stats is not None and len(stats.mean) == units else None
