"""What the caption of an embedding says of it. Knows results; knows no widget."""

from __future__ import annotations

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.figures.captions import count, number, percent, share
from nnwidgets.views._embedding_frame import wrong_samples
from nnwidgets.views._view import Caption


def embedding_caption(result: EmbeddingResult, *, limited: bool = False) -> Caption:
    """What a map is of and how it was made; without mode and step. `limited`: more samples were asked for."""
    embedding, n = result.embedding, len(result.indices)
    sampled = f"sampled {count(n)} of {count(result.total)} samples ≈" if n < result.total else f"{count(n)} samples"
    most = ", the most of a t-SNE in three dimensions" if limited else ""
    parts: Caption = [(sampled + most, False)]
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
