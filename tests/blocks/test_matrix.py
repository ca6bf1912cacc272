"""Matrices: shares and scales against plain loops, what a cell says, what is drawn."""

from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from nnwidgets.blocks import Matrix
from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of

NAMES = ["cat", "$dog$", "ant"]


@pytest.fixture
def counts(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    matrix = rng.integers(0, 50, size=(3, 3)) + 900 * np.eye(3, dtype=np.int64)
    matrix[2] = 0
    return matrix


@pytest.mark.parametrize("shares", ["row", "column"])
def test_shares_agree_with_a_plain_loop_and_those_of_nothing_are_nothing(counts: Any, shares: Any) -> None:
    colored = Matrix(counts, NAMES, NAMES, shares=shares).colored

    for row in range(3):
        for column in range(3):
            line = counts[row] if shares == "row" else counts[:, column]
            expected = counts[row, column] / sum(line.tolist()) if sum(line.tolist()) else 0.0
            assert colored[row, column] == pytest.approx(expected)


def test_the_scale_leaves_the_diagonal_out_where_it_is_what_one_expects(counts: Any) -> None:
    with_diagonal = Matrix(counts, NAMES, NAMES)
    without = Matrix(counts, NAMES, NAMES, diagonal=False)

    off = [counts[i, j] for i in range(3) for j in range(3) if i != j]
    assert (with_diagonal.diagonal, with_diagonal.scale.high) == (True, max(off))
    assert without.scale.high == counts.max()
    assert not Matrix(counts, NAMES, ["a", "b", "c"]).diagonal


def test_signed_values_have_a_symmetric_scale(sent: Sent) -> None:
    packed = sent(Matrix(np.array([[0.5, -0.8]]), ["a"], ["b", "c"], unit="correlation"))

    assert (packed["low"], packed["high"]) == (-0.8, 0.8)
    assert sent(Matrix(np.array([[0.5, 0.8]]), ["a"], ["b", "c"], signed=True))["low"] == -0.8


def test_a_cell_is_said_with_its_share() -> None:
    names: dict[str, Any] = {"row_title": "label", "column_title": "predicted"}
    matrix = Matrix(np.array([[2, 498], [3, 0]]), NAMES[:2], NAMES[:2], shares="row", **names)

    assert matrix.words(0, 1) == "label cat, predicted $dog$ · 498 of 500 (100\u202f%)"
    assert matrix.words(0, 0) == "label cat, predicted cat · 2 of 500 (0.4\u202f%)"
    assert Matrix(np.array([[0.5]]), ["a"], ["b"], unit="correlation").words(0, 0) == "a, b · 0.500 correlation"


@pytest.mark.parametrize(
    ("largest", "dtype"), [(200, "uint8"), (30_000, "int16"), (60_000, "uint16"), (70_000, "int32")]
)
def test_counts_travel_in_as_few_bytes_as_they_need(largest: int, dtype: str, sent: Sent) -> None:
    matrix = Matrix(np.array([[largest, 0]]), ["a"], ["b", "c"])

    assert matrix.format == "count"
    assert sent(matrix)["values"].tolist() == [[largest, 0]]
    assert np.asarray(matrix.pack({})["values"]).dtype.name in (dtype, "int64")


def test_a_click_names_row_and_column(counts: Any) -> None:
    matrix = Matrix(counts[:2], NAMES[:2], NAMES)

    assert matrix.where([1, 2]) == (1, 2)
    for nonsense in ([2, 0], [0, 3], [-1, 0], [0.0, 1], 1, None, "12", [0, 1, 2]):
        with pytest.raises(ValueError, match="expected"):
            matrix.where(nonsense)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_cells_are_drawn_with_colours_numbers_and_names(counts: Any, drawn: Drawn, theme: Theme) -> None:
    matrix = Matrix(counts, NAMES, NAMES, shares="row", row_title="label", title="t")

    axes = drawn(matrix, theme=theme)

    shown = np.asarray(axes.images[0].get_array())
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(shown[off], matrix.colored[off])
    assert (shown[~off] == 0).all()
    assert axes.images[0].get_clim() == (0.0, matrix.scale.high)
    assert {"t", "label", "cat", "$dog$", "share of row", str(counts[0, 1])} <= set(words_of(axes))
    assert sum(isinstance(patch, Rectangle) and not patch.get_fill() for patch in axes.patches) == 3


def test_what_is_not_a_number_is_hatched(drawn: Drawn) -> None:
    axes = drawn(Matrix(np.array([[1.0, np.nan], [np.inf, 0.0]]), ["a", "b"], ["c", "d"]))

    assert any(patch.get_hatch() for patch in axes.patches)
    assert "NaN" in words_of(axes)


def test_a_large_matrix_has_colours_and_some_names_but_no_numbers(drawn: Drawn) -> None:
    names = [f"class {i} of many with a long name" for i in range(200)]

    words = words_of(drawn(Matrix(np.eye(200, dtype=int), names, names)))

    assert len(words) < 100
    assert any("…" in word for word in words)


def test_an_empty_matrix_says_so(drawn: Drawn, sent: Sent) -> None:
    matrix = Matrix(np.zeros((0, 0)), [], [], empty="No samples yet")

    assert words_of(drawn(matrix)) == ["No samples yet"]
    assert sent(matrix)["values"].shape == (0, 0)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"values": np.zeros(3)}, ValueError, r"values: expected shape \(rows, columns\), got \(3,\)"),
        ({"rows": ["a"]}, ValueError, "rows: expected 2, one for each, got 1"),
        ({"columns": ["a"]}, ValueError, "columns: expected 3"),
        ({"diagonal": True}, ValueError, r"diagonal: expected a square matrix, got shape \(2, 3\)"),
        ({"shares": "all"}, ValueError, "shares: expected one of 'row', 'column'"),
        ({"values": -np.ones((2, 3)), "shares": "row"}, ValueError, "shares: expected values of at least 0"),
        ({"format": "x"}, ValueError, "format: expected one of"),
    ],
)
def test_bad_input_is_refused_with_words(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Matrix(**{"values": np.zeros((2, 3)), "rows": NAMES[:2], "columns": NAMES, **change})
