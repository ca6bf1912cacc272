"""Following a training on a GPU, where steps are started long before they are done. None of it runs without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nnwidgets as nnw
from nnwidgets.shadow import Shadow
from nnwidgets.training.budget import Budget
from nnwidgets.training.extras import Extra
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.watch import Watch
from nnwidgets.training.worker import Snapshot, Worker
from tests.training.toys import Bench, Look, eventually, flush, loss_of, mlp, train

pytestmark = [pytest.mark.cuda, pytest.mark.alone]
MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))
CYCLES = 20_000_000  # about 10 ms of a GPU


def second_gpu() -> torch.device:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    return torch.device("cuda", 1)


class Stamped(nn.Module):
    """100 MB whose first and last numbers carry the step; each step writes one half long after the other."""

    def __init__(self, devices: list[torch.device]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(
            nn.Parameter(torch.zeros(1_250_000, device=devices[at * len(devices) // 20])) for at in range(20)
        )


class Stamp(torch.optim.Optimizer):
    """Writes one half of the weights long after the other, on a GPU that is behind by many steps."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        weights = [weight for group in self.param_groups for weight in group["params"]]
        with torch.no_grad():
            for at, weight in enumerate(weights):
                if at == len(weights) // 2:
                    torch.cuda._sleep(CYCLES // 10)
                weight.add_(1)


def numbers(tensors: Mapping[str, Tensor]) -> set[float]:
    """Which numbers are in there, by the least and the largest of each."""
    return {float(value) for tensor in tensors.values() for value in (tensor.min(), tensor.max())}


class Check(Look):
    """Writes down the numbers it sees beside the step that they should carry."""

    def __init__(self, *, slow: bool = False) -> None:
        super().__init__(slow=slow)
        self.seen: list[tuple[set[float], int]] = []

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        for _ in range(3):
            self.seen.append((numbers(dict(snapshot.shadow.module.named_parameters())), snapshot.step))
            yield


@pytest.mark.parametrize("own_stream", [False, True], ids=["default stream", "a stream of the user's"])
@pytest.mark.parametrize("where", ["cuda:0", "cuda:1", "both"])
@pytest.mark.parametrize("shadow_on_cpu", [False, True], ids=["shadow beside it", "shadow on the CPU"])
def test_no_snapshot_is_torn_however_far_the_gpu_is_behind(where: str, own_stream: bool, shadow_on_cpu: bool) -> None:
    first = torch.device("cuda", 0)
    devices = {"cuda:0": [first], "cuda:1": [second_gpu()], "both": [first, second_gpu()]} if where != "cuda:0" else {}
    model = Stamped(devices.get(where, [first]))
    optimizer = Stamp(model.parameters(), {})
    shadow = Shadow(model, device="cpu" if shadow_on_cpu else None)
    worker = Worker(shadow, budget=Budget(1.0))
    jobs = [Check(), Check(slow=True)]
    for job in jobs:
        worker.add(job)
    torch.cuda.synchronize()
    stream = torch.cuda.stream(torch.cuda.Stream()) if own_stream else nullcontext()
    with stream, Watch(model, shadow, worker, UserThread(), budget=1.0) as watch:
        for _ in range(1500):
            optimizer.step()
            if watch.step_count % 200 == 0:
                torch.cuda.current_stream().synchronize()
            if all(len(job.seen) >= 12 for job in jobs):
                break
    assert flush(worker, 30)
    worker.close()
    assert all(len(job.seen) >= 6 for job in jobs)
    assert all(values == {float(step)} for job in jobs for values, step in job.seen)


def test_a_due_step_does_not_wait_for_the_gpu_whether_the_copy_stays_there_or_not() -> None:
    for device in (None, "cpu"):
        model: Any = mlp().cuda()
        shadow = Shadow(model, device=device)
        shadow.refill(wait=False)  # kernels are loaded at their first use, which may wait
        model[0].weight.detach().fill_(2.0)
        torch.cuda.synchronize()
        torch.cuda._sleep(5 * CYCLES)
        with torch.no_grad():
            model[0].weight.fill_(3.0)
        torch.cuda.set_sync_debug_mode("error")
        try:
            shadow.refill(wait=False)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        behind = torch.cuda.Event()
        behind.record()
        assert not behind.query(), "waited for the GPU"
        behind.synchronize()
        assert torch.equal(shadow.module.get_parameter("0.weight"), model[0].weight.to(shadow.device))


def test_the_copy_on_the_cpu_is_pinned() -> None:
    shadow = Shadow(mlp().cuda(), device="cpu")
    assert all(tensor.is_pinned() for tensor in (*shadow.module.parameters(), *shadow.module.buffers()))
    assert shadow.notes == ()


@pytest.mark.parametrize("shadow_on_cpu", [False, True], ids=["shadow beside it", "shadow on the CPU"])
def test_a_watched_training_ends_in_the_same_bits(shadow_on_cpu: bool) -> None:
    ends = []
    for watched in (False, True):
        model, inputs = mlp().cuda(), INPUTS.cuda()
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        torch.manual_seed(4)
        if watched:
            shadow = Shadow(model, device="cpu" if shadow_on_cpu else None)
            worker, job = Worker(shadow, budget=Budget(1.0)), Look(inputs.to(shadow.device))
            worker.add(job)
            with Watch(model, shadow, worker, UserThread(), budget=1.0) as watch:
                for _ in range(10):
                    train(model, optimizer, inputs, 30)
                    watch.log(loss=loss_of(model.eval(), inputs))
                    model.train()
                    worker.request(job)
                    flush(worker, 2.0)
            assert flush(worker)
            worker.close()
            assert job.errors == []
            assert len(job.steps) >= 8
            logged = watch.logged("loss")
            assert logged is not None
            assert logged.steps == tuple(range(30, 301, 30))
        else:
            for _ in range(10):
                train(model, optimizer, inputs, 30)
        ends.append([value.clone() for value in (*model.parameters(), *model.buffers(), torch.cuda.get_rng_state())])
    assert all(torch.equal(bare, seen) for bare, seen in zip(*ends, strict=True))


def without_dropout() -> nn.Module:
    """A graph draws dropout by a rule of its own."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 3))


@pytest.mark.parametrize("paused", [False, True])
def test_a_step_captured_in_a_graph_under_a_watch_replays_as_without_one(bench: MakeBench, paused: bool) -> None:
    """Without `paused()` only where the capture minds its own thread alone."""
    ends = []
    for watched in (False, True):
        model, inputs = without_dropout().cuda(), INPUTS.cuda()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        where = bench(model, 1.0) if watched else None
        job = where.look(inputs) if where is not None else None
        watch = where.watch() if where is not None else None
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            train(model, optimizer, inputs, 3)
        torch.cuda.current_stream().wait_stream(side)
        optimizer.zero_grad(set_to_none=True)
        if where is not None:
            assert flush(where.worker)
            where.worker.buffer.due = not paused  # a copy is wanted at the captured step
        graph = torch.cuda.CUDAGraph()
        quiet = watch.paused() if watch is not None and paused else nullcontext()
        mode = "global" if paused else "thread_local"
        with quiet, torch.cuda.graph(graph, capture_error_mode=mode):
            loss = loss_of(model, inputs)
            loss.backward()
            optimizer.step()
            if watch is not None:
                watch.log(loss=loss)
        for _ in range(50):
            graph.replay()
            if watch is not None:
                watch.step()
        torch.cuda.synchronize()
        ends.append([value.clone() for value in (*model.parameters(), *model.buffers())])
        if watch is not None and where is not None and job is not None:
            assert "being recorded" in watch.notes[0]
            where.worker.request(job)
            assert flush(where.worker)
            assert job.errors == []
            watch.close()
    assert all(torch.equal(bare, seen) for bare, seen in zip(*ends, strict=True))


def test_data_that_lives_on_the_gpu_is_seen_by_every_view() -> None:
    pictures = torch.rand(64, 1, 12, 12, device="cuda", generator=torch.Generator("cuda").manual_seed(0))
    labels = torch.arange(64, device="cuda") % 4
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(800, 4)).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inspector = nnw.Inspector(model, (pictures, labels))
    views = [inspector.activations(), inspector.filters(), inspector.occlusion(patch=4, stride=4)]
    session = inspector._session
    with inspector.watch(optimizer, budget=1.0):
        for view in views:
            view.refresh()
        for _ in range(200):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pictures), labels).backward()
            optimizer.step()
        assert eventually(lambda: all(view.result is not None for view in views), 30)
    assert flush(session.worker, 30)
    assert session.probe.error == ""
    assert [view.failure for view in views] == [None] * 3
    with torch.no_grad():
        expected = model(pictures).argmax(1).eq(labels)[list(session.samples.probe_indices)].double().mean()
    assert session.record.latest is not None
    assert session.record.latest.correct == pytest.approx(float(expected), abs=0.05)
    inspector.close()


def test_a_model_moved_to_the_gpu_after_it_was_attached_is_followed_there(bench: MakeBench) -> None:
    model: Any = mlp()
    where = bench(model, 1.0)
    streams: list[bool] = []
    job = where.look()
    job.before = lambda snapshot: streams.append(
        snapshot.shadow.device.type == "cuda" and torch.cuda.current_stream() != torch.cuda.default_stream()
    )
    model.cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with where.watch():
        assert eventually(lambda: train(model, optimizer, INPUTS.cuda(), 5) and len(streams) >= 3)
    assert flush(where.worker)
    assert where.shadow.device.type == "cuda"
    assert all(streams[1:]), "computed on training's own stream"
    assert torch.equal(where.shadow.module.get_parameter("0.weight"), model[0].weight)


@pytest.mark.parametrize("shadow_on_cpu", [False, True], ids=["shadow beside it", "shadow on the CPU"])
def test_gradients_and_previous_weights_are_those_of_their_steps(shadow_on_cpu: bool) -> None:
    model = Stamped([torch.device("cuda", 0)])
    optimizer = Stamp(model.parameters(), {})
    shadow = Shadow(model, device="cpu" if shadow_on_cpu else None)
    worker = Worker(shadow, budget=Budget(1.0))
    seen: list[tuple[int, set[float], set[float]]] = []

    class Pairs(Look):
        snapshot_extras: frozenset[Extra] = frozenset({"gradients", "previous"})

        def work(self, snapshot: Snapshot) -> Iterator[None]:
            if snapshot.gradients is not None and snapshot.previous is not None:
                seen.append((snapshot.step, numbers(snapshot.gradients), numbers(snapshot.previous)))
            yield

    worker.add(Pairs())
    for weight in model.weights:
        weight.grad = torch.zeros_like(weight)
    with Watch(model, shadow, worker, UserThread(), budget=1.0) as watch:
        for _ in range(1500):
            for weight in model.weights:
                assert weight.grad is not None
                weight.grad.add_(1.0)
            optimizer.step()
            if watch.step_count % 200 == 0:
                torch.cuda.synchronize()
            if len(seen) >= 10:
                break
    worker.close()
    assert len(seen) >= 5
    assert all((now, before) == ({float(step)}, {step - 1.0}) for step, now, before in seen)


def test_a_click_while_nothing_trains_sees_what_is_still_queued(bench: MakeBench) -> None:
    model: Any = mlp().cuda()
    where = bench(model)
    job = where.look()
    sums: list[float] = []
    job.before = lambda snapshot: sums.append(float(snapshot.shadow.module.get_parameter("0.weight").sum()))
    torch.cuda._sleep(10 * CYCLES)
    with torch.no_grad():
        model[0].weight.fill_(2.0)
    where.worker.request(job)
    assert flush(where.worker)
    assert sums == [2.0 * model[0].weight.numel()]
