"""A process in which every warning is an error, as some users' test runs are: nothing of ours may warn there."""

import subprocess
import sys

LOOK = """
import torch
import nnwidgets as nnw

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(256, 3))
pictures, labels = torch.randn(40, 1, 10, 10), torch.arange(40) % 3
inspector = nnw.Inspector(model, (pictures, labels))
views = [inspector.activations(), inspector.filters(), inspector.embedding(method="pca"), inspector.occlusion()]
dashboard = inspector.dashboard()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
with inspector.watch():
    for _ in range(20):
        torch.nn.functional.cross_entropy(model(pictures), labels).backward()
        optimizer.step()
for view in views:
    view.wait().figure()
    assert view.failure is None, view.failure
dashboard.figure()
print("shown", len(views))
"""


def test_views_show_where_warnings_are_errors() -> None:
    run = subprocess.run([sys.executable, "-W", "error", "-c", LOOK], capture_output=True, text=True, timeout=240)
    assert run.stdout.split() == ["shown", "4"], run.stderr[-2000:]
