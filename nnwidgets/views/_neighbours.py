"""What the page gets of the samples nearest to one in a layer's own space. Knows maps; knows no widget."""

from __future__ import annotations

from nnwidgets.analysis.embedding import FEWEST
from nnwidgets.analysis.kept_near import kept_near
from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.data import Samples
from nnwidgets.figures.captions import count
from nnwidgets.views._embedding_frame import pictures_of
from nnwidgets.views._wire import Frame, Header


def neighbours_frame(result: EmbeddingResult, row: int | None, *, sample: int, samples: Samples) -> Frame:
    """NeighboursHeader and arrays in js/src/embedding/near.ts: the samples nearest to `sample`, which is this row.

    Without a row, or where the map was made without neighbours, the frame says so in words.
    """
    embedding = result.embedding
    title = f"Nearest in {result.layer}"
    if row is None or embedding.neighbours is None or embedding.distances is None:
        later = "They come with the next map" if len(result.indices) >= FEWEST else "Too few samples"
        why = f"Sample {count(sample)} is not on this map" if row is None else later
        return Frame({"heading": title, "note": why, "about": sample, "near": []})
    rows = embedding.neighbours[row].tolist()
    indices = result.indices[rows].tolist()
    near: list[Header] = [
        {"index": index, "label": samples.label_name(index), "distance": distance}
        for index, distance in zip(indices, embedding.distances[row].tolist(), strict=True)
    ]
    kept = f"{kept_near(embedding.positions, row, rows)} of {len(rows)} also nearest on the map"
    note = f"to sample {count(sample)} · Euclidean distance · {kept}"
    pictures = pictures_of(indices, samples)
    header = {"heading": title, "note": note, "about": sample, "near": near}
    return Frame(header, {} if pictures is None else {"near": pictures})
