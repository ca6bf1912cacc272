"""Models that are awkward to copy, each with inputs, and what the tests compare of them."""

import io
import pickle
import random
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune


@dataclass(frozen=True)
class Case:
    """One model of the zoo: how it is built, and what its forward pass takes."""

    build: Callable[[], nn.Module]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def mlp() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))


class Convolutional(nn.Module):
    """BatchNorm, dropout, in-place and functional operations, one module called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout2d(0.3)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.conv1(x)))
        x = functional.dropout(self.again(self.again(x)), 0.2, training=self.training)
        x += 1.0
        return self.head(functional.adaptive_avg_pool2d(self.drop(x), 1).flatten(1))  # type: ignore[no-any-return]


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 5)
        self.decoder = nn.Linear(5, 7, bias=False)
        self.decoder.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.embedding(tokens))  # type: ignore[no-any-return]


class Attributes(nn.Module):
    """What may hang on a module: bound methods, weak references, plain tensors, modules in a list or plain object."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.step = self.body.forward
        self.reference = weakref.ref(self.body)
        self.scale = torch.full((4,), 2.0)
        self.unregistered = [nn.Linear(4, 4), nn.Tanh()]
        self.namespace = types.SimpleNamespace(inner=nn.Linear(4, 4))
        self.register_buffer("shift", torch.ones(4), persistent=False)
        self.temperature = 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.unregistered:
            x = layer(x)
        return self.namespace.inner(self.reference()(self.step(x))) * self.scale / self.temperature + self.shift  # type: ignore[no-any-return,misc]


class CopiesToItself(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def __deepcopy__(self, memo: dict[int, Any]) -> "CopiesToItself":
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)  # type: ignore[no-any-return]


class DrawsFromItsGenerator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.generator = torch.Generator().manual_seed(7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            x = x + torch.randn(x.shape, generator=self.generator)
        return self.layer(x)  # type: ignore[no-any-return]


def parametrized() -> nn.Module:
    return nn.Sequential(
        parametrizations.weight_norm(nn.Linear(6, 8)),
        parametrizations.spectral_norm(nn.Linear(8, 8)),
        parametrizations.orthogonal(nn.Linear(8, 3)),
    )


def old_weight_norm() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated, and still in many models
        return nn.Sequential(nn.utils.weight_norm(nn.Linear(6, 8)), nn.Linear(8, 3))


def pruned() -> nn.Module:
    model = mlp()
    prune.random_unstructured(model[0], "weight", amount=0.4)
    prune.l1_unstructured(model[0], "weight", amount=0.2)
    return model


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def hooked() -> nn.Module:
    """Hooks of every kind that would change the output or raise if they ever ran for the copy."""
    model = mlp()

    def refuse(*_: object) -> None:
        if not model.training:
            raise AssertionError("a user's hook ran")

    model[0].register_forward_pre_hook(lambda _module, args, kwargs: (args, kwargs), with_kwargs=True)
    model[1].register_forward_hook(lambda module, _args, output: output * 2 if module.training else output)
    model[3].register_forward_hook(lambda *_: None, with_kwargs=True, always_call=True)
    model[3].register_full_backward_hook(refuse)
    model[3].register_state_dict_pre_hook(lambda *_: None)
    return model


def compile_eagerly(model: nn.Module) -> nn.Module:
    wrapped = torch.compile(model, backend="eager")
    assert isinstance(wrapped, nn.Module)
    return wrapped


def compiled() -> nn.Module:
    return compile_eagerly(nn.Sequential(compile_eagerly(nn.Linear(6, 8)), nn.Tanh()))


def method_compiled() -> nn.Module:
    model = mlp()
    model.forward = torch.compile(model.forward, backend="eager")  # type: ignore[method-assign]
    model[0].compile(backend="eager")
    return model


def partly_patched() -> nn.Module:
    model = Convolutional()
    model.forward = types.MethodType(lambda self, x: 2 * Convolutional.forward(self, x), model)  # type: ignore[method-assign]
    return model


def channels_last() -> nn.Module:
    return Convolutional().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


PADDING = torch.tensor([[False, False, False, True, True], [False, False, False, False, True]])

ZOO: dict[str, Case] = {
    "mlp": Case(mlp, (noise(5, 6),)),
    "convolutional": Case(Convolutional, (noise(2, 2, 6, 6),)),
    "channels last": Case(channels_last, (noise(2, 2, 6, 6),)),
    "tied weights": Case(Tied, (torch.tensor([[0, 3, 6]]),)),
    "parametrized": Case(parametrized, (noise(5, 6),)),
    "old weight_norm": Case(old_weight_norm, (noise(5, 6),)),
    "old spectral_norm": Case(lambda: nn.Sequential(nn.utils.spectral_norm(nn.Linear(6, 3))), (noise(5, 6),)),
    "pruned": Case(pruned, (noise(5, 6),)),
    "lstm": Case(lambda: nn.LSTM(4, 5, num_layers=2, dropout=0.5, batch_first=True), (noise(2, 3, 4),)),
    "transformer": Case(transformer, (noise(2, 5, 8),), {"src_key_padding_mask": PADDING}),
    "compiled": Case(compiled, (noise(5, 6),)),
    "compiled method": Case(method_compiled, (noise(5, 6),)),
    "data parallel": Case(lambda: nn.DataParallel(mlp()), (noise(5, 6),)),
    "float64": Case(lambda: mlp().double(), (noise(5, 6, dtype=torch.float64),)),
    "bfloat16": Case(lambda: mlp().bfloat16(), (noise(5, 6, dtype=torch.bfloat16),)),
    "hooked": Case(hooked, (noise(5, 6),)),
    "attributes": Case(Attributes, (noise(5, 4),)),
    "copies to itself": Case(CopiesToItself, (noise(5, 3),)),
    "own generator": Case(DrawsFromItsGenerator, (noise(5, 3),)),
    "patched forward": Case(partly_patched, (noise(2, 2, 6, 6),)),
    "no parameters": Case(lambda: nn.Sequential(nn.Flatten(), nn.Softmax(-1)), (noise(5, 4),)),
}


def first_tensor(output: Any) -> torch.Tensor:
    return output if isinstance(output, torch.Tensor) else first_tensor(output[0])


def eval_output(model: nn.Module, case: Case) -> torch.Tensor:
    """What the live model itself gives in eval mode, its train flags put back."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            return first_tensor(model(*case.args, **case.kwargs)).clone()
    finally:
        for module, flag in flags:
            module.training = flag


def train(model: nn.Module, case: Case, *, steps: int = 3) -> None:
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.9) if parameters else None
    model.train()
    for _ in range(steps):
        loss = first_tensor(model(*case.args, **case.kwargs)).float().square().mean()
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def tensor_bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def fingerprint(model: nn.Module) -> dict[str, Any]:
    """Everything about a live model that a view must leave alone, as values that can be compared."""
    seen: dict[str, Any] = {}
    for name, module in model.named_modules():
        state = vars(module)
        seen[f"{name}: attributes"] = [(key, id(value)) for key, value in state.items()]
        seen[f"{name}: hooks"] = {key: list(value.items()) for key, value in state.items() if "hooks" in key}
        seen[f"{name}: training"] = module.training
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        seen[name] = (id(tensor), tensor._version, tensor.data_ptr(), tensor.requires_grad, tensor_bytes(tensor))
        seen[f"{name}: gradient"] = None if tensor.grad is None else (id(tensor.grad), tensor_bytes(tensor.grad))
    return seen


def pickled(model: nn.Module) -> bytes:
    buffer = io.BytesIO()
    pickle.dump({"state": vars(model), "class": type(model)}, buffer)
    return buffer.getvalue()


def random_states() -> tuple[bytes, bytes, object]:
    return torch.get_rng_state().numpy().tobytes(), pickle.dumps(np.random.get_state()), random.getstate()


@contextmanager
def everything_left_alone(model: nn.Module) -> Iterator[None]:
    """Fails when the block changed the model, a random state, or a global hook."""
    from torch.nn.modules import module as torch_module

    before, states = fingerprint(model), random_states()
    yield
    assert fingerprint(model) == before
    assert random_states() == states
    assert not torch_module._global_forward_pre_hooks
    assert not torch_module._global_forward_hooks
