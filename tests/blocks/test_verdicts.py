"""Findings of checks: worst first, each with reason and repair."""

from typing import Any

import pytest

from nnwidgets.blocks import Verdict, Verdicts
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of

FINDINGS = [
    Verdict("ok", "Loss falls"),
    Verdict("look", "Many dead units", figures="0.31 of 0.10", reason="A <b>third</b> is dead.", since="since step 60"),
    Verdict("wrong", "No gradient", repair="model.fc1.requires_grad_(True)", place=True),
    Verdict("ok", "Weights finite"),
    Verdict("not checked", "Loss at start", reason="Give loss_fn=."),
]


def test_the_worst_stand_first_and_equals_stay_in_order() -> None:
    verdicts = Verdicts(FINDINGS)

    assert verdicts.places == (2, 1, 4, 0, 3)
    assert verdicts.summary == "1 wrong, 1 look, 1 not checked, 2 ok"


def test_the_page_gets_all_findings_in_order_of_the_checks(sent: Sent) -> None:
    packed = sent(Verdicts(FINDINGS))

    assert [each["text"] for each in packed["findings"]] == [each.text for each in FINDINGS]
    assert packed["findings"][1] == {
        "level": "look",
        "text": "Many dead units",
        "figures": "0.31 of 0.10",
        "reason": "A <b>third</b> is dead.",
        "repair": "",
        "since": "since step 60",
        "place": False,
    }
    assert packed["places"] == [2, 1, 4, 0, 3]


def test_a_click_names_the_finding_as_given() -> None:
    assert Verdicts(FINDINGS).where(4) == (4,)
    with pytest.raises(ValueError, match="row: expected a whole number from 0 to 4"):
        Verdicts(FINDINGS).where(5)


def test_what_is_not_well_is_drawn_with_reason_and_repair_and_the_rest_counted(drawn: Drawn) -> None:
    words = words_of(drawn(Verdicts(FINDINGS, title="Checks")))

    assert {"Checks", "No gradient", "model.fc1.requires_grad_(True)", "A <b>third</b> is dead.", "2 checks ok"} <= set(
        words
    )
    assert "Many dead units · 0.31 of 0.10 · since step 60" in words
    assert "Loss falls" not in words


def test_nothing_checked_is_said(drawn: Drawn) -> None:
    assert words_of(drawn(Verdicts([]))) == ["Nothing checked yet"]


def test_bad_input_is_refused_with_words() -> None:
    bad: Any = "bad"
    with pytest.raises(ValueError, match="level: expected one of 'wrong', 'look', 'not checked', 'ok', got 'bad'"):
        Verdict(bad, "x")
    with pytest.raises(TypeError, match=r"findings: expected blocks\.Verdict objects, got str"):
        Verdicts([bad])
