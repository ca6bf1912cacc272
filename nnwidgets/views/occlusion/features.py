"""The Occlusion view of rows and texts: what is lost when one feature, token or step is covered."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor

from nnwidgets.analysis.occluded_features import FeatureOcclusion, feature_occlusion_steps
from nnwidgets.blocks import Bars, Matrix
from nnwidgets.display.options import choice
from nnwidgets.display.packing import Layout
from nnwidgets.display.selecting import Select
from nnwidgets.display.view import Strong
from nnwidgets.measures import Measure, Model, ModelAtStep, Progress
from nnwidgets.session import Session
from nnwidgets.shadow.torch_internals import leaves
from nnwidgets.views.occlusion.asked import AsksAboutClass, nan_scores
from nnwidgets.views.occlusion.maps import LEAST_SCALE
from nnwidgets.views.occlusion.squares import no_pictures
from nnwidgets.words import count, duration, number

ROWS = 16  # of the matrix
MOST_BESIDE = 12  # values whose bars and matrix fit side by side
TELL_LEFT_FROM = 0.05  # of the passes
TOKENS_OFFERED = 4
NOUNS = {"vector": "feature", "tokens": "token", "sequence": "step"}  # kind of input -> one value of it


@dataclass(frozen=True)
class FeatureOcclusionResult:
    """Some samples with each value covered, the one asked about first.

    samples: indices into the dataset.   inputs: (rows, values) as the model got them.   fill: as the option.
    seconds: computing time so far.
    """

    step: int | None
    samples: tuple[int, ...]
    inputs: Tensor
    covered: FeatureOcclusion
    fill: Any
    seconds: float

    @property
    def sample(self) -> int:
        return self.samples[0]

    @property
    def clean(self) -> Tensor:
        """(classes,) scores of the sample asked about with nothing covered."""
        return self.covered.clean[0]


class FeatureOcclusionView(AsksAboutClass):
    """What a class loses when one feature of a table's row, one token of a text or one step of a series is covered.

    Bars show the sample, a matrix this one and 15 others, each asked about the class selected or else its own.

    Args:
        sample: index into the dataset, shown whatever is selected; None follows the selection.
        target: class asked about; None: the sample's own class, or the predicted one without labels.
        names: of the features or positions; None: "x0", "x1" …, or positions with the token's id.
        kind: "probability" or "logit": what is drawn of the class asked about.
        fill: "mean" (of the probe) or "zero"; for tokens the id of the one that stands in.

    Raises:
        ValueError: another number of names, a target out of range, a negative id.
    """

    fill = choice(of="fill_choices", check="check_fill", label="Cover with", help="What replaces the value.")

    def __init__(
        self, session: Session, *, names: Sequence[str] | None = None, fill: Any = None, **options: Any
    ) -> None:
        self._names = None if names is None else [str(name) for name in names]
        super().__init__(session, fill=fill, **options)
        if self._names is not None and not self.obstacle and len(self._names) != self._probe.shape[1]:
            raise ValueError(f"names: expected {self._probe.shape[1]}, one for each value, got {len(self._names)}")

    def blocked(self) -> str:
        if self.run.samples.input_kind not in NOUNS or self._probe.ndim != 2:
            return no_pictures(self.run.samples)
        return self.no_scores()

    @cached_property
    def _probe(self) -> Tensor:
        """The first input of the probe, (samples, values)."""
        batch = self.session.samples.batch(self.session.samples.probe_indices)
        found: Tensor = next(each for each in leaves((batch.args, batch.kwargs)) if isinstance(each, Tensor))
        return found

    def needs(self) -> Sequence[Measure]:
        others = [index for index in self.run.samples.probe_indices if index != self.sample]
        return (Model((self.sample, *others[: ROWS - 1])),)

    # Options.

    @property
    def noun(self) -> str:
        """What one value is called."""
        return NOUNS.get(self.run.samples.input_kind, "value")

    def fill_choices(self) -> list[tuple[Any, str]]:
        if self.noun != "token":
            return [("mean", "mean"), ("zero", "zero")]
        ids = range(min(TOKENS_OFFERED, int(self._probe.max()) + 1))
        return [(each, f"token {each}") for each in sorted({*ids, self.fill or 0})]

    def check_fill(self, fill: Any) -> Any:
        """None becomes the default: the mean, or token 0."""
        if self.noun != "token":
            if fill not in (None, "mean", "zero"):
                raise traitlets.TraitError(f"fill: expected 'mean' or 'zero', got {fill!r}")
            return fill or "mean"
        if fill is None:
            return 0
        if isinstance(fill, bool) or not isinstance(fill, int) or fill < 0:
            raise traitlets.TraitError(f"fill: expected the id of a token, 0 or more, got {fill!r}")
        return fill

    def _fill(self) -> float | Tensor:
        if self.fill != "mean":
            return 0.0 if self.fill == "zero" else self.fill
        return self._probe.double().mean(0)

    # The numbers.

    def compute(self, model: ModelAtStep) -> Generator[FeatureOcclusionResult | Progress | None, None, None]:
        """The sample's bars first, then the matrix; whole ones of what is asked for stay until the next are whole."""
        if model.batch is None:
            raise ValueError("samples: expected one, got none")
        batch, fill, began = model.batch, self.fill, time.monotonic()
        inputs = next(each for each in leaves((batch.args, batch.kwargs)) if isinstance(each, Tensor)).cpu()
        shown = self.result
        held = shown is not None and shown.covered.done and (shown.samples, shown.fill) == (batch.indices, fill)
        steps = feature_occlusion_steps(
            model.module,
            batch.args,
            batch.kwargs,
            fill=self._fill(),
            score_fn=self.run.score_fn,
            to_probabilities=self.run.task.probabilities,
        )
        rows = 0  # whole ones in the last result
        for covered in steps:
            whole = int(covered.computed.all(dim=1).sum())
            if covered.done or (not held and whole > rows):
                rows = whole
                if bool(covered.scores[covered.computed].isnan().any()):
                    raise nan_scores(self.sample)
                seconds = time.monotonic() - began
                yield FeatureOcclusionResult(model.step, batch.indices, inputs, covered, fill, seconds)
            if not covered.done:
                yield None if held else _progress(covered, time.monotonic() - began, self.noun)

    # What is shown.

    def layout(self, result: FeatureOcclusionResult) -> Layout:
        what = "Probability" if self.kind == "probability" else "Logit"
        targets = torch.tensor(
            [self.class_asked(result.covered.clean[at], each) for at, each in enumerate(result.samples)]
        )
        lost = result.covered.lost(targets, kind=self.kind).numpy()
        names, name = self.value_names(result), self.run.class_name(int(targets[0]))
        note = f"covered: {self._filled(result)}"
        # As on a map of a picture: noise is not to look like signal.
        least = LEAST_SCALE if self.kind == "probability" else 0.0
        bars = Bars(
            lost[0],
            [self._bar_name(result, at, each) for at, each in enumerate(names)],
            unit=f"{what.lower()} lost",
            high=max(least, float(np.nanmax(lost[0]))) or None,
            order="given" if self.noun in ("token", "step") else "descending",
            format="loss" if self.kind == "probability" else "signed",
            title=f"{what} of {name} lost, sample {count(result.sample)}",
            note=note,
        )
        matrix = Matrix(
            lost,
            [f"{count(each)} · {self.run.class_name(int(targets[at]))}" for at, each in enumerate(result.samples)],
            names,
            unit=f"{what.lower()} lost",
            signed=True,
            format="share",
            row_title="sample · class",
            column_title=self.noun,
            diagonal=False,
            title=f"{what} lost, {count(len(result.samples))} samples",
        )
        return [(bars, matrix)] if len(names) <= MOST_BESIDE else [bars, matrix]

    def clicked(self, block: Any, *where: int) -> Select | None:
        """A row of the matrix selects its sample."""
        result = self.displayed
        return Select(sample=result.samples[where[0]]) if isinstance(block, Matrix) and result is not None else None

    def caption(self, result: FeatureOcclusionResult) -> list[str]:
        label, values = self.run.samples.label_name(result.sample), result.covered.scores.shape[1]
        return [
            self.taken_for(label, result.clean),
            f"One {self.noun} at a time replaced by {self._filled(result)}",
            f"{count(values)} {self.noun}s of {count(len(result.samples))} samples, exact",
            f"in {duration(result.seconds)}",
            *([] if result.covered.done else [Strong("partial: hatched is not computed yet")]),
        ]

    def value_names(self, result: FeatureOcclusionResult) -> list[str]:
        """One for each column."""
        begin = "x" if self.noun == "feature" else ""
        return self._names or [f"{begin}{at}" for at in range(result.inputs.shape[1])]

    def _bar_name(self, result: FeatureOcclusionResult, at: int, name: str) -> str:
        value = result.inputs[0, at].item()
        return f"{name}: id {value}" if self.noun == "token" else f"{name} = {number(float(value))}"

    def _filled(self, result: FeatureOcclusionResult) -> str:
        if self.noun == "token":
            return f"token {result.fill}"
        return "zero" if result.fill == "zero" else f"its mean over {count(len(self._probe))} samples"


def _progress(covered: FeatureOcclusion, seconds: float, noun: str) -> Progress:
    total, done = covered.computed.numel(), int(covered.computed.sum())
    text = f"Covering {count(done)} of {count(total)} {noun}s"
    if done >= TELL_LEFT_FROM * total:
        text += f" · about {duration(seconds * (total - done) / max(done, 1))} left"
    return Progress(done / total, text)
