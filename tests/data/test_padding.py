"""Samples of different length are padded as the loader's own function pads them, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

import nnwidgets as nnw
from tests.waiting import inspecting

GENERATOR = torch.Generator().manual_seed(2)


def padded_end(rows: list[Any]) -> tuple[Tensor, Tensor]:
    return pad_sequence([row[0] for row in rows], batch_first=True), torch.tensor([row[1] for row in rows])


def padded_begin(rows: list[Any]) -> dict[str, Tensor]:
    longest = max(len(row[0]) for row in rows)
    ids = torch.stack([functional.pad(row[0], (longest - len(row[0]), 0), value=7) for row in rows])
    return {"tokens": ids, "attention_mask": (ids != 7).long(), "labels": torch.tensor([row[1] for row in rows])}


class Reads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head = nn.Embedding(9, 4), nn.Linear(4, 3)

    def forward(self, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        weights = (tokens != 0 if attention_mask is None else attention_mask)[..., None].float()
        found: Tensor = self.head((self.embedding(tokens) * weights).sum(1))
        return found


@pytest.mark.parametrize("collate", [padded_end, padded_begin])
def test_samples_are_padded_as_the_loader_pads_them(collate: Callable[[list[Any]], Any]) -> None:
    lengths = [3, 5, 2, 6, 4, 5, 1, 2]
    rows = [(torch.randint(1, 7, (n,), generator=GENERATOR), n % 3) for n in lengths]
    model = Reads()
    with inspecting(model, DataLoader(rows, batch_size=4, collate_fn=collate), probe=range(8)) as inspector:  # type: ignore[arg-type]
        chosen = [6, 3, 0]
        batch, expected = inspector._session.samples.batch(chosen), collate([rows[at] for at in chosen])
        given = list(expected.values())[:2] if isinstance(expected, dict) else [expected[0]]
        for ours, theirs in zip([*batch.args, *batch.kwargs.values()], given, strict=True):
            assert torch.equal(ours, theirs)
        with torch.no_grad():
            torch.testing.assert_close(inspector._session.run(batch), model(*given))


@pytest.mark.parametrize(
    ("collate", "words"),
    [
        (lambda rows: pad_sequence([row[0] for row in rows]), "the batch axis first, with a size of 1, got shape"),
        (lambda rows: tuple(zip(*rows, strict=True)), "A list of pictures needs a module"),
    ],
    ids=["times first", "lists"],
)
def test_a_collate_function_that_gives_no_batch_is_refused_with_the_repair(collate: Any, words: str) -> None:
    rows = [(torch.rand(n, 4), n % 3) for n in (3, 5, 4)]
    with pytest.raises(RuntimeError, match=words):
        nnw.Inspector(nn.Linear(4, 3), DataLoader(rows, collate_fn=collate), probe=3)  # type: ignore[arg-type]


def test_padding_that_cannot_be_told_is_refused_with_the_reason() -> None:
    def edge(rows: list[Any]) -> tuple[Tensor, Tensor]:
        longest = max(len(row[0]) for row in rows)
        repeated = [torch.cat([row[0], row[0][-1:].expand(longest - len(row[0]))]) for row in rows]
        return torch.stack(repeated), torch.tensor([row[1] for row in rows])

    rows = [(torch.arange(1, n), n % 3) for n in (4, 6, 5, 8)]
    with pytest.raises(ValueError, match="Of the loader's collate_fn: expected a batch that adds one value"):
        nnw.Inspector(Reads(), DataLoader(rows, collate_fn=edge), probe=4)  # type: ignore[arg-type]
