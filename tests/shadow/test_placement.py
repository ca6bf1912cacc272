"""A private copy that does not fit beside its model is made where or as it does, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nnwidgets import inspector as inspector_module
from nnwidgets.shadow import Shadow, fitting_shadow, free_memory
from tests.nets import NETS, Training
from tests.shadow.zoo import everything_left_alone
from tests.waiting import eventually, frame, inspecting, shown

MODEL_BYTES = 4 * (100 * 50 + 50)


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(100, 50)


def with_bytes_free(size: float) -> Callable[[torch.device], int]:
    return lambda device: int(size)


def test_free_memory_is_what_the_system_says() -> None:
    import psutil

    assert free_memory(torch.device("cpu")) == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_copy_that_fits_is_like_its_model() -> None:
    shadow = fitting_shadow(linear(), free=with_bytes_free(1.2 * MODEL_BYTES))
    assert (shadow.dtype, shadow.nbytes, shadow.notes) == (None, MODEL_BYTES, ())


def test_a_copy_without_room_is_of_half_the_size_and_follows_its_model() -> None:
    model = linear()
    with everything_left_alone(model):
        shadow = fitting_shadow(model, free=with_bytes_free(0.7 * MODEL_BYTES))
    assert shadow.nbytes == MODEL_BYTES / 2
    assert shadow.notes == ("The private copy is in bfloat16: there is no room for 0 MB. Values are approximate.",)
    x = torch.randn(8, 100, generator=torch.Generator().manual_seed(1))
    for _ in range(2):
        with torch.no_grad():
            model.weight.mul_(2.0)
        assert not shadow.is_current()
        shadow.refill()
        assert shadow.is_current()
        for copy in (shadow, shadow.replica()):
            scores = copy.run(x)
            assert scores.dtype == torch.float32
            expected = model(x).detach()
            assert float((scores - expected).abs().max()) < 2**-6 * float(expected.abs().max())
            assert not torch.equal(scores, expected), "nothing was rounded: this is no copy in bfloat16"


def test_whole_numbers_and_narrow_ones_stay_as_they_are() -> None:
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.BatchNorm1d(12), nn.Linear(12, 2)).to(torch.float16)
    model.register_buffer("table", torch.arange(5))
    shadow = Shadow(model, dtype=torch.bfloat16)
    kept = {name: value.dtype for name, value in shadow.module.state_dict().items()}
    assert kept == {name: value.dtype for name, value in model.state_dict().items()}


def test_without_room_even_for_half_the_user_is_told() -> None:
    with pytest.raises(MemoryError, match=r"expected 0 MB of free memory on cpu .* in bfloat16, got 0 MB; free some"):
        fitting_shadow(linear(), free=with_bytes_free(0.4 * MODEL_BYTES))


@pytest.mark.cuda
def test_without_room_on_the_gpu_the_copy_is_on_the_cpu() -> None:
    model = linear().cuda()
    shadow = fitting_shadow(model, free=lambda device: 0 if device.type == "cuda" else 10**9)
    assert shadow.device.type == "cpu"
    assert shadow.notes == ("The private copy is on the CPU: cuda:0 has no room for its 0 MB.",)
    x = torch.randn(8, 100)
    torch.testing.assert_close(shadow.run(x), model(x.cuda()).detach().cpu(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("net", ["cnn", "residual", "recurrent", "attention"])
def test_views_of_a_narrow_copy_say_so_and_training_stays_exact(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(model: nn.Module, **options: object) -> Shadow:
        size = sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))
        return fitting_shadow(model, free=with_bytes_free(0.8 * size))

    monkeypatch.setattr(inspector_module, "fitting_shadow", narrow)
    training = Training(NETS[net])
    with inspecting(training.model, (training.net.inputs, training.net.labels), probe=16) as inspector:
        views = [inspector.activations(layer=inspector.layers[-1]), inspector.filters(), inspector.embedding(points=20)]
        if training.net.pictures:
            views.append(inspector.occlusion(patch=4, stride=2))
        for view in views:
            view.shown = True
        with inspector.watch(training.optimizer, budget=1.0):
            eventually(
                lambda: isinstance(training.step(), Tensor) and all(view.result and view.result.step for view in views),
                "a refresh of each view",
            )
        values = shown(views[0]).values
        for view in views:
            assert view.failure is None
            assert ["eval mode, in bfloat16", True] in [list(part) for part in frame(view)[0]["caption"]]
            assert view.job.laid is not None
            assert "eval mode, in bfloat16" in view.job.laid.words
        assert inspector._session.probe.error == ""
        sample = views[0].sample
        with torch.no_grad():
            plain = training.model.eval()(training.net.inputs[sample : sample + 1])[0]
        assert float((values.flatten() - plain).abs().max()) < 0.05 * float(plain.abs().max())
        training.model.train()
    again = Training(NETS[net])
    for _ in range(training.steps):
        again.step()
    assert again.everything() == training.everything()
