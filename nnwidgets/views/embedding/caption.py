"""What the caption of an embedding says: how many samples, how the map was made, what is wrong, what trails show."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.blocks.marks import rings_of, unringed_text
from nnwidgets.display.view import Strong
from nnwidgets.words import count, number, percent, plural, share

MOST = 200  # trails; more are a tangle


def embedding_caption(result: EmbeddingResult, *, limited: bool = False) -> list[str]:
    """What a map is of and how it was made. `limited`: more samples were asked for."""
    embedding, n = result.embedding, len(result.indices)
    sampled = f"sampled {count(n)} of {count(result.total)} samples ≈" if n < result.total else f"{count(n)} samples"
    sizes = torch.unique(result.labels[result.labels >= 0], return_counts=True)[1].tolist()
    if n < result.total and len(sizes) > 1 and max(sizes) - min(sizes) <= 1 and sum(sizes) == n:
        sampled += f", {'about ' if max(sizes) > min(sizes) else ''}{count(max(sizes))} per class"
    most = ", the most of a t-SNE in three dimensions" if limited else ""
    if embedding.method == "tsne":
        perplexity, kl = number(embedding.perplexity or 0.0, 2), share(embedding.kl_divergence)
        method = f"t-SNE, perplexity {perplexity}, KL {kl}"
    else:
        method = f"PCA, shows {percent(embedding.explained or 0.0)} of the variance"
    notes = [note for note in (*embedding.notes, result.note) if note]
    wrong = int(((result.labels >= 0) & (result.predicted >= 0) & (result.labels != result.predicted)).sum())
    said = f"{count(wrong)} wrong, ringed" if rings_of(wrong, n) else unringed_text(wrong, n)
    ringed = [Strong(said)] if wrong else []
    return [sampled + most, method, *notes, *ringed, "axes have no unit"]


def followed(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows whose trails are drawn: all, or of more than 200 as many, evenly chosen.

    >>> len(followed(np.arange(900)))
    200
    """
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]


def trails_text(drawn: int, selected: int, maps: int) -> str:
    """What the caption says of so many trails over so many maps.

    >>> trails_text(2, 3, 6), trails_text(0, 0, 6)
    ('trails of 2 of 3 selected over 6 maps', 'trails of selected points: none is selected')
    """
    if not selected:
        return "trails of selected points: none is selected"
    of = f" of {count(selected)}" if drawn < selected else ""
    return f"trails of {count(drawn)}{of} selected over {plural(maps, 'map')}"
