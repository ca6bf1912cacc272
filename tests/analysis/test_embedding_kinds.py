"""What kinds of values an embedding takes: whatever holds real numbers gives the same map, the rest is refused."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nnwidgets.analysis import LiveTSNE, pca, trustworthiness, tsne
from tests.analysis.clouds import normal

X = normal(24, 4).float()
ARRAY = X.numpy()

MAPS: dict[str, Callable[[Any], Tensor]] = {
    "pca": lambda x: pca(x).positions,
    "tsne": lambda x: tsne(x, perplexity=5.0).positions,
    "live": lambda x: LiveTSNE(perplexity=5.0).update(x).positions,
    "trustworthiness of x": lambda x: torch.tensor(trustworthiness(x, X[:, :2], neighbours=5)),
    "trustworthiness of a map": lambda x: torch.tensor(trustworthiness(X[:, 2:], x, neighbours=5)),
}


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.setflags(write=False)
    return array


SAME: dict[str, Callable[[], Any]] = {
    "a list of lists": lambda: X.tolist(),
    "a tuple of arrays": lambda: tuple(ARRAY),
    "an array of negative strides": lambda: ARRAY[::-1, ::-1].copy()[::-1, ::-1],
    "an array in Fortran order": lambda: np.asfortranarray(ARRAY),
    "an array of objects": lambda: ARRAY.astype(object),
    "an array of the other byte order": lambda: ARRAY.astype(">f4"),
    "an array of long doubles": lambda: ARRAY.astype(np.longdouble),
    "a read-only array": lambda: read_only(ARRAY),
    "a masked array without a masked value": lambda: np.ma.masked_array(ARRAY),
    "a tensor that requires a gradient": lambda: X.clone().requires_grad_(),
    "a parameter": lambda: torch.nn.Parameter(X),
    "a view of every other row": lambda: X.repeat_interleave(2, 0)[::2],
    "a data frame": lambda: pytest.importorskip("pandas").DataFrame(ARRAY),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
@pytest.mark.parametrize("of", MAPS.values(), ids=MAPS)
def test_the_same_numbers_give_the_same_map_however_they_are_kept(of: Callable[[Any], Tensor], make: Any) -> None:
    assert torch.equal(of(make()), of(X))


WHOLE = {"bool": X > 0, "int64": (9 * X).long(), "uint8": (9 * X).abs().to(torch.uint8), "int16": (9 * X).short()}


@pytest.mark.parametrize("x", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("of", MAPS.values(), ids=MAPS)
def test_whole_numbers_and_truth_values_are_numbers(of: Callable[[Any], Tensor], x: Tensor) -> None:
    expected = of(x.double())
    assert torch.equal(of(x), expected)
    assert torch.equal(of(x.numpy()), expected)


def nested() -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a prototype
        return torch.nested.nested_tensor([X, X[1:]])


NUMBERS = "expected a tensor or array of numbers, got "
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "sparse": (X.to_sparse, TypeError, r"expected a dense tensor, got a sparse one; call `.to_dense\(\)`"),
    "nested": (
        nested,
        TypeError,
        "expected a dense tensor, got a nested one",
    ),
    "complex": (lambda: X + 1j * X, TypeError, "expected real numbers, got torch.complex64; take"),
    "complex array": (lambda: ARRAY + 1j, TypeError, NUMBERS + "an array of complex64; take"),
    "on no device": (lambda: X.to("meta"), TypeError, "expected values, got a tensor on the meta device"),
    "strings": (lambda: np.array([["a", "b"]] * 24), TypeError, NUMBERS + "an array of <U1"),
    "objects": (lambda: np.array([[{}, "b"]] * 24), TypeError, NUMBERS + "objects: .*dict"),
    "dates": (lambda: np.zeros((24, 2), "datetime64[s]"), TypeError, NUMBERS + "an array of datetime64"),
    "nothing": (lambda: None, TypeError, NUMBERS + "None"),
    "a word": (lambda: "digits", TypeError, NUMBERS + "'digits'"),
    "a set": (lambda: {1, 2}, TypeError, NUMBERS + "{1, 2}"),
    "a list of tensors": (lambda: list(X), TypeError, NUMBERS + "a list of tensors; `torch.stack`"),
    "a ragged list": (lambda: [[1.0, 2.0], [3.0]], ValueError, NUMBERS + "a list with rows of different lengths"),
    "masked": (lambda: np.ma.masked_array(ARRAY, np.eye(24, 4) > 0), ValueError, NUMBERS + "one with 4 masked"),
}


@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("of", MAPS.values(), ids=MAPS)
def test_what_holds_no_real_numbers_is_refused_by_name(
    of: Callable[[Any], Tensor], make: Any, error: type[Exception], message: str
) -> None:
    name = "positions" if of is MAPS["trustworthiness of a map"] else "x"
    with pytest.raises(error, match=f"^{name}: {message}"):
        of(make())


@pytest.mark.parametrize("dims", [2.0, np.float64(3.0), torch.tensor(2), torch.tensor([2, 3]), [2], math.nan])
def test_axes_are_a_whole_number(dims: Any) -> None:
    for make in (lambda: pca(X, dims=dims), lambda: tsne(X, dims=dims), lambda: LiveTSNE(dims=dims)):
        with pytest.raises(ValueError, match=r"^dims: expected 2 or 3, got "):
            make()
    assert pca(X, dims=np.int64(3)).positions.shape == (24, 3)  # type: ignore[arg-type]


SETTINGS: list[tuple[str, Any, type[Exception], str]] = [
    *(("perplexity", value, TypeError, "expected a number above 1") for value in ("30", None, True, [5.0], 5 + 0j)),
    ("perplexity", np.array([5.0, 6.0]), TypeError, "expected a number above 1"),
    ("perplexity", 10**400, ValueError, "expected a number above 1"),
    *(("seed", value, TypeError, "expected a whole number, got ") for value in (None, "1", 1.5, True)),
    ("seed", 2**70, ValueError, "expected one of 64 bits"),
    *(("device", value, ValueError, "expected one of this machine, such as 'cpu', got ") for value in ("gpu", "", 1.5)),
    ("device", "cuda:77", ValueError, "expected one of this machine"),
]


@pytest.mark.parametrize(("name", "value", "error", "message"), SETTINGS)
def test_settings_of_another_kind_are_refused(name: str, value: Any, error: type[Exception], message: str) -> None:
    for make in (lambda: tsne(X, **{"perplexity": 5.0, name: value}), lambda: LiveTSNE(**{name: value})):
        with pytest.raises(error, match=f"^{name}: {message}"):
            make()


@pytest.mark.parametrize("perplexity", [5, np.float32(5.0), np.int64(5)])
@pytest.mark.parametrize("seed", [0, np.int64(0)])
def test_numbers_of_any_type_are_settings(perplexity: Any, seed: Any) -> None:
    assert torch.equal(tsne(X, perplexity=perplexity, seed=seed).positions, tsne(X, perplexity=5.0).positions)


@pytest.mark.parametrize("stability", [None, ["stable"], np.array(["stable", "faithful"])])
def test_stability_is_one_of_two_words(stability: Any) -> None:
    with pytest.raises(ValueError, match=r"^stability: expected 'faithful' or 'stable', got "):
        LiveTSNE(stability=stability)


STARTS: list[tuple[Any, type[Exception], str]] = [
    ("pca", TypeError, r"expected positions \(24, 2\) or None, which starts from the PCA, got 'pca'"),
    (X[:, :2] + 0j, TypeError, "expected real numbers"),
    (X[:, :2].to_sparse(), TypeError, "expected a dense tensor"),
    (3.0, ValueError, r"expected finite positions \(24, 2\), got shape \(\)"),
    ([[1.0], [2.0, 3.0]], ValueError, "expected .* rows of different lengths"),
    (X[:, :2] / 0, ValueError, r"expected finite positions \(24, 2\), got 48 values that are NaN or infinite"),
]


@pytest.mark.parametrize(("init", "error", "message"), STARTS)
def test_a_start_of_another_kind_is_refused(init: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^init: {message}"):
        tsne(X, perplexity=5.0, init=init)


def test_a_start_is_any_array_of_any_size() -> None:
    start = X[:, :2].double()
    expected = tsne(X, perplexity=5.0, init=start).positions
    inits: list[Any] = [
        start.tolist(),
        start.numpy()[::-1].copy()[::-1],
        start.clone().requires_grad_(),
        start * 2.0**1000,
    ]
    for init in inits:
        assert torch.equal(tsne(X, perplexity=5.0, init=init).positions, expected)


NAMES: list[tuple[Any, type[Exception], str]] = [
    (5, TypeError, "expected one hashable name a row, got int"),
    ([[1]] * 24, TypeError, "expected one hashable name a row, got list: unhashable"),
    (torch.arange(48).reshape(24, 2), TypeError, "expected one hashable name a row, got Tensor: unhashable"),
    (torch.tensor(3), TypeError, "expected one hashable name a row, got Tensor"),
    (torch.arange(24).to_sparse(), TypeError, "expected a dense tensor"),
    (set(range(24)), TypeError, "expected one name a row, in their order, got a set"),
    ([torch.tensor(1)] * 24, ValueError, "expected distinct names, got 23 repeated"),
    (range(23), ValueError, "expected one for each of the 24 rows, got 23"),
]


@pytest.mark.parametrize(("ids", "error", "message"), NAMES)
def test_names_of_another_kind_are_refused_and_the_last_map_stays(
    ids: Any, error: type[Exception], message: str
) -> None:
    live, undisturbed = LiveTSNE(perplexity=5.0), LiveTSNE(perplexity=5.0)
    for each in (live, undisturbed):
        each.update(X)
    with pytest.raises(error, match=f"^ids: {message}"):
        live.update(X, ids=ids)
    assert torch.equal(live.update(X).positions, undisturbed.update(X).positions)


def test_tensors_name_rows_by_their_values() -> None:
    live = LiveTSNE(perplexity=5.0)
    live.update(X, ids=[torch.tensor(row) for row in range(24)])
    assert live.update(X, ids=[torch.tensor(row) for row in range(24)]).iterations <= 150, "a restart, not a new map"


@pytest.mark.parametrize("neighbours", [5.0, "5", None, True, torch.tensor(5)])
def test_trustworthiness_counts_whole_neighbours(neighbours: Any) -> None:
    with pytest.raises(TypeError, match=r"^neighbours: expected a whole number, got "):
        trustworthiness(X, X[:, :2], neighbours=neighbours)
