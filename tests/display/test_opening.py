"""A dashboard opens at once: it makes one view, reads no samples for others, and loads nothing for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor

from nnwidgets.views import VIEWS
from tests.nets import NETS, cnn
from tests.waiting import DEADLINE_S, answered, eventually, inspecting

ROOT = Path(__file__).parents[2]


class Noted(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """Notes which samples are read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 96

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        self.read.append(index)
        return NETS["cnn"].inputs[index], int(NETS["cnn"].labels[index])


def test_a_dashboard_reads_no_sample_but_the_one_it_shows() -> None:
    data, probe = Noted(), [5, 6, 7, 8]
    with inspecting(cnn(), data, probe=probe) as inspector:
        before = set(data.read)
        inspector.selection.sample = 50
        dashboard = inspector.dashboard()
        dashboard.on_display()
        assert list(dashboard.views) == [next(iter(VIEWS))]
        answered(dashboard.views[dashboard.tab])
        assert set(data.read) - before == {50}
        assert dashboard.views[dashboard.tab].result.sample == 50
        dashboard._command("tab", {"tab": "embedding"})

        def read_more() -> bool:
            inspector._session.user_thread.drain()
            return len(set(data.read)) > 60

        eventually(read_more, "more samples")
        assert list(dashboard.views) == [next(iter(VIEWS)), "embedding"]


LOADS = """
import sys
import torch
import nnwidgets as nnw
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 3))
inspector = nnw.Inspector(model, (torch.randn(600, 1, 8, 8), torch.arange(600) % 3))
dashboard = inspector.dashboard()
print([name for name in ("numba", "sklearn", "scipy", "matplotlib.pyplot") if name in sys.modules])
print(len(dashboard.views))
inspector.close()
"""


def test_a_dashboard_loads_no_library_that_only_other_views_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS], cwd=ROOT, capture_output=True, text=True, timeout=2 * DEADLINE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "1"]
