"""What kind of input a sample is, and uint8 pictures of it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

InputKind: TypeAlias = Literal["image", "vector", "sequence", "tokens", "other"]

_CHANNELS = (1, 3, 4)
_SEQUENCE_LAYERS = (nn.Conv1d, nn.RNNBase, nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.MultiheadAttention)
_LEAST_SIDE = 4  # a narrower plane is a few parallel time series


def kind_of(value: Tensor, model: nn.Module) -> InputKind:
    """The kind of one input (without batch axis), by shape, dtype and, up to two axes, the model's layers."""
    if value.is_complex() or value.ndim > 3:
        return "other"
    sequential = any(isinstance(layer, _SEQUENCE_LAYERS) for layer in model.modules())
    convolves = any(isinstance(layer, nn.Conv2d) for layer in model.modules())
    if value.dtype in (torch.int16, torch.int32, torch.int64) and value.ndim <= 1:
        return "tokens"
    if value.ndim <= 1:
        return "sequence" if sequential and not convolves else "vector"
    if value.ndim == 2:
        if sequential and not convolves:
            return "sequence"
        return "image" if min(value.shape) >= _LEAST_SIDE else "sequence"
    return "image"


def picture_of(value: Tensor) -> tuple[np.ndarray, str]:
    """A picture, uint8 (H, W) or (H, W, 3), and a note, from (H, W), (C, H, W) or (H, W, C).

    uint8 is kept, values within [0, 1] are brightness, others are scaled from their minimum to their maximum. Of four
    channels the alpha is dropped; other numbers of channels are averaged.
    """
    plane, note = value.detach().to("cpu"), ""
    if plane.ndim == 3:
        if plane.shape[0] in _CHANNELS:
            plane = plane.permute(1, 2, 0)
        elif plane.shape[2] not in _CHANNELS:
            note = f"mean of {plane.shape[0]} channels"
            plane = plane.to(torch.float32).mean(0)
    if plane.ndim == 3:
        plane = plane[:, :, 0] if plane.shape[2] == 1 else plane[:, :, :3]
    return _bytes_of(plane).contiguous().numpy(), note


def _bytes_of(plane: Tensor) -> Tensor:
    if plane.dtype == torch.uint8:
        return plane
    values = plane.to(torch.float64)
    values = torch.where(values.isfinite(), values, torch.zeros_like(values))
    low, high = float(values.min()), float(values.max())
    if not plane.is_floating_point() and plane.dtype != torch.bool and 1 < high <= 255 and low >= 0:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return ((values - low) * (255.0 / max(high - low, 1e-300))).round().clamp(0, 255).to(torch.uint8)


def picture_from_user(value: Any) -> np.ndarray:
    """A picture, uint8 (H, W) or (H, W, 3), from what `to_image` returned: a PIL image, array or tensor.

    Raises TypeError or ValueError for anything else.
    """
    if not isinstance(value, Tensor):
        value = np.asarray(
            value.convert("RGB") if hasattr(value, "convert") and value.mode not in ("L", "RGB") else value
        )
        if value.dtype.kind not in "iufb":
            raise TypeError(f"to_image: expected a picture, array or tensor, got an array of {value.dtype}")
        value = torch.tensor(value, device="cpu")
    plane = value
    if plane.ndim not in (2, 3) or (
        plane.ndim == 3 and plane.shape[0] not in _CHANNELS and plane.shape[2] not in _CHANNELS
    ):
        raise ValueError(f"to_image: expected (H, W), (H, W, 3) or (3, H, W), got shape {tuple(plane.shape)}")
    if plane.ndim == 3 and plane.shape[2] in _CHANNELS:
        plane = plane.permute(2, 0, 1)  # a picture has its channels last, whatever its height
    return picture_of(plane)[0]
