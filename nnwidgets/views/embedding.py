"""The Embedding view: where samples lie by a layer's response, following the training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import traitlets
from matplotlib.figure import Figure

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.embedding import Embedding, LiveTSNE, features, pca
from nnwidgets.analysis.engine.predictions import predictions
from nnwidgets.analysis.engine.room import halving
from nnwidgets.analysis.engine.tsne_sums import worth_loading
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.captions import count, number, percent, share
from nnwidgets.session import MEMORY_SHARES, Session
from nnwidgets.training.worker import Snapshot
from nnwidgets.views._commands import whole
from nnwidgets.views._embedding_frame import embedding_frame, sample_card, wrong_samples
from nnwidgets.views._kept_maps import KeptMaps
from nnwidgets.views._panel import Panel
from nnwidgets.views._sample import SampleView
from nnwidgets.views._view import Caption
from nnwidgets.views._wire import Frame, Header

POINTS = 500
CHUNK = 32
MOST_CLASSES = 1_000


class EmbeddingPanel(Panel):
    bundle = "embedding"


@dataclass(frozen=True)
class Ask:
    layer: str
    method: str
    dims: int


@dataclass(frozen=True)
class Read:
    """Features (n, …) and scores (n, classes) of some samples, and what was done to the features."""

    features: torch.Tensor
    scores: torch.Tensor | None
    note: str


class EmbeddingView(SampleView):
    """Samples as points, near each other when the layer responds alike; the same points all along.

    Args:
        layer: shown whatever is selected; None follows the selection.
        method: "tsne" or "pca".
        dims: 2 or 3.
        points: how many samples, 500 unless said; a fixed subset drawn by the inspector's seed.
    """

    stem = "embedding"
    panel_type = EmbeddingPanel
    long = True
    controls = ("method", "dims")
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
        **options: Any,
    ) -> None:
        if method not in ("tsne", "pca"):
            raise ValueError(f"method: expected 'tsne' or 'pca', got {method!r}")
        if dims not in (2, 3):
            raise ValueError(f"dims: expected 2 or 3, got {dims!r}")
        if points is not None and (isinstance(points, bool) or not isinstance(points, int) or points < 1):
            raise ValueError(f"points: expected at least 1 sample, got {points!r}")
        self._indices = session.samples.subset(points if points is not None else POINTS)
        self._live: tuple[Ask, LiveTSNE] | None = None
        self._kept = KeptMaps(int(MEMORY_SHARES["maps"] * session.max_memory))
        self.set_trait("method", method)
        self.set_trait("dims", dims)
        super().__init__(session, layer=layer, **options)
        if method == "tsne" and not session.training:
            worth_loading(len(self._indices))  # here, in the user's thread, and beside no training

    def show(self, result: EmbeddingResult) -> None:
        self._kept.append(result)
        self.session.kept_bytes[self] = self._kept.nbytes
        super().show(result)

    def refresh(self) -> None:
        # The points' samples were read when the view was made, so none is waited for.
        super(SampleView, self).refresh()

    def awaited(self) -> str:
        return ""

    def ask(self) -> Ask:
        return Ask(self.layer, self.method, self.dims)

    def compute(self, snapshot: Snapshot, ask: Ask) -> Iterator[EmbeddingResult | None]:
        session = self.session
        found: list[Read] = []
        # A map of this layer on show is held until the next one is ready; only a first one says how far it is.
        first = self.result is None or self.result.layer != ask.layer
        start, rows = 0, CHUNK
        while start < len(self._indices):
            if first:
                self.progress(
                    start / len(self._indices), f"Reading {count(start)} of {count(len(self._indices))} samples"
                )
            read, rows = halving(rows, partial(self._read_rows, snapshot, ask.layer, start))
            found.append(read)
            start += rows
            yield None
        step, note = session.step_of(snapshot), found[0].note
        final: Embedding | None = None
        x, scores = torch.cat([read.features for read in found]), [read.scores for read in found]
        if first and ask.method == "tsne" and len(x) > ask.dims and torch.isfinite(x).all():
            # At once a map worth looking at; t-SNE starts from the same one.
            yield self._result(step, ask, pca(x, dims=ask.dims), scores, "PCA until the first t-SNE is ready")
            self.progress(1.0, f"Placing {count(len(x))} samples by t-SNE")
        for embedding in self._maps(x, ask):
            final = embedding
            yield None
        if final is not None:
            yield self._result(step, ask, final, scores, note)

    def _read_rows(self, snapshot: Snapshot, layer: str, start: int, rows: int) -> Read:
        """What a layer and the model make of some of the points."""
        batch = self.session.samples.batch(self._indices[start : start + rows])
        found: list[tuple[torch.Tensor, str | None]] = []
        output = record(
            snapshot.shadow.module,
            batch.args,
            batch.kwargs,
            layers=[layer],
            on_activation=lambda _name, value: found.append(features(value)),
        )
        return Read(found[0][0], self.session.batch_scores(output), found[0][1] or "")

    def _maps(self, x: torch.Tensor, ask: Ask) -> Iterator[Embedding | None]:
        if not torch.isfinite(x).all():
            bad = int((~torch.isfinite(x)).any(dim=1).sum())
            raise ValueError(
                f"activations of {ask.layer}: expected finite values, got NaN or infinity for {bad} of {len(x)} "
                "samples; lower the learning rate or look at the layers before"
            )
        if ask.method == "pca":
            yield pca(x, dims=ask.dims)
            return
        if self._live is None or self._live[0] != ask:
            self._live = (ask, LiveTSNE(dims=ask.dims, seed=self.session.samples.seed))
        yield from self._live[1].updates(x, ids=self._indices)

    def _result(
        self, step: int | None, ask: Ask, embedding: Embedding, scores: list[torch.Tensor | None], note: str
    ) -> EmbeddingResult:
        samples, n = self.session.samples, len(self._indices)
        # A label need not be a class of this model (-100 says "ignore", a year is no class), and each class is a row.
        known_classes = range(self.session.classes or MOST_CLASSES)
        named = [samples.label(index) for index in self._indices]
        labels = torch.tensor([label if label is not None and label in known_classes else -1 for label in named])
        predicted, confidence, loss = torch.full((n,), -1), torch.full((n,), torch.nan), torch.full((n,), torch.nan)
        known = [part for part in scores if part is not None]
        if len(known) == len(scores):
            predicted, confidence, loss = predictions(torch.cat(known), labels)
        return EmbeddingResult(
            step,
            ask.layer,
            embedding,
            torch.tensor(self._indices),
            labels,
            predicted,
            confidence,
            loss,
            len(samples),
            note,
        )

    def title(self, result: EmbeddingResult | None) -> tuple[str, bool, str]:
        return (self.layer if result is None else result.layer), True, ""

    def caption(self, result: EmbeddingResult) -> Caption:
        embedding, n = result.embedding, len(result.indices)
        sampled = (
            f"sampled {count(n)} of {count(result.total)} samples ≈" if n < result.total else f"{count(n)} samples"
        )
        parts: Caption = [(sampled, False)]
        if embedding.method == "tsne":
            parts.append(
                (
                    f"t-SNE, perplexity {number(embedding.perplexity or 0.0, 2)}, KL {share(embedding.kl_divergence)}",
                    False,
                )
            )
        else:
            parts.append((f"PCA, shows {percent(embedding.explained or 0.0)} of the variance", False))
        parts += [(note, False) for note in (*embedding.notes, result.note) if note]
        wrong = int(wrong_samples(result).sum())
        if wrong:
            parts.append((f"{count(wrong)} wrong, ringed", True))
        return [*parts, ("axes have no unit", False)]

    def picture(self, result: EmbeddingResult) -> Frame:
        session, newest = self.session, result
        result, kept = self._kept.look(newest)
        frame = embedding_frame(
            result, selected=session.selection.selected, samples=session.samples, class_name=session.class_name
        )
        header: Header = {**frame.header, "kept": kept}
        if result is not newest:
            header["step"] = result.step
            header["caption"] = [*self.whole_caption(result), ("an earlier map", True)]
        return Frame(header, frame.arrays)

    def command(self, name: str, value: Any) -> Frame | None:
        if name == "page":
            self._kept.choose(whole("page", value.get("page") if isinstance(value, dict) else None))
            self.show_picture()
            return None
        if name != "card":
            return super().command(name, value)
        index = value.get("index") if isinstance(value, dict) else None
        if self.result is None or isinstance(index, bool) or index not in self._indices:
            raise ValueError(f"index: expected a sample on the map, got {index!r}")
        shown, row = self._kept.look(self.result)[0], self._indices.index(index)
        return sample_card(shown, row, samples=self.session.samples, class_name=self.session.class_name)

    def draw(self, result: EmbeddingResult, figure: Figure) -> None:
        from nnwidgets.figures.embedding import draw_embedding

        draw_embedding(result, figure, caption=self.caption_text(result), names=self.session.class_name)
