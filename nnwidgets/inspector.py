"""A model and a dataset, and the way to every view of them."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, nn

from nnwidgets.analysis.task import TaskKind
from nnwidgets.data import Samples
from nnwidgets.display.dashboard import Dashboard, view_class
from nnwidgets.display.poll import poll
from nnwidgets.display.view import View
from nnwidgets.selection import Selection
from nnwidgets.session import MEMORY_SHARES, Session, arguments, attach
from nnwidgets.shadow import fitting_shadow, free_memory, unwrap
from nnwidgets.training.watch import Watch
from nnwidgets.views import (
    ActivationsView,
    EmbeddingView,
    FeatureOcclusionView,
    FiltersView,
    OcclusionView,
    views_of,
)

AnyView = TypeVar("AnyView", bound=View)

MEMORY_SHARE = 0.1

_inspectors: weakref.WeakKeyDictionary[nn.Module, weakref.ref[Inspector]] = weakref.WeakKeyDictionary()


class Inspector:
    """Wraps a model and a dataset; displaying it displays its dashboard.

    Everything is computed on a private copy of the model in eval mode. The model, the dataset and the global random
    states are as they were before; a second inspector on the same model replaces the first.

    Args:
        model: any eager module on any device; compiled and data-parallel wrappers are looked through.
        dataset: map-style dataset, list, DataLoader (its dataset and collate function), one tensor or array (no
            labels), or `(inputs, targets)`.
        unpack: `unpack(sample) -> (args, kwargs, target or None)`; by default the last of a tuple is the target if
            `forward` takes fewer arguments; where it may be the target or an optional argument, an error names `unpack`
            for either. A target is a class if it is a whole number; a warning says where floats or one-hot rows look
            like classes, or where the last of a tuple goes to `forward` but looks like a label.
        score_fn: `score_fn(output) -> (batch, classes)`; by default the output's `logits`, else its first tensor.
        loss_fn: `loss_fn(output, targets)`: the loss on the probe is then shown without `watch.log`. Runs
            in the background: a module is copied as it is now and evaluated in eval mode.
        task: what the outputs are: "classes" (one of several, by softmax), "binary" (one output for yes or no),
            "labels" (several, each yes or no), "numbers" (a regression), "positions" (a class at each position) or
            "none". By default it is told from outputs, targets and loss; where these allow two readings there are no
            class scores, and `notes` says why. Outputs that are probabilities are used as they are.
        class_names: else `dataset.classes`, else numbers.
        probe: how many samples statistics are over, spread over classes where labels are at hand; or their indices.
        to_image: `to_image(input) -> array or PIL image` of one sample; changes what is drawn, not what is computed.
        device: where the private copy lives; by default where the model is. Where it does not fit it lives on the CPU,
            or in bfloat16, and the views say so.
        seed: draws the probe and the embedding's samples.
        selection: another inspector's `selection`, to link the two.
        axes: layer -> what the axes of its output hold where that can't be told, a letter each: n samples, c channels,
            any other positions. `{"lstm": "tnc"}` is (times, samples, channels).
        max_memory: bytes we may keep beyond the private copy; by default a tenth of what is free.

    Raises:
        TypeError: a model or dataset of a kind that can't be inspected, an argument of the wrong kind; the text says
            which and what to do.
        ValueError: an empty dataset, class names of the wrong length, samples that the model refuses or that can be
            read in two ways, a task that the outputs don't fit, an argument out of range.
        MemoryError: there is no room for a private copy of the model, not even in bfloat16.
        IndexError: probe indices out of range.
    """

    def __init__(
        self,
        model: nn.Module,
        dataset: Any,
        *,
        unpack: Callable[[Any], tuple[tuple[Any, ...], dict[str, Any], Any]] | None = None,
        score_fn: Callable[[Any], Tensor] | None = None,
        loss_fn: Callable[..., Tensor] | None = None,
        task: TaskKind | None = None,
        class_names: Sequence[str] | None = None,
        probe: int | Sequence[int] = 64,
        to_image: Callable[[Any], Any] | None = None,
        device: torch.device | str | None = None,
        seed: int = 0,
        selection: Selection | None = None,
        axes: Mapping[str, str] | None = None,
        max_memory: int | None = None,
    ) -> None:
        arguments.check_model(model)
        arguments.check_functions(unpack=unpack, score_fn=score_fn, loss_fn=loss_fn, to_image=to_image)
        arguments.check_selection(selection)
        class_names, probe = arguments.checked_class_names(class_names), arguments.checked_probe(probe)
        seed, most = arguments.checked_seed(seed), arguments.checked_memory(max_memory)
        shadow = fitting_shadow(model, device=arguments.checked_device(device))
        memory = most if most is not None else int(MEMORY_SHARE * free_memory(shadow.device))
        samples = Samples(
            dataset,
            model=model,
            device=shadow.device,
            unpack=unpack,
            to_image=to_image,
            class_names=class_names,
            probe=probe,
            seed=seed,
            max_bytes=int(MEMORY_SHARES["samples"] * memory),
        )
        self._session = attach(
            model,
            shadow,
            samples,
            score_fn=score_fn,
            loss_fn=loss_fn,
            task=arguments.checked_task(task),
            selection=selection,
            axes=arguments.checked_axes(axes),
            memory=memory,
        )
        self._session.compute_now(self._session.probe)
        self._close = weakref.finalize(self, Session.close, self._session)
        # Only now: when any of the above is refused, the inspector that was there goes on.
        previous = _inspectors.get(unwrap(model))
        if previous is not None and (old := previous()) is not None:
            old.close()
        _inspectors[unwrap(model)] = weakref.ref(self)
        for doubt in samples.doubts:
            warnings.warn(doubt, stacklevel=2)

    @property
    def _open_session(self) -> Session:
        if self._session.closed:
            raise RuntimeError(
                "inspector: expected an open inspector, got one that was closed or replaced; make a new one"
            )
        return self._session

    @property
    def _views(self) -> Mapping[str, type[View]]:
        """Ours, by name, as they fit the data."""
        return views_of(self._open_session.samples.input_kind)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of what can be looked at, in forward order; the n-th call of a module is "name:n"."""
        return tuple(self._session.layer_names)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the model's copy and to the data: converted, left out, not used.

        The dashboard says it."""
        return self._session.notes

    @property
    def selection(self) -> Selection:
        """What every view shows: layer, unit, sample, target, and the selected samples (indices into the dataset)."""
        return self._session.selection

    @overload
    def view(self, view: type[AnyView], **options: Any) -> AnyView: ...

    @overload
    def view(self, view: str, **options: Any) -> View: ...

    def view(self, view: type[View] | str, **options: Any) -> View:
        """A view of this inspector, one of ours or your own: `inspector.view(Confusion, normalise="none")`.

        Args:
            view: a class that inherits from `nnwidgets.View`, or the name of one of ours ("activations", "filters",
                "occlusion", "embedding").
            options: what it follows (`layer=`, `sample=` …), its own options, and `save_picture=False`, which keeps
                private images out of the saved notebook.

        Raises:
            KeyError: an unknown name.   TypeError: something that is no such class, an unknown option.
            ValueError: a value that an option can't have.
        """

        return view_class(view, self._views, "view")(self._open_session, **options)

    def activations(
        self, *, layer: str | None = None, sample: int | None = None, save_picture: bool = True, **options: Any
    ) -> ActivationsView:
        """The response of a layer to a sample, live; None follows the selection.

        `options` are those of the view: `sort_by="dead"`, `scale="map"`.

        Raises:
            KeyError: an unknown layer; the text lists the nearest names.
            IndexError: a sample out of range.
            TypeError: an unknown option.   ValueError: a value that an option can't have.
        """

        return self.view(ActivationsView, layer=layer, sample=sample, save_picture=save_picture, **options)

    def filters(self, *, layer: str | None = None, save_picture: bool = True, **options: Any) -> FiltersView:
        """The filters of a layer and how smooth they are, live; None follows the selection.

        `options` are those of the view: `sort_by="smoothness"`, `scale="map"`, `channel=3`.

        Raises:
            KeyError: an unknown layer; the text lists the nearest names.
            TypeError: an unknown option.   ValueError: a value that an option can't have.
        """

        return self.view(FiltersView, layer=layer, save_picture=save_picture, **options)

    def occlusion(
        self,
        *,
        sample: int | None = None,
        target: int | None = None,
        layer: str | None = None,
        patch: int | None = None,
        stride: int | None = None,
        names: Sequence[str] | None = None,
        save_picture: bool = True,
        **options: Any,
    ) -> OcclusionView | FeatureOcclusionView:
        """What the model loses when a square of the picture is covered, or one feature of a row, one token of a text,
        one step of a series; live; None follows the selection.

        `layer`, `patch` and `stride` are for pictures, `names` (of the features) for rows, texts and series.

        `options` are those of the view: `kind="logit"`, `fill="blur"`.

        Raises:
            ValueError: a target that is no class, a patch larger than the picture, a stride larger than the patch,
                another number of names, a value that another option can't have.
            KeyError: an unknown layer.   TypeError: an option that is unknown, or not one for these data.
            IndexError: a sample out of range.
        """

        named = {"layer": layer, "patch": patch, "stride": stride, "names": names}
        options |= {name: value for name, value in named.items() if value is not None}
        made: Any = self.view(OcclusionView.name, sample=sample, target=target, save_picture=save_picture, **options)
        return made  # type: ignore[no-any-return]

    def embedding(
        self,
        *,
        layer: str | None = None,
        method: str = "tsne",
        dims: int = 2,
        points: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        save_picture: bool = True,
        **options: Any,
    ) -> EmbeddingView:
        """Samples as points, near each other when a layer responds alike, live; a fixed subset of `points` (500)
        samples, 100 000 at most.

        `metadata={"writer": names, "difficulty": numbers}` says more about the samples: sequences, arrays or tensors of
        shape (len(dataset),), which points are coloured, sized and searched by (`EmbeddingView`). `options` are those
        of the view: `color="loss"`, `size="confidence"`, `trails=True`.

        Raises:
            KeyError: an unknown layer.
            ValueError: an unknown method, dims other than 2 or 3, fewer than one point, metadata of another length, a
                value that another option can't have.
            TypeError: metadata that are not numbers, strings or booleans, an unknown option.
        """

        return self.view(
            EmbeddingView,
            layer=layer,
            method=method,
            dims=dims,
            points=points,
            metadata=metadata,
            save_picture=save_picture,
            **options,
        )

    def dashboard(
        self,
        *,
        views: str | type[View] | Sequence[str | type[View]] | None = None,
        tab: str | None = None,
        save_picture: bool = True,
    ) -> Dashboard:
        """The views in one frame, with one selection; a view is made when its tab is opened, and computed while open.

        Args:
            views: names of ours ("activations", "filters", "occlusion", "embedding") and classes of your own, in the
                order of their tabs, or one of them; default: all of ours.
            tab: the name of the view to open first; default: the first.
            save_picture: False keeps private images out of the saved notebook.

        Raises:
            KeyError: an unknown name.   TypeError: something that is neither a name nor a view.
            ValueError: a tab that is not among the views, two views of one name.
        """

        return Dashboard(self._open_session, self._views, views=views, tab=tab, save_picture=save_picture)

    def watch(self, optimizer: torch.optim.Optimizer | None = None, *, budget: float = 0.05) -> Watch:
        """Follow a training: `with inspector.watch(optimizer): ...`. A second watch replaces the first.

        Args:
            optimizer: None: any optimizer that steps these parameters, also one made later.
            budget: share of the training time that watching may cost, for all views together.

        Raises:
            ValueError: a budget outside 0 to 1; an optimizer that steps none of this model's parameters.
            RuntimeError: the inspector is closed, or its model is gone.
        """

        session = self._open_session
        model = session.live()
        if model is None:
            raise RuntimeError("inspector: expected a model to watch, got one that is gone; make a new Inspector")
        watch = Watch(
            model,
            session.shadow,
            session.worker,
            session.user_thread,
            optimizer,
            budget=budget,
            first_step=session.watch.step_count if session.watch is not None else 0,
            on_change=session.watch_changed,
        )
        watch.pollers.append(poll)
        session.watch, session.watched = watch, True
        session.changed()
        return watch

    def refresh(self) -> None:
        """Take the model as it is now and renew every view; needed only where no watch follows the training."""
        self._open_session.worker.refill()
        self._session.recheck_leaks()
        self._session.refresh_all()
        while self._session.user_thread.pending:  # samples that views need; a script has no loop that would read them
            self._session.user_thread.drain()

    def close(self) -> None:
        """Close every view and the watch, and free the private copy. The model stays as it is."""
        self._close()

    def _ipython_display_(self, **options: Any) -> None:
        self.dashboard()._ipython_display_(**options)

    def __repr__(self) -> str:
        state = "closed" if self._session.closed else f"{len(self.layers)} layers, {len(self._session.samples)} samples"
        return f"Inspector({state})"
