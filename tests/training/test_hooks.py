"""What counts as a training step."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.optim import optimizer as optimizer_module

from tests.training.toys import Bench, loss_of, mlp, train

MakeBench = Callable[..., Bench]
INPUTS = torch.randn(9, 6, generator=torch.Generator().manual_seed(1))


def global_hooks() -> int:
    return len(optimizer_module._global_optimizer_post_hooks)


def test_an_optimizer_made_later_is_found(bench: MakeBench) -> None:
    model = mlp()
    with bench(model).watch() as watch:
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), INPUTS, 7)
        assert watch.step_count == 7


def test_an_optimizer_of_another_model_does_not_count(bench: MakeBench) -> None:
    generator, critic = mlp(), mlp()
    steps = [torch.optim.Adam(generator.parameters()), torch.optim.Adam(critic.parameters())]
    with bench(generator).watch() as ours, bench(critic).watch() as other:
        train(generator, steps[0], INPUTS, 2)
        train(critic, steps[1], INPUTS, 5)
        assert (ours.step_count, other.step_count) == (2, 5)


def test_only_the_optimizer_given_counts(bench: MakeBench) -> None:
    model = mlp()
    counted, other = (torch.optim.SGD(model.parameters(), lr=0.1) for _ in range(2))
    with bench(model).watch(counted) as watch:
        train(model, counted, INPUTS, 3)
        train(model, other, INPUTS, 2)
        assert watch.step_count == 3


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_a_step_that_a_grad_scaler_skips_is_none(bench: MakeBench, device: str, fused: bool) -> None:
    model, inputs = mlp().to(device), INPUTS.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler(device, init_scale=4.0)
    with bench(model).watch() as watch:
        for step in range(6):
            optimizer.zero_grad()
            loss = loss_of(model, inputs) * (torch.inf if step == 2 else 1.0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        # A fused optimizer is always called, and skips the writing itself.
        assert watch.step_count == (6 if fused else 5)
        assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_two_optimizers_that_alternate_make_one_step_each_time(bench: MakeBench) -> None:
    model = mlp()
    head = torch.optim.SGD(model[4].parameters(), lr=0.1)  # type: ignore[index]
    body = torch.optim.Adam(model[0].parameters())  # type: ignore[index]
    with bench(model).watch() as watch:
        for _ in range(6):
            loss_of(model, INPUTS).backward()
            head.step()
            body.step()
        assert watch.step_count == 6


def test_an_optimizer_for_each_parameter_makes_one_step_of_all(bench: MakeBench) -> None:
    model = mlp()
    optimizers = {p: torch.optim.SGD([p], lr=0.1) for p in model.parameters()}
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(lambda p: optimizers[p].step())
    with bench(model).watch() as watch:
        for _ in range(5):
            loss_of(model, INPUTS).backward()
        assert watch.step_count == 5


def test_snapshots_are_taken_after_the_last_optimizer_of_a_step(bench: MakeBench) -> None:
    model = mlp()
    optimizers = {p: torch.optim.SGD([p], lr=0.1) for p in model.parameters()}
    where = bench(model)
    with where.watch() as watch:
        seen = []
        for _ in range(5):
            for parameter, optimizer in optimizers.items():
                parameter.grad = torch.ones_like(parameter)
                where.worker.buffer.due = True
                optimizer.step()
                seen.append((watch.step_count, where.shadow.is_current()))
    at_the_end = seen[len(optimizers) - 1 :: len(optimizers)]
    assert at_the_end[1:] == [(step, True) for step in range(2, 6)]


def test_an_optimizer_that_replaces_another_counts_on(bench: MakeBench) -> None:
    model = mlp()
    with bench(model).watch() as watch:
        for phase in range(1, 4):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            train(model, optimizer, INPUTS, 4)
            assert watch.step_count == 4 * phase


def test_parameters_added_to_an_optimizer_later_make_it_count(bench: MakeBench) -> None:
    model, other = mlp(), mlp()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    with bench(model).watch() as watch:
        train(other, optimizer, INPUTS, 2)
        assert watch.step_count == 0
        optimizer.add_param_group({"params": list(model.parameters())})
        train(model, optimizer, INPUTS, 3)
        assert watch.step_count == 3


def test_a_closure_called_many_times_is_one_step(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(model, INPUTS)
        loss.backward()
        return loss

    with bench(model).watch() as watch:
        for _ in range(3):
            optimizer.step(closure)
        assert watch.step_count == 3


def test_accumulated_batches_are_one_step(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with bench(model).watch() as watch:
        for batch in range(8):
            loss_of(model, INPUTS).backward()
            if batch % 4 == 3:
                optimizer.step()
        assert watch.step_count == 2


@pytest.mark.parametrize("settings", [{"foreach": True}, {"fused": True}, {"foreach": False}])
def test_every_implementation_of_an_optimizer_is_seen(bench: MakeBench, settings: dict[str, bool]) -> None:
    model = mlp()
    with bench(model).watch() as watch:
        train(model, torch.optim.AdamW(model.parameters(), **settings), INPUTS, 3)  # type: ignore[arg-type]
        assert watch.step_count == 3


def test_a_scheduler_that_wraps_step_does_not_count_twice(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    with bench(model).watch() as watch:
        for _ in range(3):
            train(model, optimizer, INPUTS, 1)
            scheduler.step()
        assert watch.step_count == 3


class Wrapper:
    """As Accelerate and Lightning wrap optimizers."""

    def __init__(self, optimizer: object) -> None:
        self.optimizer = optimizer


def test_a_wrapped_optimizer_is_watched_at_its_core(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with bench(model).watch(Wrapper(Wrapper(optimizer))) as watch:
        train(model, optimizer, INPUTS, 3)
        assert watch.step_count == 3


def test_something_that_is_no_optimizer_is_refused(bench: MakeBench) -> None:
    where = bench(mlp())
    with pytest.raises(TypeError, match=r"expected a torch\.optim\.Optimizer, got Linear"):
        where.watch(nn.Linear(1, 1))
    with pytest.raises(ValueError, match="holds none of them"):
        where.watch(torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1))


def test_step_by_hand_counts_only_what_no_hook_has_seen(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with bench(model).watch() as watch:
        for _ in range(3):
            train(model, optimizer, INPUTS, 1)
            watch.step()
        assert watch.step_count == 3
        for _ in range(4):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(0.01)
            watch.step()
        assert watch.step_count == 7
        train(model, optimizer, INPUTS, 2)
        assert watch.step_count == 9


def test_closing_takes_every_hook_out(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = global_hooks()
    for chosen in (None, optimizer):
        with bench(model).watch(chosen):
            train(model, optimizer, INPUTS, 2)
        assert global_hooks() == before
        assert not optimizer._optimizer_step_post_hooks


def test_closing_inside_an_optimizer_step_does_not_disturb_the_step(bench: MakeBench) -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = global_hooks()
    watch = bench(model).watch()
    handle = optimizer.register_step_post_hook(lambda *_: watch.close())
    train(model, optimizer, INPUTS, 2)
    handle.remove()
    assert watch.closed
    with bench(model).watch():
        pass
    assert global_hooks() == before


def test_a_dropped_watch_leaves_a_hook_that_does_nothing_until_the_next_watch(bench: MakeBench) -> None:
    model = mlp()
    before = global_hooks()
    where = bench(model)
    watch = where.watch()
    del watch
    gc.collect()
    train(model, torch.optim.SGD(model.parameters(), lr=0.1), INPUTS, 2)
    where.watch().close()
    assert global_hooks() == before


def test_a_copy_of_the_optimizer_carries_nothing_of_ours(bench: MakeBench) -> None:
    import copy
    import pickle

    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with bench(model).watch(optimizer):
        for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
            assert not getattr(twin, "_optimizer_step_post_hooks", None)
