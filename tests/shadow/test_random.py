"""Random operations under `PrivateRandom` leave the global generator alone, repeat, and have the right mean."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from nnwidgets.shadow._random import _REWRITTEN, PrivateRandom

X = torch.ones(2000)
P = torch.full((2000,), 0.25)

OPERATIONS: dict[str, tuple[Callable[[], torch.Tensor], float]] = {  # operation, and the mean it has to have
    "rand": (lambda: torch.rand(2000), 0.5),
    "randn": (lambda: torch.randn(2000), 0.0),
    "randint": (lambda: torch.randint(5, (2000,)), 2.0),
    "randint low": (lambda: torch.randint(2, 5, (2000,)), 3.0),
    "randperm": (lambda: torch.randperm(2000), 999.5),
    "rand_like": (lambda: torch.rand_like(X), 0.5),
    "randn_like": (lambda: torch.randn_like(X), 0.0),
    "randint_like": (lambda: torch.randint_like(X, 5), 2.0),
    "randint_like low": (lambda: torch.randint_like(X, 2, 5), 3.0),
    "normal": (lambda: torch.normal(X, X), 1.0),
    "normal float": (lambda: torch.normal(3.0, 1.0, (2000,)), 3.0),
    "bernoulli": (lambda: torch.bernoulli(P), 0.25),
    "bernoulli p": (lambda: torch.bernoulli(X, 0.25), 0.25),
    "poisson": (lambda: torch.poisson(X * 3), 3.0),
    "binomial": (lambda: torch.binomial(X * 4, P), 1.0),
    "multinomial": (lambda: torch.multinomial(torch.tensor([1.0, 3.0]), 2000, replacement=True), 0.75),
    "gamma": (lambda: torch._standard_gamma(X * 2), 2.0),
    "uniform_": (lambda: torch.empty(2000).uniform_(1, 3), 2.0),
    "normal_": (lambda: torch.empty(2000).normal_(1, 1), 1.0),
    "bernoulli_": (lambda: torch.empty(2000).bernoulli_(0.25), 0.25),
    "exponential_": (lambda: torch.empty(2000).exponential_(2.0), 0.5),
    "geometric_": (lambda: torch.empty(2000).geometric_(0.5), 2.0),
    "log_normal_": (lambda: torch.empty(2000).log_normal_(0.0, 0.1), 1.005),
    "random_": (lambda: torch.empty(2000).random_(0, 5), 2.0),
    "dropout": (lambda: functional.dropout(X, 0.5, training=True), 1.0),
    "native_dropout": (lambda: torch.native_dropout(X, 0.25, True)[0], 1.0),
    "alpha_dropout": (lambda: functional.alpha_dropout(X * 0, 0.1, training=True), 0.0),
    "feature_dropout": (lambda: functional.dropout1d(X.reshape(2000, 1, 1), 0.5, training=True), 1.0),
    "rrelu": (lambda: functional.rrelu(-X, 0.2, 0.4, training=True), -0.3),
    "dirichlet": (lambda: torch._sample_dirichlet(torch.ones(1000, 2)), 0.5),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_random_operation_draws_privately_and_from_its_distribution(name: str) -> None:
    operation, mean = OPERATIONS[name]
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with PrivateRandom():
        first, more = operation(), operation()
    with PrivateRandom():
        second = operation()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, second)
    assert not torch.equal(first, more)
    spread = max(first.double().std().item(), 0.05)
    assert abs(first.double().mean().item() - mean) < 4 * spread / len(first) ** 0.5
    operation()
    assert not torch.equal(torch.get_rng_state(), before), "the operation draws at all"


@pytest.mark.parametrize("name", _REWRITTEN)
def test_what_stands_in_for_an_operation_without_a_generator_follows_the_same_distribution(name: str) -> None:
    arguments: dict[str, tuple[tuple[object, ...], float]] = {
        "aten.native_dropout.default": ((X, 0.25, True), 1.0),
        "aten.rand_like.default": ((X,), 0.5),
        "aten.randn_like.default": ((X,), 0.0),
        "aten.randint_like.default": ((X, 5), 2.0),
        "aten.randint_like.low_dtype": ((X, 2, 5), 3.0),
    }
    args, mean = arguments[name]
    result = _REWRITTEN[name](*args, generator=torch.Generator().manual_seed(0))
    values = result[0] if isinstance(result, tuple) else result
    assert abs(values.mean().item() - mean) < 4 * values.std().item() / len(X) ** 0.5


def test_dropout_keeps_what_its_mask_says() -> None:
    with PrivateRandom():
        output, kept = torch.native_dropout(X * 3, 0.25, True)
    assert torch.equal(output, torch.where(kept, X * 3 / 0.75, 0.0))


def test_a_generator_of_the_user_is_used_as_it_is() -> None:
    expected = torch.rand(3, generator=torch.Generator().manual_seed(5))
    with PrivateRandom():
        assert torch.equal(torch.rand(3, generator=torch.Generator().manual_seed(5)), expected)


@pytest.mark.cuda
def test_cuda_draws_are_private_too() -> None:
    before = torch.cuda.get_rng_state()
    with PrivateRandom():
        first = functional.dropout(torch.ones(100, device="cuda"), 0.5, training=True) + torch.rand(100, device="cuda")
    with PrivateRandom():
        second = functional.dropout(torch.ones(100, device="cuda"), 0.5, training=True) + torch.rand(100, device="cuda")
    assert torch.equal(first, second)
    assert torch.equal(torch.cuda.get_rng_state(), before)
