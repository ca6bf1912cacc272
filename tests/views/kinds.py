"""Models and data of every kind that views can show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.nets import NETS


class TwoInputs(nn.Module):
    """A picture and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(6, 3)

    def forward(self, picture: Tensor, vector: Tensor) -> Tensor:
        pooled = functional.relu(self.conv(picture)).mean((2, 3))
        return self.head(torch.cat([pooled, vector], dim=1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Case:
    """A model, its data, and how the page draws each layer."""

    model: nn.Module
    data: Any
    layouts: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    pictures: bool = False


def rand(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def cases() -> dict[str, Case]:
    torch.manual_seed(0)
    labels = torch.arange(30) % 3

    def net(name: str) -> tuple[nn.Module, Any]:
        return NETS[name].build(), (NETS[name].inputs[:30], NETS[name].labels[:30])

    grey = {"0": "maps", "1": "maps", "2": "maps", "3": "strips", "4": "strips"}
    many = nn.Sequential(nn.Conv2d(5, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    segments = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1))
    return {
        "grey pictures": Case(*net("cnn"), layouts=grey, pictures=True),
        "RGB pictures": Case(
            *net("residual"), layouts={"stem": "maps", "again:2": "maps", "head": "strips"}, pictures=True
        ),
        "pictures of five channels": Case(many, (rand(30, 5, 8, 8), labels), {"0": "maps", "3": "strips"}, {}, True),
        "vectors": Case(*net("mlp"), layouts={"0": "strips", "2": "strips"}),
        "sequences": Case(*net("sequence"), layouts={"0": "sequence", "1": "sequence", "4": "strips"}),
        "tokens and an LSTM": Case(*net("recurrent"), layouts={"embedding": "sequence", "lstm": "sequence"}),
        "attention": Case(*net("attention"), layouts={"layer.self_attn": "sequence", "layer": "sequence"}),
        "two inputs": Case(
            TwoInputs(), (rand(30, 1, 8, 8), rand(30, 2), labels), {"conv": "maps", "head": "strips"}, {}, True
        ),
        "no labels": Case(NETS["cnn"].build(), NETS["cnn"].inputs[:30], grey, pictures=True),
        "segmentation": Case(
            segments,
            (rand(30, 3, 8, 8), torch.zeros(30, 8, 8, dtype=torch.int64)),
            {"0": "maps", "2": "maps"},
            {"score_fn": lambda output: output.mean((2, 3))},
            True,
        ),
    }


CASES = cases()


def inputs_of(case: Case, sample: int) -> tuple[Tensor, ...]:
    rows = case.data if isinstance(case.data, tuple) else (case.data,)
    return tuple(each[sample : sample + 1] for each in (rows[:-1] if len(rows) > 1 else rows))


def score(case: Case, output: Tensor) -> Tensor:
    chosen: Tensor = case.options.get("score_fn", lambda out: out)(output)
    return chosen


def model_and_data(name: str) -> tuple[nn.Module, Any]:
    return CASES[name].model, CASES[name].data
