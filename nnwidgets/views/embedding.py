"""The Embedding view: where samples lie by a layer's response, following the training."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import traitlets
from matplotlib.figure import Figure
from traitlets.utils.bunch import Bunch

from nnwidgets.analysis.embedding import MOST, Embedding, pca, with_neighbours
from nnwidgets.analysis.engine.compiled import worth_loading
from nnwidgets.analysis.engine.out_of_memory import halving
from nnwidgets.analysis.engine.predictions import predictions
from nnwidgets.analysis.engine.slicing import sliced
from nnwidgets.analysis.live_tsne import LiveTSNE
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.captions import count
from nnwidgets.session import Session
from nnwidgets.training.worker import Snapshot
from nnwidgets.views._commands import whole
from nnwidgets.views._embedding_caption import embedding_caption
from nnwidgets.views._embedding_frame import (
    embedding_frame,
    metadata_frame,
    sample_card,
    selection_frame,
)
from nnwidgets.views._looks import TAKEN, HasLooks
from nnwidgets.views._metadata import columns_of
from nnwidgets.views._neighbours import neighbours_frame
from nnwidgets.views._panel import Panel
from nnwidgets.views._past import KeepsMaps
from nnwidgets.views._points import Points
from nnwidgets.views._reading import START_ROWS, Read, next_rows, read_rows
from nnwidgets.views._sample import SampleView
from nnwidgets.views._view import Caption
from nnwidgets.views._wire import Frame

POINTS = 500
MOST_CLASSES = 1_000


class EmbeddingPanel(Panel):
    bundle = "embedding"


@dataclass(frozen=True)
class Ask:
    layer: str
    method: str
    dims: int


class EmbeddingView(HasLooks, KeepsMaps):
    """Samples as points, near each other when the layer responds alike; the same points all along.

    Args:
        layer: shown whatever is selected; None follows the selection.
        method: "tsne" or "pca".
        dims: 2 or 3.
        points: how many samples, 500 unless said, 100 000 at most; a fixed subset drawn by the inspector's seed. A
            t-SNE in three dimensions shows 20 000 of them at most.
        metadata: what else is known of the samples, by name: sequences, arrays or tensors of shape (len(dataset),).
            Strings and booleans are categories, and so are integers of at most ten kinds; other numbers are a scale.
            NaN, infinities, None and "" are no value. Points can be coloured by each, sized by numbers and searched by
            texts, of which the first 120 characters count; what was given is copied and left as it is.

    Raises TypeError or ValueError for `metadata` of other types or shapes.
    """

    stem = "embedding"
    panel_type = EmbeddingPanel
    long = True
    controls = ("method", "dims", "color", "size", "trails")
    method = traitlets.Enum(["tsne", "pca"], "tsne", help="How positions are found. Written by Python.").tag(
        control="dropdown", label="Method", choices=[("tsne", "t-SNE"), ("pca", "PCA")]
    )
    dims = traitlets.Enum([2, 3], 2, help="Dimensions of the map. Written by Python.").tag(
        control="toggle", label="", choices=[(2, "2-D"), (3, "3-D")]
    )

    def __init__(
        self,
        session: Session,
        *,
        layer: str | None = None,
        method: str = "tsne",
        dims: int = 2,
        points: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if method not in ("tsne", "pca"):
            raise ValueError(f"method: expected 'tsne' or 'pca', got {method!r}")
        if dims not in (2, 3):
            raise ValueError(f"dims: expected 2 or 3, got {dims!r}")
        if points is not None and (isinstance(points, bool) or not isinstance(points, int) or points < 1):
            raise ValueError(f"points: expected at least 1 sample, got {points!r}")
        samples = session.samples
        indices = samples.subset(min(points if points is not None else POINTS, MOST[2]))
        columns = columns_of(metadata, indices, total=len(samples), reserved=TAKEN)
        self._points = Points.of(samples, indices, classes=range(session.classes or MOST_CLASSES), columns=columns)
        self._fewer = self._points.thinned(MOST[3], samples.seed)
        self._live: tuple[Ask, LiveTSNE] | None = None
        self.set_trait("method", method)
        self.set_trait("dims", dims)
        super().__init__(session, layer=layer, **options)
        if method == "tsne" and not session.training:
            worth_loading(len(indices))  # here, in the user's thread, and beside no training

    def show(self, result: EmbeddingResult) -> None:
        super().show(result)
        if not self.panel.mounted:
            self._show_metadata()  # a page that cannot say hello while a cell runs

    def refresh(self) -> None:
        # The points' samples were read when the view was made, so none is waited for.
        super(SampleView, self).refresh()

    def awaited(self) -> str:
        return ""

    def ask(self) -> Ask:
        return Ask(self.layer, self.method, self.dims)

    def compute(self, snapshot: Snapshot, ask: Ask) -> Iterator[EmbeddingResult | None]:
        session, points = self.session, self._placed(ask)
        found: list[Read] = []
        # A map of this layer on show is held until the next one is ready; only a first one says how far it is.
        first = self.result is None or self.result.layer != ask.layer
        start, rows = 0, START_ROWS
        while start < len(points):
            if first:
                self.progress(start / len(points), f"Reading {count(start)} of {count(len(points))} samples")
            began = time.perf_counter()
            read, rows = halving(rows, partial(read_rows, session, snapshot, ask.layer, points.ids, start))
            found.append(read)
            start, rows = start + rows, next_rows(rows, time.perf_counter() - began)
            yield None
        step, note = session.step_of(snapshot), found[0].note
        final: Embedding | None = None
        x, scores = torch.cat([read.features for read in found]), [read.scores for read in found]
        if first and len(x) > ask.dims and torch.isfinite(x).all():
            # At once a map worth looking at; t-SNE starts from the same one, and neighbours take a while.
            early = "PCA until the first t-SNE is ready" if ask.method == "tsne" else note
            yield self._result(step, ask, pca(x, dims=ask.dims), scores, early)
            if ask.method == "tsne":
                self.progress(1.0, f"Placing {count(len(x))} samples by t-SNE")
        for embedding in self._maps(x, ask, points):
            final = embedding
            yield None
        if final is not None:
            yield self._result(step, ask, final, scores, note)

    def _placed(self, ask: Ask) -> Points:
        """The points that a map of this kind can show."""
        return self._fewer if ask.method == "tsne" and ask.dims == 3 else self._points

    def points_of(self, result: EmbeddingResult) -> Points:
        return self._points if len(result.indices) == len(self._points) else self._fewer

    def _maps(self, x: torch.Tensor, ask: Ask, points: Points) -> Iterator[Embedding | None]:
        if not torch.isfinite(x).all():
            bad = int((~torch.isfinite(x)).any(dim=1).sum())
            raise ValueError(
                f"activations of {ask.layer}: expected finite values, got NaN or infinity for {bad} of {len(x)} "
                "samples; lower the learning rate or look at the layers before"
            )
        if ask.method == "pca":
            yield from sliced(with_neighbours(pca(x, dims=ask.dims), x))
            return
        if self._live is None or self._live[0] != ask:
            self._live = (ask, LiveTSNE(dims=ask.dims, seed=self.session.samples.seed))
        yield from self._live[1].updates(x, ids=points.ids)

    def _result(
        self, step: int | None, ask: Ask, embedding: Embedding, scores: list[torch.Tensor | None], note: str
    ) -> EmbeddingResult:
        points, n = self._placed(ask), len(embedding.positions)
        predicted, confidence, loss = torch.full((n,), -1), torch.full((n,), torch.nan), torch.full((n,), torch.nan)
        known = [part for part in scores if part is not None]
        if len(known) == len(scores):
            predicted, confidence, loss = predictions(torch.cat(known), points.labels)
        return EmbeddingResult(
            step,
            ask.layer,
            embedding,
            points.indices,
            points.labels,
            predicted,
            confidence,
            loss,
            len(self.session.samples),
            note,
        )

    def title(self, result: EmbeddingResult | None) -> tuple[str, bool, str]:
        return (self.layer if result is None else result.layer), True, ""

    def caption(self, result: EmbeddingResult) -> Caption:
        return embedding_caption(result, limited=len(result.indices) < len(self._points))

    def picture(self, result: EmbeddingResult) -> Frame:
        shown, kept = self._kept.look(result)
        frame = embedding_frame(shown, class_name=self.session.class_name)
        return Frame({**frame.header, "kept": kept}, frame.arrays)

    def show_picture(self) -> None:
        super().show_picture()
        self._show_selection()
        self._show_neighbours()

    def _show_neighbours(self) -> None:
        self.panel.post(self._neighbours_frame, channel="neighbours")

    def _neighbours_frame(self) -> Frame | None:
        shown = self.on_show
        if shown is None:
            return None
        row = self.points_of(shown).row_of.get(self.sample)
        frame = neighbours_frame(shown, row, sample=self.sample, samples=self.session.samples)
        return Frame({**self.header(), **frame.header}, frame.arrays, "neighbours")

    def _show_selection(self) -> None:
        self.panel.post(self._selection_frame, channel="selection")

    def _selection_frame(self) -> Frame | None:
        session, shown = self.session, self.on_show
        if shown is None:
            return None
        frame = selection_frame(
            shown,
            self.points_of(shown),
            selected=session.selection.selected,
            samples=session.samples,
            class_name=session.class_name,
        )
        return Frame({**self.header(), **frame.header}, frame.arrays, "selection")

    def _show_metadata(self) -> None:
        """Send what the user says of the samples, which no frame repeats."""
        if self._points.columns:
            self.panel.post(self._metadata_frame, channel="metadata")

    def _metadata_frame(self) -> Frame:
        frame = metadata_frame(self._points)
        return replace(frame, header={**self.header(), **frame.header})

    def _hello(self) -> None:
        self._show_metadata()
        super()._hello()

    def _selected(self, change: Bunch) -> None:
        # A frame holds every point, so one is sent only where the map may be another.
        if change.name == "layer":
            super()._selected(change)
        elif change.name == "selected":
            self._show_selection()
            if self.trails:
                self.show_trails()
        else:
            self.show_state()
            if change.name == "sample":
                self._show_neighbours()

    def _option_changed(self, change: Bunch) -> None:
        if change.name in ("color", "size"):
            self.show_state()
            (self.holder or self).picture_due(training=self.session.training)
        elif change.name == "trails":
            self.show_trails()
        else:
            super()._option_changed(change)

    def command(self, name: str, value: Any) -> Frame | None:
        if name != "card":
            return super().command(name, value)
        index = whole("index", value.get("index") if isinstance(value, dict) else None)
        shown = self.on_show
        row = self.points_of(shown).row_of.get(index) if shown is not None else None
        if shown is None or row is None:
            raise ValueError(f"index: expected a sample on the map, got {index!r}")
        said = [(column.name, column.text(self._points.row_of[index])) for column in self._points.columns]
        return sample_card(shown, row, said, samples=self.session.samples, class_name=self.session.class_name)

    def draw(self, result: EmbeddingResult, figure: Figure) -> None:
        from nnwidgets.figures.embedding import draw_embedding

        (color, size), names = self.looks_of(result), self.session.class_name
        draw_embedding(result, figure, caption=self.caption_text(result), names=names, color=color, size=size)
