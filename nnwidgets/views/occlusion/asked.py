"""What every occlusion view asks: what a class loses, for one sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from nnwidgets.display.options import choice
from nnwidgets.display.predicted import label_words, predicted_words
from nnwidgets.display.selecting import checked_target
from nnwidgets.display.view import Heading, View
from nnwidgets.display.wire import Header
from nnwidgets.words import count

MOST_CLASSES_LISTED = 50
KINDS = ("probability", "logit")


class AsksAboutClass(View):
    """The class asked about is part of the selection that all views share, and has a menu of its own.

    Results have the `sample` they are of, and `clean`, its `(classes,)` scores with nothing covered.
    """

    name, title, group = "occlusion", "Occlusion", "Predictions"
    slow = True
    follows = ("sample", "target")

    kind = choice(
        of="kind_choices",
        default="probability",
        label="",
        kind="toggle",
        draws=True,
        help="What is drawn of the class asked about.",
    )

    def kind_choices(self) -> list[tuple[str, str]]:
        """Outputs that are probabilities have no logits."""
        return [(kind, kind) for kind in (KINDS[:1] if self.run.task.probable else KINDS)]

    def no_scores(self) -> str:
        """Why there is nothing to ask about, or nothing."""
        return "" if self.run.classes is not None else f"Occlusion needs class scores; {self.run.task.reason}"

    @property
    def target(self) -> int:
        """The class asked about."""
        result = self.result
        return self.class_asked(None if result is None else result.clean, self.sample)

    def class_asked(self, clean: Tensor | None, sample: int) -> int:
        """The class selected, else the sample's own, else the one predicted."""
        for target in (super().target, self.run.samples.label(sample)):
            # A label need not be a class of this model: -100 says "ignore" to torch's losses.
            if target is not None and 0 <= target < (self.run.classes or 0):
                return int(target)
        return int(clean.argmax()) if clean is not None else 0

    def option_specs(self) -> list[Header]:
        """The class asked about comes first."""
        classes, result, target = self.run.classes or 0, self.result, self.target
        listed: Sequence[int] = range(classes)
        if classes > MOST_CLASSES_LISTED and result is not None:
            likely = result.clean.topk(MOST_CLASSES_LISTED - 1).indices.tolist()
            listed = sorted({target, *likely})
        choices = [(each, self.run.class_name(each)) for each in listed]
        spec = {"name": "target", "label": "Target", "kind": "dropdown", "value": target, "choices": choices}
        return [spec, *super().option_specs()]

    def set_option(self, name: Any, value: Any) -> None:
        if name == "target":
            self.select(target=checked_target(value, self.run.classes))
            self.changed()
        else:
            super().set_option(name, value)

    def heading(self, result: Any) -> Heading:
        return Heading(f"Sample {count(self.sample if result is None else result.sample)}")

    def taken_for(self, label: str, clean: Tensor) -> str:
        """The sample's own label, and what the model takes it for with nothing covered."""
        return ", ".join(filter(None, [label_words(self.run, label), predicted_words(self.run, clean)]))

    def asked_for(self) -> str:
        return f"Occlusion of sample {count(self.sample)}"


def nan_scores(sample: int) -> ValueError:
    """Why a model whose scores are NaN has no map, and where to look."""
    return ValueError(
        f"scores of sample {sample}: expected finite values, got NaN; Activations shows which layer they begin in, and "
        "the slider goes back to before"
    )
