"""The Filters view: a layer's kernels as pictures, how smooth they are, and how both came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
import traitlets
from matplotlib.figure import Figure

from nnwidgets.analysis.engine.layer_calls import module_of
from nnwidgets.analysis.filters import FilterStats, filter_stats, filter_weight
from nnwidgets.analysis.results import FiltersResult
from nnwidgets.figures.captions import count, number, plural, share, size
from nnwidgets.figures.kernels import LARGEST_NORM, coloured, is_rgb, pictures_of, planes_of
from nnwidgets.session import Session
from nnwidgets.training.worker import Snapshot
from nnwidgets.views._curves import Curve, Curves, Series
from nnwidgets.views._paged import PagedView
from nnwidgets.views._panel import Panel
from nnwidgets.views._sample import SampleView
from nnwidgets.views._tiles import Page, descending, fit, scale_header
from nnwidgets.views._view import Caption
from nnwidgets.views._wire import Array, Frame, Header

FILM = 8
OTHERS_DRAWN = 64
READING = "Smooth is not the same as good: a net that blew up is very smooth. Read it beside the norm."


class FiltersPanel(Panel):
    bundle = "filters"


@dataclass(frozen=True)
class Ask:
    layer: str


class FiltersView(PagedView):
    """The filters of one layer, live.

    Args:
        layer: shown whatever is selected; None follows the selection. A layer without weights shows those of the
            last layer before it that has some.
    """

    stem = "filters"
    panel_type = FiltersPanel
    follows_probe = True
    controls = ("channel", "sort_by", "scale")
    sort_by = traitlets.Enum(
        ["unit", "smoothness", "norm"], "unit", help="Order of the filters. Written by Python."
    ).tag(
        control="dropdown", label="Sort by", choices=[("unit", "unit"), ("smoothness", "smoothness"), ("norm", "norm")]
    )
    scale = traitlets.Enum(
        ["layer", "map"], "layer", help="One colour scale for the layer, or one per filter. Written by Python."
    ).tag(control="toggle", label="Scale", choices=[("layer", "layer"), ("map", "filter")])
    channel = traitlets.Int(
        LARGEST_NORM, help="Input channel on show; -1 is each filter's of largest norm. Written by Python."
    ).tag(control="dropdown", label="Channel")

    def __init__(self, session: Session, *, layer: str | None = None, **options: Any) -> None:
        self._weighted = [
            info.name for info in session.layers if filter_weight(session.module_of(info.name)) is not None
        ]
        super().__init__(session, layer=layer, **options)

    def below(self) -> Sequence[ipywidgets.Widget]:
        smooth = Curve("Smoothness", note="0 = same weights shuffled, 1 = smooth", height=160)
        norm = Curve("Weight norm", note="L2 of each filter", height=160)
        self._over_training = Curves("Over training", {"smoothness": smooth, "norm": norm}, on_cost=self.session.pay)
        note = ipywidgets.HTML(
            '<div class="nnw-note"><b>How to read.</b> Above the grey band a filter is smoother than the same weights '
            f"in random order (band: ±2 sd; darker: for the layer mean). {READING}</div>"
        )
        return [self._over_training, note]

    def awaited(self) -> str:
        return "" if self._weighted else "This model has no layer with filters"

    @property
    def weighted_layer(self) -> str:
        """The layer whose weights are on show."""
        if self.layer in self._weighted or not self._weighted:
            return self.layer
        names = [info.name for info in self.session.layers]
        before = [name for name in names[: names.index(self.layer)] if name in self._weighted]
        return before[-1] if before else self._weighted[0]

    @property
    def unit_layer(self) -> str:
        return self.weighted_layer

    def choices(self, option: str) -> list[tuple[Any, str]]:
        if option != "channel" or self.result is None:
            return super().choices(option) if option != "channel" else []
        channels = self.result.weight.shape[1] if self.result.weight.ndim > 2 else 1
        if channels in (1, 3):
            return []
        return [(LARGEST_NORM, "largest norm"), *((index, str(index)) for index in range(channels))]

    def ask(self) -> Ask:
        return Ask(self.weighted_layer)

    def refresh(self) -> None:
        if not self._weighted:
            self._asked = self.ask()
            self.show_state()
            return
        # Filters need no sample, so none is waited for.
        super(SampleView, self).refresh()

    def compute(self, snapshot: Snapshot, ask: Ask) -> Iterator[FiltersResult | None]:
        weight = filter_weight(module_of(snapshot.shadow.module, ask.layer))
        if weight is None:
            raise ValueError(f"layer: expected one with weights, got {ask.layer}, which has none")
        weight = weight.detach().float().cpu().clone()
        yield FiltersResult(
            step=self.session.step_of(snapshot),
            layer=ask.layer,
            kind=self.session.layer(ask.layer).kind,
            weight=weight,
            stats=filter_stats(weight),
        )

    def title(self, result: FiltersResult | None) -> tuple[str, bool, str]:
        shown = self.weighted_layer if result is None else result.layer
        subtitle = f"{self.layer} has no filters; these are the layer's before it"
        return shown, True, "" if self.weighted_layer == self.layer else subtitle

    def unit_on_show(self, result: FiltersResult) -> int:
        """The selected unit, if it is of the layer whose weights these are, and not of one after it."""
        return self.unit_of(result.layer, len(result.weight)) if self.layer == result.layer else 0

    def caption(self, result: FiltersResult) -> Caption:
        planes = self._planes(result)
        out, channels = result.weight.shape[:2]
        what = f"{plural(out, 'filter')} of {size(planes.shape[-2:])}" if planes.ndim >= 3 else plural(out, "filter")
        peak = number(float(np.nanmax(np.abs(result.weight.numpy()), initial=0.0)))
        parts: Caption = [(f"weights of {result.layer}", True)] if self.layer != result.layer else []
        parts.append((f"{what}, {plural(channels, 'input channel')}", False))
        scale = "one scale for the layer" if self.scale == "layer" else "each filter its own scale"
        parts.append((f"weights ±{peak}, {scale}", False))
        if is_rgb(planes):
            parts.append(("as colours, zero is mid grey", False))
        elif planes.ndim == 4 and planes.shape[1] > 1:
            parts.append(
                (f"channel {self.channel}" if self.channel >= 0 else "each filter's channel of largest norm", False)
            )
        stats = result.stats
        defined = np.isfinite(stats.smoothness.numpy())
        if defined.any():
            parts.append((f"smoothness of the layer {share(stats.layer_mean)}", False))
            noise = int((np.abs(stats.smoothness.numpy()[defined]) <= stats.band.numpy()[defined]).sum())
            if noise:
                parts.append((f"{count(noise)} inside the noise band ‡", True))
        reasons = sorted({reason for reason in stats.reason if reason})
        parts += [(f"no smoothness: {reason}", True) for reason in reasons[:1]]
        return parts

    def picture(self, result: FiltersResult) -> Frame:
        values = self._planes(result)
        unit = self.unit_on_show(result)
        if values.ndim == 2:
            return self._matrix(result, values, unit)
        page = self.page(self._order(result.stats, len(values)), unit)
        flat, rgb = pictures_of(values, self.channel), is_rgb(values)
        shown = flat[list(page.units)]
        scale = scale_header(shown.reshape(len(shown), -1)[:, None], mode=self.scale, signed=True, unit="weight")
        peak = max(scale["hi"], 1e-30)
        film, film_labels = self._film(result, unit)
        smoothness = float(result.stats.smoothness[unit])
        header: Header = {
            "layout": "maps",
            "tiles": self._tiles(result.stats, page),
            "scale": scale,
            "page": page.header(),
            "selected_tile": page.tile_of(unit),
            "detail_title": f"Unit {unit}",
            "detail_facts": f"smooth {share(smoothness)} · norm {share(float(result.stats.norm[unit]))}",
            "grid_title": "Filters"
            if self.sort_by == "unit"
            else f"Filters, {'smoothest' if self.sort_by == 'smoothness' else 'largest norm'} first",
            "hint": "hover: weight · arrow keys: next unit",
            "unit": unit,
            "map_size": list(flat.shape[1:3]),
        }
        arrays = {
            "maps": coloured(shown, peak) if rgb else fit(shown)[0],
            "detail": coloured(flat[unit], peak) if rgb else flat[unit],
        }
        if film is not None:
            header["film"] = {
                "title": f"Unit {unit} over training",
                "sub": "under each picture: step, smoothness · same scale",
                "labels": film_labels,
            }
            arrays["film"] = coloured(film, peak) if rgb else fit(film)[0]
        return Frame(header, arrays)

    def draw_curves(self, result: FiltersResult) -> None:
        history = [probe for probe in self.session.record.probe.items if result.layer in probe.filters]
        if not history:
            return
        unit = self.unit_on_show(result)
        steps = np.array([probe.step for probe in history], dtype=np.float64)
        kept = [probe.filters[result.layer] for probe in history]
        few = min(len(result.weight), OTHERS_DRAWN)
        drawn = (
            f"all {count(few)} filters thin"
            if few == len(result.weight)
            else f"{few} of {count(len(result.weight))} filters thin"
        )
        self._over_training.describe(f"unit {unit}", "noise band ±2 sd", f"{drawn} · x: step")
        norms = np.array([stats.norm.numpy() for stats in kept], dtype=np.float64)
        self._over_training.curves["norm"].show(
            Series(steps, norms[:, unit], norms.mean(axis=1), others=norms[:, :few].T)
        )
        smooth = np.array([stats.smoothness.numpy() for stats in kept], dtype=np.float64)
        if np.isnan(smooth).all():
            reason = next((reason for reason in kept[-1].reason if reason), "")
            self._over_training.curves["smoothness"].show(Series(steps, None, None, empty=reason))
            return
        band = np.array([float(stats.band[unit]) for stats in kept])
        inner = np.array([stats.layer_band for stats in kept])
        self._over_training.curves["smoothness"].show(
            Series(
                steps,
                smooth[:, unit],
                np.array([stats.layer_mean for stats in kept]),
                band=np.stack([-band, band]),
                inner_band=np.stack([-inner, inner]),
                others=smooth[:, :few].T,
            )
        )

    def draw(self, result: FiltersResult, figure: Figure) -> None:
        from nnwidgets.figures.filters import draw_filters

        draw_filters(
            result,
            figure,
            caption=self.caption_text(result),
            channel=self.channel,
            picture=self._picture_size(result),
        )

    def _planes(self, result: FiltersResult) -> Array:
        return planes_of(result.weight.numpy(), self._picture_size(result))

    def _picture_size(self, result: FiltersResult) -> tuple[int, ...] | None:
        """Height and width of the inputs, if these are the weights right over them and the inputs are pictures."""
        first = bool(self._weighted) and result.layer == self._weighted[0]
        picture = self.session.samples.picture(self.session.samples.probe_indices[0]) if first else None
        return None if picture is None else picture.shape[:2]

    def _order(self, stats: FilterStats, out: int) -> Array:
        if self.sort_by == "smoothness":
            return descending(stats.smoothness.numpy())
        return descending(stats.norm.numpy()) if self.sort_by == "norm" else np.arange(out)

    def _tiles(self, stats: FilterStats, page: Page) -> Header:
        smooth = [float(stats.smoothness[unit]) for unit in page.units]
        noise = [abs(value) <= float(stats.band[unit]) for value, unit in zip(smooth, page.units, strict=True)]
        return {
            "units": list(page.units),
            "labels": [str(unit) for unit in page.units],
            "values": [
                f"{'‡ ' if inside else ''}{share(value)}" if not np.isnan(value) else ""
                for value, inside in zip(smooth, noise, strict=True)
            ],
            "flags": [""] * len(page.units),
            "aria": [
                f"unit {unit}, smoothness {share(value)}, norm {share(float(stats.norm[unit]))}"
                for unit, value in zip(page.units, smooth, strict=True)
            ],
        }

    def _film(self, result: FiltersResult, unit: int) -> tuple[Array | None, list[tuple[str, str]]]:
        """The selected filter at up to eight kept steps, evenly spread, the newest last."""
        kept = self.session.record.kernels
        rows = [
            (step, layers[result.layer])
            for step, layers in zip(kept.steps, kept.items, strict=True)
            if result.layer in layers
        ]
        if len(rows) < 2:
            return None, []
        chosen = [rows[round(at)] for at in np.linspace(0, len(rows) - 1, min(FILM, len(rows)))]
        tiles, labels = [], []
        for step, weight in chosen:
            one = FiltersResult(step, result.layer, result.kind, weight[unit : unit + 1], result.stats)
            tiles.append(pictures_of(self._planes(one), self.channel)[0])
            labels.append((count(step), share(float(filter_stats(one.weight).smoothness[0]))))
        return np.stack(tiles), labels

    def _matrix(self, result: FiltersResult, values: Array, unit: int) -> Frame:
        scale = scale_header(values, mode="layer", signed=True, unit="weight")
        header: Header = {
            "layout": "sequence",
            "scale": scale,
            "selected_tile": unit,
            "row_titles": ["input"],
            "detail_title": f"Unit {unit}",
            "detail_facts": f"norm {share(float(result.stats.norm[unit]))}",
            "hint": "hover: weight",
            "unit": unit,
        }
        return Frame(header, {"rows": values})
