"""Tables: what a cell says, how rows are sorted, what of a large one is sent."""

from typing import Any

import numpy as np
import pytest

from nnwidgets.blocks import Table
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of

COLUMNS: dict[str, Any] = {
    "class": ["cat", "$dog$", "ant"],
    "F1": np.array([0.5, np.nan, 0.912345678]),
    "n": np.array([1240, 7, 7]),
    "ok": np.array([True, False, True]),
}


def test_cells_are_written_by_their_column() -> None:
    table = Table(COLUMNS, formats={"F1": "share"})

    assert {name: table.texts(name) for name in COLUMNS} == {
        "class": ["cat", "$dog$", "ant"],
        "F1": ["0.50", "NaN", "0.91"],
        "n": ["1\u202f240", "7", "7"],
        "ok": ["yes", "no", "yes"],
    }


@pytest.mark.parametrize(
    ("sort", "descending", "order"),
    [
        (None, True, [0, 1, 2]),
        ("F1", True, [2, 0, 1]),
        ("F1", False, [0, 2, 1]),
        ("n", True, [0, 1, 2]),
        ("n", False, [1, 2, 0]),
        ("class", False, [1, 2, 0]),
        ("class", True, [0, 2, 1]),
    ],
)
def test_rows_are_sorted_with_ties_as_given_and_nan_last(sort: str | None, descending: bool, order: list[int]) -> None:
    assert Table(COLUMNS, sort=sort, descending=descending).order.tolist() == order


def test_the_page_gets_numbers_to_seven_digits_in_the_order_of_the_sort(sent: Sent) -> None:
    packed = sent(Table(COLUMNS, samples=np.array([100, 200, 300]), sort="F1", formats={"F1": "share"}))

    numbers = np.array([[0.912345678, 0.5, np.nan], [7, 1240, 7]])
    np.testing.assert_allclose(packed["numbers"], numbers, rtol=1e-7)
    assert packed["rows"].tolist() == [2, 0, 1]
    assert packed["samples"].tolist() == [300, 100, 200]
    assert packed["columns"] == [
        {"name": "class", "format": "text", "texts": ["ant", "cat", "$dog$"]},
        {"name": "F1", "format": "share", "number": 0},
        {"name": "n", "format": "count", "number": 1},
        {"name": "ok", "format": "text", "texts": ["yes", "yes", "no"]},
    ]


def test_of_a_large_table_the_first_thousand_rows_are_sent(rng: np.random.Generator, sent: Sent) -> None:
    losses = rng.random(5000)

    packed = sent(Table({"loss": losses}, sort="loss"))

    assert packed["total"] == 5000
    np.testing.assert_allclose(packed["numbers"][0], np.sort(losses)[::-1][:1000], rtol=1e-6)
    assert (losses[packed["rows"]] == np.sort(losses)[::-1][:1000]).all()


def test_a_click_may_name_any_row_as_given() -> None:
    table = Table({"n": np.arange(5000)}, sort="n")

    assert table.where(4999) == (4999,)
    for nonsense in (5000, -1, "1", None, 2.0, True):
        with pytest.raises(ValueError, match="row: expected a whole number from 0 to 4999"):
            table.where(nonsense)


def test_the_first_rows_are_drawn_and_the_rest_is_counted(drawn: Drawn) -> None:
    words = words_of(drawn(Table({"n": np.arange(100), "name": [f"row {i}" for i in range(100)]}, sort="n", title="t")))

    assert {"t", "n", "name", "99", "row 99", "70", "first 30 of 100"} <= set(words)
    assert "69" not in words


def test_a_table_without_rows_says_so(drawn: Drawn, sent: Sent) -> None:
    for table in (Table({}, empty="No classes"), Table({"n": []}, empty="No classes")):
        assert words_of(drawn(table)) == ["No classes"]
        assert sent(table)["total"] == 0


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"columns": [[1], [2]]}, TypeError, "columns: expected values by name"),
        ({"columns": {"a": [1], "b": [1, 2]}}, ValueError, "columns: expected one length, got a 1, b 2"),
        ({"columns": {"a": "abc"}}, TypeError, r"columns\['a'\]: expected a sequence"),
        ({"columns": {"a": [[1], [2]]}}, ValueError, r"columns\['a'\]: expected shape \(rows,\), got \(2, 1\)"),
        ({"columns": {"a": [1]}, "sort": "b"}, KeyError, "sort: expected one of 'a', got 'b'"),
        ({"columns": {"a": [1]}, "formats": {"b": "loss"}}, KeyError, "formats: expected one of 'a'"),
        ({"columns": {"a": [1]}, "formats": {"a": "euro"}}, ValueError, "expected one of 'number'"),
        ({"columns": {"a": [1]}, "samples": [1, 2]}, ValueError, "samples: expected 1 rows"),
    ],
)
def test_bad_input_is_refused_with_words(given: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Table(**given)
