"""What a model's outputs mean: how they become probabilities, predictions and losses. Knows no dataset and no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["BY_SOFTMAX", "TASKS", "UNKNOWN", "Task", "TaskKind"]

TaskKind: TypeAlias = Literal["classes", "binary", "labels", "numbers", "positions", "none"]
TASKS: tuple[TaskKind, ...] = get_args(TaskKind)

_NO_SCORES = "give Inspector(score_fn=…)"


@dataclass(frozen=True)
class Task:
    """What the outputs of a model are. Everything that depends on it asks here.

    kind: "classes", one of several for each sample, by softmax.   "binary", one output for yes or no, by sigmoid.
    "labels", several, each yes or no, by sigmoid.   "numbers", as in a regression.   "positions", a class at each
    position.   "none", not known, or something else.
    width: outputs for each sample, 0 where not known.
    probable: outputs are probabilities, which are used as they are.
    reason: what to do where there are no class scores.   note: what the user should know of the choice, or "".

    *Scores* are (…, classes): the outputs as they are, but of a binary task those of no and yes: `(-z, z)` of a logit,
    `(1 - p, p)` of a probability.

    >>> task = Task("binary", 1)
    >>> scores = task.scores(torch.tensor([[2.0], [-1.0]]))
    >>> scores.tolist(), task.predicted(scores).tolist()
    ([[-2.0, 2.0], [1.0, -1.0]], [1, 0])
    >>> (100 * task.probabilities(scores)).round().int().tolist()
    [[12, 88], [73, 27]]
    """

    kind: TaskKind
    width: int = 0
    probable: bool = False
    reason: str = _NO_SCORES
    note: str = ""

    @property
    def classes(self) -> int | None:
        """How many classes, or labels, have a score; None where there are no class scores."""
        return {"classes": self.width, "binary": 2, "labels": self.width}.get(self.kind)

    @property
    def one_class(self) -> bool:
        """Whether a sample has one class of several, so that it can be predicted right or wrong."""
        return self.kind in ("classes", "binary")

    @property
    def words(self) -> str:
        """The task in a short phrase."""
        by = "as given" if self.probable else "by softmax" if self.kind == "classes" else "by sigmoid"
        return {
            "classes": f"one of {self.width} classes, probabilities {by}",
            "binary": f"yes or no, probability {by}",
            "labels": f"{self.width} labels, each yes or no, probabilities {by}",
            "numbers": "a number" if self.width == 1 else f"{self.width} numbers" if self.width else "numbers",
            "positions": "a class at each position",
            "none": "not known to be classes",
        }[self.kind]

    def scores(self, outputs: Tensor) -> Tensor:
        """Scores (n, classes) of the outputs (n, width), or (n,) of a binary task."""
        if self.kind != "binary":
            return outputs
        yes = outputs.reshape(-1, 1)
        return torch.cat([1 - yes if self.probable else -yes, yes], dim=1)

    def probabilities(self, scores: Tensor) -> Tensor:
        """Probabilities of the scores (…, classes), the same shape. Those of several labels need not sum to one."""
        if self.probable:
            return scores
        return scores.softmax(dim=-1) if self.kind == "classes" else scores.sigmoid()

    def predicted(self, scores: Tensor) -> Tensor:
        """(…,) int64: the class with the highest score, or the most probable label; the first of equal ones."""
        return scores.argmax(dim=-1)

    def said_yes(self, scores: Tensor) -> Tensor:
        """(…, classes) bool: which have a probability above one half. What several labels are taken for."""
        return scores > (0.5 if self.probable else 0.0)

    def predictions(self, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predicted class (n,) int64, its probability (n,) and the cross-entropy (n,), float32.

        `scores` are (n, classes) of a task with one class a sample, `labels` (n,) int64; the loss is NaN where a label
        is not a class.

        >>> task, scores = Task("classes", 2), torch.tensor([[0.0, 0.0], [0.0, 9.0]])
        >>> predicted, confidence, loss = task.predictions(scores, torch.tensor([-1, 1]))
        >>> predicted.tolist(), confidence.round(decimals=3).tolist(), loss.round(decimals=3).tolist()
        ([0, 1], [0.5, 1.0], [nan, 0.0])
        """
        logs = self._logs(scores.float())
        confidence, predicted = self.probabilities(scores.float()).max(dim=1)
        usable = (labels >= 0) & (labels < logs.shape[1])
        picked = logs[torch.arange(len(logs)), labels.clamp(0, logs.shape[1] - 1)]
        return predicted, confidence, torch.where(usable, -picked, torch.nan)

    def right(self, scores: Tensor, targets: Tensor) -> Tensor:
        """(k,) bool: of each sample with a label whether it is predicted right; of several labels, of each answer.

        `scores` are (n, classes), `targets` (n,) int64 classes, -1 for none, or (n, classes) zeros and ones of labels.

        >>> scores = torch.tensor([[-2.0, 2.0], [-1.0, 1.0], [3.0, -3.0]])
        >>> Task("binary", 1).right(scores, torch.tensor([1, 0, -1])).tolist()
        [True, False]
        """
        if self.kind == "labels":
            return (self.said_yes(scores) == (targets > 0.5)).flatten()
        judged = (targets >= 0) & (targets < scores.shape[1])
        return (self.predicted(scores) == targets)[judged]

    def _logs(self, scores: Tensor) -> Tensor:
        """Logarithms of the probabilities (n, classes)."""
        if self.probable:
            return scores.log()
        return F.log_softmax(scores, dim=1) if self.kind == "classes" else F.logsigmoid(scores)


BY_SOFTMAX = Task("classes")
UNKNOWN = Task("none")
