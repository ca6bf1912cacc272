"""Opens a session: runs the private copy once to learn what there is, refuses what can't be shown. Knows no widget."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from nnwidgets.analysis.capture import LayerInfo
from nnwidgets.analysis.engine.layer_calls import is_leaf, named_modules
from nnwidgets.analysis.engine.layers import Run, layers_of, with_given_axes
from nnwidgets.analysis.engine.made_by import MadeBy
from nnwidgets.analysis.engine.occlusion_dense import class_scores
from nnwidgets.analysis.task import Task, TaskKind
from nnwidgets.data import Batch, Samples, TargetKind, numeric_targets
from nnwidgets.measures.record import Record
from nnwidgets.selection import Selection
from nnwidgets.session.session import MEMORY_SHARES, Session
from nnwidgets.session.task import Evidence, loss_kind, task_of
from nnwidgets.session.user_functions import named_loss_fn, named_score_fn
from nnwidgets.shadow import Shadow, UnsupportedModelError, check_leaks
from nnwidgets.training.budget import Budget
from nnwidgets.training.user_thread import UserThread
from nnwidgets.training.worker import Worker

AT_ONCE = 8  # samples in a run that looks for layers which the first ones do not reach
TARGETS: dict[TaskKind, TargetKind] = {"binary": "yes or no", "labels": "labels", "numbers": "numbers"}

# Names of activation functions, those of other libraries (NewGELUActivation) among them.
ACTIVATION = re.compile("elu|silu|mish|swish|softplus|tanh|sigmoid", re.IGNORECASE)


def attach(
    model: nn.Module,
    shadow: Shadow,
    samples: Samples,
    *,
    score_fn: Callable[[Any], Tensor] | None,
    loss_fn: Callable[..., Tensor] | None,
    task: TaskKind | None,
    selection: Selection | None,
    axes: Mapping[str, str],
    memory: int,
) -> Session:
    """Run the private copy once, in the user's thread, to learn its layers, its classes and whether it is safe."""
    shadow.refill()
    first = samples.batch(samples.probe_indices[:2])
    layers, unsupported_reason = _layers(model, shadow, samples, first, axes)
    readable = all(parameter.device == shadow.device for parameter in model.parameters())
    session = Session(
        live=weakref.ref(model),
        shadow=shadow,
        samples=samples,
        layers=layers,
        selection=selection if selection is not None else Selection(),
        record=Record(max_bytes=int(MEMORY_SHARES["record"] * memory)),
        worker=Worker(shadow, budget=Budget(), readable=readable, spare_bytes=int(MEMORY_SHARES["replica"] * memory)),
        user_thread=UserThread(),
        output_fn=named_score_fn(score_fn) if score_fn is not None else class_scores,
        loss_fn=_loss_fn(loss_fn, shadow),
        max_memory=memory,
        unsupported_reason=unsupported_reason,
    )
    if not unsupported_reason:
        _learn_task(session, first, task, loss_fn, scored=score_fn is not None)
    if selection is None:
        session.selection.restrict(
            layers=[layer.name for layer in layers],
            samples=len(samples),
            classes=session.classes,
            units={layer.name: layer.units for layer in layers}.get if not unsupported_reason else None,
        )
        session.selection.update(layer=_first_shown(layers), sample=samples.probe_indices[0])
    return session


def _first_shown(layers: Sequence[LayerInfo]) -> str:
    """The layer to begin with: the first activation function, where there is more to see than before it."""
    return next((layer.name for layer in layers if ACTIVATION.search(layer.kind)), layers[0].name)


def _layers(
    model: nn.Module, shadow: Shadow, samples: Samples, first: Batch, axes: Mapping[str, str]
) -> tuple[tuple[LayerInfo, ...], str]:
    """The layers that can be looked at, and why the model must not be run in the background, or nothing."""
    runs = _runs(samples, first)
    try:
        reasons = check_leaks(shadow, model, first.args, first.kwargs)
        # One that leaks is not run again: each run changes the user's model.
        layers = layers_of(shadow.module, runs) if not reasons else _leaves(shadow.module)
    except UnsupportedModelError:
        raise
    except Exception as error:
        raise ValueError(
            f"dataset: expected samples that the model takes, got {_told(first.args, first.kwargs)}, at which it "
            f"raised {type(error).__name__}: {error}; check shape and dtype, or give unpack="
            f"{''.join(f'. {doubt}' for doubt in samples.doubts)}"
        ) from None
    if not layers:
        raise ValueError("model: expected a forward pass that calls at least one layer, got one that calls none")
    if not reasons:
        layers = with_given_axes(layers, axes, len(first.indices))
    return layers, " ".join(reasons)


def _runs(samples: Samples, first: Batch) -> Iterator[Run]:
    """The first samples, these with the last of them once more, and then the rest of the probe."""
    yield Run(first.args, first.kwargs, len(first.indices))
    probe, known = samples.probe_indices, len(first.indices)
    rest = (probe[start : start + AT_ONCE] for start in range(known, len(probe), AT_ONCE))
    for indices in ((*first.indices, first.indices[-1]), *rest):
        batch = samples.batch(indices)
        yield Run(batch.args, batch.kwargs, len(indices))


def _loss_fn(loss_fn: Callable[..., Tensor] | None, shadow: Shadow) -> Callable[..., Tensor] | None:
    """The user's loss, by a copy of it if it is a module."""
    if loss_fn is None:
        return None
    return named_loss_fn(Shadow(loss_fn, device=shadow.device).run if isinstance(loss_fn, nn.Module) else loss_fn)


def _learn_task(
    session: Session, first: Batch, given: TaskKind | None, loss_fn: Callable[..., Tensor] | None, *, scored: bool
) -> None:
    """What the outputs and targets are, by one forward pass; `scored`: by the user's own function of scores."""
    samples, names = session.samples, session.samples.class_names
    outputs = _outputs(session, first, scored=scored)
    evidence = Evidence(
        outputs.detach().float().cpu() if outputs is not None else None,
        samples=len(first.indices),
        narrow=session.shadow.dtype is not None,
        made_by=lambda: _made_by(session, first),
        targets=samples.probe_targets,
        labels_end=samples.labels_end,
        loss=loss_kind(loss_fn),
        scored=scored,
        names=None if names is None else len(names),
        named_by_user=samples.named_by_user,
    )
    session.task = task = task_of(evidence, given)
    samples.read_targets_as(TARGETS.get(task.kind, "classes"))
    session.numeric_targets = numeric_targets(first) is not None and _are_numbers(first, task)
    if task.classes is not None:
        samples.check_class_names(task.classes)
    if loss_fn is not None and first.targets is None:
        samples.note_no_loss()
    width = outputs.shape[1] if outputs is not None and outputs.ndim == 2 else 0
    samples.check_labels(width if width > 1 and task.kind in ("classes", "none") else None)


def _are_numbers(batch: Batch, task: Task) -> bool:
    """Whether targets of one number each are numbers, and no classes."""
    floating = batch.targets is not None and batch.targets.is_floating_point()
    return task.kind == "numbers" or (floating and task.kind != "binary")


def _outputs(session: Session, first: Batch, *, scored: bool) -> Tensor | None:
    output = session.run(first)
    if scored:
        outputs = session.output_fn(output)
        _check_scores(outputs)
        return outputs
    try:
        return session.output_fn(output)
    except ValueError:  # no tensor of numbers in what the model returns
        return None


def _made_by(session: Session, first: Batch) -> str:
    """The operation that gives the outputs their values."""
    with MadeBy() as made:
        outputs = session.output_fn(session.run(first))
    return made.name_of(outputs)


def _leaves(module: nn.Module) -> tuple[LayerInfo, ...]:
    """The layers of a model that can't be run, in the order of their definition."""
    names = [(name, type(child).__name__) for name, child in named_modules(module).items() if is_leaf(child)]
    return tuple(LayerInfo(name, kind, (), 1, 0) for name, kind in names)


def _told(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Shapes and dtypes of a batch in words."""
    given = [*((f"argument {at}", value) for at, value in enumerate(args)), *kwargs.items()]
    said = (
        f"{name} {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        if isinstance(value, Tensor)
        else f"{name} {type(value).__name__}"
        for name, value in given
    )
    return ", ".join(said) or "no arguments"


def _check_scores(scores: Any) -> None:
    if not isinstance(scores, Tensor) or scores.ndim != 2:
        got = f"a tensor of shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"score_fn: expected a tensor (batch, classes), got {got}")
