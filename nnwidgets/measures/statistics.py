"""Statistics of every layer over the probe, as one job of the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import record
from nnwidgets.analysis.engine.layer_calls import module_of
from nnwidgets.analysis.engine.map_sums import GreyInputs
from nnwidgets.analysis.engine.out_of_memory import is_out_of_memory
from nnwidgets.analysis.filters import FilterStats, filter_stats, filter_weight
from nnwidgets.data import Batch
from nnwidgets.measures.features import labels_of
from nnwidgets.measures.layer_sums import LayerSums
from nnwidgets.measures.measure import Measure, Reading, Source
from nnwidgets.measures.record import ProbeResult
from nnwidgets.training.worker import Job, Snapshot

SLICE_S = 0.03
SLOW_S = 0.25  # from here on a pass gets its own copy of the model, so that other jobs need not wait for it
FEWEST_ROWS, MOST_ROWS = 4, 1 << 20
KEPT_KERNEL_VALUES = 100_000
UNSEEN_EVERY_S = 5.0  # while nobody watches, so that curves over training have no gaps


class Listener(NamedTuple):
    """A view or panel that shows the record: `watches()` it now, or has it `displayed()` on a page out of sight."""

    watches: Callable[[], bool]
    displayed: Callable[[], bool]
    done: Callable[[], None]


@dataclass(frozen=True)
class LayerStatistics(Measure):
    """The `Record`: statistics of every layer over the probe, filters and losses, over the training so far."""

    recorded = True

    def read(self, source: Source, snapshot: Snapshot) -> Reading:
        return source.record
        yield


Output = tuple[Tensor | None, float | None, int]  # which predictions are right, mean loss (each may be None), n


class ProbeJob(Job):
    """Fill the record: as often as the budget allows while it is watched, every few seconds otherwise."""

    name = "probe"

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rows = 8
        self._most_rows = MOST_ROWS
        self._listeners: list[Listener] = []
        self._added_at = float("-inf")
        self.error: str = ""

    def listen(self, listener: Listener) -> None:
        """Keep the record fresh for this listener, and call its `done()` after each new result."""
        self._listeners.append(listener)

    def forget(self, done: Callable[[], None]) -> None:
        self._listeners = [listener for listener in self._listeners if listener.done != done]

    def wanted(self) -> bool:
        if any(listener.watches() for listener in self._listeners):
            return True
        long_ago = time.monotonic() - self._added_at >= UNSEEN_EVERY_S
        return long_ago and any(listener.displayed() for listener in self._listeners)

    def work(self, snapshot: Snapshot) -> Iterator[None]:
        module, source = snapshot.shadow.module, self._source
        sums = LayerSums(source.layers)
        outputs: list[Output] = []
        indices, start = source.samples.probe_indices, 0
        pass_s = 0.0
        while start < len(indices):
            began = time.thread_time()
            batch = source.samples.batch(indices[start : start + self._rows])
            try:
                outputs.append((*self._forward(module, batch, sums), len(indices[start : start + self._rows])))
            except Exception as error:
                if self._rows == 1 or not is_out_of_memory(error):
                    raise
                # Some layers have seen this chunk and some have not, so start the pass again.
                self._rows = self._most_rows = self._rows // 2
                start = 0
                sums.clear()
                outputs.clear()
                continue
            start += self._rows
            spent = time.thread_time() - began
            pass_s += spent
            rows = max(FEWEST_ROWS, self._rows * min(2.0, SLICE_S / max(spent, 1e-6)))
            self._rows = int(min(rows, len(indices), self._most_rows))
            yield
        self.slow = pass_s > SLOW_S
        filters: dict[str, FilterStats] = {}
        kernels: dict[str, Tensor] = {}
        for layer in source.layers:
            weight = filter_weight(module_of(module, layer.name)) if layer.call == 1 else None
            if weight is not None:
                values = weight.detach().float().cpu()
                filters[layer.name] = filter_stats(values)
                if values.numel() <= KEPT_KERNEL_VALUES:
                    kernels[layer.name] = values.clone()
                yield
        loss, correct = self._quality(outputs)
        stats, problems = sums.result(len(indices))
        step = source.step_of(snapshot) or 0
        source.record.add(ProbeResult(step, stats, filters, len(indices), loss, correct, problems), kernels)
        self._added_at = time.monotonic()
        self.error = ""
        for listener in tuple(self._listeners):
            listener.done()

    def failed(self, error: BaseException, step: int) -> None:
        self.error = f"{type(error).__name__}: {error}"
        for listener in tuple(self._listeners):
            listener.done()

    def _forward(self, module: nn.Module, batch: Batch, sums: LayerSums) -> tuple[Tensor | None, float | None]:
        """Add a chunk to the sums; which of its predictions are right and its mean loss, where there are any."""
        picture = batch.args[0] if batch.args and isinstance(batch.args[0], Tensor) else None
        comparable = picture is not None and picture.ndim == 4 and picture.is_floating_point()
        inputs = GreyInputs(picture) if picture is not None and comparable else None

        def add(name: str, value: Tensor) -> None:
            sums.add(name, value, len(batch.indices), inputs)

        output = record(module, batch.args, batch.kwargs, layers=self._source.layers, on_activation=add, may_miss=True)
        loss = None
        if self._source.loss_fn is not None and batch.targets is not None:
            with torch.no_grad():
                loss = float(self._source.loss_fn(output, batch.targets))
        return self._right(output, batch), loss

    def _right(self, output: Any, batch: Batch) -> Tensor | None:
        """Of each prediction that can be judged whether it is right (k,)."""
        scores = self._source.batch_scores(output)
        several = self._source.task.kind == "labels"
        targets = batch.targets if several else labels_of(self._source, batch.indices)
        return None if scores is None or targets is None else self._source.task.right(scores, targets.cpu())

    def _quality(self, chunks: list[Output]) -> tuple[float | None, float | None]:
        """Mean loss over the probe (for a loss that is a mean over samples) and share of right predictions."""
        losses = [(loss, rows) for _, loss, rows in chunks if loss is not None]
        right = [part for part, _, _ in chunks if part is not None]
        judged = torch.cat(right) if len(right) == len(chunks) and right else torch.empty(0)
        correct = float(judged.double().mean()) if len(judged) else None
        rows = sum(rows for _, rows in losses)
        return (sum(loss * rows for loss, rows in losses) / rows if rows else None), correct
