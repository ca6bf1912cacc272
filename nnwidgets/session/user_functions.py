"""The user's own functions: what one raises is told with its name, what it was given and what it should return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nnwidgets.analysis.engine.occlusion_covered import StrayedError
from nnwidgets.analysis.engine.out_of_memory import is_out_of_memory


def named_score_fn(score_fn: Callable[[Any], Tensor]) -> Callable[[Any], Tensor]:
    """The same function. Raises RuntimeError, from the error, where it raises."""

    def scores(output: Any) -> Tensor:
        try:
            return score_fn(output)
        except Exception as error:
            if is_out_of_memory(error) or isinstance(error, StrayedError):
                raise  # less at once, or another way of computing, may do
            raise RuntimeError(
                f"score_fn: raised {type(error).__name__}: {error}; it gets the model's output, here {told(output)}, "
                "and returns scores (batch, classes)"
            ) from error

    return scores


def named_loss_fn(loss_fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same function. Raises RuntimeError, from the error, where it raises, and ValueError for no single number."""

    def loss(output: Any, targets: Tensor) -> Tensor:
        def given() -> str:
            return f"it gets the model's output, here {told(output)}, and the targets, here {told(targets)}"

        try:
            value = loss_fn(output, targets)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise RuntimeError(
                f"loss_fn: raised {type(error).__name__}: {error}; {given()}, and returns the mean loss, one number"
            ) from error
        if not isinstance(value, (int, float, Tensor)) or (isinstance(value, Tensor) and value.numel() != 1):
            raise ValueError(f"loss_fn: expected the mean loss, one number, got {told(value)}; {given()}")
        return value

    return loss


def told(value: Any) -> str:
    """What something is, in a few words: kind, shape, keys.

    >>> import torch
    >>> told({"out": torch.zeros(2, 3), "aux": None}), told(torch.zeros(2, 3))
    ("a dict with 'out', 'aux'", 'a tensor (2, 3) float32')
    """
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, dict):
        return f"a {type(value).__name__} with {', '.join(map(repr, value))}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__
