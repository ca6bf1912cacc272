"""Sums over the positions of every map of a layer, in float32 where that is exact enough."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

# Below this share of the plain sum of squares, a sum of squares around the mean is rounding, and the values count as
# constant. Float64 leaves 1e-32; the smallest step of float32 leaves 1e-21 even in a map of 1 000 x 1 000.
CONSTANT = 1e-26

# Below these, float32 loses a map's squares, or its variation around the mean.
_SMALLEST, _FLATTEST = 1e-20, 1e-8


@dataclass(eq=False)
class MapSums:
    """Sums over each map, `(n, channels)`; float64, or float32 where that is exact enough."""

    counts: Tensor  # finite values
    zeros: Tensor
    means: Tensor
    spreads: Tensor  # sum of squares around the mean
    sizes: Tensor  # sum of absolute values
    likeness: Tensor  # |correlation| with the grey input times the root of the spread; NaN without a grey input

    @classmethod
    def joined(cls, parts: Sequence[MapSums]) -> MapSums:
        """The maps of all parts, in float64."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(torch.cat([getattr(part, name).to(torch.float64) for part in parts]) for name in names))


class GreyInputs:
    """Pictures `(n, channels, height, width, …)` as grey unit vectors at the size of any map. Each size is cached."""

    def __init__(self, pictures: Tensor) -> None:
        self._pictures = pictures.detach()
        self._units: dict[tuple[torch.device, tuple[int, ...]], Tensor] = {}

    def __len__(self) -> int:
        return len(self._pictures)

    def units(self, maps: Tensor) -> Tensor | None:
        """Return `(n, positions)` float64, each of mean 0 and length 1; NaN for a constant or non-finite picture.

        None if the maps `(n, channels, *positions)` do not correspond to the pictures.
        """
        if self._pictures.ndim != maps.ndim or maps.ndim < 4 or self._pictures.is_complex():
            return None
        key = (maps.device, tuple(maps.shape[2:]))
        if key not in self._units:
            grey = self._pictures.to(maps.device, torch.float64).mean(1, keepdim=True)
            if grey.shape[2:] != maps.shape[2:]:
                grey = interpolate(grey, size=maps.shape[2:], mode="area")
            grey = grey.flatten(1)
            offsets = grey - grey.mean(1, keepdim=True)
            squares = offsets.square().sum(1, keepdim=True)
            varies = squares > CONSTANT * grey.square().sum(1, keepdim=True)  # NaN compares false
            self._units[key] = torch.where(varies, offsets / squares.sqrt(), torch.nan)
        return self._units[key]


def map_sums(maps: Tensor, units: Tensor | None) -> MapSums:
    """Return the sums of maps `(n, channels, positions)` of any real dtype; `units` are those of `GreyInputs`."""
    if maps.shape[2] == 1:
        return _single_values(maps[..., 0])
    # This test reads a result, which costs nothing on the CPU and would wait for a GPU.
    if maps.device.type == "cpu" and maps.is_floating_point() and maps.dtype != torch.float64:
        sums = _sums_in_float32(maps.float(), units)
        if sums is not None:
            return sums
    return _sums_in_float64(maps, units)


def _single_values(values: Tensor) -> MapSums:
    """Return the sums of "maps" of one position, `(n, channels)`."""
    means = values.to(torch.float64).nan_to_num(0.0, 0.0, 0.0)
    nothing = torch.zeros_like(means)
    finite = (values - values) == 0
    return MapSums(finite, values == 0, means, nothing, means.abs(), torch.full_like(means, torch.nan))


def _sums_in_float64(maps: Tensor, units: Tensor | None) -> MapSums:
    finite = (maps - maps) == 0  # three times as fast as isfinite
    filled = maps.to(torch.float64).nan_to_num(0.0, 0.0, 0.0)
    counts = finite.sum(2).to(torch.float64)
    means = filled.sum(2) / counts.clamp(min=1)
    offsets = filled - means[..., None]
    # Each non-finite value was replaced by 0 and adds mean²; subtract that again. Exact for maps without such values.
    spreads = torch.linalg.vector_norm(offsets, dim=2).square() - (maps.shape[2] - counts) * means.square()
    likeness = _likeness(offsets, units)
    return MapSums(counts, (maps == 0).sum(2), means, spreads.clamp(min=0), filled.abs_().sum(2), likeness)


def _sums_in_float32(maps: Tensor, units: Tensor | None) -> MapSums | None:
    """Return the same to a few parts in 1e7, several times as fast; None for maps where float32 is not enough."""
    positions = maps.shape[2]
    means = maps.mean(2)
    offsets = maps - means[..., None]
    shift = offsets.mean(2)  # rounding error of the mean
    likeness = _likeness(offsets, units)
    squares = offsets.square_().sum(2)
    center = means.to(torch.float64) + shift
    spreads = squares - positions * shift.to(torch.float64).square()
    sizes = torch.abs(maps, out=offsets).sum(2)
    # Squares beyond float32's range, or tiny beside the mean's, need float64; so do NaN and infinity.
    holds = (squares > _SMALLEST) & (spreads > _FLATTEST * positions * center.square()) & squares.isfinite()
    if not bool((holds | (sizes == 0)).all()):
        return None
    zeros = torch.eq(maps, 0.0, out=offsets).sum(2)
    return MapSums(torch.full_like(means, positions), zeros, center, spreads, sizes, likeness)


def _likeness(offsets: Tensor, units: Tensor | None) -> Tensor:
    if units is None:
        return offsets.new_full(offsets.shape[:2], torch.nan)
    return torch.matmul(offsets, units.to(offsets.dtype)[..., None])[..., 0].abs()
