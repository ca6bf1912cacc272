"""Statistics of a layer's activations, per channel, over a set of samples.

Samples are added in chunks and merged as running sums, so memory does not grow with their number. Nothing here waits
for the device (no `.item()`), because it runs inside forward hooks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import overload

import torch
from torch import Tensor

from nnwidgets.analysis.engine.by_sample import by_sample
from nnwidgets.analysis.engine.layer_calls import LayerInfo
from nnwidgets.analysis.engine.map_sums import CONSTANT, GreyInputs, MapSums, map_sums

__all__ = ["ActivationStats", "StatsAccumulator", "activation_stats", "channels_first"]

LIKE_INPUT = 0.95  # a channel with a higher `input_similarity` counts as a copy of the input

# Values per step: 2 MB in float64 on the CPU, about one core's cache; 128 MB elsewhere.
_CPU_PART, _PART = 1 << 18, 1 << 24

# Merge the sums once this many maps wait: a small layer's in one go, a wide layer's chunk by chunk.
_WAITING = 1 << 12


@dataclass(frozen=True, eq=False)
class ActivationStats:
    """Statistics of each channel of a layer over a set of samples. All tensors are `(channels,)`, on the CPU.

    NaN and infinite values are counted in `nonfinite` and left out of everything else. Real fields are float64 for
    float64 activations, else float32; NaN where a quantity is not defined.

    Attributes:
        mean: mean over samples and positions.
        std: standard deviation over samples and positions (divided by n, not n - 1).
        zero_share: share of values that are exactly zero, 0 to 1.
        dead: bool; every value was exactly zero. Meaningful after ReLU and similar functions; a layer that cannot
            output exact zeros has no dead channels.
        input_similarity: mean over samples of |Pearson correlation| between the map and the grey input, 0 to 1. Grey is
            the mean of the input's channels, averaged over areas to the map's size. NaN without inputs, and where map
            or input is constant.
        sparsity: lifetime sparseness S = (1 - a) / (1 - 1/n), a = (sum r / n)^2 / (sum r^2 / n), r = mean |value| of a
            sample. 0: every sample excites the channel equally; 1: only one does. Treves & Rolls 1991, Network 2:371,
            on the scale of Vinje & Gallant 2000, Science 287:1273. NaN for fewer than two samples or a silent channel.
        concentration: mean over samples of (sqrt P - |m|_1 / |m|_2) / (sqrt P - 1) over the P positions of a map m.
            0: all positions are equal; 1: one position holds everything. Hoyer 2004, JMLR 5:1457, section 3.1. NaN
            without positions or for a silent channel.
        nonfinite: int64; how many values were NaN or infinite.
        samples: how many samples were seen.
    """

    mean: Tensor
    std: Tensor
    zero_share: Tensor
    dead: Tensor
    input_similarity: Tensor
    sparsity: Tensor
    concentration: Tensor
    nonfinite: Tensor
    samples: int


def channels_first(activation: Tensor, *, channel_dim: int | None = None) -> Tensor:
    """Return the values as `(batch, channels, *positions)`. This is a view, not a copy.

    Args:
        activation: `(n, C, H, W)` and other maps keep their axes; `(n, F)` is F channels without positions; `(n, T, F)`
            is F channels over T times; `(n,)` is one channel.
        channel_dim: the axis of the channels where that rule is wrong, as it is for Conv1d (`LayerInfo.channel_dim`).

    Raises:
        ValueError: a scalar, or `channel_dim` 0 or out of range.

    >>> channels_first(torch.zeros(8, 5, 3)).shape
    torch.Size([8, 3, 5])
    """
    if activation.ndim == 0:
        raise ValueError(
            "activation: expected at least a batch axis, got a scalar; keep the batch axis in the layer's output"
        )
    if activation.ndim == 1:
        return activation[:, None]
    axis = channel_dim if channel_dim is not None else (2 if activation.ndim == 3 else 1)
    if not -activation.ndim <= axis < activation.ndim or axis % activation.ndim == 0:
        raise ValueError(f"channel_dim: expected 1 to {activation.ndim - 1}, got {channel_dim}; axis 0 is the batch")
    return activation.movedim(axis, 1)


@overload
def activation_stats(
    activations: Tensor, *, inputs: Tensor | None = None, channel_dim: int | None = None
) -> ActivationStats: ...


@overload
def activation_stats(
    activations: Mapping[str, Tensor],
    *,
    inputs: Tensor | None = None,
    channel_dim: int | None = None,
    layers: Iterable[LayerInfo] = (),
) -> dict[str, ActivationStats]: ...


def activation_stats(
    activations: Tensor | Mapping[str, Tensor],
    *,
    inputs: Tensor | None = None,
    channel_dim: int | None = None,
    layers: Iterable[LayerInfo] = (),
) -> ActivationStats | dict[str, ActivationStats]:
    """Return mean, spread, share of zeros, similarity to the input and sparsity of each channel.

    Args:
        activations: `(n, C, H, W)`, `(n, F)`, `(n, T, F)`, … as in `channels_first`; any real dtype and device. Or a
            mapping from names to such tensors, as `capture` returns; the result is then a dict with the same names in
            the same order.
        inputs: `(n, channels, H', W')` pictures for `input_similarity`; used where the activations are maps, too.
        channel_dim: as in `channels_first`.
        layers: for a mapping, what `layer_names` says of where each layer has its samples and channels; the others go
            by `channel_dim`.

    Raises:
        TypeError: complex values, or anything but tensors.
        ValueError: no batch axis, or a different number of inputs than of activations.

    >>> stats = activation_stats(torch.tensor([[0.0, 1.0], [0.0, 3.0]]))
    >>> stats.mean.tolist(), stats.std.tolist(), stats.dead.tolist()
    ([0.0, 2.0], [0.0, 1.0], [True, False])

    >>> from nnwidgets.analysis import capture
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    >>> {name: len(stats.mean) for name, stats in activation_stats(capture(model, torch.ones(4, 2))).items()}
    {'0': 3, '1': 3}
    """
    if isinstance(activations, Mapping):
        arranged = {layer.name: layer for layer in layers}
        return {
            name: _named_stats(name, each, inputs, channel_dim, arranged.get(name))
            for name, each in activations.items()
        }
    if not isinstance(activations, Tensor):
        raise TypeError(
            f"activations: expected a tensor, or tensors by name as from capture, got {type(activations).__name__}; "
            "torch.as_tensor makes a tensor of an array"
        )
    accumulator = StatsAccumulator()
    accumulator.add(activations, inputs, channel_dim=channel_dim)
    return accumulator.result()


def _named_stats(
    name: str, activation: Tensor, inputs: Tensor | None, channel_dim: int | None, layer: LayerInfo | None
) -> ActivationStats:
    """The statistics of a layer's output, with the layer's own axes where they are known."""
    try:
        if layer is None:
            return activation_stats(activation, inputs=inputs, channel_dim=channel_dim)
        batch = layer.batch_dim
        samples = activation.shape[batch] // layer.per_sample if batch is not None else len(activation)
        found = by_sample(activation, layer, samples)
        return activation_stats(found.values, inputs=inputs if found.of == "samples" else None, channel_dim=1)
    except (TypeError, ValueError) as error:
        raise type(error)(f"layer {name!r}: {error}") from error


@dataclass(eq=False)
class _Sums:
    """Running sums of one set of samples, each `(channels,)` in float64 unless said; they merge by `merged`."""

    count: Tensor  # finite values
    mean: Tensor
    spread: Tensor  # sum of squares around the mean
    zeros: Tensor
    nonfinite: Tensor
    similarity: Tensor  # sum over the samples where it is defined, and their number
    similarity_n: Tensor
    concentration: Tensor
    concentration_n: Tensor
    response: Tensor  # sum, sum of squares and number of the samples' mean |value|
    response_squares: Tensor
    response_n: Tensor

    def merged(self, other: _Sums) -> _Sums:
        """Chan, Golub & LeVeque 1979 (Stanford STAN-CS-79-773) for mean and spread; plain sums for the rest."""
        sums = {
            field.name: getattr(self, field.name) + getattr(other, field.name) for field in dataclasses.fields(self)
        }
        total = sums["count"].clamp(min=1)
        gap = other.mean - self.mean
        sums["mean"] = self.mean + gap * other.count / total
        sums["spread"] = sums["spread"] + gap.square() * self.count * other.count / total
        return _Sums(**sums)


class StatsAccumulator:
    """Statistics over chunks of samples; the result equals that over all samples at once.

    >>> accumulator = StatsAccumulator()
    >>> for chunk in (torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0]])):
    ...     accumulator.add(chunk)
    >>> accumulator.result().mean
    tensor([2.])
    """

    def __init__(self) -> None:
        self._sums: _Sums | None = None
        self._maps: list[MapSums] = []
        self._positions = 1
        self._channels: int | None = None
        self._samples = 0
        self._dtype = torch.float32

    def add(
        self, activation: Tensor, inputs: Tensor | GreyInputs | None = None, *, channel_dim: int | None = None
    ) -> None:
        """Add a chunk. Arguments and errors are those of `activation_stats` for one layer.

        Pass `GreyInputs` to compare several layers with the same pictures, which are then made grey only once.

        Raises:
            ValueError: a different number of channels than before.
        """
        if activation.is_complex():
            raise TypeError("activation: expected real values, got complex ones; take .abs() or .real first")
        values = channels_first(activation.detach(), channel_dim=channel_dim)
        if self._channels is not None and values.shape[1] != self._channels:
            raise ValueError(f"activation: expected {self._channels} channels as before, got {values.shape[1]}")
        if inputs is not None and len(inputs) != len(values):
            raise ValueError(f"inputs: expected one per activation ({len(values)}), got {len(inputs)}")
        if activation.dtype == torch.float64:
            self._dtype = torch.float64
        grey = GreyInputs(inputs) if isinstance(inputs, Tensor) else inputs
        units = grey.units(values) if grey is not None else None
        maps = values.flatten(2) if values.ndim > 2 else values[..., None]
        if maps.shape[2] != self._positions:
            self._merge()
        self._channels, self._positions = maps.shape[1], maps.shape[2]
        rows = max(1, (_CPU_PART if maps.device.type == "cpu" else _PART) // max(1, maps[:1].numel()))
        for start in range(0, max(1, len(maps)), rows):
            part = slice(start, start + rows)
            self._maps.append(map_sums(maps[part], units[part] if units is not None else None))
        self._samples += len(values)
        if self._channels * sum(len(part.means) for part in self._maps) > _WAITING:
            self._merge()

    def _merge(self) -> None:
        """Reduce the maps' sums to sums over samples. Called rarely, as it takes many small operations."""
        if self._maps:
            part = _sums(MapSums.joined(self._maps), self._positions)
            self._sums = part if self._sums is None else self._sums.merged(part)
            self._maps = []

    def result(self) -> ActivationStats:
        """Return the statistics so far.

        Raises:
            ValueError: nothing was added.
        """
        self._merge()
        if self._sums is None:
            raise ValueError("activation statistics: expected at least one chunk, got none; call add() first")
        sums, count = self._sums, self._sums.count
        n = sums.response_n
        evenness = sums.response.square() / (n * sums.response_squares)
        real = {
            "mean": torch.where(count > 0, sums.mean, torch.nan),
            "std": (sums.spread / count).sqrt(),
            "zero_share": sums.zeros / count,
            "input_similarity": sums.similarity / sums.similarity_n,
            "sparsity": ((1 - evenness) / (1 - 1 / n)).clamp(0, 1),
            "concentration": sums.concentration / sums.concentration_n,
        }
        return ActivationStats(
            **{name: value.to(self._dtype).cpu() for name, value in real.items()},
            dead=((sums.zeros == count) & (count > 0) & (sums.nonfinite == 0)).cpu(),
            nonfinite=sums.nonfinite.to(torch.int64).cpu(),
            samples=self._samples,
        )


def _sums(maps: MapSums, positions: int) -> _Sums:
    """Return the sums over the samples of a part's maps."""
    counts, means, spreads = maps.counts, maps.means, maps.spreads
    energies = spreads + counts * means.square()
    whole = counts == positions
    count = counts.sum(0)
    mean = (counts * means).sum(0) / count.clamp(min=1)
    response = torch.where(whole, maps.sizes / positions, 0.0)
    alike = whole & (spreads > CONSTANT * energies) & ~maps.likeness.isnan()
    root = positions**0.5
    focused = whole & (energies > 0) & (root > 1)
    sparseness = (root - maps.sizes / energies.sqrt()) / (root - 1 if root > 1 else 1.0)
    return _Sums(
        count=count,
        mean=mean,
        spread=(spreads + counts * (means - mean).square()).sum(0),
        zeros=maps.zeros.sum(0),
        nonfinite=positions * len(counts) - count,
        similarity=torch.where(alike, (maps.likeness / spreads.sqrt()).clamp(max=1.0), 0.0).sum(0),
        similarity_n=alike.sum(0).to(torch.float64),
        concentration=torch.where(focused, sparseness.clamp(0, 1), 0.0).sum(0),
        concentration_n=focused.sum(0).to(torch.float64),
        response=response.sum(0),
        response_squares=response.square().sum(0),
        response_n=whole.sum(0).to(torch.float64),
    )
