"""What an inspector's views share: the shadow, the samples, the layers, the record, the worker. Knows no widget.

The user holds the `Inspector`; views hold the session. When the inspector goes, its session is closed and its views
with it.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nnwidgets.analysis.capture import LayerInfo
from nnwidgets.analysis.engine.layer_calls import module_of
from nnwidgets.analysis.task import UNKNOWN, Task
from nnwidgets.data import Batch, Samples
from nnwidgets.measures.measure import Measure
from nnwidgets.measures.record import Record
from nnwidgets.measures.shared import SharedMeasures
from nnwidgets.measures.statistics import ProbeJob
from nnwidgets.selection import Selection
from nnwidgets.shadow import Shadow, check_leaks
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.watch import Watch
from nnwidgets.training.worker import Job, Snapshot, Worker
from nnwidgets.words import plural

STALE_AFTER_S = 5.0
FIRST_PAGE = 64  # units of a wide layer that are seen without turning pages
QUICK_S = 0.5
# Of `max_memory`, by what takes it; together all of it. "results": what views keep to go back to, all together.
MEMORY_SHARES = {"samples": 3 / 8, "record": 1 / 8, "replica": 1 / 4, "occlusion": 3 / 16, "results": 1 / 16}
logger = logging.getLogger(__name__)


class Member(Protocol):
    """A view, a row or a dashboard: closed with the session."""

    def close(self) -> None: ...

    @property
    def needed(self) -> frozenset[Measure]:
        """The measures that it needs now: none while nobody looks at it."""


@dataclass(frozen=True)
class Status:
    """How training and watching stand. Seconds, bytes and shares; None where there is nothing to say."""

    step: int | None
    training: bool
    overhead: float | None
    budget: float | None
    memory_bytes: int
    stale_after_s: float | None


@dataclass
class Session:
    """One per inspector. `unsupported_reason` says why the model can't be watched, or is empty."""

    live: Callable[[], nn.Module | None]
    shadow: Shadow
    samples: Samples
    layers: tuple[LayerInfo, ...]
    selection: Selection
    record: Record
    worker: Worker
    user_thread: UserThread
    output_fn: Callable[[Any], Tensor]  # the outputs (n, …) in what the model returns, by the user or by default
    loss_fn: Callable[..., Tensor] | None
    max_memory: int
    task: Task = UNKNOWN
    numeric_targets: bool = False  # each a single number that is no class
    unsupported_reason: str = ""
    notice: str = ""
    watch: Watch | None = None
    watched: bool = False
    paused: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        self.pictured: weakref.WeakSet[object] = weakref.WeakSet()  # whose picture the notebook keeps
        self.kept_bytes: dict[object, int] = {}  # by what holds them: views, their jobs
        self.members: list[Member] = []
        self.measures = SharedMeasures(self, lambda measure: sum(measure in member.needed for member in self.members))
        self._listeners: list[Callable[[], None]] = []
        self._default_units: dict[str, int] = {}
        self.probe = ProbeJob(self)
        if not self.unsupported_reason:
            self.worker.buffer.on_rebuilt = lambda: self.user_thread.submit(self.recheck_leaks)
            self.worker.add(self.probe)

    def join(self, member: Member) -> None:
        """Have something (a view, a panel) closed with the session."""
        self.members.append(member)

    def leave(self, member: Member) -> None:
        self.members = [other for other in self.members if other is not member]
        self.measures.clear()
        self.pictured.discard(member)
        self.kept_bytes.pop(member, None)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` when a watch begins or ends, or when the views are paused or resumed."""
        self._listeners.append(listener)

    def off_change(self, listener: Callable[[], None]) -> None:
        self._listeners = [other for other in self._listeners if other != listener]

    def compute_now(self, job: Job) -> bool:
        """Do a job in the calling thread, the user's, on the model as it is now; whether it ended in time.

        For first pictures: they are there at once, and their cold start is not part of any training. What takes longer
        is the worker's.
        """
        if self.unsupported_reason or self.training or threading.current_thread() is not threading.main_thread():
            return False
        self.worker.refill()
        self.recheck_leaks()
        with self.worker.held():
            snapshot = self.worker.buffer.snapshot
            if snapshot is None or self.unsupported_reason:
                return False
            until = time.monotonic() + QUICK_S
            try:
                for _ in job.work(snapshot):
                    if time.monotonic() > until:
                        return False
            except Exception as error:
                # As in the worker: the view says it, and what the user does goes on.
                job.failed(error, snapshot.step)
        return True

    def recheck_leaks(self) -> None:
        """Let nothing run on a copy that was made anew before it is known to leave the live model alone.

        In the user's thread, while no step is under way.
        """
        buffer, live = self.worker.buffer, self.live()
        if buffer.checked or live is None or self.closed:
            return
        with self.worker.held():
            try:
                first = self.samples.batch(self.samples.probe_indices[:2])
                self.unsupported_reason = " ".join(check_leaks(self.shadow, live, first.args, first.kwargs))
            except Exception as error:
                # The views run into the same, say it, and try again when the model has changed.
                logger.info("the model that was taken apart can't be run: %s", error)
            self.samples.device = self.shadow.device  # where the model has moved to
            buffer.mark_checked()
        self.changed()

    @property
    def mode(self) -> tuple[str, bool]:
        """How the model is run, for captions, and whether that is odd."""
        narrow = self.shadow.dtype
        return ("eval mode", False) if narrow is None else (f"eval mode, in {str(narrow).removeprefix('torch.')}", True)

    def charge(self, seconds: float, job: Job | None = None) -> None:
        """Sending what this job found, or nobody's in particular, took so long: part of what watching costs."""
        self.worker.schedule.charge_sending(seconds, job)

    def watch_changed(self) -> None:
        """A watch has ended or has something to say: show it, and the final weights."""
        watch = self.watch
        if watch is not None and not self.closed:
            self.notice = " ".join(watch.notes)
            self.changed()

    def refresh_all(self) -> None:
        """Renew every view that is on screen, and the statistics."""
        self.worker.request_all()

    def changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def pause(self, paused: bool) -> None:
        """Pause or resume the views; training is never touched."""
        self.paused = paused
        self.changed()
        if not paused:
            self.refresh_all()  # what was picked meanwhile

    @property
    def layer_names(self) -> list[str]:
        """The layers by name, in forward order."""
        return [layer.name for layer in self.layers]

    def layer(self, name: str) -> LayerInfo:
        return next(layer for layer in self.layers if layer.name == name)

    def default_unit(self, layer: str) -> int:
        """The unit of a layer to show where none is selected: the one that was most active at first."""
        latest = self.record.latest
        stats = latest.stats.get(layer) if latest is not None else None
        if layer not in self._default_units and stats is not None:
            self._default_units[layer] = int(torch.nan_to_num(stats.mean[:FIRST_PAGE], nan=-torch.inf).argmax())
        return self._default_units.get(layer, 0)

    def module_of(self, name: str) -> nn.Module:
        """The shadow's module behind a layer name, whichever call of it the name means."""
        return module_of(self.shadow.module, name)

    def run(self, batch: Batch) -> Any:
        """The model's output for a batch, by the shadow."""
        return self.shadow.run(*batch.args, **batch.kwargs)

    @property
    def classes(self) -> int | None:
        """How many classes have a score; None without class scores."""
        return self.task.classes

    @property
    def numeric_outputs(self) -> bool:
        """Whether the model gives one number for each sample, and no class scores."""
        return self.task.kind == "numbers" and self.task.width == 1

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the copy, the samples and the task."""
        return (*self.shadow.notes, *self.samples.notes, *filter(None, [self.task.note]))

    def score_fn(self, output: Any) -> Tensor:
        """Class scores (n, classes) in what the model returns, as the task reads its outputs."""
        return self.task.scores(self.output_fn(output))

    def batch_scores(self, output: Any) -> Tensor | None:
        """Class scores (n, classes) on the CPU, or None for a model that has none."""
        if self.classes is None:
            return None
        scores = self.score_fn(output)
        return scores.detach().float().cpu() if scores.shape[1:] == (self.classes,) else None

    def batch_numbers(self, output: Any) -> Tensor | None:
        """The model's one number for each sample of a batch (n,) on the CPU, or None where it gives others."""
        return self.output_fn(output).detach().float().cpu().reshape(-1) if self.numeric_outputs else None

    def class_name(self, index: int) -> str:
        """The name of a class; its number if it has no name."""
        return self.samples.class_name(index)

    def step_of(self, snapshot: Snapshot) -> int | None:
        """The step that a snapshot's weights are of; None when no training was ever watched."""
        return snapshot.step if self.watched else None

    def loss_curve(self) -> tuple[str, list[int], list[float]]:
        """Name, steps and values of the loss: the one given to `watch.log`, else that of the probe in eval mode."""
        logged = self.watch.logged("loss") if self.watch is not None else None
        if logged is not None and len(logged.steps):
            return "Loss", list(logged.steps), list(logged.items)
        kept = self.record.probe_loss
        return f"Loss on {plural(len(self.samples.probe_indices), 'sample')}", list(kept.steps), list(kept.items)

    @property
    def training(self) -> bool:
        return self.watch is not None and self.watch.training

    def status(self) -> Status:
        watch = self.watch
        stale = None
        if watch is not None and not watch.closed:
            stale = max(STALE_AFTER_S, 10 * watch.budget.step_interval_s)
        memory = self.shadow.nbytes + self.worker.schedule.tasks.nbytes + self.samples.nbytes + self.record.nbytes
        return Status(
            step=self.record.last_step if watch is None else watch.step_count,
            training=self.training,
            overhead=None if watch is None else watch.overhead,
            budget=None if watch is None else watch.budget.share,
            memory_bytes=memory + sum(tuple(self.kept_bytes.values())),
            stale_after_s=stale,
        )

    def model_changed(self) -> bool:
        """Whether the user's weights moved since the last snapshot and no watch is there to follow them."""
        return not self.training and not self.shadow.is_current()

    def close(self) -> None:
        """Close views, watch and worker; free the shadow."""
        if self.closed:
            return
        self.closed = True
        if self.watch is not None:
            self.watch.close()
        self.worker.close()
        self._listeners.clear()
        while self.members:
            self.members.pop().close()
