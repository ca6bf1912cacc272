"""What the caption of an embedding says: how many samples, how the map was made, what is wrong."""

from __future__ import annotations

import torch

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.display.view import Strong
from nnwidgets.words import count, number, percent, share


def embedding_caption(result: EmbeddingResult, *, limited: bool = False) -> list[str]:
    """What a map is of and how it was made. `limited`: more samples were asked for."""
    embedding, n = result.embedding, len(result.indices)
    sampled = f"sampled {count(n)} of {count(result.total)} samples ≈" if n < result.total else f"{count(n)} samples"
    most = ", the most of a t-SNE in three dimensions" if limited else ""
    if embedding.method == "tsne":
        perplexity, kl = number(embedding.perplexity or 0.0, 2), share(embedding.kl_divergence)
        method = f"t-SNE, perplexity {perplexity}, KL {kl}"
    else:
        method = f"PCA, shows {percent(embedding.explained or 0.0)} of the variance"
    notes = [note for note in (*embedding.notes, result.note) if note]
    wrong = int(wrong_samples(result).sum())
    ringed = [Strong(f"{count(wrong)} wrong, ringed")] if wrong else []
    return [sampled + most, method, *notes, *ringed, "axes have no unit"]


def wrong_samples(result: EmbeddingResult) -> torch.Tensor:
    """Which samples (n,) bool are taken for another class than theirs."""
    return (result.labels >= 0) & (result.predicted >= 0) & (result.labels != result.predicted)
