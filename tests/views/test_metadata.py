"""What the user says of samples: what is taken, what is refused, and what the page gets of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from traitlets import TraitError

import nnwidgets as nnw
from nnwidgets.views._publisher import FrameSource
from nnwidgets.views._wire import encode
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.waiting import command, inspecting, shown, tell

N = 30


@pytest.fixture(name="bench")
def bench_() -> Iterator[nnw.Inspector]:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:N], net.labels[:N]), probe=8) as inspector:
        yield inspector


def sent(view: EmbeddingView) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """The columns by name and the arrays that the page gets."""
    made = view._metadata_frame()
    content, _ = encode(made)
    header = {column["name"]: column for column in content["header"]["columns"]}
    return header, {name: np.asarray(array) for name, array in made.arrays.items()}


def test_texts_and_booleans_are_categories_and_numbers_a_scale(bench: nnw.Inspector) -> None:
    writers = ["ann" if index % 3 else "" for index in range(N)]
    difficulty = torch.linspace(-1.0, 3.0, N, dtype=torch.float64)
    difficulty[4] = torch.nan
    view = bench.embedding(
        points=N,
        metadata={
            "writer": writers,
            "hard": np.arange(N) % 2 == 0,
            "difficulty": difficulty,
            "fold": torch.arange(N) % 5,
        },
    )
    columns, arrays = sent(view)
    rows = view._points.indices.numpy()
    assert columns["writer"]["names"] == ["ann"]
    assert arrays["codes_0"].tolist() == [0 if row % 3 else -1 for row in rows]
    assert columns["hard"]["names"] == ["no", "yes"]
    assert arrays["codes_1"].tolist() == [int(row % 2 == 0) for row in rows]
    assert (columns["difficulty"]["low"], columns["difficulty"]["high"]) == (-1.0, 3.0)
    expected = (difficulty.numpy()[rows] + 1) / 4
    np.testing.assert_allclose(arrays["shares_2"], expected)
    assert "names" not in columns["difficulty"]
    assert columns["fold"]["names"] == ["0", "1", "2", "3", "4"], "few kinds of integers are categories, too"
    np.testing.assert_allclose(arrays["shares_3"], (rows % 5) / 4)


@pytest.mark.parametrize("values", [np.arange(N), torch.arange(N), list(range(N)), tuple(range(N))])
def test_only_what_is_on_the_map_is_kept_and_nothing_of_the_users_is_changed(bench: nnw.Inspector, values: Any) -> None:
    before = copy.deepcopy(values)
    view = bench.embedding(points=10, metadata={"place": values})
    (column,) = view._points.columns
    assert column.numbers is not None
    assert column.numbers.tolist() == view._points.indices.tolist()
    column.numbers[:] = -1
    assert list(values) == list(before)


def test_a_missing_value_in_a_list_is_no_value(bench: nnw.Inspector) -> None:
    names: list[str | None] = ["a", None, *["b"] * (N - 2)]
    numbers: list[float | None] = [0.5, None, *[float("inf")] * (N - 2)]
    view = bench.embedding(points=N, metadata={"name": names, "number": numbers})
    _, arrays = sent(view)
    assert arrays["codes_0"].tolist()[:3] == [0, -1, 1]
    assert np.isnan(arrays["shares_1"]).tolist() == [False, *[True] * (N - 1)]


@pytest.mark.parametrize(
    ("metadata", "error", "words"),
    [
        ([1] * N, TypeError, "metadata: expected a mapping from names to values, got list"),
        ({3: [1] * N}, TypeError, "metadata: expected names that are strings, got 3"),
        ({" ": [1] * N}, ValueError, "metadata: expected names with at least one letter, got ' '"),
        ({"loss": [1] * N}, ValueError, "got 'loss'"),
        (
            {"a": [1] * 7},
            ValueError,
            r"metadata: expected shape \(30,\) for 'a', one value for each sample, got \(7,\)",
        ),
        ({"a": torch.zeros(N, 2)}, ValueError, r"got \(30, 2\)"),
        ({"a": np.float32(1)}, TypeError, "one for each sample, got float32"),
        ({"a": "x" * N}, TypeError, "one for each sample, got str"),
        ({"a": 5}, TypeError, "one for each sample, got int"),
        ({"a": [[1]] * N}, TypeError, "numbers, strings or booleans for 'a', got list"),
        ({"a": ["x", 1] * (N // 2)}, TypeError, "got int, str"),
        ({"a": torch.zeros(N, dtype=torch.complex64)}, TypeError, "got complex64"),
        ({"a": np.zeros(N, dtype="datetime64[s]")}, TypeError, "got datetime64"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_was_expected(
    bench: nnw.Inspector, metadata: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        bench.embedding(points=10, metadata=metadata)


def test_colour_and_size_can_be_chosen_among_what_there_is(bench: nnw.Inspector) -> None:
    texts = [f"{index:02d}" for index in range(N)]
    view = bench.embedding(points=N, metadata={"writer": texts, "difficulty": torch.rand(N)})
    own = ["class", "prediction", "correctness", "loss", "confidence"]
    assert [name for name, _ in view.choices("color")] == [*own, "writer", "difficulty"]
    assert [name for name, _ in view.choices("size")] == ["equal", "loss", "confidence", "difficulty"]
    assert command(view, "option", {"name": "color", "value": "writer"}) is None
    assert command(view, "option", {"name": "size", "value": "difficulty"}) is None
    assert (view.color, view.size) == ("writer", "difficulty")
    assert "size: expected one of" in str(command(view, "option", {"name": "size", "value": "writer"}))
    with pytest.raises(TraitError, match=r"color: expected one of class, .*, got 'colour'"):
        view.color = "colour"


def test_another_colour_computes_nothing_and_sends_no_points(
    bench: nnw.Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = bench.embedding(points=N, method="pca")
    before = shown(view)
    posted: list[str] = []

    def note(_source: FrameSource, *, channel: str = "picture") -> None:
        posted.append(channel)

    monkeypatch.setattr(view.panel, "post", note)
    view.color = "loss"
    view.size = "confidence"
    assert posted == ["state", "state"]
    bench.selection.update(sample=5)
    bench.selection.update(selected=(1, 2))
    assert posted[-1] == "selection"
    assert "picture" not in posted
    assert shown(view) is before


def test_the_card_of_a_sample_says_its_values(bench: nnw.Inspector) -> None:
    view = bench.embedding(
        points=N, method="pca", metadata={"writer": ["ann", *[""] * (N - 1)], "age": np.arange(N) + 0.25}
    )
    shown(view)
    reply = tell(view.panel, {"kind": "command", "request": 1, "name": "card", "value": {"index": 0}})[0]
    assert reply["header"]["lines"][-2:] == [["writer", "ann"], ["age", "0.250"]]
    reply = tell(view.panel, {"kind": "command", "request": 1, "name": "card", "value": {"index": 3}})[0]
    assert reply["header"]["lines"][-1:] == [["age", "3.25"]]
    assert "writer" not in dict(reply["header"]["lines"])


def test_all_selected_samples_reach_the_page_and_the_strip_holds_the_worst(bench: nnw.Inspector) -> None:
    view = bench.embedding(points=20, method="pca")
    result = shown(view)
    bench.selection.update(selected=range(N))
    made = view._selection_frame()
    assert made is not None
    assert made.channel == "selection"
    assert np.asarray(made.arrays["selected"]).tolist() == list(range(N))
    worst = result.indices[result.loss.argsort(descending=True)][:12].tolist()
    assert [entry["index"] for entry in made.header["strip"]] == worst
    assert len(made.arrays["strip"]) == 12
    assert "selected" not in made.header["selection"], "it may be all samples, and every view sends this header"


def test_numbers_reach_the_page_to_24_bits_and_not_to_the_11_of_pictures(bench: nnw.Inspector) -> None:
    times = 1_700_000_000 + torch.arange(N) * 3_607
    view = bench.embedding(points=N, metadata={"time": times})
    content, buffers = encode(view._metadata_frame())
    spec = next(each for each in content["arrays"] if each["name"] == "shares_0")
    shares = np.frombuffer(buffers[content["arrays"].index(spec)], dtype=spec["dtype"]).astype(np.float64)
    column = content["header"]["columns"][0]
    found = column["low"] + shares * (column["high"] - column["low"])
    assert found.round().astype(int).tolist() == times[view._points.indices].tolist()
