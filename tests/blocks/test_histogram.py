"""Histograms and ridges: counts against plain loops, who is in a bin, what is drawn."""

from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from nnwidgets.blocks import Histogram, Mark, Ridges
from nnwidgets.blocks.colors import DARK, LIGHT, Theme
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of


def bin_in(value: float, edges: list[float]) -> int | None:
    """A plain loop over the bins; the last one holds its upper edge."""
    for bin in range(len(edges) - 1):
        last = bin == len(edges) - 2
        if edges[bin] <= value < edges[bin + 1] or (last and value == edges[-1]):
            return bin
    return None


@pytest.fixture
def values(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    drawn = rng.normal(size=500).round(1)
    drawn[::50] = np.nan
    drawn[7] = np.inf
    return drawn


@pytest.mark.parametrize("range", [None, (-1.0, 1.0)])
def test_counts_and_members_agree_with_a_plain_loop(values: Any, range: tuple[float, float] | None) -> None:
    members = np.arange(1000, 1500)
    histogram = Histogram(values, bins=20, range=range, members=members)

    edges = histogram.edges.tolist()
    bins = [bin_in(value, edges) for value in values.tolist()]
    for bin in np.arange(20).tolist():
        rows = [row for row, each in enumerate(bins) if each == bin]
        assert histogram.rows_in(bin).tolist() == rows
        assert histogram.members_in(bin).tolist() == members[rows].tolist()
        assert histogram.counts[0, bin] == len(rows)
    assert histogram.missing == 11
    assert histogram.outside == 500 - 11 - int(histogram.counts.sum())


def test_counts_agree_with_numpy(values: Any) -> None:
    counts, edges = np.histogram(values[np.isfinite(values)], bins=13)

    histogram = Histogram(values, bins=13)

    assert histogram.counts.tolist() == [counts.tolist()]
    np.testing.assert_allclose(histogram.edges, edges)


def test_groups_are_counted_apart(values: Any, rng: np.random.Generator) -> None:
    groups = rng.integers(0, 3, size=500)

    both = Histogram(values, bins=9, groups=groups, names=["a", "b", "c"])

    edges = both.edges.tolist()
    for group in (0, 1, 2):
        alone = [bin_in(value, edges) for value in values[groups == group].tolist()]
        assert both.counts[group].tolist() == [alone.count(bin) for bin in range(9)]
    assert (both.counts.sum(0) == Histogram(values, bins=9).counts[0]).all()


@pytest.mark.parametrize("value", [0.0, -3.5, 1e30])
def test_a_single_value_has_a_bin_round_it(value: float) -> None:
    histogram = Histogram(np.array([value, value]), bins=3, range=None if abs(value) < 1e20 else (0.0, 2e30))

    assert histogram.counts.sum() == 2


def test_the_page_gets_counts_edges_and_marks(values: Any, sent: Sent) -> None:
    histogram = Histogram(values, bins=5, unit="loss", marks=[(0.5, "threshold"), Mark(1.0, "last")], log=True)

    packed = sent(histogram)

    assert packed["counts"].tolist() == histogram.counts.tolist()
    np.testing.assert_allclose(packed["edges"], histogram.edges, rtol=1e-6)
    assert packed["marks"] == [{"value": 0.5, "text": "threshold"}, {"value": 1.0, "text": "last"}]
    assert (packed["missing"], packed["log"], packed["unit"]) == (11, True, "loss")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_bars_are_drawn_at_their_edges_with_their_counts(values: Any, drawn: Drawn, theme: Theme) -> None:
    histogram = Histogram(values, bins=4, unit="loss", marks=[(0.0, "$zero$")], title="t")

    axes = drawn(histogram, theme=theme)

    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar.get_height() for bar in bars] == histogram.counts[0].tolist()
    np.testing.assert_allclose([bar.get_x() for bar in bars], histogram.edges[:-1])
    assert {"t", "$zero$", "loss\n11 values not finite"} <= set(words_of(axes))


def test_groups_are_drawn_on_top_of_each_other(drawn: Drawn) -> None:
    axes = drawn(Histogram(np.array([0.0, 0.0, 1.0]), bins=2, groups=np.array([0, 1, 1]), names=["$a$", "b"]))

    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [(bar.get_y(), bar.get_height()) for bar in bars] == [(0, 1), (0, 0), (1, 1), (0, 1)]
    assert {"$a$", "b"} <= set(words_of(axes))


def test_given_counts_are_taken_as_they_are(sent: Sent) -> None:
    histogram = Histogram(counts=np.array([3, 0, 4]), edges=np.array([0.0, 1.0, 10.0, 11.0]))

    assert sent(histogram)["counts"].tolist() == [[3, 0, 4]]
    assert histogram.where(2) == (2,)
    with pytest.raises(ValueError, match="bin: expected a whole number from 0 to 2"):
        histogram.where(3)


def test_nothing_to_count_is_said_in_words(drawn: Drawn) -> None:
    assert words_of(drawn(Histogram(empty="No samples yet"))) == ["No samples yet"]
    assert words_of(drawn(Histogram(np.array([np.nan, np.inf])))) == ["2 values not finite"]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"values": [[1.0]]}, ValueError, r"values: expected shape \(n,\)"),
        ({"values": [1.0], "bins": 0}, ValueError, "bins: expected 1 to 1000, got 0"),
        ({"values": [1.0], "bins": [0, 1]}, TypeError, "bins: expected a whole number"),
        ({"values": [1.0], "range": (1, 0)}, ValueError, "range: expected a lower and a higher end"),
        ({"values": [1.0], "members": [1, 2]}, ValueError, "members: expected 1 n"),
        ({"values": [1.0], "members": [0.5]}, TypeError, "members: expected whole numbers"),
        ({"values": [1.0], "groups": [2], "names": ["a", "b"]}, ValueError, "groups: expected places in names, 0 to 1"),
        ({"values": [1.0], "counts": [1], "edges": [0, 1]}, ValueError, "expected either values or counts"),
        ({"counts": [1, 2], "edges": [0, 1]}, ValueError, "edges: expected 3 bins"),
        ({"counts": [1, 2], "edges": [0, 1, 1]}, ValueError, "edges: expected finite numbers that rise"),
        ({"counts": [[1], [2]], "edges": [0, 1]}, ValueError, "names: expected one for each of 2 groups"),
        ({"counts": [0.5], "edges": [0, 1]}, TypeError, "counts: expected whole numbers"),
    ],
)
def test_bad_input_is_refused_with_words(given: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Histogram(**given)


def test_ridges_count_all_rows_in_common_bins(rng: np.random.Generator, sent: Sent) -> None:
    rows = {"0": rng.normal(size=50), "100": np.append(rng.normal(2, 1, size=30), np.nan)}

    ridges = Ridges.of(rows, bins=7, unit="weight", row_title="step")

    edges = ridges.edges.tolist()
    for counts, values in zip(ridges.counts.tolist(), rows.values(), strict=True):
        bins = [bin_in(value, edges) for value in values.tolist()]
        assert counts == [bins.count(bin) for bin in range(7)]
    packed = sent(ridges)
    assert (packed["missing"], packed["names"], packed["row_title"]) == (1, ["0", "100"], "step")
    assert packed["counts"].tolist() == ridges.counts.tolist()


def test_ridges_name_row_and_bin_of_a_click() -> None:
    ridges = Ridges.of({"a": [0.0, 1.0], "b": [1.0]}, bins=2)

    assert ridges.where([1, 0]) == (1, 0)
    for nonsense in ([2, 0], [0, 2], [0], 0, "01", None):
        with pytest.raises(ValueError, match="expected"):
            ridges.where(nonsense)


@pytest.mark.parametrize(("together", "reach"), [(False, [1.6, 1.6]), (True, [0.4, 1.6])])
def test_ridges_are_drawn_on_their_own_or_on_one_scale(drawn: Drawn, together: bool, reach: list[float]) -> None:
    ridges = Ridges(np.array([[0, 5], [20, 0]]), np.arange(3.0), ["a", "b"], together=together, highlight=0)

    axes = drawn(ridges)

    tops = [row - np.min(line.get_ydata()) for row, line in enumerate(axes.lines)]
    np.testing.assert_allclose(tops, reach)
    assert axes.lines[0].get_color() == LIGHT.brand
    assert {"a", "b"} <= set(words_of(axes))


def test_ridges_without_rows_say_so(drawn: Drawn) -> None:
    ridges = Ridges.of({}, bins=3, empty="No steps yet")

    assert ridges.counts.shape == (0, 3)
    assert words_of(drawn(ridges)) == ["No steps yet"]
