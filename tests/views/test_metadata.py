"""What the user says of samples: what is taken, what is refused, and what the page gets of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from traitlets import TraitError

import nnwidgets as nnw
from nnwidgets.blocks.metadata import SHARE_STEPS
from nnwidgets.display.packing import PackedBlock
from nnwidgets.views.embedding import EmbeddingView
from tests.nets import NETS
from tests.waiting import answered, command, inspecting, shown, tell

N = 30


@pytest.fixture(name="bench")
def bench_() -> Iterator[nnw.Inspector]:
    torch.manual_seed(0)
    net = NETS["cnn"]
    with inspecting(net.build(), (net.inputs[:N], net.labels[:N]), probe=8) as inspector:
        yield inspector


def said(view: EmbeddingView) -> dict[str, dict[str, Any]]:
    """What the page gets of each column: names, ends, and the rows of arrays that are its own."""
    fields = view.layout(shown(view))[0].pack({})  # type: ignore[union-attr]
    columns: dict[str, dict[str, Any]] = {}
    for head in fields["columns"]:
        rows = {name: fields[name][head[name]] for name in ("codes", "shares") if name in head}
        columns[head["name"]] = {**head, **rows, "names": json.loads(head["names"])}
    return columns


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
    columns = said(view)
    rows = view.result.indices.numpy()
    assert columns["writer"]["names"] == ["ann"]
    assert columns["writer"]["codes"].tolist() == [0 if row % 3 else -1 for row in rows]
    assert columns["hard"]["names"] == ["no", "yes"]
    assert columns["hard"]["codes"].tolist() == [int(row % 2 == 0) for row in rows]
    assert (columns["difficulty"]["low"], columns["difficulty"]["high"]) == (-1.0, 3.0)
    expected = np.nan_to_num((difficulty.numpy()[rows] + 1) / 4 * SHARE_STEPS, nan=-1)
    np.testing.assert_allclose(columns["difficulty"]["shares"], expected, atol=0.5)
    assert "codes" not in columns["difficulty"]
    assert columns["fold"]["names"] == ["0", "1", "2", "3", "4"], "few kinds of integers are categories, too"
    np.testing.assert_allclose(columns["fold"]["shares"] / SHARE_STEPS, (rows % 5) / 4)


def inspector_points(bench: nnw.Inspector, points: int) -> tuple[int, ...]:
    return bench._session.samples.chosen(points)


@pytest.mark.parametrize("values", [np.arange(N), torch.arange(N), list(range(N)), tuple(range(N))])
def test_only_what_is_on_the_map_is_kept_and_nothing_of_the_users_is_changed(bench: nnw.Inspector, values: Any) -> None:
    before = copy.deepcopy(values)
    view = bench.embedding(points=10, metadata={"place": values})
    (column,) = view._metadata.columns
    assert column.numbers is not None
    assert column.numbers.tolist() == list(inspector_points(bench, 10))
    column.numbers[:] = -1
    assert list(values) == list(before)


def test_a_missing_value_in_a_list_is_no_value(bench: nnw.Inspector) -> None:
    names: list[str | None] = ["a", None, *["b"] * (N - 2)]
    numbers: list[float | None] = [0.5, None, *[float("inf")] * (N - 2)]
    view = bench.embedding(points=N, metadata={"name": names, "number": numbers})
    columns = said(view)
    assert columns["name"]["codes"].tolist()[:3] == [0, -1, 1]
    assert (columns["number"]["shares"] < 0).tolist() == [False, *[True] * (N - 1)]


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
    assert [name for name, _ in view.color_choices()] == [*own, "writer", "difficulty"]
    assert [name for name, _ in view.size_choices()] == ["equal", "loss", "confidence", "difficulty"]
    assert command(view, "option", {"name": "color", "value": "writer"}) is None
    assert command(view, "option", {"name": "size", "value": "difficulty"}) is None
    assert (view.color, view.size) == ("writer", "difficulty")
    assert "size: expected 'equal', " in str(command(view, "option", {"name": "size", "value": "writer"}))
    with pytest.raises(TraitError, match=r"color: expected 'class', .*, got 'colour'"):
        view.color = "colour"


def test_another_colour_computes_nothing_and_no_points_travel_for_a_click(bench: nnw.Inspector) -> None:
    view = bench.embedding(points=N, method="pca", metadata={"age": np.arange(N)})
    before = shown(view)

    def packed() -> PackedBlock:
        answered(view)
        assert view.job.laid is not None
        return view.job.laid.packed[0]

    def changed(old: PackedBlock, new: PackedBlock) -> set[str]:
        """What a page gets that has the old one."""
        every = {**old.fields, **old.arrays}
        return {name for name, value in {**new.fields, **new.arrays}.items() if every.get(name) is not value}

    last = packed()
    for changes, name, value, expected in (
        (view, "color", "age", {"color"}),
        (view, "size", "confidence", {"size"}),
        (bench.selection, "sample", 5, {"sample", "near"}),
        (bench.selection, "selected", (1, 2), {"selected"}),
    ):
        setattr(changes, name, value)
        new = packed()
        assert changed(last, new) == expected
        last = new
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
