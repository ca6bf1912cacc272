"""Views of one sample: which layer, sample and unit they show, and reading a sample that isn't read yet."""

from __future__ import annotations

from typing import Any

import torch

from nnwidgets.analysis.capture import unknown_layer
from nnwidgets.figures.captions import count, share
from nnwidgets.session import Session
from nnwidgets.views._view import View


class SampleView(View):
    """A view of the response to one sample; layer and sample may be pinned, else the selection is followed."""

    def __init__(
        self, session: Session, *, layer: str | None = None, sample: int | None = None, **options: Any
    ) -> None:
        names = [info.name for info in session.layers]
        if layer is not None and layer not in names:
            raise unknown_layer(layer, names)
        if sample is not None:
            session.samples.check_index(sample)
        self._pinned_layer, self._pinned_sample = layer, sample
        super().__init__(session, **options)

    @property
    def layer(self) -> str:
        return self._pinned_layer if self._pinned_layer is not None else super().layer

    @property
    def sample(self) -> int:
        return self._pinned_sample if self._pinned_sample is not None else super().sample

    @property
    def unit_layer(self) -> str:
        """The layer that the units on show are units of."""
        return self.layer

    def select(self, **changes: Any) -> None:
        """A unit picked is a unit of the layer on show; what is picked in a pinned view is shown there too."""
        if "unit" in changes:
            changes.setdefault("layer", self.unit_layer)
        super().select(**changes)
        if "sample" in changes and self._pinned_sample is not None:
            self._pinned_sample = int(changes["sample"])
        if "layer" in changes and self._pinned_layer is not None:
            self._pinned_layer = changes["layer"]
        self._renew()

    def unit_of(self, layer: str, units: int) -> int:
        """The selected unit if it is one of this layer, else the first."""
        selection = self.session.selection
        unit = selection.unit if selection.layer == layer else None
        return unit if unit is not None and unit < units else 0

    def awaited(self) -> str:
        if self.session.samples.held([self.sample]):
            return ""
        return f"Sample {count(self.sample)} is read at the next step"

    def refresh(self) -> None:
        """Compute anew; a sample that needs the user's code is read in the user's thread first."""
        if self.session.samples.held([self.sample]):
            super().refresh()
            return
        self._asked = self.ask()
        sample = self.sample
        self.session.user_thread.submit(lambda: self._read(sample))
        self.show_state()

    def _read(self, sample: int) -> None:
        try:
            self.session.samples.read([sample])
        except Exception as error:
            # The dataset is the user's code: whatever it raises is shown in the view that asked.
            self.fail(error, self.session.status().step or 0)
            return
        if self.sample == sample and not self.session.closed:
            super().refresh()

    def sample_text(self, sample: int, label: str, scores: torch.Tensor | None) -> str:
        """Which sample it is, what it is and what the model takes it for."""
        parts = [f"Sample {count(sample)}"]
        if label:
            parts.append(f"label {label}")
        top = prediction(scores, self.session.samples.class_names)
        if top:
            parts.append(f"predicted {top[0][0]} ({share(top[0][1])})")
        return ", ".join(parts)


def prediction(scores: torch.Tensor | None, names: tuple[str, ...] | None) -> list[tuple[str, float]]:
    """The three most probable classes and their probabilities by softmax of the scores (classes,).

    >>> prediction(torch.tensor([0.0, 0.0]), ("cat", "dog"))
    [('cat', 0.5), ('dog', 0.5)]
    """
    if scores is None or scores.ndim != 1 or len(scores) < 2:
        return []
    shares, classes = torch.softmax(scores.float(), dim=0).topk(min(3, len(scores)))
    return [
        (names[index] if names else str(index), float(part))
        for part, index in zip(shares, classes.tolist(), strict=True)
    ]
