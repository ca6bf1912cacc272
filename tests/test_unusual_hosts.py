"""Models as users wrap, parametrise, narrow and mask them: shown as they are, and trained the same; or refused."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributed import HashStore  # type: ignore[attr-defined]
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

import nnwidgets as nnw
from nnwidgets.training import background
from nnwidgets.views.occlusion.features import FeatureOcclusionResult
from tests.nets import CLASSES, NETS, N, Net, Training, cnn
from tests.test_exactness import Counted, open_views
from tests.waiting import DEADLINE_S, answered, inspecting, shown

REFRESHES, POINTS = 5, 24
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5, torch.bfloat16: 2e-2}  # results are float32 but for occlusion


@dataclass(frozen=True)
class Host(Net):
    """A net whose forward may take more than its inputs."""

    more: tuple[Tensor, ...] = ()

    @property
    def data(self) -> tuple[Tensor, ...]:
        return (self.inputs, *self.more, self.labels)


class Loop(Training):
    net: Host

    def loss(self) -> Tensor:
        rows = torch.randint(N, (16,))
        scores = self.model(*(each[rows] for each in self.net.data[:-1]))
        return functional.cross_entropy(scores.float(), self.net.labels[rows])

    def step(self) -> Tensor:
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        return loss


class Shared(nn.Module):
    """One convolution under two names, and its weight under a third."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        self.second = self.first
        self.third = nn.Conv2d(4, 4, 3, padding=1)
        self.third.weight = self.first.weight
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.third(self.relu(self.second(self.relu(self.first(self.stem(x)))))))
        return self.head(x.mean((2, 3)))  # type: ignore[no-any-return]


class Padded(nn.Module):
    """A transformer that is told which tokens are padding, with its weights tied to the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.tied = nn.Linear(8, 11, bias=False)
        self.tied.weight = self.embedding.weight
        self.head = nn.Linear(11, CLASSES)

    def forward(self, tokens: Tensor, padding: Tensor) -> Tensor:
        hidden = self.encoder(self.embedding(tokens), src_key_padding_mask=padding)
        return self.head(self.tied(hidden.mean(1)))  # type: ignore[no-any-return]


def parametrized() -> nn.Module:
    conv = parametrizations.weight_norm(nn.Conv2d(1, 4, 3))
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), parametrizations.spectral_norm(nn.Linear(144, CLASSES)))


def pruned() -> nn.Module:
    model = cnn()
    prune.l1_unstructured(model.get_submodule("0"), "weight", amount=0.3)
    return model


def lazy() -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(CLASSES))


def materialised() -> nn.Module:
    model = lazy()
    model(NETS["cnn"].inputs[:2])
    return model


def pictures(build: Callable[[], nn.Module], dtype: torch.dtype = torch.float32) -> Host:
    return Host(lambda: build().to(dtype), NETS["cnn"].inputs.to(dtype), NETS["cnn"].labels)


PLAIN = pictures(cnn)
TOKENS = NETS["attention"]
HOSTS: dict[str, Host] = {
    "distributed": pictures(lambda: nn.parallel.DistributedDataParallel(cnn())),
    "data parallel": pictures(lambda: nn.DataParallel(cnn())),
    "compiled in data parallel": pictures(lambda: nn.DataParallel(NETS["compiled"].build())),
    "parametrized": pictures(parametrized),
    "old norms": pictures(NETS["old norms"].build),
    "pruned": pictures(pruned),
    "lazy, run once": pictures(materialised),
    "bfloat16": pictures(cnn, torch.bfloat16),
    "float64": pictures(cnn, torch.float64),
    "shared and tied": pictures(Shared),
    "padding mask": Host(Padded, TOKENS.inputs, TOKENS.labels, more=(TOKENS.inputs < 2,)),
}


@pytest.fixture(autouse=True)
def busy_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of our work beside each step."""
    monkeypatch.setattr(background, "NICENESS", 0)


@pytest.fixture
def group() -> Iterator[None]:
    torch.distributed.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def open_all(inspector: nnw.Inspector) -> list[Counted]:
    return open_views(inspector, embedding={"method": "pca", "points": POINTS, "layer": inspector.layers[-1]})


def train_until(training: Training, done: Callable[[], object], *, seconds: float = DEADLINE_S) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"not there after {seconds:.0f} s and {training.steps} steps"
        training.step()


def most(views: list[Counted]) -> int:
    return max(view.finished for view in views)


def refresh_all(training: Training, views: list[Counted], times: int) -> None:
    """Train until every view was refreshed so often in all; the first failure ends it."""
    train_until(training, lambda: failed(views) or all(view.finished >= times for view in views))
    assert not failed(views)


def failed(views: list[Counted]) -> dict[str, object]:
    return {view.view.name: view.view.failure for view in views if view.view.failure}


def failed_at_last(views: list[Counted]) -> dict[str, object]:
    """What the views show of failures when all that was asked of them is answered."""
    for view in views:
        answered(view.view)
    return failed(views)


def assert_same_bits(seen: Training, plain: Training) -> None:
    while plain.steps < seen.steps:
        plain.step()
    want, got = plain.everything(), seen.everything()
    assert {name for name in want if want[name] != got.get(name)} == set()
    assert want.keys() == got.keys()


class Plain:
    """The user's own model in eval mode with its own hooks: what it computes of samples, call by call."""

    def __init__(self, training: Training) -> None:
        self.model: nn.Module = getattr(training.model, "module", training.model)
        self.model = getattr(self.model, "_orig_mod", self.model)
        self.data = training.net.data if isinstance(training.net, Host) else (training.net.inputs, training.net.labels)
        self.model.eval()

    def run(self, indices: list[int], first: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Scores and layers; `first` stands in for the first input."""
        seen: dict[str, Tensor] = {}

        def note(name: str, output: Any) -> None:
            first = output if isinstance(output, Tensor) else output[0]
            calls = sum(key.partition(":")[0] == name for key in seen)
            seen[f"{name}:{calls + 1}" if calls else name] = first.clone()

        handles = [
            module.register_forward_hook(lambda _module, _args, output, name=name: note(name, output))
            for name, module in self.model.named_modules()
            if name and "parametrizations" not in name
        ]
        arguments = [each[indices] for each in self.data[:-1]]
        with torch.no_grad():
            scores = self.model(*([first, *arguments[1:]] if first is not None else arguments)).clone()
        for handle in handles:
            handle.remove()
        return scores, seen


def check_results(inspector: nnw.Inspector, views: list[Counted], training: Training) -> None:
    """What the views show is what the user's own model computes, on the weights of the step that they say."""
    by_name: dict[str, Any] = {view.view.name: shown(view.view) for view in views}
    # Anew, before a forward pass renews the weights that are computed in one.
    by_name["filters"] = shown(inspector.filters())
    assert {view.view.newest.step for view in views if view.view.newest} == {training.steps}
    plain, tolerance = Plain(training), TOLERANCE[next(training.model.parameters()).dtype]
    assert_near = partial(torch.testing.assert_close, rtol=tolerance, atol=tolerance, check_dtype=False)
    sample = by_name["activations"].sample
    scores, values = plain.run([sample])
    filters = by_name["filters"]
    assert_near(filters.weight, plain.model.get_submodule(filters.layer).weight)
    for layer in inspector.layers:
        result = shown(inspector.activations(layer=layer))
        expected = values[layer][0].T if result.layout == "sequence" else values[layer][0]
        assert_near(result.values, expected)
        assert_near(result.scores, scores[0])
    points = by_name["embedding"]
    scores, values = plain.run(points.indices.tolist())
    logs = scores.float().log_softmax(1)
    assert_near(points.loss, -logs[range(POINTS), points.labels])
    features = values[points.layer].flatten(1).double()
    centred = features - features.mean(0)
    best = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    torch.testing.assert_close(points.embedding.positions.double().abs(), best.abs(), rtol=1e-3, atol=10 * tolerance)
    if "uncertainty" in by_name:
        step, _, entropy, indices = by_name["uncertainty"]
        assert step == training.steps
        logs = plain.run(indices.tolist())[0].float().log_softmax(1)
        assert_near(entropy, -(logs.exp() * logs).sum(1))
    occlusion = by_name.get("occlusion")
    if isinstance(occlusion, FeatureOcclusionResult):
        for place in range(training.net.inputs.shape[1]):
            covered = training.net.inputs[[occlusion.sample]].clone()
            covered[:, place] = occlusion.fill
            assert_near(occlusion.covered.scores[:1, place], plain.run([occlusion.sample], covered)[0])
    elif occlusion is not None:
        grid = occlusion.map
        for row, top in enumerate(grid.rows):
            for col, left in enumerate(grid.cols):
                picture = training.net.inputs[[occlusion.sample]].clone()
                picture[:, :, top : top + 4, left : left + 4] = 0
                assert_near(grid.scores[:, row, col], plain.run([occlusion.sample], picture)[0])


@pytest.mark.parametrize("name", HOSTS)
def test_an_unusual_model_trains_the_same_and_is_shown_as_it_is(name: str, request: pytest.FixtureRequest) -> None:
    if name == "distributed":
        request.getfixturevalue("group")
    training = Loop(HOSTS[name])
    with inspecting(training.model, training.net.data, probe=16) as inspector:
        views = open_all(inspector)
        with inspector.watch(training.optimizer, budget=1.0):
            refresh_all(training, views, REFRESHES)
        assert not failed_at_last(views)
        assert inspector._session.probe.error == ""
        assert_same_bits(training, Loop(HOSTS[name]))
        check_results(inspector, views, training)


def scripted(model: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(model)


def exported(model: nn.Module) -> nn.Module:
    return torch.export.export(model, (NETS["cnn"].inputs[:2],)).module()


def quantised(model: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(model, {nn.Linear})  # type: ignore[no-any-return]


def sharded(model: nn.Module) -> nn.Module:
    fully_shard(model, mesh=init_device_mesh("cpu", (1,)))
    return model


REFUSED: dict[str, tuple[Callable[[nn.Module], nn.Module], str]] = {
    "scripted": (scripted, "expected an eager module, got a TorchScript module, .*; pass the module it was scripted"),
    "exported": (exported, "expected an eager module, got a torch.export program, .*; pass the module it was exported"),
    "quantised": (quantised, "expected plain weights, got the quantised layer .*; pass the float model"),
    "sharded": (sharded, "expected whole parameters, got FSDP shards, .*; pass an unsharded copy"),
    "lazy, never run": (lambda _: lazy(), "expected initialised parameters, .*; run one forward pass first"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_cannot_be_copied_is_refused_beside_a_training_that_goes_on(name: str, group: None) -> None:
    make, message = REFUSED[name]
    training = Loop(PLAIN)
    with inspecting(training.model, PLAIN.data, probe=16) as inspector:
        views = open_all(inspector)
        with inspector.watch(training.optimizer, budget=1.0):
            refresh_all(training, views, 1)
            with pytest.raises(TypeError, match=f"model.*: {message}"):
                nnw.Inspector(make(copy.deepcopy(training.model)), PLAIN.data)
            refresh_all(training, views, most(views) + 1)
        assert not failed_at_last(views)
    assert_same_bits(training, Loop(PLAIN))
