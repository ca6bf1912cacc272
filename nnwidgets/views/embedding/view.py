"""The Embedding view: where samples lie by a layer's response, following the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nnwidgets.analysis.embedding import MOST, Embedding, pca, with_neighbours
from nnwidgets.analysis.engine.compiled import worth_loading
from nnwidgets.analysis.engine.slicing import sliced
from nnwidgets.analysis.live_tsne import LiveTSNE
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.blocks.block import Array, Block
from nnwidgets.blocks.strip import Strip
from nnwidgets.display.options import choice
from nnwidgets.display.packing import Layout
from nnwidgets.display.selecting import Select
from nnwidgets.display.view import Heading, Strong, View
from nnwidgets.measures import Features, FeaturesRead, Progress
from nnwidgets.session import Session
from nnwidgets.views.embedding.caption import embedding_caption, followed, trails_text
from nnwidgets.views.embedding.chosen import Chosen
from nnwidgets.views.embedding.drawn import Drawn, rows_among, sorted_rows
from nnwidgets.views.embedding.metadata import SubsetMetadata
from nnwidgets.views.embedding.regression import (
    ERROR,
    OF_TARGETS,
    TARGET,
    error_text,
    exact_lines,
    regression_columns,
)
from nnwidgets.views.embedding.strips import nearest_strip, selected_strip
from nnwidgets.words import count, share

POINTS = 500
OF_PREDICTIONS = ("prediction", "correctness", "loss", "confidence")
SIZES_OF_PREDICTIONS = ("loss", "confidence")
OF_LABELS = ("correctness", "loss")  # of predictions, these need labels, too
TAKEN = frozenset(("class", "equal", *OF_PREDICTIONS))


class EmbeddingView(View):
    """Samples as points, near each other where the layer responds alike; always the same, and the one looked at.

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

    name, title, group = "embedding", "Embedding", "Layers"
    slow = True
    follows = ("layer",)
    marks = ("layer", "sample", "selected")
    method = choice("tsne", "pca", texts={"tsne": "t-SNE", "pca": "PCA"}, help="How positions are found.")
    dims = choice(2, 3, label="", texts={2: "2-D", 3: "3-D"}, kind="toggle", help="Dimensions of the map.")
    color = choice(
        of="color_choices",
        default="class",
        label="Colour by",
        draws=True,
        help='What colours the points: "class", "prediction", "correctness", "loss", "confidence" or a name of '
        '`metadata`; of a regression "target", "prediction" or "error".',
    )
    size = choice(
        of="size_choices",
        default="equal",
        label="Size by",
        draws=True,
        help='What sets the area of a point: "equal", "loss", "confidence" or a name of numeric `metadata`; of a '
        'regression "target", "prediction" or "error".',
    )
    trails = choice(
        False,
        True,
        texts={False: "off", True: "on"},
        kind="toggle",
        draws=True,
        help="Whether selected points show their paths over the maps kept.",
    )

    def __init__(
        self,
        session: Session,
        *,
        points: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> None:
        if points is not None and (isinstance(points, bool) or not isinstance(points, int) or points < 1):
            raise ValueError(f"points: expected at least 1 sample, got {points!r}")
        samples = session.samples
        self._points = samples.chosen(min(points if points is not None else POINTS, MOST[2]))
        self._fewer = _thinned(self._points, MOST[3], samples.seed)
        reserved = TAKEN | (frozenset(OF_TARGETS) if session.numeric_targets else frozenset())
        self._chosen, self._chosen_fewer = Chosen(self._points, samples), Chosen(self._fewer, samples)
        self._metadata = SubsetMetadata(metadata, self._points, total=len(samples), reserved=reserved)
        self._ends: dict[str, tuple[float, float]] = {}  # of the scales of a regression, over all maps
        self._live: tuple[str, int, LiveTSNE] | None = None
        self._drawn: Drawn | None = None
        super().__init__(session, **keywords)
        offered = [name for name, _ in self.color_choices()]
        if "color" not in keywords and offered and self.color not in offered:
            self.color = offered[0]
        if self.method == "tsne" and not session.training:
            worth_loading(len(self._points))  # here, in the user's thread, and beside no training

    def color_choices(self) -> list[tuple[str, str]]:
        """What may colour the points of this model, with these metadata."""
        labelled = self._labelled
        own = [name for name in OF_PREDICTIONS if self.run.task.one_class and (labelled or name not in OF_LABELS)]
        names = [*(["class"] if labelled else []), *own, *self._numeric]
        return [(name, name) for name in (*names, *(each.name for each in self._metadata.columns if each.can_color))]

    def size_choices(self) -> list[tuple[str, str]]:
        """What may set the area of a point."""
        labelled = self._labelled
        sizes = SIZES_OF_PREDICTIONS if self.run.task.one_class else ()
        own = ("equal", *(name for name in sizes if labelled or name not in OF_LABELS), *self._numeric)
        numeric = (each.name for each in self._metadata.columns if each.numbers is not None)
        return [(name, name) for name in (*own, *numeric)]

    @property
    def _labelled(self) -> bool:
        """Whether samples have classes, as far as the probe tells."""
        samples = self.run.samples
        return any(label is not None and label >= 0 for label in map(samples.label, samples.probe_indices))

    @property
    def _numeric(self) -> tuple[str, ...]:
        """What a regression says of each sample; nothing for other models."""
        if not self.run.numeric_targets:
            return ()
        return OF_TARGETS if self.run.numeric_outputs else (TARGET,)

    def needs(self) -> Features:
        chosen = self._chosen_fewer if self.method == "tsne" and self.dims == 3 else self._chosen
        return Features(self.layer, chosen.holding(self.sample))

    def compute(self, read: FeaturesRead) -> Iterator[EmbeddingResult | Progress | None]:
        layer, method, dims, x = read.layer, self.method, self.dims, read.features
        known = (torch.full((len(x),), -1), torch.full((len(x),), torch.nan), torch.full((len(x),), torch.nan))
        if read.scores is not None and self.run.task.one_class:
            known = self.run.task.predictions(read.scores, read.labels)

        def result(embedding: Embedding, note: str) -> EmbeddingResult:
            indices, total = torch.tensor(read.indices), len(self.run.samples)
            numbers = read.targets, read.outputs
            return EmbeddingResult(read.step, layer, embedding, indices, read.labels, *known, total, note, *numbers)

        _check_finite(x, layer)
        before = self.result
        if (before is None or before.layer != layer) and len(x) > dims:
            # At once a map worth looking at; t-SNE starts from the same one, and neighbours take a while.
            early = "PCA until the first t-SNE is ready" if method == "tsne" else read.note
            yield result(pca(x, dims=dims), early)
            if method == "tsne":
                yield Progress(None, f"Placing {count(len(x))} samples by t-SNE; until then their PCA is shown")
        if method == "pca":
            steps = sliced(with_neighbours(pca(x, dims=dims), x))
        else:
            steps = self._tsne(layer, dims).updates(x, ids=read.indices)
        for embedding in steps:
            yield None if embedding is None else result(embedding, read.note)

    def layout(self, result: EmbeddingResult) -> Layout:
        drawn, samples = self._drawn_of(result), self.run.samples
        selected = np.array(self.run.selection.selected, dtype=np.int64)
        row = drawn.row(self.sample)
        nearest = nearest_strip(result, row, sample=self.sample, samples=samples)
        near = result.embedding.neighbours
        ways, followed_rows, _ = self._trails(drawn) if self.trails else (None, None, 0)
        points = replace(
            drawn.points,
            color=self.color,
            size=self.size,
            selected=selected,
            sample=self.sample,
            near=near[row].numpy() if near is not None and row is not None else None,
            trails=ways,
            trail_rows=followed_rows,
        )
        return [points, nearest, selected_strip(result, points, drawn.rows(selected), samples=samples)]

    def caption(self, result: EmbeddingResult) -> Sequence[str]:
        parts = embedding_caption(
            result, limited=self._points is not self._fewer and len(result.indices) <= len(self._fewer)
        )
        parts += [error_text(column) for column in self._drawn_of(result).numeric if column.name == ERROR]
        if self.trails:
            selected = self.run.selection.selected
            _, rows, maps = self._trails(self._drawn_of(result))
            parts.append(Strong(trails_text(len(rows), len(selected), maps)))
        return parts

    def heading(self, result: EmbeddingResult | None) -> Heading:
        return Heading(self.layer if result is None else result.layer, code=True)

    def asked_for(self) -> str:
        return f"{self.dims}-D {'t-SNE' if self.method == 'tsne' else 'PCA'} of {self.layer}"

    def clicked(self, block: Block, *where: Any) -> Select | None:
        if isinstance(block, Strip):
            return Select(sample=int(block.samples[where[0]]))
        kind, chosen = where
        return Select(sample=chosen) if kind == "sample" else Select(selected=chosen)

    def card_lines(self, result: EmbeddingResult, sample: int) -> Sequence[tuple[str, str]]:
        drawn = self._drawn_of(result)
        row = drawn.row(sample)
        if row is None:
            return ()
        lines = exact_lines(drawn.numeric, row)
        lines += [(column.name, column.text(row)) for column in drawn.metadata.columns]
        if torch.isfinite(result.loss[row]):
            lines.insert(0, ("loss", f"{float(result.loss[row]):.4f}"))
        if result.predicted[row] >= 0:
            predicted = self.run.class_name(int(result.predicted[row]))
            lines.insert(0, ("predicted", f"{predicted} ({share(float(result.confidence[row]))})"))
        return lines

    def _tsne(self, layer: str, dims: int) -> LiveTSNE:
        """The t-SNE of this layer, which goes on from its last map."""
        if self._live is None or self._live[:2] != (layer, dims):
            self._live = (layer, dims, LiveTSNE(dims=dims, seed=self.run.samples.seed))
        return self._live[2]

    def _trails(self, drawn: Drawn) -> tuple[Array, NDArray[np.int64], int]:
        """The paths of the selected points over the maps kept, their rows, and how many maps hold them all."""
        result = drawn.result
        rows = followed(drawn.rows(self.run.selection.selected))
        samples = result.indices.numpy()[rows]
        ways = []
        for each in self._maps_until(result):
            # The sample looked at may have had another row, or none.
            at = rows if each is result else rows_among(sorted_rows(each), samples)
            if len(at) == len(samples):
                ways.append(each.embedding.positions.numpy()[at])
        return np.stack(ways), rows, len(ways)

    def _maps_until(self, result: EmbeddingResult) -> list[EmbeddingResult]:
        """The maps kept up to this one, of its kind: not the PCA that stood in for a t-SNE that was cancelled."""
        kind = result.embedding.method, result.embedding.positions.shape[1]
        kept: list[EmbeddingResult] = self.kept_until(result)
        return [each for each in kept if (each.embedding.method, each.embedding.positions.shape[1]) == kind]

    def _drawn_of(self, result: EmbeddingResult) -> Drawn:
        last = self._drawn
        if last is not None and last.result is result:
            return last
        if last is not None and torch.equal(last.result.indices, result.indices):
            metadata = last.metadata
        else:
            metadata = self._metadata.of(result.indices.tolist())
        numeric = regression_columns(result, self._ends)
        self._ends |= {column.name: column.span for column in numeric}
        self._drawn = drawn = Drawn(result, metadata, self.run.class_name, numeric)
        return drawn


def _thinned(samples: tuple[int, ...], most: int, seed: int) -> tuple[int, ...]:
    """At most this many of them, always the same, in their order."""
    if len(samples) <= most:
        return samples
    rows = np.sort(np.random.default_rng(seed).choice(len(samples), most, replace=False))
    return tuple(samples[row] for row in rows)


def _check_finite(x: torch.Tensor, layer: str) -> None:
    finite = torch.isfinite(x)
    if not finite.all():
        bad = int((~finite).any(dim=1).sum())
        raise ValueError(
            f"activations of {layer}: expected finite values, got NaN or infinity for {bad} of {len(x)} "
            "samples; lower the learning rate or look at the layers before"
        )
