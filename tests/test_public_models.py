"""Architectures that others wrote, small and with random weights: all views on screen and clicked while they train.

The training is the same to the bit, no view fails without a reason, and layers are what plain forward hooks on the
user's own model see.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import nnwidgets as nnw
from tests.test_exactness import Counted
from tests.test_unusual_hosts import failed_at_last, open_all
from tests.waiting import inspecting, shown

pytestmark = [pytest.mark.soak, pytest.mark.filterwarnings("default")]
N, CLASSES, WORDS, LENGTH, SIZE = 48, 3, 40, 12, 32
TRAIN_S = 12.0
GENERATOR = torch.Generator().manual_seed(2)
LABELS = torch.randint(CLASSES, (N,), generator=GENERATOR)
PICTURES = torch.randn(N, 3, SIZE, SIZE, generator=GENERATOR) + LABELS[:, None, None, None]
TOKENS = torch.randint(3, WORDS, (N, LENGTH), generator=GENERATOR)
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
TEXT = {"vocab_size": WORDS, "pad_token_id": 0, "num_labels": CLASSES, "max_position_embeddings": 64}

# The class's name without "For…Classification", and what its configuration is given.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "ViT": ("Image", {**SMALL, "image_size": SIZE, "patch_size": 8}),
    "DeiT": ("Image", {**SMALL, "image_size": SIZE, "patch_size": 8}),
    "ResNet": ("Image", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}),
    "ConvNext": ("Image", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}),
    "Swin": ("Image", {"image_size": SIZE, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}),
    "MobileNetV2": ("Image", {"image_size": SIZE, "depth_multiplier": 0.25, "num_channels": 3}),
    "Bert": ("Sequence", {**SMALL, **TEXT}),
    "Roberta": ("Sequence", {**SMALL, **TEXT}),
    "Albert": ("Sequence", {**SMALL, **TEXT, "embedding_size": 8}),
    "DistilBert": ("Sequence", {**TEXT, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}),
    "GPT2": ("Sequence", {"vocab_size": WORDS, "n_embd": 16, "n_layer": 2, "n_head": 2, "pad_token_id": 0}),
    "Mixtral": ("Sequence", {**SMALL, **TEXT, "num_key_value_heads": 2, "num_local_experts": 4}),
}


def built(name: str) -> tuple[nn.Module, Tensor]:
    """A model and its inputs."""
    transformers = pytest.importorskip("transformers")
    kind, options = ARCHITECTURES[name]
    torch.manual_seed(0)
    configuration = getattr(transformers, f"{name}Config")(**{"num_labels": CLASSES, **options})
    model = getattr(transformers, f"{name}For{kind}Classification")(configuration)
    return model.train(), PICTURES if kind == "Image" else TOKENS


def train(model: nn.Module, inputs: Tensor, optimizer: torch.optim.Optimizer, goes_on: Callable[[int], bool]) -> int:
    """Train while it goes on; returns the number of steps."""
    steps = 0
    while goes_on(steps):
        rows = torch.randint(N, (8,))
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs[rows]).logits, LABELS[rows]).backward()
        optimizer.step()
        steps += 1
    return steps


def clicked(inspector: nnw.Inspector, seconds: float) -> Callable[[int], bool]:
    """Goes on for so long, and looks at another layer and sample now and then."""
    until, layers = time.monotonic() + seconds, inspector.layers

    def goes_on(step: int) -> bool:
        if step % 10 == 9:
            inspector.selection.update(layer=layers[step // 10 % len(layers)], sample=step % N)
        return time.monotonic() < until

    return goes_on


def first_tensor(output: Any) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    values = output.values() if hasattr(output, "values") else output if isinstance(output, (tuple, list)) else ()
    return next((each for each in map(first_tensor, values) if each is not None), None)


def hooked(model: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """What each layer returns at its first call, by plain hooks on a copy of the user's model in eval mode."""
    found: dict[str, Tensor] = {}
    model = copy.deepcopy(model).eval()

    def note(name: str, output: Any) -> None:
        value = first_tensor(output)
        if value is not None:
            found.setdefault(name, value.clone())

    for name, module in model.named_modules():
        module.register_forward_hook(lambda _module, _args, output, name=name: note(name, output))
    with torch.no_grad():
        model(inputs)
    return found


def compared(inspector: nnw.Inspector, model: nn.Module, inputs: Tensor, sample: int) -> tuple[int, int]:
    """Compare every layer that can be shown with plain hooks: how many were, and how many are refused with a reason."""
    plain, equal, refused = hooked(model, inputs[[sample]]), 0, 0
    for layer in inspector.layers:
        info = inspector._session.layer(layer)
        if info.unclear:
            assert "axes=" in info.unclear, layer
            refused += 1
        elif info.call == 1 and (info.batch_dim, info.per_sample) == (0, 1) and info.channel_dim is not None:
            values = shown(inspector.activations(layer=layer, sample=sample)).values
            expected = plain[layer][0].movedim(info.channel_dim - 1, 0)
            if values.shape == expected.shape:  # of more axes the mean is shown
                torch.testing.assert_close(values, expected.float(), rtol=1e-4, atol=1e-5)
                equal += 1
    return equal, refused


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_public_architecture_trains_the_same_and_is_shown_as_it_is(name: str) -> None:
    model, inputs = built(name)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with inspecting(model, (inputs, LABELS), probe=16) as inspector:
        views: list[Counted] = open_all(inspector)
        torch.manual_seed(1)
        with inspector.watch(optimizer, budget=0.5):
            steps = train(model, inputs, optimizer, clicked(inspector, TRAIN_S))
        for view, reason in failed_at_last(views).items():
            raise AssertionError(f"{view}: {reason}")
        other, _ = built(name)
        torch.manual_seed(1)
        train(other, inputs, torch.optim.AdamW(other.parameters(), lr=1e-3), lambda step: step < steps)
        want, got = other.state_dict(), model.state_dict()
        assert [key for key in want if not torch.equal(want[key], got[key])] == []
        equal, refused = compared(inspector, model, inputs, sample=5)
        assert equal >= len(inspector.layers) // 2, f"{equal} of {len(inspector.layers)} compared, {refused} refused"
