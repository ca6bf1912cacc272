"""Plain words: kept as they are, wrapped in figures."""

from typing import Any

import pytest

from nnwidgets.blocks import Text
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of


def test_words_reach_page_and_figure_as_they_are(sent: Sent, drawn: Drawn) -> None:
    block = Text(["Zero is the <b>ground</b>.", "$x_1$"], "How to read.", title="Reading")

    packed = sent(block)

    assert (packed["paragraphs"], packed["lead"]) == (["Zero is the <b>ground</b>.", "$x_1$"], "How to read.")
    assert {"Reading", "How to read. Zero is the <b>ground</b>.\n$x_1$"} <= set(words_of(drawn(block)))


def test_a_long_paragraph_is_broken_into_lines_in_a_figure(drawn: Drawn) -> None:
    (words,) = words_of(drawn(Text("word " * 200)))

    assert words.count("\n") > 5
    assert max(map(len, words.split("\n"))) < 150


@pytest.mark.parametrize("paragraphs", [3, None])
def test_other_things_than_strings_are_refused(paragraphs: Any) -> None:
    with pytest.raises(TypeError, match="paragraphs: expected a sequence of strings"):
        Text(paragraphs)


def test_there_is_nothing_to_click() -> None:
    with pytest.raises(ValueError, match="expected a block with places to click"):
        Text("a").where(0)
