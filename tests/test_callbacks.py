"""Trainers of other libraries with the callback that opens the watch, and without: the same weights, to the bit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import nnwidgets as nnw
from nnwidgets.training.watch import Watch

# Their own warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")
EPOCHS, BATCH, SAMPLES = 3, 8, 48
STEPS = EPOCHS * SAMPLES // BATCH
DATA = torch.Generator().manual_seed(3)
INPUTS, LABELS = torch.randn(SAMPLES, 6, generator=DATA), torch.arange(SAMPLES) % 3

Callback = Callable[..., Any]
Trained = tuple[dict[str, Tensor], Tensor]


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 3))


def outcome(model: nn.Module) -> Trained:
    """The weights, and the state that the random numbers are in."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}, torch.get_rng_state()


def loader() -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(INPUTS, LABELS), batch_size=BATCH, shuffle=True)


def train_lightning(callback: Callback | None, folder: Path) -> tuple[Trained, Watch | None]:
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def training_step(self, batch: Any, _: int) -> Tensor:
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=1e-2)

    module = Module()
    inspector = nnw.Inspector(module.net, (INPUTS, LABELS)) if callback else None
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[callback(inspector)] if callback else [],
    )
    trainer.fit(module, loader())
    return outcome(module), inspector._session.watch if inspector else None


def train_transformers(callback: Callback | None, folder: Path) -> tuple[Trained, Watch | None]:
    transformers = pytest.importorskip("transformers")

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def forward(self, inputs: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
            logits = self.net(inputs)
            loss = {} if labels is None else {"loss": nn.functional.cross_entropy(logits, labels)}
            return {**loss, "logits": logits}

    model = Model()
    inspector = nnw.Inspector(model, (INPUTS, LABELS)) if callback else None
    rows = [{"inputs": each, "labels": label} for each, label in zip(INPUTS, LABELS, strict=True)]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=BATCH,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    transformers.Trainer(
        model, arguments, train_dataset=rows, callbacks=[callback(inspector)] if callback else []
    ).train()
    return outcome(model), inspector._session.watch if inspector else None


def train_keras(callback: Callback | None, folder: Path) -> tuple[Trained, Watch | None]:
    os.environ["KERAS_BACKEND"] = "torch"
    keras = pytest.importorskip("keras")
    keras.utils.clear_session()  # which numbers its layers
    keras.utils.set_random_seed(0)

    class Model(keras.Model):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.head = keras.layers.Dense(12, "relu"), keras.layers.Dense(3)

        def call(self, inputs: Tensor) -> Tensor:
            return self.head(self.hidden(inputs))  # type: ignore[no-any-return]

    model = Model()
    model(INPUTS[:1])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    inspector = nnw.Inspector(model, (INPUTS, LABELS)) if callback else None
    model.fit(
        INPUTS.numpy(),
        LABELS.numpy(),
        BATCH,
        EPOCHS,
        verbose=0,
        callbacks=[callback(inspector)] if callback else [],
    )
    return outcome(model), inspector._session.watch if inspector else None


def train_fastai(callback: Callback | None, folder: Path) -> tuple[Trained, Watch | None]:
    basics = pytest.importorskip("fastai.basics")
    model = net()
    inspector = nnw.Inspector(model, (INPUTS, LABELS)) if callback else None
    learner = basics.Learner(
        basics.DataLoaders(loader(), loader()), model, loss_func=nn.CrossEntropyLoss(), path=folder
    )
    learner.fit(EPOCHS, 1e-2, cbs=[callback(inspector)] if callback else [])
    return outcome(model), inspector._session.watch if inspector else None


TRAINERS: dict[str, tuple[Callable[..., tuple[Trained, Watch | None]], str]] = {
    "lightning": (train_lightning, "train_loss"),
    "transformers": (train_transformers, "loss"),
    "keras": (train_keras, "loss"),
    "fastai": (train_fastai, "loss"),
}


@pytest.mark.parametrize("name", TRAINERS)
def test_a_training_with_the_callback_is_the_same_to_the_bit_and_is_followed(name: str, tmp_path: Path) -> None:
    train, loss = TRAINERS[name]
    (weights, random), _ = train(None, tmp_path)
    (watched, random_watched), watch = train(getattr(nnw.callbacks, name), tmp_path)
    assert list(weights) == list(watched)
    assert all(torch.equal(weights[key], watched[key]) for key in weights)
    assert torch.equal(random, random_watched)
    assert watch is not None
    assert watch.closed
    assert watch.step_count == STEPS
    assert watch.notes == ()
    logged, epochs = watch.logged(loss), watch.logged("epoch")
    assert logged is not None
    assert epochs is not None
    assert len(logged.steps) >= STEPS - 1
    assert min(epochs.items) < 1
    assert max(epochs.items) >= EPOCHS - 1


def test_a_training_that_raises_closes_the_watch(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning.pytorch")

    class Broken(lightning.LightningModule):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def training_step(self, batch: Any, number: int) -> Tensor:
            if number == 2:
                raise ValueError("a batch that can't be learnt")
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=1e-2)

    module = Broken()
    inspector = nnw.Inspector(module.net, (INPUTS, LABELS))
    trainer = lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        callbacks=[nnw.callbacks.lightning(inspector)],
    )
    with pytest.raises(ValueError, match="can't be learnt"):
        trainer.fit(module, loader())
    assert inspector._session.watch is not None
    assert inspector._session.watch.closed
