"""Smoothness of convolution kernels, and how much of it chance explains.

Smoothness is one minus Geary's C (Geary 1954, The Incorporated Statistician 5:115) of the taps, pooled over a filter's
planes:

    rho = sum_c D_c / sum_c S_c / nu,  nu = 2 E / (n - 1),  smoothness = 1 - rho

with D_c the sum of squared differences over the E pairs of neighbouring taps of plane c (horizontal and vertical; along
depth, too, for Conv3d), S_c the sum of squares around that plane's mean, and n taps in a plane. Its mean over all
orders of the taps within their planes is exactly 0, whatever the distribution of the weights. Smooth filters come near
1; a checkerboard is below 0. Smooth does not mean good: a net that blew up is very smooth. Read it together with the
norm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from nnwidgets.shadow import shadow_module
from nnwidgets.shadow.torch_internals import CONVOLUTIONS, TRANSPOSED_CONVOLUTIONS, forward_pre_hooks, pruned_tensor

__all__ = ["FilterStats", "filter_smoothness", "filter_stats", "filter_weight"]

# A spread below this share of a plane's energy is rounding: float64 leaves about 1e-32, and float32 weights cannot hold
# less than 1e-16.
_CONSTANT = 1e-26


@dataclass(frozen=True, eq=False)
class FilterStats:
    """Smoothness of each filter of a layer. Tensors are `(out,)`, on the CPU, float32 or, for such weights, float64.

    Attributes:
        smoothness: 1: smooth; 0: the average over the same taps in random order; < 0: rougher. NaN where undefined.
        norm: L2 norm of the whole filter.
        band: two standard deviations of the smoothness over all orders of the filter's taps within their planes. Chance
            explains a smoothness within ± band.
        layer_mean: mean smoothness of the filters where it is defined.
        layer_band: two standard deviations of `layer_mean` under the same shuffling, 2 sqrt(sum sd^2) / n.
        reason: for each filter, why its smoothness is NaN, or None.
        kernel_shape: sizes of a kernel plane; empty for layers without one.
    """

    smoothness: Tensor
    norm: Tensor
    band: Tensor
    layer_mean: float
    layer_band: float
    reason: tuple[str | None, ...]
    kernel_shape: tuple[int, ...]


def filter_smoothness(weight: Tensor | nn.Module) -> Tensor:
    """Return the smoothness of each filter, `(out,)`: 1: smooth; 0: as shuffled taps; below 0: rougher; NaN: undefined.

    Args:
        weight: `(out, in, length)`, `(out, in, rows, cols)` or `(out, in, depth, rows, cols)`, real; or a layer, whose
            weight is read by `filter_weight`. Scale and offset do not matter.

    Returns:
        On the weight's device; float64 for float64 weights, else float32. NaN for weights without a kernel (Linear),
        for kernels of at most two taps, for constant and for non-finite filters; `filter_stats` gives the reason.

    Raises:
        TypeError: complex or integer weights, or neither a tensor nor a layer.
        ValueError: a scalar, or a layer without filters.

    >>> filter_smoothness(nn.Conv2d(1, 4, 3)).shape
    torch.Size([4])
    >>> ramp = torch.arange(25.0).reshape(1, 1, 5, 5)
    >>> f"{filter_smoothness(ramp).item():.3f}"
    '0.880'
    """
    return _smoothness(_weight_of(weight))[0]


def filter_stats(weight: Tensor | nn.Module) -> FilterStats:
    """Return smoothness, its noise band, norm and the reasons for NaN. Takes and raises what `filter_smoothness` does.

    >>> stats = filter_stats(torch.ones(2, 1, 3, 3))
    >>> stats.smoothness.tolist(), stats.reason[0]
    ([nan, nan], 'constant in every plane')
    """
    weight = _weight_of(weight)
    smoothness, sd, reasons = _smoothness(weight)
    defined = ~smoothness.isnan()
    norm = torch.linalg.vector_norm(
        weight.detach().flatten(1) if weight.ndim > 1 else weight.detach()[:, None], dim=1, dtype=torch.float64
    )
    count = int(defined.sum())
    return FilterStats(
        smoothness=smoothness.cpu(),
        norm=norm.to(smoothness.dtype).cpu(),
        band=2 * sd.cpu(),
        layer_mean=float(smoothness[defined].double().mean()) if count else math.nan,
        layer_band=2 * float(sd[defined].double().square().sum().sqrt()) / count if count else math.nan,
        reason=reasons,
        kernel_shape=tuple(weight.shape[2:]),
    )


def filter_weight(module: nn.Module) -> Tensor | None:
    """Return a layer's weight as `(out, in, *kernel)`, detached and on its device; None for a layer without filters.

    Convolutions and Linear have filters. The weight of a transposed convolution, `(in, out / groups, *kernel)`, is
    transposed here, group by group. A parametrised layer computes its weight in eval mode, on a private copy: in
    training mode, spectral norm changes its buffers whenever the weight is read.

    >>> filter_weight(nn.ConvTranspose2d(4, 6, 3, groups=2)).shape
    torch.Size([6, 2, 3, 3])
    """
    if is_parametrized(module):
        module = shadow_module(module)
    if isinstance(module, TRANSPOSED_CONVOLUTIONS):
        weight = _weight_now(module)
        grouped = weight.reshape(module.groups, -1, *weight.shape[1:])  # (groups, in / groups, out / groups, *kernel)
        return grouped.transpose(1, 2).flatten(0, 1)
    if isinstance(module, (*CONVOLUTIONS, nn.Linear)):
        return _weight_now(module)
    return None


def _weight_of(given: Any) -> Tensor:
    """Return the given weight, or that of the given layer."""
    if isinstance(given, Tensor):
        return given
    if not isinstance(given, nn.Module):
        raise TypeError(
            f"weight: expected a tensor (out, in, *kernel) or a layer, got {type(given).__name__}; "
            "torch.as_tensor makes a tensor of an array"
        )
    weight = filter_weight(given)
    if weight is None:
        raise ValueError(
            f"weight: expected a convolution or Linear, got {type(given).__name__}, which has no filters of its own; "
            "pass one of its layers, such as model.get_submodule(name)"
        )
    return weight


def _weight_now(module: Any) -> Tensor:
    """Return the weight that the next forward pass in eval mode will use.

    Old weight_norm and spectral_norm, and pruning, compute it in a hook before each forward pass. The attribute still
    has the weight of the last pass, which is out of date after an optimizer step.
    """
    weight: Tensor = module.weight
    with torch.no_grad():
        for hook in forward_pre_hooks(module).values():
            if isinstance(hook, SpectralNorm) and hook.name == "weight":
                weight = hook.compute_weight(module, do_power_iteration=False)
            if isinstance(hook, WeightNorm) and hook.name == "weight":
                weight = hook.compute_weight(module)
            if isinstance(hook, BasePruningMethod) and pruned_tensor(hook) == "weight":
                weight = hook.apply_mask(module)
        return weight.detach()


def _smoothness(weight: Tensor) -> tuple[Tensor, Tensor, tuple[str | None, ...]]:
    """Return smoothness and its standard deviation under shuffling, both `(out,)`, and the reasons for NaN."""
    if not weight.is_floating_point():
        raise TypeError(f"weight: expected real floating-point values, got {weight.dtype}")
    if weight.ndim == 0:
        raise ValueError("weight: expected (out, in, *kernel), got a scalar")
    dtype = torch.float64 if weight.dtype == torch.float64 else torch.float32
    shape = tuple(weight.shape[2:])
    if math.prod(shape) <= 2:  # the product over no axes is 1
        why = "a kernel of at most two taps is the same in any order" if shape else "inputs have no order"
        undefined = weight.new_full((len(weight),), torch.nan, dtype=dtype)
        return undefined, undefined.clone(), (why,) * len(weight)
    planes = weight.detach().to(torch.float64).flatten(2)
    finite = planes.isfinite().flatten(1).all(1)
    # Scaled by the largest tap, fourth powers neither overflow nor vanish. Smoothness does not depend on scale.
    largest = planes.abs().flatten(1).amax(1)
    rho, sd = _pooled(planes / torch.where(largest > 0, largest, 1.0)[:, None, None], shape)
    reasons = tuple(
        "not finite" if not ok else "constant in every plane" if constant else None
        for ok, constant in zip(finite.tolist(), rho.isnan().tolist(), strict=True)
    )
    rho = torch.where(finite, rho, torch.nan)
    sd = torch.where(rho.isnan(), torch.nan, sd)
    return (1 - rho).to(dtype), sd.to(dtype), reasons


def _pooled(planes: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return rho and its standard deviation under shuffling, `(out,)`; rho is NaN where no plane varies.

    `planes` are `(out, in, taps)` float64, of kernels of this shape.
    """
    pairs = _neighbours(shape).to(planes.device)
    differences, spread, fourth, energy = _plane_sums(planes, pairs)
    varies = spread > _CONSTANT * energy
    degree = pairs.abs().sum(0)
    meetings = int((degree * (degree - 1)).sum())  # ordered pairs of edges that share one tap
    variance = _ratio_variance(fourth / spread.square(), planes.shape[2], len(pairs), meetings)
    total = torch.where(varies, spread, 0.0).sum(1)
    expected = 2 * len(pairs) / (planes.shape[2] - 1)
    rho = torch.where(varies, differences, 0.0).sum(1) / total / expected
    # Planes are shuffled independently and keep their S_c, so variances add, weighted by (S_c / sum S)^2.
    pooled = torch.where(varies, variance * spread.square(), 0.0).sum(1)
    return rho, pooled.clamp(min=0).sqrt() / total / expected


def _plane_sums(planes: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return four `(out, in)`: sums of squared differences of neighbours, of z^2, z^4 and w^2; z = w - plane mean."""
    # For a handful of taps a product with ones is ten times as fast as a reduction.
    ones = planes.new_ones(planes.shape[2])
    offsets = planes - (planes @ ones / len(ones))[..., None]
    squares = offsets.square()
    differences = (offsets @ pairs.T).square() @ planes.new_ones(len(pairs))
    return differences, squares @ ones, squares.square() @ ones, planes.square() @ ones


def _neighbours(shape: tuple[int, ...]) -> Tensor:
    """Return `(pairs, taps)` float64, whose rows subtract one tap from its neighbour along an axis."""
    taps = torch.arange(math.prod(shape)).reshape(shape)
    before = torch.cat([taps.narrow(axis, 0, size - 1).flatten() for axis, size in enumerate(shape)])
    after = torch.cat([taps.narrow(axis, 1, size - 1).flatten() for axis, size in enumerate(shape)])
    rows = torch.arange(len(before))
    pairs = torch.zeros(len(before), taps.numel(), dtype=torch.float64)
    pairs[rows, before], pairs[rows, after] = -1.0, 1.0
    return pairs


def _ratio_variance(kurtosis: Tensor, n: int, edges: int, meetings: int) -> Tensor:
    """Return the variance of D / S over all n! orders of a plane's taps, k = sum z^4 / (sum z^2)^2 given.

    The closed form of Cliff & Ord (1981, Spatial Processes, section 1.4) for Geary's C under randomisation, as a sum
    over pairs of edges: the same edge, edges with one tap in common, disjoint edges. In this form it holds for n = 3,
    too, where no two edges are disjoint and the usual form divides by zero.
    """
    # E[(zi - zj)^2 (zi - zk)^2] / S^2; the same pair twice gives twice this
    meeting = (n * kurtosis + 3) / (n * (n - 1))
    apart = edges**2 - edges - meetings
    disjoint = (4 * (n * n - 3 * n + 3) - 4 * n * (n - 1) * kurtosis) / (n * (n - 1) * (n - 2) * max(n - 3, 1))
    return (2 * edges + meetings) * meeting + apart * disjoint - (2 * edges / (n - 1)) ** 2
