"""Snapshots with gradients and previous weights: what they are, what they cost, and that training notices nothing."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnwidgets.shadow import Shadow
from nnwidgets.training.extras import Extra
from nnwidgets.training.snapshot import SnapshotBuffer
from nnwidgets.training.worker import Snapshot
from tests.training.test_exactness import INPUTS, OPTIMIZERS, everything
from tests.training.toys import Bench, Look, eventually, flush, loss_of, mlp, train
from tests.training.world import World

MakeBench = Callable[..., Bench]
BOTH: frozenset[Extra] = frozenset({"gradients", "previous"})


class Asking(Look):
    """Keeps copies of all that its snapshots carry."""

    def __init__(self, kinds: frozenset[Extra] = BOTH, *, slow: bool = False, slices: int = 1) -> None:
        super().__init__(slow=slow, slices=slices)
        self.snapshot_extras = kinds
        self.seen: list[tuple[int, dict[str, Tensor], dict[str, Tensor] | None, dict[str, Tensor] | None]] = []

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        for _ in range(self.slices):
            weights = {name: value.clone() for name, value in snapshot.shadow.module.named_parameters()}
            self.seen.append((snapshot.step, weights, copied(snapshot.gradients), copied(snapshot.previous)))
            yield


def copied(tensors: Any) -> dict[str, Tensor] | None:
    return None if tensors is None else {name: value.clone() for name, value in tensors.items()}


def same(ours: dict[str, Tensor] | None, theirs: dict[str, Tensor]) -> bool:
    return ours is not None and ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in theirs)


def filled(model: nn.Module, kinds: frozenset[Extra]) -> SnapshotBuffer:
    buffer = SnapshotBuffer(Shadow(model), clock=lambda: 0.0, filled=lambda: None)
    buffer.want(kinds)
    return buffer


def border(buffer: SnapshotBuffer) -> Snapshot | None:
    """The end of a step at which a copy is wanted."""
    buffer.step += 1
    buffer.offer()
    buffer.fill(at_border=True)
    return buffer.snapshot


def test_a_snapshot_carries_the_gradients_of_its_step_and_the_weights_of_the_step_before(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    jobs = [Asking(), Asking(frozenset({"gradients"})), Asking(slow=True, slices=4)]
    for job in jobs:
        where.worker.add(job)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    weights: dict[int, dict[str, Tensor]] = {0: {n: p.detach().clone() for n, p in model.named_parameters()}}
    gradients: dict[int, dict[str, Tensor]] = {}
    with where.watch() as watch:

        def followed() -> bool:
            train(model, optimizer, INPUTS, 1)
            step = watch.step_count
            weights[step] = {name: p.detach().clone() for name, p in model.named_parameters()}
            gradients[step] = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
            return all(len([True for entry in job.seen if entry[2] is not None]) >= 8 for job in jobs)

        assert eventually(followed, 60)
    found = [entry for job in jobs for entry in job.seen if entry[2] is not None]
    assert all(same(now, weights[step]) and same(made_it, gradients[step]) for step, now, made_it, _ in found)
    pairs = [entry for job in (jobs[0], jobs[2]) for entry in job.seen if entry[2] is not None]
    assert all(same(before, weights[step - 1]) for step, _, _, before in pairs)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_training_whose_gradients_are_watched_ends_in_the_same_bits(bench: MakeBench, kind: str) -> None:
    ends = []
    for watched in (False, True):
        torch.manual_seed(3)
        model = mlp()
        optimizer = OPTIMIZERS[kind](model)
        torch.manual_seed(4)
        if watched:
            where = bench(model, 1.0)
            job = Asking()
            where.worker.add(job)
            with where.watch() as watch:
                for _ in range(12):
                    watch.refresh()
                    train(model, optimizer, INPUTS, 5)
                    flush(where.worker)  # by now it waits for gradients, which the next steps bring
                    train(model, optimizer, INPUTS, 5)
                    flush(where.worker)
            assert [entry for entry in job.seen if entry[2] is not None]
        else:
            for _ in range(12):
                train(model, optimizer, INPUTS, 10)
        ends.append(everything(model, optimizer))
    assert all(torch.equal(bare, watched) for bare, watched in zip(*ends, strict=True))


def test_nothing_is_copied_that_nobody_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.job(0.001)
    monkeypatch.setattr(Shadow, "parameters", lambda _: pytest.fail("looked for parameters"))
    world.train(5.0)
    snapshot = world.buffer.snapshot
    assert snapshot is not None
    assert (snapshot.gradients, snapshot.previous, world.buffer.copies.nbytes) == (None, None, 0)


def test_gradients_come_with_the_next_step_and_previous_weights_with_the_one_after() -> None:
    for kinds, steps in ((frozenset[Extra]({"gradients"}), 1), (BOTH, 2)):
        world = World()
        job = world.job(0.001)
        world.train(5.0)
        job.snapshot_extras = kinds
        world.schedule.turn()
        assert world.buffer.copies.kinds == kinds
        world.schedule.tasks.click(job, world.now)
        world.turn()
        begun, asked = len(job.seen), world.buffer.step
        world.train(0.01 * steps)
        assert (job.seen[begun].step, job.seen[begun].extras.kinds) == (asked + steps, kinds)


def test_a_break_between_the_two_steps_of_a_pair_begins_it_anew() -> None:
    model = nn.Linear(1, 1, bias=False)
    buffer = filled(model, BOTH)
    assert border(buffer) is None
    buffer.step += 5  # steps at which nothing was copied, as views were paused
    nn.init.constant_(model.weight, 7.0)
    assert border(buffer) is None
    nn.init.constant_(model.weight, 8.0)
    snapshot = border(buffer)
    assert snapshot is not None
    assert snapshot.previous is not None
    assert snapshot.previous["weight"].item() == 7.0


def test_both_steps_of_a_pair_count_as_the_cost_of_its_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(float(second) for second in range(100))  # each look at the clock is a second later
    buffer = filled(nn.Linear(1, 1), BOTH)
    monkeypatch.setattr("nnwidgets.training.snapshot.time.perf_counter", lambda: next(seconds))
    border(buffer)
    assert buffer.fill_s == 0.0
    border(buffer)
    assert buffer.fill_s == 3.0, "the first weights, the look whether they are there, and the snapshot"


def test_gradients_of_frozen_and_of_tied_parameters() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3, bias=False))
    model[2].weight = model[0].weight
    model[1].requires_grad_(False)
    loss_of(model, torch.randn(9, 3)).backward()
    snapshot = border(filled(model, frozenset({"gradients"})))
    assert snapshot is not None
    assert snapshot.gradients is not None
    assert set(snapshot.gradients) == {"0.weight", "0.bias"}
    assert torch.equal(snapshot.gradients["0.weight"], model[0].weight.grad)  # type: ignore[arg-type]
    assert snapshot.extras.refused == {}


def test_sparse_gradients_are_refused_with_words() -> None:
    model = nn.Sequential(nn.Embedding(5, 3, sparse=True), nn.Linear(3, 3))
    model(torch.tensor([0, 2])).sum().backward()
    snapshot = border(filled(model, frozenset({"gradients"})))
    assert snapshot is not None
    assert snapshot.gradients is not None
    assert set(snapshot.gradients) == {"1.weight", "1.bias"}
    assert "use `sparse=False`" in snapshot.extras.refused["0.weight"]


def test_gradients_that_have_a_graph_are_copied_without_it() -> None:
    model = nn.Linear(3, 3)
    weight = model(torch.randn(2, 3)).square().sum()
    gradients = torch.autograd.grad(weight, tuple(model.parameters()), create_graph=True)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = gradient
    snapshot = border(filled(model, frozenset({"gradients"})))
    assert snapshot is not None
    assert snapshot.gradients is not None
    assert all(g.grad_fn is None and not g.requires_grad for g in snapshot.gradients.values())
    model.zero_grad()


def test_a_snapshot_that_no_step_made_has_none() -> None:
    buffer = filled(mlp(), BOTH)
    buffer.offer()
    buffer.fill()
    assert buffer.snapshot is not None
    assert (buffer.snapshot.gradients, buffer.snapshot.previous) == (None, None)


@pytest.mark.parametrize("change", ["retype", "replace a layer", "resize"])
def test_a_model_that_is_taken_apart_between_two_steps_is_followed(change: str) -> None:
    model: Any = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    buffer = filled(model, BOTH)
    border(buffer)
    if change == "retype":
        model.double()
    elif change == "replace a layer":
        model[1] = nn.Linear(3, 7)
    else:
        model[1].weight.data, model[1].bias.data = torch.ones(2, 3), torch.ones(2)
    for _ in range(4):
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, 2.0)
        snapshot = border(buffer)
    assert snapshot is not None or (snapshot := border(buffer)) is not None
    assert snapshot.gradients is not None
    assert snapshot.previous is not None
    assert {name: value.shape for name, value in snapshot.previous.items()} == {
        name: value.shape for name, value in model.named_parameters()
    }
    assert all(value.eq(2.0).all() for value in snapshot.gradients.values())


def test_the_memory_is_counted_and_freed_when_nobody_looks_any_more(bench: MakeBench) -> None:
    model = mlp()
    where = bench(model, 1.0)
    plain = where.look()
    held: list[weakref.ref[Tensor]] = []
    asking = Asking()
    asking.before = lambda _: None

    class Holding(Asking):
        def work(self, snapshot: Snapshot) -> Iterator[None]:
            assert snapshot.gradients is not None or not held
            if snapshot.gradients is not None and snapshot.previous is not None:
                tensors = (*snapshot.gradients.values(), *snapshot.previous.values())
                held[:] = [weakref.ref(tensor) for tensor in tensors]
            yield

    asking = Holding()
    where.worker.add(asking)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with where.watch():
        assert eventually(lambda: train(model, optimizer, INPUTS, 2) and bool(held), 20)
        weights = sum(parameter.nbytes for parameter in model.parameters())
        assert where.worker.schedule.tasks.nbytes == 2 * weights
        asking.on_screen = False
        before = len(plain.steps)
        assert eventually(lambda: train(model, optimizer, INPUTS, 2) and len(plain.steps) > before + 2, 20)
        assert where.worker.schedule.tasks.nbytes == 0
        gc.collect()
        assert [reference() for reference in held] == [None] * len(held)


def test_without_room_the_job_is_told(bench: MakeBench) -> None:
    world = World(spare_bytes=10)
    told: list[BaseException] = []
    job = world.job(0.001)
    job.snapshot_extras = BOTH
    job.failed = lambda error, step: told.append(error)  # type: ignore[method-assign]
    other = world.job(0.001)
    world.train(10.0)
    assert "gradients and previous: expected room for" in str(told[0])
    assert len(other.runs) > 10
    assert job.runs == []
    assert world.buffer.copies.nbytes == 0


def test_what_a_slow_job_holds_stays_as_it_is_while_newer_snapshots_are_taken() -> None:
    world = World(1.0)
    model = world.buffer.shadow._live
    slow, quick = world.job(0.02, slices=100, slow=True), world.job(0.001)
    slow.snapshot_extras = frozenset({"gradients"})
    parameter = next(model.parameters())
    values: set[float] = set()
    for step in range(400):
        parameter.grad = torch.full_like(parameter, float(step))
        world.train(0.01)
        if slow.seen and slow.seen[-1].gradients is not None and len(slow.runs) == 0:
            values.add(float(slow.seen[-1].gradients["weight"]))
    assert len(quick.runs) > 20
    assert len(values) == 1
    assert world.schedule.tasks.nbytes >= world.buffer.shadow.nbytes
