"""When a worker that is kept off the processor says so."""

import pytest

from nnwidgets.training.budget import Budget
from nnwidgets.training.processor import WINDOW_S, Processor


def window(processor: Processor, budget: Budget, *, wall_s: float, cpu_s: float, seconds: float = WINDOW_S) -> bool:
    """Train for so long, in which a chunk took so long; whether the worker is then judged short."""
    processor.look(budget)
    budget.training_s += seconds
    budget.charge(cpu_s)
    processor.note(wall_s=wall_s, cpu_s=cpu_s)
    processor.look(budget)
    return processor.short


@pytest.mark.parametrize(
    ("wall_s", "cpu_s", "short"),
    [(8.0, 0.1, True), (0.6, 0.5, False), (8.0, 0.45, False), (0.3, 0.01, False), (0.0, 0.0, False)],
    ids=["kept off", "all spent", "kept off, yet spent", "little to do", "nothing to do"],
)
def test_a_worker_is_short_that_waits_and_cannot_spend_half(wall_s: float, cpu_s: float, short: bool) -> None:
    assert window(Processor(), Budget(0.05), wall_s=wall_s, cpu_s=cpu_s) is short


def test_it_is_judged_anew_after_each_window_and_for_each_budget() -> None:
    processor, budget = Processor(), Budget(0.05)
    assert window(processor, budget, wall_s=8.0, cpu_s=0.1)
    assert window(processor, budget, wall_s=0.0, cpu_s=0.0, seconds=WINDOW_S / 2), "the window is not over"
    assert not window(processor, budget, wall_s=0.6, cpu_s=0.5, seconds=WINDOW_S / 2)
    other = Budget(0.05)
    processor.note(wall_s=8.0, cpu_s=0.1)
    processor.look(other)
    assert not window(processor, other, wall_s=0.0, cpu_s=0.0)
