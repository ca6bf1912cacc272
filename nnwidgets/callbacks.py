"""Callbacks that have a trainer open and close the watch: Lightning, transformers, Keras and fastai.

Each returns an object of the trainer's own class, made when it is asked for, so that none of them is a dependency. It
opens a watch when the training begins, hands on what the trainer logs and the epoch, counts steps where no hook of
PyTorch's can, and closes the watch when the training ends, also by an exception. The training stays bit-identical.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from nnwidgets.inspector import Inspector
    from nnwidgets.training.watch import Watch

__all__ = ["fastai", "keras", "lightning", "transformers"]


class _Follower:
    """One watch, open while the trainer trains."""

    def __init__(self, inspector: Inspector, options: dict[str, Any]) -> None:
        self.inspector, self.options = inspector, options
        self.watch: Watch | None = None

    def begin(self) -> None:
        self.end()
        self.watch = self.inspector.watch(**self.options)

    def end(self) -> None:
        if self.watch is not None:
            self.watch.close()
        self.watch = None

    def step(self) -> None:
        if self.watch is not None:
            self.watch.step()

    def log(self, values: Mapping[str, Any]) -> None:
        """Keep the numbers among the values; trainers log names and tables, too."""
        numbers = {name: value for name, value in values.items() if _is_number(value)}
        if self.watch is not None and numbers:
            self.watch.log(**numbers)


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 1 and not value.is_complex()
    return isinstance(value, Real) and not isinstance(value, bool)


def lightning(inspector: Inspector, **watch: Any) -> Any:
    """A callback for `Trainer(callbacks=[...])` of Lightning; logs `trainer.callback_metrics` and the epoch.

    The inspector may be of the LightningModule or of a module within it. `watch` are keywords of `Inspector.watch`.

    Raises:
        ImportError: neither `lightning` nor `pytorch_lightning` is installed.
    """
    # Both may be installed, and a Trainer of one does not know callbacks of the other.
    home = "pytorch_lightning" if "pytorch_lightning" in sys.modules else "lightning.pytorch"
    base: Any = importlib.import_module(home).Callback
    follower = _Follower(inspector, watch)

    class Watching(base):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            follower.begin()

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            follower.log({**trainer.callback_metrics, "epoch": trainer.current_epoch})

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            follower.end()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            follower.end()

    return Watching()


def transformers(inspector: Inspector, **watch: Any) -> Any:
    """A callback for `Trainer(callbacks=[...])` of transformers; logs what the trainer logs, the epoch included.

    The trainer calls no callback when a training raises; the watch then ends with the next one, or with the inspector.

    Raises:
        ImportError: `transformers` is not installed.
    """
    base: Any = importlib.import_module("transformers").TrainerCallback
    follower = _Follower(inspector, watch)

    class Watching(base):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            follower.begin()

        def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
            follower.log(logs or {})

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            follower.end()

    return Watching()


def keras(inspector: Inspector, **watch: Any) -> Any:
    """A callback for `model.fit(callbacks=[...])` of Keras 3 on PyTorch; logs the metrics of each batch and the epoch.

    Keras has optimizers of its own, which no hook of PyTorch's sees; the callback counts their steps.

    Raises:
        ImportError: `keras` is not installed.   RuntimeError: Keras runs on another backend.
    """
    module: Any = importlib.import_module("keras")
    if module.backend.backend() != "torch":
        raise RuntimeError(
            f"keras: expected the backend torch, got {module.backend.backend()}; "
            'set os.environ["KERAS_BACKEND"] = "torch" before the first import of keras'
        )
    base: Any = module.callbacks.Callback
    follower = _Follower(inspector, watch)

    class Watching(base):  # type: ignore[misc]
        epoch = 0

        def on_train_begin(self, logs: Any = None) -> None:
            follower.begin()

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            follower.step()
            follower.log({**(logs or {}), "epoch": self.epoch})

        def on_train_end(self, logs: Any = None) -> None:
            follower.end()

    return Watching()


def fastai(inspector: Inspector, **watch: Any) -> Any:
    """A callback for `Learner(cbs=[...])` or `learn.fit(cbs=[...])` of fastai; logs each batch's loss and the epoch.

    fastai has optimizers of its own, which no hook of PyTorch's sees; the callback counts their steps.

    Raises:
        ImportError: `fastai` is not installed.
    """
    base: Any = importlib.import_module("fastai.callback.core").Callback
    follower = _Follower(inspector, watch)

    class Watching(base):  # type: ignore[misc]
        def before_fit(self) -> None:
            follower.begin()

        def after_batch(self) -> None:
            if self.training:
                follower.step()
                follower.log({"loss": self.learn.loss.detach(), "epoch": self.learn.epoch})

        def after_fit(self) -> None:
            follower.end()

        def after_cancel_fit(self) -> None:
            follower.end()

    return Watching()
