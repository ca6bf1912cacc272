import pytest

from nnwidgets.training.history import History


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100, 1_000])
def test_the_first_and_the_newest_item_are_always_kept(count: int) -> None:
    history = History[int](max_items=8)
    for step in range(count):
        history.append(step, step)
    assert history.steps[0] == 0
    assert history.steps[-1] == count - 1
    assert len(history) <= 8
    assert len(history) + history.dropped == count


def test_what_is_kept_is_evenly_spaced() -> None:
    history = History[int](max_items=10)
    for step in range(1_000):
        history.append(step, step)
    gaps = {later - earlier for earlier, later in zip(history.steps[:-2], history.steps[1:-1], strict=True)}
    assert len(gaps) == 1
    assert len(history) >= 5
    assert 0 < history.steps[-1] - history.steps[-2] <= gaps.pop()


def test_the_bound_in_bytes_holds_at_every_moment() -> None:
    history = History[str](max_items=100, max_bytes=50)
    for step in range(200):
        history.append(step, "x", nbytes=step % 13)
        assert history.nbytes <= 50
        assert history.nbytes == sum(entry.nbytes for entry in history.entries)


def test_the_newest_stays_even_when_it_is_too_big_alone() -> None:
    history = History[str](max_items=100, max_bytes=10)
    history.append(0, "small", nbytes=4)
    history.append(1, "huge", nbytes=1_000)
    assert list(history.items) == ["huge"]
    history.append(2, "small again", nbytes=4)
    assert history.items[-1] == "small again"
    assert history.nbytes <= 10


def test_few_items_are_kept_as_they_came() -> None:
    history = History[str](max_items=4)
    for step, item in [(3, "a"), (5, "b"), (6, "c")]:
        history.append(step, item)
    assert history.steps == (3, 5, 6)
    assert history.items == ("a", "b", "c")
    assert history.dropped == 0


@pytest.mark.parametrize(("items", "size"), [(1, None), (0, None), (5, -1)])
def test_bounds_that_can_keep_nothing_are_refused(items: int, size: int | None) -> None:
    with pytest.raises(ValueError, match="expected at least"):
        History[int](max_items=items, max_bytes=size)


def test_a_later_item_of_the_same_step_takes_the_place_of_the_earlier() -> None:
    history = History[str](max_items=4)
    for step in (0, 0, 1, 2, 2, 2):
        history.append(step, f"{step}: {len(history)}", nbytes=len(history) + 1)
    assert history.steps == (0, 1, 2)
    assert history.items == ("0: 1", "1: 1", "2: 3")
    assert (history.dropped, history.nbytes) == (0, 2 + 2 + 4)
