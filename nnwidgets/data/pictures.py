"""What kind of input a sample is, and uint8 pictures of it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

InputKind: TypeAlias = Literal["image", "vector", "sequence", "tokens", "other"]
Axes: TypeAlias = Literal["channels first", "channels last", "slices"]

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


def axes_of(value: Tensor, model: nn.Module) -> Axes | None:
    """What the three axes of a picture (without batch axis) are, as far as the model's first convolution tells.

    >>> axes_of(torch.zeros(7, 5, 3), nn.Conv2d(7, 8, 3)), axes_of(torch.zeros(3, 8, 8), nn.Conv3d(1, 8, 3))
    ('channels first', 'slices')
    """
    first = next((layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Conv3d))), None)
    if value.ndim != 3 or first is None:
        return None
    if isinstance(first, nn.Conv3d):
        return "slices"
    fits = value.shape[0] == first.in_channels, value.shape[2] == first.in_channels
    found: dict[tuple[bool, bool], Axes] = {(True, False): "channels first", (False, True): "channels last"}
    return found.get(fits)


def channels_are_last(value: Tensor, axes: Axes | None) -> bool:
    """Whether a picture is (H, W, C), by its `axes` or, where they are not known, by its sizes."""
    if axes is not None or value.ndim != 3:
        return axes == "channels last"
    return value.shape[0] not in _CHANNELS and value.shape[2] in _CHANNELS


def picture_of(value: Tensor, axes: Axes | None = None) -> tuple[np.ndarray, str]:
    """A picture, uint8 (H, W) or (H, W, 3), and a note, from (H, W), (C, H, W), (H, W, C) or slices (D, H, W).

    uint8 is kept, values within [0, 1] are brightness, others are scaled from their minimum to their maximum. Of four
    channels the alpha is dropped; other numbers of channels, and slices, are averaged. Where `axes` are not known, one,
    three or four channels are looked for first on the first axis, then on the last.
    """
    plane, note = value.detach().to("cpu"), ""
    if plane.ndim == 3:
        plane, note = _channels_last(plane, axes)
    if plane.ndim == 3:
        plane = plane[:, :, 0] if plane.shape[2] == 1 else plane[:, :, :3]
    return _bytes_of(plane).contiguous().numpy(), note


def _channels_last(plane: Tensor, axes: Axes | None) -> tuple[Tensor, str]:
    """(H, W, C) with one, three or four channels, or (H, W) of their mean, and a note of that."""
    if axes == "slices":
        return plane.to(torch.float32).mean(0), f"mean of {plane.shape[0]} slices"
    last = channels_are_last(plane, axes)
    channels = plane.shape[2 if last else 0]
    if channels in _CHANNELS:
        return plane if last else plane.permute(1, 2, 0), ""
    return plane.to(torch.float32).mean(2 if last else 0), f"mean of {channels} channels"


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
