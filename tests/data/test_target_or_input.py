"""The last part of a sample is the target or an input: told by the signature, or asked with both repairs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import nnwidgets as nnw
from tests.waiting import inspecting

GENERATOR = torch.Generator().manual_seed(2)
X = torch.randn(24, 6, generator=GENERATOR)
Y = torch.arange(24) % 3
SEVERAL = (torch.rand(24, 3, generator=GENERATOR) > 0.4).float()


def linear(inputs: int = 6) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(inputs, 3)


class Masked(nn.Module):
    """Takes a mask, of all things a label can be."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = linear()

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        found: Tensor = self.layer(x)
        return found if attn_mask is None else found * attn_mask.reshape(len(x), -1)[:, :1]


class Flagged(Masked):
    def forward(self, x: Tensor, return_features: bool = False) -> Tensor:  # type: ignore[override]
        return x if return_features else super().forward(x)


def scores_of(inspector: nnw.Inspector, samples: range) -> Tensor:
    session = inspector._session
    found = session.run(session.samples.batch(samples))
    assert isinstance(found, Tensor)
    return found


@pytest.mark.parametrize("targets", [SEVERAL, X[:, 0], X[:, :1], torch.zeros(24, 4, 4)])
def test_a_target_that_may_be_the_mask_is_asked_about_with_both_repairs(targets: Tensor) -> None:
    with pytest.raises(ValueError, match=r"the last of 2 parts of a sample, .* or the argument 'attn_mask'") as caught:
        nnw.Inspector(Masked(), (X, targets), probe=8)
    as_target, as_input = map(eval, re.findall(r"unpack=(lambda .*?) if it is", str(caught.value)))
    model = Masked()
    with inspecting(model, (X, targets), probe=8, unpack=as_target) as inspector, torch.no_grad():
        torch.testing.assert_close(scores_of(inspector, range(5)), model(X[:5]))
        assert torch.equal(inspector._session.samples.batch(range(5)).targets, targets[:5])  # type: ignore[arg-type]
    with inspecting(model, (X, targets), probe=8, unpack=as_input) as inspector, torch.no_grad():
        torch.testing.assert_close(scores_of(inspector, range(5)), model(X[:5], targets[:5]))


@pytest.mark.parametrize("model", [Flagged(), Masked()])
def test_a_target_that_can_be_told_is_no_argument(model: nn.Module) -> None:
    targets = SEVERAL if isinstance(model, Flagged) else Y
    with inspecting(model, (X, targets), probe=8) as inspector, torch.no_grad():
        torch.testing.assert_close(scores_of(inspector, range(5)), model(X[:5]))
        assert inspector._session.samples.batch(range(5)).targets is not None


def test_the_mask_of_a_sequence_is_an_argument() -> None:
    class Sums(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = linear(1)

        def forward(self, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
            kept = tokens if attention_mask is None else tokens * attention_mask
            found: Tensor = self.layer(kept.sum(1, keepdim=True).float())
            return found

    tokens, mask = torch.randint(9, (10, 5), generator=GENERATOR), torch.ones(10, 5, dtype=torch.int64)
    mask[:, 3:] = 0
    model = Sums()
    with inspecting(model, (tokens, mask), probe=4) as inspector, torch.no_grad():
        torch.testing.assert_close(scores_of(inspector, range(4)), model(tokens[:4], mask[:4]))


class Passes(nn.Module):
    """Hands on whatever it gets."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs)


@pytest.mark.parametrize(
    "wrapped",
    [Passes, nn.DataParallel, lambda model: torch.compile(model, backend="eager"), lambda model: Passes(Passes(model))],
    ids=["own", "DataParallel", "compiled", "twice"],
)
def test_the_signature_is_that_of_the_module_within(wrapped: Callable[[nn.Module], nn.Module]) -> None:
    plain = linear()
    with inspecting(wrapped(plain), (X, X[:, :3]), probe=8) as inspector, torch.no_grad():
        torch.testing.assert_close(scores_of(inspector, range(4)), plain(X[:4]))
        assert torch.equal(inspector._session.samples.batch([3]).targets, X[3:4, :3])  # type: ignore[arg-type]


class TakesAll(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = linear()

    def forward(self, **batch: Any) -> Tensor:
        found: Tensor = self.layer(batch["x"])
        return found


def test_texts_of_a_row_are_not_given_to_a_model_that_takes_whole_rows() -> None:
    model = TakesAll()
    rows = [{"x": X[at], "text": f"row {at}", "id": at, "label": int(Y[at])} for at in range(24)]
    with inspecting(model, rows, probe=8) as inspector, torch.no_grad():
        torch.testing.assert_close(scores_of(inspector, range(4)), model(x=X[:4]))
        assert inspector._session.samples.label(4) == int(Y[4])


def test_targets_in_a_dict_leave_no_loss_and_it_is_said() -> None:
    rows = [(X[at], {"kind": int(Y[at]), "box": X[at, :2]}) for at in range(24)]
    with pytest.warns(UserWarning, match="got a dict; they are not used as classes"):
        inspector = nnw.Inspector(linear(), rows, probe=8, loss_fn=functional.cross_entropy)
    assert inspector._session.record.latest.loss is None  # type: ignore[union-attr]
    assert "loss on the probe: none, as targets are no numbers; unpack= may return a tensor for each" in inspector.notes
    inspector.close()
    with (
        inspecting(
            linear(),
            rows,
            probe=8,
            loss_fn=functional.cross_entropy,
            unpack=lambda row: ((row[0],), {}, row[1]["kind"]),
        ) as inspector,
        torch.no_grad(),
    ):
        probe = list(inspector._session.samples.probe_indices)
        expected = functional.cross_entropy(linear()(X[probe]), Y[probe])
        assert inspector._session.record.latest.loss == pytest.approx(float(expected), rel=1e-5)  # type: ignore[union-attr]
