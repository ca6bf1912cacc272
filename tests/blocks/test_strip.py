"""Strips of samples: what each says, what is drawn of them."""

from typing import Any

import numpy as np
import pytest

from nnwidgets.blocks import Strip
from tests.blocks.conftest import Drawn, Sent
from tests.blocks.reading import words_of

PICTURES = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
GIVEN: dict[str, Any] = {"pictures": PICTURES, "labels": ["7", "$1$", "4"], "samples": np.array([1240, 12, 30, 31])}


def test_a_sample_is_said_with_all_that_is_known() -> None:
    strip = Strip(**GIVEN, predicted=["7", "9", "4"], values=[0.02, 3.1, 0.5], value_name="loss")

    assert strip.words(0) == "Sample 1\u202f240: label 7, predicted 7, loss 0.0200"
    assert Strip(None, [""], np.array([5])).words(0) == "Sample 5"
    assert strip.more == 1


def test_the_page_gets_pictures_words_and_all_indices(sent: Sent) -> None:
    packed = sent(Strip(**GIVEN, values=["a", "b", "c"], wrap=True, selection=True))

    assert (packed["pictures"] == PICTURES).all()
    assert packed["samples"].tolist() == [1240, 12, 30, 31]
    assert (packed["labels"], packed["values"], packed["predicted"]) == (["7", "$1$", "4"], ["a", "b", "c"], [])
    assert (packed["wrap"], packed["selection"]) == (True, True)
    assert Strip(**GIVEN).pack({})["pictures"] is PICTURES


def test_a_strip_without_pictures_sends_none(sent: Sent) -> None:
    assert "pictures" not in sent(Strip(None, ["a"], np.array([3])))


def test_only_samples_on_show_can_be_clicked() -> None:
    strip = Strip(**GIVEN)

    assert strip.where(2) == (2,)
    with pytest.raises(ValueError, match="position: expected a whole number from 0 to 2"):
        strip.where(3)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_and_words_are_drawn_and_the_rest_is_counted(drawn: Drawn, channels: int) -> None:
    pictures = PICTURES if channels == 1 else np.repeat(PICTURES[..., None], 3, axis=-1)

    axes = drawn(Strip(pictures, ["7", "$1$", "4"], GIVEN["samples"], predicted=["7", "9", "4"], title="t"))

    drawn_pictures = [np.asarray(image.get_array()) for image in axes.images]
    assert all((one == other).all() for one, other in zip(drawn_pictures, pictures, strict=True))
    assert {"t", "7 → 7", "$1$ → 9", "1\u202f240", "+1"} <= set(words_of(axes))
    weights = {text.get_text(): text.get_fontweight() for text in axes.texts}
    assert (weights["$1$ → 9"], weights["7 → 7"]) == ("bold", "normal")


def test_one_line_holds_twelve_and_a_wrapped_strip_all(drawn: Drawn) -> None:
    pictures = np.zeros((20, 2, 2), dtype=np.uint8)
    given: dict[str, Any] = {"pictures": pictures, "labels": list(map(str, range(20))), "samples": np.arange(20)}

    assert len(drawn(Strip(**given)).images) == 12
    assert "+8" in words_of(drawn(Strip(**given)))
    assert len(drawn(Strip(**given, wrap=True)).images) == 20


def test_no_samples_are_said_in_words(drawn: Drawn) -> None:
    assert words_of(drawn(Strip(None, [], np.zeros(0), empty="Nothing selected"))) == ["Nothing selected"]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"pictures": PICTURES / 255}, TypeError, "pictures: expected uint8 from 0 to 255, got float64"),
        ({"pictures": PICTURES[:2]}, ValueError, r"pictures: expected shape \(3, height, width\)"),
        ({"pictures": PICTURES[:, None]}, ValueError, r"pictures: expected shape \(3, height, width\)"),
        ({"samples": [1, 2]}, ValueError, "samples: expected at least one for each of 3 labels, got 2"),
        ({"samples": [0.5, 1, 2]}, TypeError, "samples: expected whole numbers"),
        ({"predicted": ["1"]}, ValueError, "predicted: expected 3"),
        ({"values": [1.0]}, ValueError, "values: expected 3"),
        ({"labels": "741"}, TypeError, "labels: expected a sequence of strings"),
    ],
)
def test_bad_input_is_refused_with_words(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Strip(**{**GIVEN, **change})
