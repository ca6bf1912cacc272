"""Predicted class, confidence and loss from scores; labels may be missing."""

from __future__ import annotations

import torch
from torch import Tensor


def predictions(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Predicted class (n,) int64, its probability (n,) and the cross-entropy (n,), float32, by softmax of the scores.

    `scores` are (n, classes), `labels` (n,) int64; the loss is NaN where a label is not a class.

    >>> predicted, confidence, loss = predictions(torch.tensor([[0.0, 0.0], [0.0, 9.0]]), torch.tensor([-1, 1]))
    >>> predicted.tolist(), confidence.round(decimals=3).tolist(), loss.round(decimals=3).tolist()
    ([0, 1], [0.5, 1.0], [nan, 0.0])
    """
    logs = torch.log_softmax(scores.float(), dim=1)
    confidence, predicted = logs.exp().max(dim=1)
    usable = (labels >= 0) & (labels < logs.shape[1])
    picked = logs[torch.arange(len(logs)), labels.clamp(0, logs.shape[1] - 1)]
    return predicted, confidence, torch.where(usable, -picked, torch.nan)
