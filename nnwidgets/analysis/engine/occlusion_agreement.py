"""Whether two ways of computing scores agree up to rounding."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["agree", "largest_change"]

# The error may be at most this share of the largest change of a score, plus this share of the largest score.
_OF_CHANGE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 0.01, torch.bfloat16: 0.05}
_OF_SCORE = {torch.float64: 1e-10, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 0.03}
_OF_SCORE_TF32 = 1e-2
_OF_CHANGE_PREVIEW = 0.2  # bfloat16 has 8 bits of mantissa; 0.01 is typical


def agree(
    found: Tensor, own: Tensor, change: float, dtype: torch.dtype, *, tf32: bool = False, preview: bool = False
) -> bool:
    """Whether scores are those of the model up to rounding. Non-finite ones must be equal.

    Args:
        found: scores.
        own: scores by the model itself.
        change: the largest change of a score by a square.
        dtype: in which values are computed.
        tf32: whether products are rounded to TF32.
        preview: whether changes are rounded to bfloat16.
    """
    finite = own.isfinite()
    if not torch.equal(found[~finite].nan_to_num(), own[~finite].nan_to_num()):
        return False
    of_change = _OF_CHANGE_PREVIEW if preview else _OF_CHANGE[dtype]
    of_score = _OF_SCORE_TF32 if tf32 else _OF_SCORE[dtype]
    return _largest(found[finite] - own[finite]) <= of_change * change + of_score * _largest(own[finite])


def largest_change(one: Tensor, other: Tensor) -> float:
    """The largest difference where both are finite, 0 if they nowhere are.

    >>> largest_change(torch.tensor([1.0, 5.0, torch.inf]), torch.tensor([1.5, 3.0, 0.0]))
    2.0
    """
    known = one.isfinite() & other.isfinite()
    return _largest((one - other)[known])


def _largest(values: Tensor) -> float:
    return float(values.abs().max()) if values.numel() else 0.0
