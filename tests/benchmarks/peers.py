"""The ways to watch a training that are compared: nothing, ours, TensorBoard's histograms, hooks on the live model."""

from __future__ import annotations

import tempfile
from typing import Any

from torch import Tensor, nn

from tests.benchmarks.watched import Watched
from tests.benchmarks.workloads import Training


class Peer:
    """One way to watch a training, by default not at all.

    `rest` and `wake` stand around the blocks in which another one is measured. `period` is after how many steps its
    cost repeats.
    """

    name: str
    period = 1

    def __init__(self, training: Training) -> None:
        self.training = training

    def after_step(self) -> None:
        """What the training loop calls after each step."""

    def rest(self) -> None:
        """Cost nothing until `wake`."""

    def wake(self) -> None:
        """Go on."""

    def counts(self) -> dict[str, float]:
        """Figures that only grow."""
        return {}

    def close(self) -> None:
        """Let go of everything."""


class Nothing(Peer):
    name = "nothing"


class Control(Peer):
    """The same again: what it differs from 1 by is the noise of the run."""

    name = "nothing, once more"


class _Ours(Peer):
    everything = False

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self._watched = Watched(training, everything=self.everything)
        self.rest, self.wake = self._watched.rest, self._watched.wake  # type: ignore[method-assign]
        self.counts, self.close = self._watched.counts, self._watched.close  # type: ignore[method-assign]


class OurDashboard(_Ours):
    name = "nnwidgets: dashboard"


class OurViews(_Ours):
    name = "nnwidgets: all views on screen"
    everything = True


class Histograms(Peer):
    """`add_histogram` of every parameter and its gradient, as TensorBoard's guides do it."""

    name = "TensorBoard, every step"

    def __init__(self, training: Training) -> None:
        from torch.utils.tensorboard import SummaryWriter

        super().__init__(training)
        self._folder = tempfile.TemporaryDirectory()
        self._writer: Any = SummaryWriter(self._folder.name)
        self._steps = 0

    def after_step(self) -> None:
        self._steps += 1
        if self._steps % self.period:
            return
        for name, parameter in self.training.model.named_parameters():
            self._writer.add_histogram(name, parameter, self._steps)
            if parameter.grad is not None:
                self._writer.add_histogram(f"{name}/gradient", parameter.grad, self._steps)

    def close(self) -> None:
        self._writer.close()
        self._folder.cleanup()


class RareHistograms(Histograms):
    name = "TensorBoard, every 10 steps"
    period = 10


class LiveHooks(Peer):
    """Forward hooks on every leaf module of the live model that read five statistics, as tutorials do it."""

    name = "forward hooks, 5 × .item()"

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self.statistics: dict[str, tuple[float, ...]] = {}
        leaves = [(name, each) for name, each in training.model.named_modules() if not any(each.children())]
        self._hooks = [leaf.register_forward_hook(self._reader(name)) for name, leaf in leaves]

    def _reader(self, name: str) -> Any:
        def read(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            value = output.detach()
            zeros = (value == 0).float().mean()
            five = (value.mean(), value.std(), value.min(), value.max(), zeros)
            self.statistics[name] = tuple(each.item() for each in five)

        return read

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


PEERS: tuple[type[Peer], ...] = (Nothing, Control, OurDashboard, OurViews, Histograms, RareHistograms, LiveHooks)
