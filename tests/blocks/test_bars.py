"""Bars: their order, their ends, what of them is drawn."""

from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from nnwidgets.blocks import Bars
from nnwidgets.blocks.colors import DARK
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of

NAMES = ["a", "b", "c", "d"]


def places_of(values: list[float], order: str) -> list[int]:
    """A plain loop: pick the best left, again and again, NaN last."""
    left, places = list(range(len(values))), []
    while left:
        known = [each for each in left if not np.isnan(values[each])]
        best = known[0] if known else left[0]
        for each in known:
            if values[each] > values[best] if order == "descending" else values[each] < values[best]:
                best = each
        places.append(best)
        left.remove(best)
    return places


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_bars_are_ordered_by_value_with_ties_as_given_and_nan_last(order: Any) -> None:
    values = [2.0, float("nan"), 2.0, -1.0, float("inf")]

    bars = Bars(np.array(values), list("abcde"), order=order)

    assert bars.places.tolist() == places_of(values, order)


def test_a_click_names_the_bar_as_given_and_nothing_else() -> None:
    bars = Bars(np.arange(4.0), NAMES, order="descending")

    assert [bars.where(bar) for bar in range(4)] == [(0,), (1,), (2,), (3,)]
    for nonsense in (4, -1, True, "0", None, [0], 1.0):
        with pytest.raises(ValueError, match="bar: expected a whole number from 0 to 3"):
            bars.where(nonsense)


def test_the_page_gets_values_to_seven_digits_and_the_ends_of_the_axis(sent: Sent) -> None:
    values = np.array([0.123456, -1e-5, 3.0, np.nan])
    packed = sent(Bars(values, NAMES, spread=np.stack([values - 1, values + 1]), reference=5.0))

    np.testing.assert_allclose(packed["values"], values, rtol=1e-7)
    assert (packed["low"], packed["high"]) == (pytest.approx(-1.00001), 5.0)
    assert packed["places"].tolist() == [0, 1, 2, 3]


def test_an_array_that_fits_is_sent_as_the_same_object() -> None:
    values = np.arange(4.0)

    assert Bars(values, NAMES).pack({})["values"] is values


def test_bars_are_drawn_from_zero_to_their_value(drawn: Drawn) -> None:
    axes = drawn(Bars(np.array([0.5, -0.25, np.nan, 1.0]), NAMES, order="descending", title="t", unit="weight"))

    ends = [(bar.get_x(), bar.get_width()) for bar in axes.patches if isinstance(bar, Rectangle)]
    assert ends == [(0.0, 1.0), (0.0, 0.5), (0.0, -0.25), (0.0, 0.0)]
    assert {"a", "d", "0.500", "NaN", "weight", "t"} <= set(words_of(axes))


def test_intervals_and_reference_are_drawn(drawn: Drawn) -> None:
    spread = np.array([[0.0, 1.0], [2.0, 3.0]])
    axes = drawn(Bars(np.array([1.0, 2.0]), ["a", "b"], spread=spread, reference=1.5), theme=DARK)

    (whiskers,) = axes.collections
    segments = [each.tolist() for each in whiskers.get_segments()]  # type: ignore[attr-defined]
    assert segments == [[[0.0, 0.0], [2.0, 0.0]], [[1.0, 1.0], [3.0, 1.0]]]
    assert [line.get_xdata() for line in axes.lines] == [[1.5, 1.5]]


def test_a_page_shows_the_first_thousand(sent: Sent, rng: np.random.Generator) -> None:
    values = rng.random(3000)

    packed = sent(Bars(values, [str(i) for i in range(3000)], order="descending"))

    assert (values[packed["places"]] == np.sort(values)[::-1][:1000]).all()


def test_no_bars_are_said_in_words(drawn: Drawn, sent: Sent) -> None:
    block = Bars(np.zeros(0), [], empty="No classes")

    assert words_of(drawn(block)) == ["No classes"]
    assert sent(block)["values"].shape == (0,)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"names": ["a"]}, ValueError, "names: expected 4, one for each, got 1"),
        ({"names": "abcd"}, TypeError, "names: expected a sequence of strings"),
        ({"values": np.zeros((2, 2))}, ValueError, r"values: expected shape \(bars,\), got \(2, 2\)"),
        ({"values": np.array(list("abcd"))}, TypeError, "values: expected real numbers"),
        ({"values": np.zeros(4, complex)}, TypeError, "values: expected real numbers"),
        ({"spread": np.zeros((4, 2))}, ValueError, "spread: expected 2 ends"),
        ({"order": "up"}, ValueError, "order: expected one of 'given', 'ascending', 'descending', got 'up'"),
        ({"format": "%.2f"}, ValueError, "format: expected one of 'number'"),
        ({"low": 1.0, "high": 1.0}, ValueError, "low: expected a number below high"),
    ],
)
def test_bad_input_is_refused_with_words(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Bars(**{"values": np.arange(4.0), "names": NAMES, **change})
