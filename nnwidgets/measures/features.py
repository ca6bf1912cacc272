"""A layer's features and the model's predictions for many samples."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from nnwidgets.analysis.capture import LayerInfo, record
from nnwidgets.analysis.embedding import features
from nnwidgets.analysis.engine.by_sample import by_sample
from nnwidgets.analysis.engine.out_of_memory import halving
from nnwidgets.analysis.task import BY_SOFTMAX, Task
from nnwidgets.data import numeric_targets
from nnwidgets.measures.arguments import checked_layer, checked_samples, checked_whole
from nnwidgets.measures.measure import Measure, Progress, Reading, Source
from nnwidgets.training.worker import Snapshot
from nnwidgets.words import count

START_ROWS = 32
MOST_ROWS = 1_024
SLICE_S = 0.05
MOST_CLASSES = 1_000
NO_PREDICTION = (
    "predictions: expected a model that gives each sample one class, got outputs that are {}; give task= or score_fn="
)


@dataclass(frozen=True)
class PredictionsRead:
    """The model's predictions for samples; tensors on the CPU.

    step: of the weights.   indices: (n,) int64 into the dataset.   total: samples in the dataset.
    labels: (n,) int64, -1 where there is none that is a class.   scores: (n, classes) of the `task`, which says what
    they are.   predicted: (n,) int64.   confidence: (n,) probability of the predicted class.
    loss: (n,) cross-entropy, NaN without a label.
    """

    step: int | None
    indices: Tensor
    total: int
    labels: Tensor
    scores: Tensor
    predicted: Tensor
    confidence: Tensor
    loss: Tensor
    task: Task = BY_SOFTMAX

    @property
    def probabilities(self) -> Tensor:
        """(n, classes) of the scores."""
        return self.task.probabilities(self.scores)

    @property
    def entropy(self) -> Tensor:
        """(n,) of the predicted distribution in nats: 0 is certain, ln(classes) knows nothing."""
        entropy: Tensor = torch.special.entr(self.probabilities).sum(dim=1)
        return entropy


@dataclass(frozen=True)
class FeaturesRead:
    """A layer's features (n, d) and the scores (n, classes) of samples; scores are None for models without classes.

    note: what was done to the features, or nothing.   labels: (n,) int64, -1 where there is none that is a class.
    targets: (n,) float32 of samples whose target is a single number and no class, else None.
    outputs: (n,) float32 of a model that gives one number for each of these samples, else None.
    """

    step: int | None
    layer: str
    indices: tuple[int, ...]
    features: Tensor
    scores: Tensor | None
    labels: Tensor
    note: str
    targets: Tensor | None = None
    outputs: Tensor | None = None


@dataclass(frozen=True)
class Features(Measure):
    """`FeaturesRead` of a layer for some samples of the dataset, by their indices.

    Raises:
        TypeError: a layer that is no name, samples that are no sequence of indices.   ValueError: no samples.
    """

    layer: str
    samples: Sequence[int]

    def __post_init__(self) -> None:
        checked_layer(self.layer)
        object.__setattr__(self, "samples", checked_samples(self.samples))
        if not self.samples:
            raise ValueError("samples: expected at least one index, got none")

    def indices(self, source: Source) -> Sequence[int]:
        return self.samples

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        indices = source.samples.readable(self.samples)
        parts = yield from _parts(source, snapshot, indices, self.layer)
        return FeaturesRead(
            source.step_of(snapshot),
            self.layer,
            indices,
            torch.cat([part.features for part in parts]),
            _joined([part.scores for part in parts]),
            labels_of(source, indices),
            parts[0].note,
            _joined([part.targets for part in parts]),
            _joined([part.outputs for part in parts]),
        )


@dataclass(frozen=True)
class Predictions(Measure):
    """`PredictionsRead` of at most `samples` samples, a fixed subset drawn by the inspector's seed, classes in turn.

    Raises:
        ValueError: the model gives samples no class (see `Inspector(task=…)` and `score_fn=`), fewer than one sample.
        TypeError: samples that are no whole number.
    """

    samples: int = 500

    def __post_init__(self) -> None:
        checked_whole("samples", self.samples, least=1, what="a whole number, how many")

    def indices(self, source: Source) -> Sequence[int]:
        return source.samples.chosen(self.samples)

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        indices = source.samples.readable(self.indices(source))
        parts = yield from _parts(source, snapshot, indices)
        scores = _joined([part.scores for part in parts])
        if scores is None or not source.task.one_class:
            raise ValueError(NO_PREDICTION.format(source.task.words))
        labels = labels_of(source, indices)
        return PredictionsRead(
            source.step_of(snapshot),
            torch.tensor(indices),
            len(source.samples),
            labels,
            scores,
            *source.task.predictions(scores, labels),
            source.task,
        )


def labels_of(source: Source, indices: Sequence[int]) -> Tensor:
    """(n,) int64, -1 where a sample has no label that is a class: -100 says "ignore", a year is no class."""
    classes = range(source.classes or MOST_CLASSES)
    named = (source.samples.label(index) for index in indices)
    return torch.tensor([label if label is not None and label in classes else -1 for label in named])


@dataclass(frozen=True)
class _Part:
    """One batch: features (rows, d), empty without a layer, scores (rows, classes), or numbers (rows,)."""

    features: Tensor
    note: str
    scores: Tensor | None
    targets: Tensor | None
    outputs: Tensor | None


def _parts(
    source: Source, snapshot: Snapshot, indices: Sequence[int], layer: str = ""
) -> Generator[Progress | None, None, list[_Part]]:
    """The samples batch by batch, each a slice."""
    parts: list[_Part] = []
    start, rows = 0, START_ROWS
    while start < len(indices):
        yield Progress(
            start / len(indices), f"Running {count(start)} of {count(len(indices))} samples through the model"
        )
        began = time.perf_counter()
        part, rows = halving(rows, partial(_part, source, snapshot, indices[start:], layer))
        parts.append(part)
        start, rows = start + rows, next_rows(rows, time.perf_counter() - began)
    return parts


def _part(source: Source, snapshot: Snapshot, indices: Sequence[int], layer: str, rows: int) -> _Part:
    batch = source.samples.batch(indices[:rows])
    found: list[tuple[Tensor, str | None]] = []
    info = source.layer(layer) if layer else None
    output = record(
        snapshot.shadow.module,
        batch.args,
        batch.kwargs,
        layers=[info] if info else [],
        on_activation=lambda _name, value: found.append(features(_rows(value, info, len(batch.indices)))),
    )
    values, note = found[-1] if found else (torch.empty(0), None)
    targets = numeric_targets(batch) if source.numeric_targets else None
    outputs = source.batch_numbers(output) if targets is not None else None
    return _Part(values, note or "", source.batch_scores(output), targets, outputs)


def _rows(value: Tensor, layer: LayerInfo | None, samples: int) -> Tensor:
    """The layer's values (n, channels, positions …), a row for each sample."""
    if layer is None:
        return value
    found = by_sample(value, layer, samples)
    if found.of == "all":
        raise ValueError(f"layer {layer.name!r} gives the same values for all samples; choose another layer")
    if found.of == "rows":
        raise ValueError(f"layer {layer.name!r} has rows that are not samples; choose another layer")
    return found.values


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    known = [part for part in parts if part is not None]
    return torch.cat(known) if known and len(known) == len(parts) else None


def next_rows(rows: int, seconds: float) -> int:
    """How many rows to read at once after `rows` took so long: a slice stays below 50 ms where a single row does.

    >>> next_rows(32, 0.004), next_rows(32, 0.03), next_rows(32, 0.2)
    (64, 32, 16)
    """
    if seconds < SLICE_S / 4:
        return min(2 * rows, MOST_ROWS)
    return max(rows // 2, 1) if seconds > SLICE_S else rows
