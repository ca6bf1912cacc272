"""What is kept of a training: statistics of layers and filters, and losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nnwidgets.analysis import ActivationStats, FilterStats
from nnwidgets.training.history import History

Array = NDArray[Any]

STATISTICS_KEPT = 400
KERNELS_KEPT = 32
SCALARS_KEPT = 2_000


@dataclass(frozen=True)
class ProbeResult:
    """What the probe shows at one step; tensors on the CPU.

    `stats` and `filters` are by layer name, `problems` say why a layer has no `stats`; `loss` and `correct` (a
    share of predictions, of several labels a share of answers) are None without labels or loss function.
    """

    step: int
    stats: dict[str, ActivationStats]
    filters: dict[str, FilterStats]
    samples: int
    loss: float | None = None
    correct: float | None = None
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        channels = sum(len(stats.mean) for stats in self.stats.values())
        filters = sum(len(stats.norm) for stats in self.filters.values())
        return 48 * channels + 24 * filters


@dataclass
class Record:
    """All results by step, bounded in number and bytes, thinned evenly.

    changes: how often it has grown.
    """

    max_bytes: int
    changes: int = field(default=0, init=False)
    probe: History[ProbeResult] = field(init=False)
    kernels: History[dict[str, Tensor]] = field(init=False)
    probe_loss: History[float] = field(init=False)

    def __post_init__(self) -> None:
        self.probe = History(max_items=STATISTICS_KEPT, max_bytes=self.max_bytes // 2)
        self.kernels = History(max_items=KERNELS_KEPT, max_bytes=self.max_bytes // 2)
        self.probe_loss = History(max_items=SCALARS_KEPT)

    def add(self, result: ProbeResult, kernels: dict[str, Tensor]) -> None:
        """Keep a result, and the weights (out, in, …) of layers that are small enough."""
        self.probe.append(result.step, result, result.nbytes)
        self.kernels.append(result.step, kernels, sum(weight.nbytes for weight in kernels.values()))
        if result.loss is not None:
            self.probe_loss.append(result.step, result.loss)
        self.changes += 1

    def series(self, part: Literal["stats", "filters"], layer: str, name: str) -> tuple[Array, Array]:
        """Steps (n,) and a statistic of a layer over the training: (n, units), or (n,) for one of the whole layer."""
        kept = [
            (probe.step, getattr(probe, part)[layer]) for probe in self.probe.items if layer in getattr(probe, part)
        ]
        values = [np.asarray(getattr(statistics, name), dtype=np.float64) for _, statistics in kept]
        return np.array([step for step, _ in kept], dtype=np.float64), np.array(values)

    def weights(self, layer: str, most: int) -> list[tuple[int, Tensor]]:
        """Steps and weights (out, in, …) of a layer, at most so many, evenly spread, the newest last."""
        entries = self.kernels.entries
        kept = [(entry.step, entry.item[layer]) for entry in entries if layer in entry.item]
        return [kept[round(at)] for at in np.linspace(0, len(kept) - 1, min(most, len(kept)))] if kept else []

    @property
    def latest(self) -> ProbeResult | None:
        return self.probe.items[-1] if len(self.probe.items) else None

    @property
    def last_step(self) -> int | None:
        return self.latest.step if self.latest is not None else None

    @property
    def nbytes(self) -> int:
        return self.probe.nbytes + self.kernels.nbytes
