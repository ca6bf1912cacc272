"""Targets that are numbers: target, prediction and error of the points, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nnwidgets.analysis.results import EmbeddingResult
from nnwidgets.blocks.block import finite_span
from nnwidgets.blocks.metadata import Column
from nnwidgets.words import count, number

TARGET, PREDICTION, ERROR = "target", "prediction", "error"
OF_TARGETS = (TARGET, PREDICTION, ERROR)
EXACT = 7  # significant digits, all that float32 has

Ends = tuple[float, float]


def regression_columns(result: EmbeddingResult, seen: Mapping[str, Ends]) -> tuple[Column, ...]:
    """Target, prediction and error |prediction − target| of the rows, as far as they are known.

    seen: ends of scales before. They only grow, and target and prediction have one scale: colours can be compared over
    a training, and with each other.
    """
    values = {}
    if result.targets is not None:
        values[TARGET] = result.targets.double().numpy()
    if result.outputs is not None:
        values[PREDICTION] = result.outputs.double().numpy()
    if len(values) == 2:
        values[ERROR] = np.abs(values[PREDICTION] - values[TARGET])
    values = {name: np.where(np.isfinite(each), each, np.nan) for name, each in values.items()}
    both = [ends for name in (TARGET, PREDICTION) for ends in _ends(name, values, seen)]
    errors = [(0.0, 0.0), *_ends(ERROR, values, seen)]
    return tuple(Column(name, each, ends=_union(errors if name == ERROR else both)) for name, each in values.items())


def error_text(errors: Column) -> str:
    """What the caption says of the errors.

    >>> error_text(Column("error", np.array([0.5, 1.5, np.nan])))
    'error is |prediction − target|, 1.00 on average, without 1 that is not finite'
    """
    finite = errors.numbers[np.isfinite(errors.numbers)] if errors.numbers is not None else np.empty(0)
    missing = len(errors.numbers) - len(finite) if errors.numbers is not None else 0
    mean = f", {number(float(finite.mean()))} on average" if len(finite) else ""
    return f"error is |prediction − target|{mean}" + (
        f", without {count(missing)} that {'is' if missing == 1 else 'are'} not finite" if missing else ""
    )


def exact_lines(columns: Sequence[Column], row: int) -> list[tuple[str, str]]:
    """Name and value of each for a card; "" where it has none."""
    values = [(column.name, float(column.numbers[row])) for column in columns if column.numbers is not None]
    return [(name, number(value, EXACT) if np.isfinite(value) else "") for name, value in values]


def _ends(name: str, values: Mapping[str, np.ndarray], seen: Mapping[str, Ends]) -> Iterator[Ends]:
    if name in values and np.isfinite(values[name]).any():
        yield finite_span(values[name])
    if name in seen:
        yield seen[name]


def _union(ends: Sequence[Ends]) -> Ends:
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 0.0)
