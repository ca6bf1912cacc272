"""Statistics of every layer over chunks of samples. What goes wrong in one layer is told of that layer alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from nnwidgets.analysis.activations import ActivationStats, StatsAccumulator
from nnwidgets.analysis.capture import LayerInfo
from nnwidgets.analysis.engine.by_sample import by_sample
from nnwidgets.analysis.engine.map_sums import GreyInputs


class LayerSums:
    """Running sums of each layer, and why a layer has none."""

    def __init__(self, layers: Sequence[LayerInfo]) -> None:
        self._layers = {layer.name: layer for layer in layers}
        self.clear()

    def clear(self) -> None:
        """Begin again."""
        self._sums: dict[str, StatsAccumulator] = {}
        self._by_sample: set[str] = set()
        self._problems: dict[str, str] = {}

    def add(self, name: str, value: Tensor, samples: int, inputs: GreyInputs | None) -> None:
        """Add a layer's output for a chunk of samples; `inputs` are their pictures."""
        if name in self._problems or value.numel() == 0:
            return
        if value.ndim == 0:  # such as a loss, which has no units
            self._problems[name] = "a single number, which has no units"
            return
        try:
            found = by_sample(value, self._layers[name], samples)
            if found.of == "all" and name in self._sums:
                return  # it was counted with the first chunk
            like = inputs if found.of == "samples" else None
            self._sums.setdefault(name, StatsAccumulator()).add(found.values, like, channel_dim=1)
            if found.of == "samples":
                self._by_sample.add(name)
        except (TypeError, ValueError) as error:
            self._sums.pop(name, None)
            self._problems[name] = str(error)

    def result(self, samples: int) -> tuple[dict[str, ActivationStats], dict[str, str]]:
        """The statistics over all chunks, of so many samples, and for each layer without any the reason."""
        stats = {name: self._stats(name) for name in self._layers if name in self._sums}
        uncalled = f"not called on these samples (0 of {samples})"
        problems = {name: self._problems.get(name, uncalled) for name in self._layers if name not in stats}
        return stats, problems

    def _stats(self, name: str) -> ActivationStats:
        found = self._sums[name].result()
        if name in self._by_sample:
            return found
        # Its rows are not samples, and this is a statement about samples.
        return replace(found, sparsity=torch.full_like(found.sparsity, math.nan))
